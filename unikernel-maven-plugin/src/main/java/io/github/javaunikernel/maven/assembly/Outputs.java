// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.DirectoryTree;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * Files that are replaced together: they are written to a directory beside their places, and moved when all of them are
 * complete. A disk that fills, or a build that is killed, leaves the files from before as they were.
 */
final class Outputs implements Closeable {

    private final Path directory;
    private final Path unfinished;

    /**
     * Begins.
     *
     * @param directory of the files, which is made if it is not there
     * @param name that distinguishes them from other files there
     */
    Outputs(Path directory, String name) throws IOException {
        this.directory = Files.createDirectories(directory);
        unfinished = directory.resolve(name + ".unfinished");
        DirectoryTree.delete(unfinished);
        Files.createDirectory(unfinished);
    }

    /** Where to write a file that is to appear in the directory. */
    Path unfinished(Path file) {
        return unfinished.resolve(file.getFileName());
    }

    /** Puts all that was written in its place; this needs no further space. */
    void publish() throws IOException {
        List<Path> files;
        try (var written = Files.list(unfinished)) {
            files = written.sorted().toList();
        }
        for (Path file : files) {
            Files.move(
                    file,
                    directory.resolve(file.getFileName()),
                    StandardCopyOption.REPLACE_EXISTING,
                    StandardCopyOption.ATOMIC_MOVE);
        }
    }

    @Override
    public void close() throws IOException {
        DirectoryTree.delete(unfinished);
    }
}
