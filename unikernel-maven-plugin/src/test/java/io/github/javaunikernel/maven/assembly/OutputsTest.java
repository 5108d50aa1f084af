// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are replaced together. */
class OutputsTest {

    private static final Map<String, String> OLD = Map.of("a.img", "old", "a.kernel", "old", "b.img", "other");

    @TempDir
    private Path directory;

    @BeforeEach
    void writeOldOnes() throws IOException {
        for (Map.Entry<String, String> file : OLD.entrySet()) {
            Files.writeString(directory.resolve(file.getKey()), file.getValue());
        }
    }

    @Test
    void aDiskThatFillsLeavesTheOldOnesWhole() throws IOException {
        FileSystemException full = assertThrows(FileSystemException.class, () -> {
            try (Outputs outputs = new Outputs(directory, "a")) {
                Files.writeString(outputs.unfinished(directory.resolve("a.img")), "new");
                Path kernel = outputs.unfinished(directory.resolve("a.kernel"));
                Files.createSymbolicLink(kernel, Path.of("/dev/full"));
                FileTrouble.on(kernel, () -> Files.writeString(kernel, "new"));
                outputs.publish();
            }
        });
        assertEquals("No space left on device", full.getReason());
        assertEquals(OLD, content());
    }

    @Test
    void allAreReplacedAndTheRestOfAKilledBuildIsRemoved() throws IOException {
        Files.createDirectories(directory.resolve("a.unfinished/rest"));
        try (Outputs outputs = new Outputs(directory, "a")) {
            Files.writeString(outputs.unfinished(directory.resolve("a.img")), "new");
            Files.writeString(outputs.unfinished(directory.resolve("a.kernel")), "new");
            assertEquals("old", Files.readString(directory.resolve("a.img")));
            outputs.publish();
        }
        assertEquals(Map.of("a.img", "new", "a.kernel", "new", "b.img", "other"), content());
    }

    private Map<String, String> content() throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                content.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        return content;
    }
}
