// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The bytes of one file, readable any number of times. They are read twice, once to lay the image out and once to
 * write it, and must be the same both times.
 */
public interface FileContent {

    /** Opens the bytes from the start; the caller closes the stream. */
    InputStream open() throws IOException;

    /** The content of a file on disk, which is streamed and never held in memory. */
    static FileContent of(Path file) {
        return () -> Files.newInputStream(file);
    }

    /** Content held in memory. */
    static FileContent of(byte[] bytes) {
        byte[] copy = bytes.clone();
        return () -> new ByteArrayInputStream(copy);
    }

    /** Text, as UTF-8. */
    static FileContent of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }
}
