// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Concurrent programs whose wrong outcomes are known ({@code src/torture/concurrency}), in guests with several CPUs:
 * litmus tests of the Java memory model (jcstress), threads that wait for each other, concurrent collections, 200
 * threads that allocate and, on a JDK that has them, virtual threads. The program passes on Linux, and the guest passes
 * what Linux does. A long form:
 *
 * <pre>./mvnw verify -pl it -Dgroups=torture -Dlab.excluded=none -Dit.test=TortureIT \
 *     [-Dtorture.vcpus=2,4] [-Dlab.platforms=QEMU] [-Dlab.jdks=17,25] [-Dtorture.options=-XX:+UseParallelGC]</pre>
 */
// Maven, a JVM on Linux and guests, each of which is waited for as long as it makes progress.
@Timeout(value = 6, unit = TimeUnit.HOURS)
@Tag("torture")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TortureIT {

    private static final Path SOURCES = Path.of("src", "torture", "concurrency");
    private static final String PASSED = "torture: ok ";

    static Stream<Arguments> guests() {
        List<Arguments> guests = new ArrayList<>();
        for (String jdk : jdks()) {
            for (String platform : ListProperty.of("lab.platforms")) {
                for (String vcpus : ListProperty.of("torture.vcpus")) {
                    guests.add(Arguments.of(Jdk.of(Integer.parseInt(jdk)), Platform.valueOf(platform), vcpus));
                }
            }
        }
        assertFalse(guests.isEmpty(), "there is no platform, or no number of CPUs");
        return guests.stream();
    }

    private static List<String> jdks() {
        List<String> chosen = ListProperty.of("lab.jdks");
        return chosen.isEmpty() ? List.of(Integer.toString(Runtime.version().feature())) : chosen;
    }

    @ParameterizedTest(name = "JDK {0}, {1}, {2} CPUs")
    @MethodSource("guests")
    void noForbiddenOutcomeAppears(Jdk jdk, Platform platform, String vcpus) throws IOException, InterruptedException {
        Path project = build(jdk);
        List<String> linux = onLinux(jdk, project);
        assertFalse(linux.isEmpty(), "nothing passed on Linux");
        String name = "torture-jdk" + jdk + "-" + platform + "-" + vcpus;
        List<String> options =
                new ArrayList<>(platform.options(project.resolve("target").resolve("concurrency")));
        options.addAll(List.of("--vcpus", vcpus));
        try (Lab lab = Lab.start(name, platform, options)) {
            assertEquals(0, lab.exitStatus(GuestSuite.BOOT), lab::lastLines);
            assertEquals(linux, passed(lab.lines()), "the guest passed others than Linux");
        }
    }

    private static Path build(Jdk jdk) throws IOException {
        Path project = Lab.images().resolve("torture").resolve("jdk" + jdk);
        FrameworkProject.copy(SOURCES, project);
        List<String> words =
                new ArrayList<>(List.of("package", "-Dunikernel.version=" + System.getProperty("lab.version")));
        String options = System.getProperty("torture.options", "");
        if (!options.isBlank()) {
            words.add("-Dunikernel.jvmArguments=" + options);
        }
        Maven.run(project, Map.of("JAVA_HOME", jdk.home().toString()), words.toArray(String[]::new));
        return project;
    }

    private static List<String> onLinux(Jdk jdk, Path project) throws IOException, InterruptedException {
        Path log = project.resolve("target").resolve("linux.log");
        int status = new ProcessBuilder(
                        jdk.java(),
                        "-jar",
                        project.resolve("target").resolve("concurrency.jar").toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        List<String> lines = Files.readAllLines(log);
        assertEquals(0, status, () -> "on Linux: " + String.join("\n", lines));
        return passed(lines);
    }

    /** The names of the programs that have passed. */
    private static List<String> passed(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith(PASSED))
                .map(line -> line.substring(PASSED.length()).split(" ", 2)[0])
                .toList();
    }
}
