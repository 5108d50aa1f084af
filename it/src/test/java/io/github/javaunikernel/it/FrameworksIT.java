// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Applications of frameworks as they come from Maven Central, each a project in {@code src/frameworks} that names the
 * plugin and sets nothing: what it answers in the guest is what {@code java -jar} answers on this machine, request by
 * request. The kernel meets no system call that it does not know, and refuses nothing that Linux does not refuse to the
 * same program. A long form:
 *
 * <pre>./mvnw verify -pl it -Dgroups=frameworks -Dlab.excluded=none \
 *     [-Dlab.frameworks=vertx,jetty] [-Dlab.platforms=XEN_PV] [-Dlab.jdks=17,25]</pre>
 */
// Maven, a guest and a JVM on Linux, each of which is waited for as long as it makes progress.
@Timeout(value = 6, unit = TimeUnit.HOURS)
@Tag("frameworks")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FrameworksIT {

    /** Of a JVM that SIGTERM ends, on Linux too. */
    private static final int TERMINATED = 143;

    static Stream<Arguments> boots() throws IOException {
        List<String> chosen = ListProperty.of("lab.frameworks");
        List<Arguments> boots = new ArrayList<>();
        for (Path project : FrameworkProject.all()) {
            String name = project.getFileName().toString();
            if (chosen.isEmpty() || chosen.contains(name)) {
                addBoots(project, boots);
            }
        }
        assertFalse(boots.isEmpty(), "src/frameworks has none of " + chosen);
        return boots.stream();
    }

    private static void addBoots(Path project, List<Arguments> boots) throws IOException {
        List<String> jdks = ListProperty.of("lab.jdks");
        for (String feature :
                jdks.isEmpty() ? List.of(Integer.toString(Runtime.version().feature())) : jdks) {
            Jdk jdk = Jdk.of(Integer.parseInt(feature));
            if (FrameworkProject.runsOn(project, jdk)) {
                ListProperty.of("lab.platforms")
                        .forEach(platform -> boots.add(
                                Arguments.of(project.getFileName().toString(), jdk, Platform.valueOf(platform))));
            }
        }
    }

    @ParameterizedTest(name = "{0} on JDK {1}, {2}")
    @MethodSource("boots")
    void answersAsOnLinux(String name, Jdk jdk, Platform platform) throws IOException, InterruptedException {
        FrameworkProject project = FrameworkProject.build(name, jdk);
        try (HostService service = project.startService()) {
            FrameworkProject.Run guest = inGuest(project, platform, service);
            FrameworkProject.Run linux = project.onLinux(service, guest.refusals());
            assertEquals(
                    List.of(),
                    linux.answers().stream().filter(FrameworksIT::isFailure).toList(),
                    "failures on Linux");
            assertEquals(linux.answers(), guest.answers(), "The guest answers otherwise than Linux.");
            assertEquals(
                    Set.of(),
                    guest.refusals().without(linux.refusals()),
                    "The guest's kernel refused what Linux did not. These are the calls with the arguments that select"
                            + " what they do; trace= prints all of them.");
        }
    }

    private static boolean isFailure(String answer) {
        return answer.matches("(?s).* -> HTTP_\\S+ 500 .*");
    }

    private static FrameworkProject.Run inGuest(FrameworkProject project, Platform platform, HostService service)
            throws IOException, InterruptedException {
        String name = "framework-" + project + "-" + platform;
        List<String> options = new ArrayList<>(platform.options(project.image()));
        options.addAll(List.of("--timeout-idle", Long.toString(GuestSuite.BOOT.toSeconds())));
        try (Lab lab = Lab.start(name, platform, options)) {
            List<String> answers = project.inGuest(lab.port(), service, lab::checkRuns);
            lab.command("shutdown");
            assertEquals(TERMINATED, lab.exitStatus(GuestSuite.END), lab::lastLines);
            assertEquals(
                    List.of(),
                    lab.lines().stream()
                            .filter(line -> line.contains("unknown system call"))
                            .toList());
            return new FrameworkProject.Run(answers, Refusals.ofGuest(lab.lines()));
        }
    }
}
