// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.SettingException;
import java.time.DateTimeException;
import java.time.Instant;
import org.apache.maven.archiver.MavenArchiver;

/**
 * Reads {@code project.build.outputTimestamp} as Maven's own plugins do: ISO 8601, or seconds since 1970. Where it is
 * not set, the environment variable SOURCE_DATE_EPOCH counts.
 */
final class OutputTime {

    /** Without a time of the user's, images are reproducible all the same. */
    private static final Instant DEFAULT = Instant.parse("2000-01-01T00:00:00Z");

    private OutputTime() {}

    /**
     * Reads the time.
     *
     * @param text the property, or null
     */
    static Instant parse(String text) throws SettingException {
        try {
            return MavenArchiver.parseBuildOutputTimestamp(text).orElse(DEFAULT);
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new SettingException(
                    "outputTimestamp",
                    "The time of the image's files cannot be read: " + e.getMessage() + ".",
                    "Set project.build.outputTimestamp, or where that is not set the environment variable"
                            + " SOURCE_DATE_EPOCH, to a time such as 2026-01-01T00:00:00Z or to seconds since 1970.",
                    e);
        }
    }
}
