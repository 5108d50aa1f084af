// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramsTest {

    @TempDir
    private Path directory;

    private Path file(String name, boolean executable) throws Exception {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        assertTrue(Files.createFile(file).toFile().setExecutable(executable));
        return file;
    }

    @Test
    void theFirstThatCanBeRunIsFound() throws Exception {
        file("a/tool", false);
        Path second = file("b/tool", true);
        file("c/tool", true);
        String path = String.join(
                File.pathSeparator,
                directory.resolve("none").toString(),
                directory.resolve("a").toString(),
                second.getParent().toString(),
                directory.resolve("c").toString());
        assertEquals(Optional.of(second), Programs.find("tool", path));
        assertEquals(Optional.empty(), Programs.find("other", path));
    }

    /** A shell takes an empty entry for the working directory, in which anybody may have put a program. */
    @Test
    void theWorkingDirectoryIsNotSearched() {
        assertTrue(Files.isExecutable(Path.of("src")));
        assertEquals(Optional.empty(), Programs.find("src", ""));
        assertEquals(Optional.empty(), Programs.find("src", File.pathSeparator + directory));
    }
}
