// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A directory that keeps what takes long to make, each entry a directory of its own. The name of an entry says all that
 * went into it, so an entry never changes. Several builds may share the cache.
 */
final class RuntimeCache {

    private final Path directory;

    RuntimeCache(Path directory) {
        this.directory = directory;
    }

    /**
     * An entry.
     *
     * @param fresh whether it was made now rather than found
     */
    record Entry(Path path, boolean fresh) {
    }

    /** Makes the content of an entry. */
    interface Maker {

        /** Fills the entry, whose directory is not there yet. */
        void make(Path entry) throws IOException, SettingException;
    }

    /** The entry of this name, which is made when it is not there. */
    Entry entry(String name, Maker maker) throws IOException, SettingException {
        Path entry = directory.resolve(name);
        if (Files.isDirectory(entry)) {
            return new Entry(entry, false);
        }
        Files.createDirectories(directory);
        Path workplace = Files.createTempDirectory(directory, "unfinished-");
        try {
            Path unfinished = workplace.resolve(name);
            maker.make(unfinished);
            publish(unfinished, entry);
        } finally {
            DirectoryTree.delete(workplace);
        }
        return new Entry(entry, true);
    }

    /** Of two builds that make the same entry at a time, the first to finish wins, and both use its. */
    private static void publish(Path unfinished, Path entry) throws IOException {
        try {
            Files.move(unfinished, entry, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(entry)) {
                throw e;
            }
        }
    }
}
