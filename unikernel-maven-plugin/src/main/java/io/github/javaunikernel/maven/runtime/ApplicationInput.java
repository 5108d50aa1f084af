// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What class data of an application are made of. The JVM compares order, sizes and times of the jars, but not where
 * they are, so they lie in a copy of the image's directory.
 *
 * @param runtime that has no archive of its own
 * @param directory the jars, where they are in the image's working directory, with the times they have there
 * @param classPath relative to it
 */
public record ApplicationInput(JavaHome jdk, Path runtime, Path directory, List<String> classPath) {

    private static final int KEY_DIGITS = 16;

    /** The class path as an option's value. */
    String joinedClassPath() {
        return String.join(":", classPath);
    }

    /**
     * A name for all of this and more: it changes with the runtime, and with name, content, time and order of the jars.
     * The runtime is one by the name of its entry in the cache, which the linker gave it.
     *
     * @param more what else it stands for
     */
    String key(String... more) throws IOException {
        StringBuilder inputs = new StringBuilder(String.join("\n", more));
        inputs.append('\n').append(runtime.getParent().getFileName());
        inputs.append('\n').append(joinedClassPath());
        try (var files = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile).sorted()::iterator) {
                inputs.append('\n').append(DirectoryTree.slashed(directory.relativize(file)));
                inputs.append(' ').append(Files.getLastModifiedTime(file));
                inputs.append(' ').append(FileTrouble.on(file, () -> Checksum.of(file)));
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return Checksum.of(inputs.toString()).substring(0, KEY_DIGITS);
    }
}
