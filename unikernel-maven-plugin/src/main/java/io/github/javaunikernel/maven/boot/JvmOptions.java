// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.ArrayList;
import java.util.List;

/**
 * The options the JVM gets before those of the user, chosen for a machine that runs nothing else. Where the user
 * decides the same matter, by an argument or in a variable such as {@code JAVA_TOOL_OPTIONS}, the plugin's own option
 * is left out: the JVM refuses two collectors, and takes an option on its command line before one in a variable.
 */
public final class JvmOptions {

    /** What a kernel, a JVM without its heap and a small program need. */
    private static final int SMALL_MACHINE = 64;

    private static final int SMALL_HEAP = 16;
    private static final int MIN_HEAP = 8;
    /**
     * The young generation is filled before it is collected, however little of it lives, so all of it is memory in use.
     * The JVM's own choice is a third of the heap.
     */
    private static final String SMALL_NURSERY = "-Xmn1m";

    /** In MiB; enough outside of the heap for most programs, however large the machine. */
    private static final int LARGEST_REST = 512;
    /** The JVM's own limit between a client and a server (os::is_server_class_machine): 1792 MiB and 2 CPUs. */
    private static final int SERVER_MEMORY = 1792;
    /** In MiB; up to here the optimising compiler would take memory that is needed elsewhere. */
    private static final int NO_OPTIMISING_COMPILER = 128;

    /** Any option that chooses a collector, or turns the plugin's own choice off. */
    private static final String COLLECTOR =
            "-XX:(\\+Use(Serial|Parallel|ParallelOld|ConcMarkSweep|G1|Z|Shenandoah|Epsilon)GC|-UseSerialGC)";

    private JvmOptions() {}

    /**
     * The options for a machine.
     *
     * @param memory in MiB
     * @param given the user's
     */
    public static List<String> forMachine(int memory, int vcpus, Startup startup, GivenOptions given)
            throws SettingException {
        GuestMemory.check(memory, true);
        List<String> options = new ArrayList<>();
        for (Choice choice : choices(memory, vcpus, startup)) {
            if (!given.any(choice.decidedBy)) {
                options.add(choice.option);
            }
        }
        return options;
    }

    /**
     * The options with which the JVM records the classes that it loads, after all others. An archive would hide those
     * that come from it.
     *
     * @param file that the list is written to
     */
    public static List<String> recording(String file) {
        return List.of("-Xshare:off", "-XX:DumpLoadedClassList=" + file);
    }

    /**
     * The options with which the JVM records a start for an AOT cache, after all others.
     *
     * @param file that the recording is written to when the program ends
     */
    public static List<String> recordingForAot(String file) {
        return List.of("-XX:AOTMode=record", "-XX:AOTConfiguration=" + file);
    }

    /** The option with which the JVM takes an AOT cache. */
    public static List<String> aotCache(String file) {
        return List.of("-XX:AOTCache=" + file);
    }

    /** An option, and the form of those with which a user decides the same. */
    private record Choice(String option, String decidedBy) {}

    private static List<Choice> choices(int memory, int vcpus, Startup startup) {
        List<Choice> choices = new ArrayList<>();
        choices.add(new Choice(
                "-Xmx" + heap(memory) + "m", "-Xmx.*|-XX:(MaxHeapSize|MaxRAM|MaxRAMPercentage|MaxRAMFraction)=.*"));
        if (GuestMemory.isScarce(memory)) {
            choices.add(new Choice(SMALL_NURSERY, "-Xmn.*|-XX:(NewSize|MaxNewSize|NewRatio)=.*"));
        }
        if (memory < SERVER_MEMORY || vcpus < 2) {
            choices.add(new Choice("-XX:+UseSerialGC", COLLECTOR));
        }
        if (memory <= NO_OPTIMISING_COMPILER) {
            choices.add(new Choice(
                    "-XX:TieredStopAtLevel=1",
                    "-XX:TieredStopAtLevel=.*|-XX:[-+]TieredCompilation|-Xint|-XX:\\+UseJVMCICompiler"));
        }
        startup.thresholds()
                .forEach((name, value) -> choices.add(new Choice("-XX:" + name + "=" + value, "-XX:" + name + "=.*")));
        // Nobody can attach to read the counters.
        choices.add(new Choice("-XX:-UsePerfData", "-XX:[-+]UsePerfData"));
        // A server without memory is better started again than left half alive.
        choices.add(new Choice("-XX:+ExitOnOutOfMemoryError", "-XX:[-+](Exit|Crash)OnOutOfMemoryError"));
        // Nothing on disk outlives the guest, the console does.
        choices.add(new Choice("-XX:+ErrorFileToStderr", "-XX:([-+]ErrorFileToStd(err|out)|ErrorFile=.*)"));
        // As Java 18 and later have it anyway.
        choices.add(new Choice("-Dfile.encoding=UTF-8", "-Dfile\\.encoding(=.*)?"));
        return choices;
    }

    /** The largest heap, in MiB, that leaves room for the kernel, classes, compiled code and threads. */
    static int heap(int memory) {
        if (memory < SMALL_MACHINE) {
            return Math.max(memory / 4, MIN_HEAP);
        }
        int share = SMALL_HEAP + (memory - SMALL_MACHINE) * 6 / 10;
        return Math.max(share, memory - LARGEST_REST);
    }
}
