// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.settings.SettingException;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The time of the files of an image. */
class OutputTimeTest {

    @Test
    void thePropertyIsATimeOrSeconds() throws Exception {
        assertEquals(Instant.parse("2026-01-01T00:00:00Z"), OutputTime.parse("2026-01-01T01:00:00+01:00", "12"));
        assertEquals(Instant.ofEpochSecond(1_700_000_000), OutputTime.parse("1700000000", "12"));
        assertEquals(Instant.ofEpochSecond(7), OutputTime.parse("7", "12"));
    }

    @Test
    void theVariableCountsWhereThePropertyIsNotSet() throws Exception {
        assertEquals(Instant.ofEpochSecond(12), OutputTime.parse(null, "12"));
        assertEquals(Instant.ofEpochSecond(12), OutputTime.parse("x", "12"));
    }

    @Test
    void withoutBothTheTimeIsAlwaysTheSame() throws Exception {
        assertEquals(Instant.parse("2000-01-01T00:00:00Z"), OutputTime.parse(null, null));
        assertEquals(Instant.parse("2000-01-01T00:00:00Z"), OutputTime.parse("-", null));
    }

    @Test
    void otherTextIsRefused() {
        assertEquals(
                "'today' is not a time. [parameter outputTimestamp, -Dunikernel.outputTimestamp] Set"
                        + " project.build.outputTimestamp to one such as 2026-01-01T00:00:00Z.",
                refused("today", "12"));
        assertEquals(
                "'2026-01-01' is not a time. [parameter outputTimestamp, -Dunikernel.outputTimestamp] Set the"
                        + " environment variable SOURCE_DATE_EPOCH to seconds since 1970, or remove it.",
                refused(null, "2026-01-01"));
        assertEquals(
                "'99999999999999999999' is not a time. [parameter outputTimestamp, -Dunikernel.outputTimestamp] Set"
                        + " the environment variable SOURCE_DATE_EPOCH to seconds since 1970, or remove it.",
                refused(null, "99999999999999999999"));
    }

    private static String refused(String text, String epoch) {
        return assertThrows(SettingException.class, () -> OutputTime.parse(text, epoch))
                .getMessage();
    }
}
