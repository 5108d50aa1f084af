// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {

    @TempDir
    Path directory;

    @Test
    void aFileIsReplaced() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "old");
        Files.writeString(directory.resolve("file.part"), "left by a build that was killed");
        WholeFile.write(file, part -> Files.writeString(part, "new"));
        assertEquals("new", Files.readString(file));
        assertOnly(file);
    }

    @Test
    void aFailureLeavesTheFileAsItWas() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "old");
        ExplainedException failure = new ExplainedException("There is no /x. Name another file.");
        assertEquals(
                failure,
                assertThrows(
                        ExplainedException.class,
                        () -> WholeFile.write(file, part -> {
                            Files.writeString(part, "half");
                            throw failure;
                        })));
        assertEquals("old", Files.readString(file));
        assertOnly(file);
    }

    @Test
    void aLinkStays() throws IOException {
        Path file = Files.writeString(
                Files.createDirectory(directory.resolve("elsewhere")).resolve("file"), "old");
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        WholeFile.write(link, part -> Files.writeString(part, "new"));
        assertEquals("new", Files.readString(file));
        assertEquals(file, Files.readSymbolicLink(link));
    }

    @Test
    void aDeviceIsNotReplaced() throws IOException {
        Path device = Files.createSymbolicLink(directory.resolve("device"), Path.of("/dev/null"));
        WholeFile.write(device, part -> assertEquals(device, Files.writeString(part, "text")));
        assertEquals(Path.of("/dev/null"), Files.readSymbolicLink(device));
        assertOnly(device);
    }

    private void assertOnly(Path file) throws IOException {
        try (var files = Files.list(directory)) {
            assertEquals(List.of(file), files.toList());
        }
    }
}
