// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A directory that is writable and kept in memory.
 *
 * @param path absolute
 * @param limit in bytes, 0 for none but what all together may take
 */
public record MemoryFileSystem(String path, long limit) {

    private static final Pattern FORM = Pattern.compile("(/\\S+)(?:\\s+(\\d{1,12})([kKmMgG]?))?");

    /** Reads {@code /path} or {@code /path 16m}. */
    public static MemoryFileSystem parse(String text) throws SettingException {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new SettingException("tmpfs", "'" + text + "' is not a directory in memory.",
                    "Use an absolute path, and after a space its largest size, such as '/var/cache 16m'.");
        }
        long limit = matcher.group(2) == null ? 0 : Long.parseLong(matcher.group(2)) * unit(matcher.group(3));
        return new MemoryFileSystem(matcher.group(1), limit);
    }

    String text() {
        return limit == 0 ? path : path + " " + limit;
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
