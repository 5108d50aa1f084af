// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which directories are writable for which home. */
class WritableDirectoriesTest {

    @TempDir
    private Path scratch;

    private final List<String> warnings = new ArrayList<>();

    @Test
    void workingDirectoryAndHome() {
        assertEquals(List.of("/app", "/home"), directories().addHome("/home").paths());
        assertEquals(
                List.of("/app", "/home/me"), directories().addHome("/home/me/").paths());
        assertEquals(List.of(), warnings);
    }

    @Test
    void aHomeThatIsWritableAnywayIsNotNamedAgain() {
        assertEquals(List.of("/app"), directories().addHome("/app").paths());
        assertEquals(List.of("/app"), directories().addHome("/app/home").paths());
        assertEquals(
                List.of("/app", "/application"),
                directories().addHome("/application").paths());
        assertEquals(List.of("/app"), directories().addHome("/tmp").paths());
        assertEquals(List.of("/app"), directories("/data").addHome("/data").paths());
        assertEquals(List.of(), warnings);
    }

    @Test
    void aHomeThatCannotBeWritableIsSaid() {
        for (String home : List.of("/", "", "relative", "/with space")) {
            assertEquals(List.of("/app"), directories().addHome(home).paths());
            assertTrue(warnings.remove(0).contains("'" + home + "' is not writable"), home);
        }
        assertEquals(List.of("/app"), directories("/data").addHome("/data/me").paths());
        assertEquals(
                List.of("The home directory /data/me does not exist when the program starts, since /data is empty"
                        + " then. Give HOME another path, or leave it out for /home."),
                warnings);
    }

    @Test
    void theHomeOfTheUserInAFileOfPasswords() throws Exception {
        Path file = scratch.resolve("passwd");
        Files.writeString(file, "daemon:x:1:1::/none:/bin/sh\nme:x:0:0:Me:/users/me:/bin/sh\nbroken\n");
        assertEquals(
                List.of("/app", "/home", "/users/me"),
                directories().addHome("/home").addHomeIn(file).paths());
        Files.writeString(file, "# nobody\n");
        assertEquals(List.of("/app"), directories().addHomeIn(file).paths());
        assertEquals(List.of(), warnings);
    }

    private WritableDirectories directories(String... memory) {
        return new WritableDirectories(List.of(memory), warnings::add);
    }
}
