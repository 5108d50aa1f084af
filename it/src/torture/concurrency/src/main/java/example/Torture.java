// SPDX-License-Identifier: Apache-2.0
package example;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs everything, one after the other, and prints {@code torture: ok NAME} or {@code torture: FAILED NAME} for each;
 * the status is 1 if one has failed. A program that gets nowhere is failed with the stacks of all threads, however long
 * one that gets somewhere takes.
 *
 * <p>Properties: {@code torture.millis}, of each of five rounds of a litmus test, 200 unless set; {@code
 * torture.scale}, by which the work of all others is multiplied; {@code torture.only}, a part of the names of those to
 * run.
 */
public final class Torture {

    /** One program. What it returns is printed. */
    interface Program {
        String run() throws Exception;
    }

    private static final int SCALE = Integer.getInteger("torture.scale", 1);
    private static final String ONLY = System.getProperty("torture.only", "");

    private final Map<String, Program> programs = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();

    private Torture() {
        LitmusRunner litmus = new LitmusRunner(Integer.getInteger("torture.millis", 200));
        for (String name : LitmusRunner.names()) {
            programs.put("litmus." + name.substring(name.lastIndexOf('.') + 1), () -> litmus.run(name));
        }
        Handovers.addTo(programs, SCALE);
        Collections.addTo(programs, SCALE);
        programs.put("collector.manyThreadsAllocate", () -> new Garbage(SCALE).run());
        addVirtualThreads();
    }

    /** They are compiled where the JDK has them. */
    private void addVirtualThreads() {
        if (Runtime.version().feature() < 21) {
            return;
        }
        try {
            Program program = (Program) Class.forName("example.VirtualThreads")
                    .getDeclaredConstructor(int.class)
                    .newInstance(SCALE);
            programs.put("virtual.threadsBlockOnSockets", program);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("The program is compiled for an older Java than it runs on.", e);
        }
    }

    private void run(String name, Program program) {
        Progress progress = new Progress(name);
        try (progress) {
            System.out.println("torture: ok " + name + " " + program.run());
        } catch (Exception | AssertionError e) {
            System.out.println("torture: FAILED " + name + " " + e);
            e.printStackTrace(System.out);
            failures.add(name);
        }
    }

    public static void main(String[] arguments) {
        System.out.println(
                "torture: processors: " + Runtime.getRuntime().availableProcessors());
        Torture torture = new Torture();
        torture.programs.forEach((name, program) -> {
            if (name.contains(ONLY)) {
                torture.run(name, program);
            }
        });
        System.out.println("torture: end, failures: " + torture.failures);
        System.exit(torture.failures.isEmpty() ? 0 : 1);
    }
}
