// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where something is mounted over the image, and how large it may be.
 *
 * @param path absolute
 * @param size in bytes, 0 if none was given
 */
record MountedDirectory(String path, long size) {

    /** Directories of the kernel and the JVM: nothing may be mounted at, above or below them. */
    private static final List<String> CLOSED = List.of("/jvm", "/proc", "/dev", "/sys");
    /** Directories whose files a start needs: nothing may be mounted at or above them. */
    private static final List<String> NEEDED = List.of("/app/lib", "/etc", "/lib", "/lib64", "/usr/lib");
    /** Of the name of a file, in bytes (NAME_MAX in limits.h). */
    private static final int LONGEST_NAME = 255;
    /** In bytes; more than any machine has. */
    private static final long LARGEST = 1L << 44;

    private static final Pattern FORM = Pattern.compile("(/\\S+)(?:\\s+(\\d{1,12})([kKmMgG]?))?");

    /**
     * Reads {@code /path} or {@code /path 16m}.
     *
     * @param parameter that has the text
     * @param kind of what is mounted, such as "directory in memory"
     */
    static MountedDirectory parse(String parameter, String kind, String text) throws SettingException {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new SettingException(
                    parameter,
                    "'" + text + "' is not a " + kind + ".",
                    "Use an absolute path, and after a space its largest size, such as '/var/cache 16m'.");
        }
        String path = matcher.group(1).replaceFirst("/+$", "");
        checkNames(parameter, kind, path);
        checkPath(parameter, kind, path);
        return new MountedDirectory(path, matcher.group(2) == null ? 0 : size(parameter, kind, text, matcher));
    }

    /** A path that leads elsewhere than it seems would pass the check of what it hides. */
    private static void checkNames(String parameter, String kind, String path) throws SettingException {
        for (String name : path.substring(Math.min(1, path.length())).split("/")) {
            boolean misleading = name.isEmpty() && !path.isEmpty() || name.equals(".") || name.equals("..");
            if (misleading || name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME) {
                throw new SettingException(
                        parameter,
                        "'" + path + "' is not the path of a " + kind + ": a name in it is empty, '.', '..' or longer"
                                + " than " + LONGEST_NAME + " bytes.",
                        "Write the path without such names, such as /var/cache.");
            }
        }
    }

    private static void checkPath(String parameter, String kind, String path) throws SettingException {
        boolean hides = CLOSED.stream().anyMatch(directory -> isIn(path, directory) || isIn(directory, path))
                || NEEDED.stream().anyMatch(directory -> isIn(directory, path));
        if (hides) {
            throw new SettingException(
                    parameter,
                    "A " + kind + " at " + path + " would hide files without which the program does not start.",
                    "Use another directory, such as /app/data; /app itself is writable anyway.");
        }
    }

    private static boolean isIn(String path, String directory) {
        return path.equals(directory) || path.startsWith(directory + "/");
    }

    private static long size(String parameter, String kind, String text, Matcher matcher) throws SettingException {
        long number = Long.parseLong(matcher.group(2));
        long unit = unit(matcher.group(3));
        if (number == 0 || number > LARGEST / unit) {
            throw new SettingException(
                    parameter,
                    "'" + text + "' has a size that no " + kind + " can have.",
                    "Give the largest size that its files may reach, such as 16m, or none.");
        }
        return number * unit;
    }

    private static long unit(String letter) {
        return switch (letter.toLowerCase(Locale.ROOT)) {
            case "k" -> 1L << 10;
            case "m" -> 1L << 20;
            case "g" -> 1L << 30;
            default -> 1;
        };
    }
}
