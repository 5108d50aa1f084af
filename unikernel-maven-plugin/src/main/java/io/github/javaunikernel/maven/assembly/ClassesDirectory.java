// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/** A directory of compiled classes and resources, such as {@code target/classes}, which becomes a jar. */
public final class ClassesDirectory {

    /** Given to every entry, so that the same classes make the same jar; the earliest time that a jar can hold. */
    private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

    private ClassesDirectory() {}

    /** Whether the directory is there and has a file in it. */
    public static boolean isFilled(Path directory) throws IOException {
        return Files.isDirectory(directory) && !files(directory).isEmpty();
    }

    /** Writes a jar with the files of the directory, in place of what was there; returns the jar. */
    public static Path pack(Path directory, Path jar) throws IOException {
        Files.createDirectories(jar.getParent());
        return FileTrouble.on(jar, () -> {
            try (OutputStream out = Files.newOutputStream(jar);
                    JarOutputStream entries = new JarOutputStream(out)) {
                for (Path file : files(directory)) {
                    JarEntry entry = new JarEntry(name(directory, file));
                    entry.setTimeLocal(TIME);
                    entries.putNextEntry(entry);
                    Files.copy(file, entries);
                }
            }
            return jar;
        });
    }

    /** The manifest comes first, where readers of a stream look for it. */
    private static List<Path> files(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .sorted(Comparator.comparing(
                                    (Path file) -> !name(directory, file).equals(JarFile.MANIFEST_NAME))
                            .thenComparing(file -> name(directory, file)))
                    .toList();
        }
    }

    private static String name(Path directory, Path file) {
        return DirectoryTree.slashed(directory.relativize(file));
    }
}
