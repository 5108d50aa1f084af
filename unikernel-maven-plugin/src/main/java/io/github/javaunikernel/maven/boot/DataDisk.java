// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A disk whose files outlive the machine, and the directory at which they are found. The kernel finds it by the label
 * of its ext2 file system.
 *
 * @param label of 1 to 16 characters; also the name of the disk's file on this machine
 * @param path absolute
 * @param size in bytes, of a disk that is made because there is none
 */
public record DataDisk(String label, String path, long size, boolean readOnly) {

    /** The kernel's limit (guest-kernel, linux/configuration.h). */
    private static final int MOST = 8;

    /** The disk on which the JVM of a training guest leaves {@link #RECORDING}. */
    public static final DataDisk TRAINING = new DataDisk("unikernel-train", "/training", 1L << 29, false);
    /** The file there that an AOT cache is made of. */
    public static final String RECORDING = "recording";

    private static final long DEFAULT_SIZE = 1L << 30;
    /** Enough for the tables of ext2 and some files. */
    private static final long SMALLEST = 1L << 20;
    /** A label of ext2 has 16 bytes; these characters need no quoting anywhere. */
    private static final Pattern FORM = Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]{0,15})\\s+(.*?)(\\s+read-only)?");

    /**
     * Reads texts such as {@code orders /app/data}, {@code orders /app/data 4g} or {@code prices /prices read-only}.
     */
    public static List<DataDisk> parse(List<String> texts) throws SettingException {
        List<DataDisk> disks = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String text : texts) {
            DataDisk disk = parse(text);
            if (!names.add(disk.label) || !names.add(disk.path)) {
                throw new SettingException(
                        "dataDisks",
                        "Two data disks have the label " + disk.label + " or the directory " + disk.path + ".",
                        "Give each a label and a directory of its own.");
            }
            disks.add(disk);
        }
        if (disks.size() > MOST) {
            throw new SettingException(
                    "dataDisks",
                    "There are " + disks.size() + " data disks.",
                    "Use " + MOST + " or fewer, with several directories on one.");
        }
        return List.copyOf(disks);
    }

    private static DataDisk parse(String text) throws SettingException {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new SettingException(
                    "dataDisks",
                    "'" + text + "' is not a data disk.",
                    "Give a label of 1 to 16 letters, digits, dots, dashes and underscores, an absolute path, and after"
                            + " them a size or read-only if wanted, such as 'orders /app/data 4g'.");
        }
        MountedDirectory directory = MountedDirectory.parse("dataDisks", "data disk", matcher.group(2));
        if (directory.size() != 0 && directory.size() < SMALLEST) {
            throw new SettingException(
                    "dataDisks",
                    "'" + text + "' is smaller than any data disk.",
                    "Give 1m or more, or no size for 1g.");
        }
        return new DataDisk(
                matcher.group(1),
                directory.path(),
                directory.size() == 0 ? DEFAULT_SIZE : directory.size(),
                matcher.group(3) != null);
    }

    /** The disk's file on a machine that keeps such files in a directory. */
    public static Path file(Path directory, DataDisk disk) {
        return directory.resolve(disk.label + ".img");
    }

    /** The directive of the kernel's configuration. */
    String text() {
        return label + " " + path + (readOnly ? " read-only" : "");
    }
}
