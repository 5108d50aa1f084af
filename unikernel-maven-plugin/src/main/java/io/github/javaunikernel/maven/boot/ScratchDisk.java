// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;

/**
 * A second disk for files that need not outlive the machine, and the directory at which they are found.
 *
 * @param path absolute
 * @param size in bytes, of the disk that machines get
 */
public record ScratchDisk(String path, long size) {

    private static final long DEFAULT_SIZE = 1L << 30;
    /** What the kernel takes (guest-kernel, files/scratch/scratch.c). */
    private static final long SMALLEST = 1L << 20;

    /** Reads {@code /path} or {@code /path 4g}. */
    public static ScratchDisk parse(String text) throws SettingException {
        MountedDirectory directory = MountedDirectory.parse("scratch", "scratch disk", text);
        if (directory.size() != 0 && directory.size() < SMALLEST) {
            throw new SettingException(
                    "scratch",
                    "'" + text + "' is smaller than any scratch disk.",
                    "Give 1m or more, or no size for 1g.");
        }
        return new ScratchDisk(directory.path(), directory.size() == 0 ? DEFAULT_SIZE : directory.size());
    }
}
