// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.invoked;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Killed tests leave nothing behind for long. */
class OwnedTempDirectoriesTest {

    @TempDir
    Path place;

    @Test
    void everyTestHasOneOfThisJvm() {
        assertTrue(place.getFileName()
                .toString()
                .startsWith("unikernel-test-" + ProcessHandle.current().pid() + "-"));
    }

    @Test
    void onlyThoseOfJvmsThatHaveEndedAreDeleted() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        long own = ProcessHandle.current().pid();
        Files.writeString(
                Files.createDirectory(place.resolve("unikernel-test-" + ended.pid() + "-1"))
                        .resolve("file"),
                "");
        Files.createDirectory(place.resolve("unikernel-test-" + own + "-1"));
        Files.createDirectory(place.resolve("unikernel-test-others"));
        OwnedTempDirectories.deleteAbandoned(place);
        try (var left = Files.list(place)) {
            assertEquals(
                    Set.of("unikernel-test-" + own + "-1", "unikernel-test-others"),
                    left.map(file -> file.getFileName().toString()).collect(Collectors.toSet()));
        }
    }
}
