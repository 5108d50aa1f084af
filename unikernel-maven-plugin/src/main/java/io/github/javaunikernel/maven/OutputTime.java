// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.SettingException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;

/** Reads {@code project.build.outputTimestamp} as Maven's own plugins do: ISO 8601, or seconds since 1970. */
final class OutputTime {

    /** Without a time of the user's, images are reproducible all the same. */
    private static final Instant DEFAULT = Instant.parse("2000-01-01T00:00:00Z");

    private OutputTime() {
    }

    static Instant parse(String text) throws SettingException {
        // A single character is Maven's way to switch the time off.
        if (text == null || text.length() < 2 && !text.matches("\\d")) {
            return DEFAULT;
        }
        try {
            return text.matches("\\d+") ? Instant.ofEpochSecond(Long.parseLong(text))
                    : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException | NumberFormatException e) {
            throw new SettingException("outputTimestamp", "'" + text + "' is not a time.",
                    "Set project.build.outputTimestamp to one such as 2026-01-01T00:00:00Z.", e);
        }
    }
}
