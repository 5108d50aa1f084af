// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.function.Function;

/**
 * The bytes of one file, readable any number of times. They are read twice, once to lay the image out and once to write
 * it, and must be the same both times.
 */
public interface FileContent {

    /** Opens the bytes from the start; the caller closes the stream. */
    InputStream open() throws IOException;

    /** The content in an image with this id; as long for any id. */
    default FileContent in(UUID image) {
        return this;
    }

    /** Whether the content differs from image to image. */
    default boolean namesImage() {
        return false;
    }

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

    /** Text that names the image that it is in. */
    static FileContent of(Function<UUID, String> text) {
        FileContent unnamed = of(text.apply(new UUID(0, 0)));
        return new FileContent() {
            @Override
            public InputStream open() throws IOException {
                return unnamed.open();
            }

            @Override
            public FileContent in(UUID image) {
                return of(id -> text.apply(image));
            }

            @Override
            public boolean namesImage() {
                return true;
            }
        };
    }
}
