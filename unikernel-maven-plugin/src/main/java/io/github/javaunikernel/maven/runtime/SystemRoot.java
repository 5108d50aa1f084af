// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The root file system that system files are taken from: the build machine's, or a given one. */
public final class SystemRoot {

    private static final int MAX_LINKS = 16;

    private final Path root;
    private final String name;

    /** The system with this root directory, which is also its name. */
    public SystemRoot(Path root) {
        this(root, root.toString());
    }

    /**
     * The system with this root directory.
     *
     * @param name for people to read
     */
    public SystemRoot(Path root, String name) {
        this.root = root;
        this.name = name;
    }

    /** Whether this machine's own system is one for images: Linux on x86-64. */
    public static boolean isOnThisMachine() {
        return System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").toLowerCase(Locale.ROOT).matches("amd64|x86_64");
    }

    /** The file an absolute path stands for; links are followed inside the root, also absolute ones. */
    public Optional<Path> file(String path) throws IOException {
        Path file = inRoot(path);
        for (int links = 0; links < MAX_LINKS && Files.isSymbolicLink(file); links++) {
            Path target = Files.readSymbolicLink(file);
            // On Windows, a path without a drive has a root, but is not absolute.
            file = target.getRoot() != null
                    ? inRoot(DirectoryTree.slashed(target))
                    : file.resolveSibling(target).normalize();
        }
        return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
    }

    /** Absolute paths of all that is below a directory, sorted; none where there is no such directory. */
    public List<String> pathsBelow(String directory) throws IOException {
        Path start = inRoot(directory);
        if (!Files.isDirectory(start)) {
            return List.of();
        }
        try (var files = Files.walk(start)) {
            return files.filter(file -> !Files.isDirectory(file))
                    .map(file -> directory + "/" + DirectoryTree.slashed(start.relativize(file)))
                    .sorted()
                    .toList();
        }
    }

    @Override
    public String toString() {
        return name;
    }

    private Path inRoot(String path) {
        return root.resolve(path.substring(1));
    }
}
