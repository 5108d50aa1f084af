// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.settings.SettingException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Where the goal start looks for an answer. */
class StartMojoTest {

    private static final List<PortForward> PORTS = List.of(new PortForward(4000, 8080), new PortForward(4001, 8081));

    @Test
    void thePathIsAskedOnTheFirstPort() throws Exception {
        assertEquals(
                Optional.of(URI.create("http://localhost:4000/a%20b?c=d")),
                AbstractStartMojo.healthUrl("/a%20b?c=d", PORTS));
        assertEquals(
                Optional.of(URI.create("http://localhost:4000//other/")),
                AbstractStartMojo.healthUrl("//other/", PORTS));
        assertEquals(Optional.empty(), AbstractStartMojo.healthUrl("none", PORTS));
        assertEquals(Optional.empty(), AbstractStartMojo.healthUrl("/health", List.of()));
    }

    @Test
    void whatIsNoPathIsRefused() {
        assertEquals(
                "'/a b' is not a path of a URL. [parameter healthPath, -Dunikernel.healthPath] Write characters"
                        + " such as spaces as %20.",
                refused("/a b"));
        assertEquals(
                "'health' is not a path. [parameter healthPath, -Dunikernel.healthPath] Begin it with '/',"
                        + " or use none.",
                refused("health"));
    }

    @Test
    void aLimitIsAtLeastASecond() throws Exception {
        assertEquals(Duration.ofSeconds(1), AbstractStartMojo.limit("start.timeout", 1));
        assertEquals(
                "-1 seconds is too short a time to wait. [parameter stop.timeout, -Dunikernel.stop.timeout] Give 1"
                        + " or more.",
                assertThrows(SettingException.class, () -> AbstractStartMojo.limit("stop.timeout", -1))
                        .getMessage());
    }

    private static String refused(String path) {
        return assertThrows(SettingException.class, () -> AbstractStartMojo.healthUrl(path, PORTS))
                .getMessage();
    }
}
