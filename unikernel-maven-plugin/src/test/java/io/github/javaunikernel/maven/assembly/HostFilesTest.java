// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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

    /** Whoever opens a pipe waits for its writer. */
    @Test
    @Timeout(60)
    void pipesAreRefusedAndNotRead(@TempDir Path directory) throws Exception {
        Path pipe = directory.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        ExplainedException e = assertThrows(
                ExplainedException.class, () -> HostFiles.add(new ImageTree(), "/pipe", pipe, "file:pipe"));
        assertEquals(
                pipe + " is a pipe, a socket or a device, which no image can have. Move it away.",
                FileTrouble.of(e).text());
    }

    @Test
    void linksThatLeadNowhereStayLinks(@TempDir Path directory) throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("link"));
        ImageTree tree = new ImageTree();
        HostFiles.add(tree, "/link", link, "file:link");
        assertTrue(tree.holdsFile("/link"));
    }
}
