// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The mode of a file in the image follows from the file, so that Windows makes the same image as Linux. */
class HostFilesTest {

    @ParameterizedTest
    @CsvSource({"\u007fELF, true", "#!/bin/sh, true", "#, false", "plain, false", "'', false", "\u007fEL, false"})
    void modesComeFromTheContent(String content, boolean executable, @TempDir Path directory) throws Exception {
        Path file = Files.write(directory.resolve("file"), content.getBytes(StandardCharsets.ISO_8859_1));
        int expected = executable ? 0755 : 0644;
        assertEquals(expected, HostFiles.permissions(file));
        assertTrue(file.toFile().setExecutable(!executable));
        assertEquals(expected, HostFiles.permissions(file));
    }
}
