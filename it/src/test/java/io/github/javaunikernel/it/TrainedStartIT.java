// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * Class data of a fresh scaffold: the guest records a list, the next build makes an archive of it, and the guest of
 * that image takes nearly all of its classes from there; and the same with the JVM's AOT cache. Prints the CPU seconds
 * of both guests, which log their classes.
 */
class TrainedStartIT {

    private static final String ANSWER = "Hello from a unikernel\n";
    private static final String TRAIN_PATHS = "-Dunikernel.trainPaths=/,/api/system";
    /** However slow the machine is. */
    private static final List<String> PATIENCE =
            List.of("-Dunikernel.start.timeout=36000", "-Dunikernel.stop.timeout=36000");

    private static final String LOG_CLASSES = "-Dunikernel.jvmArguments=-Xlog:class+load";
    private static final double LEAST_SHARE = 0.95;
    private static final int TERMINATED = 143;

    @TempDir
    static Path work;

    @Test
    void theGuestTakesItsClassesFromTheArchive() throws IOException, InterruptedException {
        train(Jdk.of(Runtime.version().feature()));
    }

    /** There the classes are linked in advance, too. */
    @Test
    @Tag("platforms")
    @EnabledIf("io.github.javaunikernel.it.Jdk25XenPvIT#imageWasMade")
    void theGuestOfJdk25TakesItsClassesFromTheArchive() throws IOException, InterruptedException {
        train(Jdk.of(25));
    }

    /**
     * After the training the jars are the same, so that the next build makes a cache; another jar then needs another.
     */
    @Test
    @Tag("platforms")
    @EnabledIf("io.github.javaunikernel.it.Jdk25XenPvIT#imageWasMade")
    void theGuestOfJdk25TakesItsClassesFromTheAotCache() throws IOException, InterruptedException {
        Jdk jdk = Jdk.of(25);
        Path project = Scaffold.generate(Files.createDirectory(work.resolve("aot")));
        String training = build(
                project, jdk, "unikernel:train", TRAIN_PATHS, PATIENCE.get(0), PATIENCE.get(1), "-Dunikernel.cds=aot");
        assertTrue(training.matches("(?s).*Recorded a start in .*\\.aotrecording.*"), training);

        String packaging = build(project, jdk, "package", LOG_CLASSES, "-Dunikernel.cds=aot");
        assertTrue(packaging.contains("Made the AOT cache of "), packaging);
        assertTakesFromArchive(assertServes(project, "aot-" + jdk));

        Path source = project.resolve("src/main/java/org/example/Main.java");
        Files.writeString(source, Files.readString(source) + "\nclass Later {}\n");
        String changed = build(project, jdk, "package", "-Dunikernel.cds=aot");
        assertTrue(changed.contains("there is no recording of this runtime and these jars"), changed);
    }

    private static void train(Jdk jdk) throws IOException, InterruptedException {
        Path project = Scaffold.generate(Files.createDirectory(work.resolve("jdk" + jdk)));
        build(project, jdk, "package", "-Dunikernel.cds=jdk", LOG_CLASSES);
        assertServes(project, "untrained-" + jdk);

        String training = build(project, jdk, "unikernel:train", TRAIN_PATHS, PATIENCE.get(0), PATIENCE.get(1));
        assertTrue(training.matches("(?s).*Recorded [1-9]\\d{2,} classes in .*unikernel\\.classlist.*"), training);
        List<String> list = Files.readAllLines(project.resolve("src/main/unikernel.classlist"));
        assertTrue(list.containsAll(List.of("java/lang/Object", "org/example/Main", "org/example/WebServer")));

        String packaging = build(project, jdk, "package", LOG_CLASSES);
        assertTrue(packaging.matches("(?s).*(Made|Reusing) class data of .*"), packaging);
        assertTakesFromArchive(assertServes(project, "trained-" + jdk));
    }

    private static void assertTakesFromArchive(List<String> console) {
        long all = console.stream().filter(line -> line.contains(" source: ")).count();
        long archived = console.stream()
                .filter(line -> line.contains(" source: shared objects file"))
                .count();
        assertTrue(all > 1000 && archived >= all * LEAST_SHARE, archived + " of " + all + " come from the archive");
    }

    private static String build(Path project, Jdk jdk, String goal, String... options)
            throws IOException, InterruptedException {
        List<String> words = Stream.concat(
                        Stream.of(goal, "-DskipTests", "-Dunikernel.jdkHome=" + jdk.home()), Stream.of(options))
                .toList();
        return Maven.run(project, Map.of(), words.toArray(String[]::new));
    }

    /** Boots, asks and shuts down; the lines of the console. */
    private static List<String> assertServes(Path project, String name) throws IOException, InterruptedException {
        try (Lab lab = Lab.start(name, Platform.QEMU, Platform.QEMU.options(Scaffold.product(project, "")))) {
            lab.await("Listening on port 8080", GuestSuite.BOOT);
            double listening = lab.cpuSeconds();
            assertEquals(ANSWER, HttpConnection.get(lab.port(), "/"));
            System.out.printf(
                    "%s: %.2f CPU s until it listens, %.2f with the first answer%n", name, listening, lab.cpuSeconds());
            lab.command("shutdown");
            assertEquals(TERMINATED, lab.exitStatus(GuestSuite.END));
            return lab.lines();
        }
    }
}
