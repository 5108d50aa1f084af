// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;

/**
 * A directory that is writable and kept in memory.
 *
 * @param path absolute
 * @param limit in bytes, 0 for none but what all together may take
 */
public record MemoryFileSystem(String path, long limit) {

    /** Reads {@code /path} or {@code /path 16m}. */
    public static MemoryFileSystem parse(String text) throws SettingException {
        MountedDirectory directory = MountedDirectory.parse("tmpfs", "directory in memory", text);
        return new MemoryFileSystem(directory.path(), directory.size());
    }

    String text() {
        return limit == 0 ? path : path + " " + limit;
    }
}
