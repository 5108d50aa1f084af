// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.Jar;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;

/**
 * What the attribute Class-Path of a jar's manifest names, relative to the jar, and what those name in turn. The JVM
 * looks for it by itself; the files only have to be at the same places. As for the JVM, an entry that is not there is
 * no error.
 */
public final class ManifestClassPath {

    private ManifestClassPath() {}

    /**
     * The files.
     *
     * @param jar on this machine
     * @param directory of the jar in the image
     * @param known names of files that the image has anyway
     */
    public static List<Application.Jar> of(Path jar, String directory, Set<String> known) throws IOException {
        List<Application.Jar> files = new ArrayList<>();
        Path base = jar.toAbsolutePath().normalize().getParent();
        Set<Path> seen = new HashSet<>(Set.of(jar.toAbsolutePath().normalize()));
        Deque<Path> open = new ArrayDeque<>(seen);
        while (!open.isEmpty()) {
            Path from = open.remove();
            for (String entry : entries(from)) {
                Path named = resolve(from, entry);
                boolean wanted = named != null
                        && named.startsWith(base)
                        && !named.equals(base)
                        && seen.add(named)
                        && !known.contains(named.getFileName().toString());
                if (!wanted) {
                    continue;
                }
                for (Path file : filesAt(named)) {
                    files.add(new Application.Jar(
                            file,
                            "file:" + DirectoryTree.slashed(base.relativize(file)),
                            directory + "/" + DirectoryTree.slashed(base.relativize(file))));
                }
                if (Files.isRegularFile(named) && named.toString().endsWith(".jar")) {
                    open.add(named);
                }
            }
        }
        return files;
    }

    private static List<String> entries(Path jar) throws IOException {
        String value = Jar.attributes(jar).getValue(Attributes.Name.CLASS_PATH);
        return value == null || value.isBlank()
                ? List.of()
                : List.of(value.strip().split("\\s+"));
    }

    /** Entries are URLs relative to the jar; null where one is not, or is no file. */
    private static Path resolve(Path jar, String entry) {
        try {
            URI uri = jar.toUri().resolve(entry);
            return "file".equals(uri.getScheme()) ? Path.of(uri).normalize() : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static List<Path> filesAt(Path path) throws IOException {
        if (!Files.exists(path)) {
            return List.of();
        }
        try (var files = Files.walk(path)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
