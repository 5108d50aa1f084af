// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes files that are either as they were or complete, whenever the writing ends. */
public final class WholeFile {

    private WholeFile() {}

    /** Writes the file that it gets, which does not exist, or is no regular file. */
    public interface Work {
        /** Does it. */
        void write(Path part) throws IOException;
    }

    /**
     * Has the work write a file beside this one, which then takes its place; after a failure nothing is left of it. A
     * symbolic link stays, and the file that it leads to is replaced. Devices and pipes are written to as they are.
     */
    public static void write(Path file, Work work) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            write(work, file);
            return;
        }
        Path target = Files.exists(file) ? file.toRealPath() : file;
        Path part = target.resolveSibling(target.getFileName() + ".part");
        Files.deleteIfExists(part);
        try {
            write(work, part);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static void write(Work work, Path to) throws IOException {
        FileTrouble.on(to, () -> {
            work.write(to);
            return to;
        });
    }
}
