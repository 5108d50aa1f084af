// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A JVM that runs out of each kind of memory: it ends as Java documents, or goes on, and the kernel takes nothing in
 * silence. Takes some minutes, so it is run by hand, with images of its own, in QEMU and as Xen PV guest: {@code ./mvnw
 * verify -pl it -Dgroups=exhaustion -Dlab.excluded=none [-Dlab.platforms=QEMU]}.
 */
@Tag("exhaustion")
@Timeout(value = 6, unit = TimeUnit.HOURS)
class OutOfMemoryIT {

    private static final Duration SILENCE = GuestSuite.BOOT;
    private static final String NO_ROOM = "(There is insufficient memory for the Java Runtime Environment to continue"
            + "|Could not reserve enough space|unikernel: out of memory:).*";

    /** One guest each: a platform and an image. */
    record Target(Platform platform, String image) {
        List<String> options() throws IOException {
            return platform.options(Lab.images().resolve(image));
        }
    }

    static List<Target> targets() {
        List<Target> targets = new ArrayList<>();
        for (String platform : System.getProperty("lab.platforms").split(",")) {
            targets.add(new Target(Platform.valueOf(platform), "lab-app-exhaustion"));
            targets.add(new Target(Platform.valueOf(platform), "lab-app-exhaustion-jdk25"));
        }
        return targets;
    }

    @ParameterizedTest
    @MethodSource("targets")
    void heap(Target target) throws Exception {
        Matcher outcome =
                goesOn(target, "heap", 256, "(\\d+) of (\\d+) MiB, java.lang.OutOfMemoryError: Java heap space");
        assertTrue(number(outcome, 1) * 10 >= number(outcome, 2) * 8, outcome.group());
    }

    @ParameterizedTest
    @MethodSource("targets")
    void metaspace(Target target) throws Exception {
        goesOn(target, "metaspace", 256, "java.lang.OutOfMemoryError: (Metaspace|Compressed class space)");
    }

    @ParameterizedTest
    @MethodSource("targets")
    void threads(Target target) throws Exception {
        goesOn(
                target,
                "threads",
                256,
                "\\d+ and \\d+, memory is back, java.lang.OutOfMemoryError: unable to create native "
                        + "thread: possibly out of memory or process/resource limits reached");
    }

    @ParameterizedTest
    @MethodSource("targets")
    void directBuffersUpToTheLimitOfTheJvm(Target target) throws Exception {
        Matcher outcome = goesOn(
                target,
                "direct",
                256,
                "(\\d+) MiB, java.lang.OutOfMemoryError: Cannot reserve 1048576 bytes "
                        + "of direct buffer memory \\(allocated: \\d+, limit: \\d+\\)",
                "JDK_JAVA_OPTIONS=-XX:MaxDirectMemorySize=64m");
        assertEquals(64, number(outcome, 1));
    }

    @ParameterizedTest
    @MethodSource("targets")
    void directBuffersUpToTheMemoryOfTheGuest(Target target) throws Exception {
        Matcher outcome = goesOn(
                target,
                "direct",
                256,
                "(\\d+) MiB, java.lang.OutOfMemoryError: Unable to allocate \\d+ bytes",
                "JDK_JAVA_OPTIONS=-XX:MaxDirectMemorySize=4g");
        assertTrue(number(outcome, 1) >= 128, outcome.group());
    }

    @ParameterizedTest
    @MethodSource("targets")
    void files(Target target) throws Exception {
        Matcher outcome = goesOn(
                target, "files", 256, "(\\d+) and \\d+, memory is back, java.io.IOException: No space left on device");
        assertTrue(number(outcome, 1) >= 48, outcome.group());
    }

    @ParameterizedTest
    @MethodSource("targets")
    void sockets(Target target) throws Exception {
        goesOn(target, "sockets", 256, "\\d+ and \\d+, memory is back, (all connected|java.*Exception: .*)");
    }

    /** The heap gets what the files had. */
    @ParameterizedTest
    @MethodSource("targets")
    void heapOverPageCache(Target target) throws Exception {
        Matcher outcome = goesOn(
                target,
                "cache",
                128,
                "free (\\d+) MiB, cached (\\d+) MiB, then heap (\\d+) of \\d+ MiB, "
                        + "java.lang.OutOfMemoryError: Java heap space",
                "_JAVA_OPTIONS=-Xmx88m");
        int free = number(outcome, 1);
        assertTrue(number(outcome, 3) > free, "the heap gets no more than was free: " + outcome.group());
        assertTrue(
                number(outcome, 3) > free + number(outcome, 2) / 4, "the cache gives too little: " + outcome.group());
    }

    @ParameterizedTest
    @MethodSource("targets")
    void heapLargerThanTheMachine(Target target) throws Exception {
        List<String> lines = ends(target, "heap", 96, "_JAVA_OPTIONS=-Xmx1g");
        assertTrue(lines.stream().anyMatch(Pattern.compile(NO_ROOM).asPredicate()), () -> String.join("\n", lines));
    }

    @ParameterizedTest
    @MethodSource("targets")
    void firstHeapLargerThanTheMachine(Target target) throws Exception {
        List<String> lines = ends(
                target,
                "heap",
                96,
                "_JAVA_OPTIONS=-Xmx1g",
                "JDK_JAVA_OPTIONS=-Xms1g",
                "JAVA_TOOL_OPTIONS=-XX:+AlwaysPreTouch");
        assertTrue(lines.stream().anyMatch(Pattern.compile(NO_ROOM).asPredicate()), () -> String.join("\n", lines));
    }

    /** The program prints what it reached, then shows that it goes on, and ends by itself. */
    private static Matcher goesOn(Target target, String kind, int memory, String outcome, String... variables)
            throws Exception {
        try (Lab lab = start(target, kind, memory, variables)) {
            String line = lab.await("app: " + kind + ": ", SILENCE);
            int begun = lab.lines().indexOf(line) + 1;
            line = lab.await(begun, "app: " + kind + ": ", SILENCE);
            Matcher matcher = Pattern.compile("app: " + kind + ": " + outcome).matcher(line);
            assertTrue(matcher.matches(), () -> "not " + matcher.pattern() + ". " + lab.lastLines());
            lab.await("app: " + kind + ": goes on", SILENCE);
            lab.await("app: done", SILENCE);
            assertEquals(0, lab.exitStatus(SILENCE), lab::lastLines);
            System.out.println(target + " " + line);
            return matcher;
        }
    }

    /** The program does not get to its end, and the guest's status says so. */
    private static List<String> ends(Target target, String kind, int memory, String... variables) throws Exception {
        try (Lab lab = start(target, kind, memory, variables)) {
            assertNotEquals(0, lab.exitStatus(SILENCE), lab::lastLines);
            return lab.lines();
        }
    }

    private static Lab start(Target target, String kind, int memory, String... variables) throws IOException {
        assumeTrue(Files.exists(Lab.images().resolve(target.image + ".img")), target.image + " was not made");
        StringBuilder commandLine = new StringBuilder("quiet env.LAB_EXHAUST=" + kind);
        for (String variable : variables) {
            commandLine.append(" env.").append(variable);
        }
        List<String> options = new ArrayList<>(target.options());
        options.addAll(List.of("--memory", Integer.toString(memory), "--extra", commandLine.toString()));
        String name = "exhaustion-" + kind + "-" + variables.length + "-" + target.platform + "-" + target.image;
        return Lab.start(name, target.platform, options);
    }

    private static int number(Matcher matcher, int group) {
        return Integer.parseInt(matcher.group(group));
    }
}
