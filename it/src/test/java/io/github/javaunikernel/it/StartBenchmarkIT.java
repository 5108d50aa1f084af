// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a start costs, beside Linux: the same image with the same JVM and class data, for each way to have class data.
 * Prints a row of a table for each: instructions of the guest, counted by QEMU, and CPU seconds, which other work on
 * this machine disturbs. The unikernel's include the boot of its kernel, those of Linux begin where it starts the JVM.
 * {@code -Dpeer.rounds=N} measures CPU seconds N times, or with 0 only counts instructions, {@code -Dlab.jdks=17} only
 * with that Java.
 */
@Tag("peer")
@Timeout(value = 6, unit = TimeUnit.HOURS)
class StartBenchmarkIT {

    private static final int ROUNDS = Integer.getInteger("peer.rounds");
    private static final String ANSWER = "Hello from a unikernel\n";
    private static final double MILLION = 1e6;

    @TempDir
    static Path work;

    /** An application of the archetype. */
    private enum Flavour {
        JDK("jdk", "Listening on port 8080", "/,/api/system"),
        SPRING_BOOT("spring-boot", "Started Application in", "/");

        private final String name;
        /** What it prints when it listens. */
        private final String listening;

        private final String trainPaths;

        Flavour(String name, String listening, String trainPaths) {
            this.name = name;
            this.listening = listening;
            this.trainPaths = trainPaths;
        }
    }

    /** From the start of the program to the first answer. */
    private record Cost(double listening, double answer) {
        double sum() {
            return listening + answer;
        }
    }

    private static Stream<Jdk> jdks() {
        String chosen = System.getProperty("lab.jdks", "");
        return Stream.of(chosen.isBlank() ? new String[] {"17", "25"} : chosen.split(","))
                .map(feature -> Jdk.of(Integer.parseInt(feature)));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void scaffold(Jdk jdk) throws IOException, InterruptedException {
        compare(Flavour.JDK, jdk, List.of("cds=off", "cds=jdk", "cds=app"));
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void springBoot(Jdk jdk) throws IOException, InterruptedException {
        compare(Flavour.SPRING_BOOT, jdk, List.of("cds=off", "cds=jdk", "cds=app", "cds=app startup=fast"));
    }

    private static void compare(Flavour flavour, Jdk jdk, List<String> choices)
            throws IOException, InterruptedException {
        Path project =
                Scaffold.generate(Files.createDirectory(work.resolve(flavour.name + jdk)), "-Dflavour=" + flavour.name);
        build(
                project,
                jdk,
                "unikernel:train",
                "trainPaths=" + flavour.trainPaths + " start.timeout=36000 stop.timeout=36000");
        System.out.printf(
                "| %s, Java %s | unikernel | Linux | ratio |%n| --- | --- | --- | --- |%n", flavour.name, jdk);
        for (String choice : choices) {
            build(project, jdk, "package", choice);
            Path image = Scaffold.product(project, "");
            row(
                    choice,
                    "million instructions",
                    instructions(Platform.QEMU, image, flavour),
                    instructions(Platform.LINUX_QEMU, image, flavour));
            if (ROUNDS > 0) {
                row(
                        choice,
                        "CPU s",
                        seconds(Platform.QEMU, image, flavour),
                        seconds(Platform.LINUX_QEMU, image, flavour));
            }
        }
    }

    private static void row(String choice, String unit, Cost ours, Cost theirs) {
        System.out.printf(
                Locale.ROOT,
                "| %s, %s | %s | %s | %.2f |%n",
                choice,
                unit,
                text(ours),
                text(theirs),
                ours.sum() / theirs.sum());
    }

    private static String text(Cost cost) {
        String format = cost.sum() > 100 ? "%.0f + %.0f" : "%.2f + %.2f";
        return String.format(Locale.ROOT, format, cost.listening, cost.answer);
    }

    /** The parameters have their names without what all have before them. */
    private static void build(Path project, Jdk jdk, String goal, String parameters) throws IOException {
        List<String> words = new ArrayList<>(List.of(goal, "-DskipTests", "-Dunikernel.jdkHome=" + jdk.home()));
        for (String parameter : parameters.split(" ")) {
            words.add("-Dunikernel." + parameter);
        }
        Maven.run(project, Map.of(), words.toArray(String[]::new));
    }

    /** In millions. */
    private static Cost instructions(Platform platform, Path image, Flavour flavour) throws IOException {
        Cost counted = start(platform, image, flavour, List.of("--instructions"), Lab::instructions);
        return new Cost(counted.listening / MILLION, counted.answer / MILLION);
    }

    /** The round whose sum is the median. */
    private static Cost seconds(Platform platform, Path image, Flavour flavour) throws IOException {
        List<Cost> rounds = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            rounds.add(start(platform, image, flavour, List.of(), Lab::cpuSeconds));
        }
        rounds.sort((one, other) -> Double.compare(one.sum(), other.sum()));
        return rounds.get(rounds.size() / 2);
    }

    private interface Meter {
        double read(Lab lab);
    }

    /** Linux holds before it starts the program, so that its boot can be left out exactly. */
    private static Cost start(Platform platform, Path image, Flavour flavour, List<String> options, Meter meter)
            throws IOException {
        List<String> all = new ArrayList<>(platform.options(image));
        all.addAll(options);
        boolean linux = platform == Platform.LINUX_QEMU;
        if (linux) {
            int words = all.indexOf("--extra") + 1;
            all.set(words, all.get(words) + " hold");
        }
        try (Lab lab = Lab.start("start-" + platform, platform, all)) {
            double begin = 0;
            if (linux) {
                lab.await("peer: holds", GuestSuite.BOOT);
                begin = meter.read(lab);
                lab.command("console go");
            }
            lab.await(flavour.listening, GuestSuite.BOOT);
            double listening = meter.read(lab);
            assertEquals(ANSWER, HttpConnection.get(lab.port(), "/"));
            return new Cost(listening - begin, meter.read(lab) - listening);
        }
    }
}
