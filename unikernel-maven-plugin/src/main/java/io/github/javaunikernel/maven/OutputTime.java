// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.SettingException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;

/**
 * Reads {@code project.build.outputTimestamp} as Maven's own plugins do: ISO 8601, or seconds since 1970. Where it is
 * not set, the environment variable SOURCE_DATE_EPOCH counts, with seconds since 1970.
 */
final class OutputTime {

    static final String VARIABLE = "SOURCE_DATE_EPOCH";
    /** Without a time of the user's, images are reproducible all the same. */
    private static final Instant DEFAULT = Instant.parse("2000-01-01T00:00:00Z");

    private OutputTime() {}

    /**
     * Reads the time.
     *
     * @param text the property, or null
     * @param epoch the variable, or null
     */
    static Instant parse(String text, String epoch) throws SettingException {
        // A single character is Maven's way to switch the time off.
        boolean set = text != null && (text.length() > 1 || text.matches("\\d"));
        if (!set && epoch == null) {
            return DEFAULT;
        }
        String time = set ? text : epoch;
        try {
            return !set || time.matches("\\d+")
                    ? Instant.ofEpochSecond(Long.parseLong(time))
                    : OffsetDateTime.parse(time).toInstant();
        } catch (DateTimeException | NumberFormatException e) {
            throw new SettingException(
                    "outputTimestamp",
                    "'" + time + "' is not a time.",
                    set
                            ? "Set project.build.outputTimestamp to one such as 2026-01-01T00:00:00Z."
                            : "Set the environment variable " + VARIABLE + " to seconds since 1970, or remove it.",
                    e);
        }
    }
}
