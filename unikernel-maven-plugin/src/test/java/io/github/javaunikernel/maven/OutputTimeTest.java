// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The time of the files of an image, read in processes whose environment the test sets. */
class OutputTimeTest {

    private static final String CANNOT_BE_READ = "The time of the image's files cannot be read: ";

    private static final String FIX = ". [parameter outputTimestamp, -Dunikernel.outputTimestamp] Set"
            + " project.build.outputTimestamp, or where that is not set the environment variable SOURCE_DATE_EPOCH, to"
            + " a time such as 2026-01-01T00:00:00Z or to seconds since 1970.";

    /** Prints the time that its argument gives, or why there is none. */
    public static final class Reader {
        private Reader() {}

        public static void main(String[] property) {
            try {
                System.out.print(OutputTime.parse(property.length == 0 ? null : property[0]));
            } catch (SettingException e) {
                System.out.print(e.getMessage());
            }
        }
    }

    @Test
    void thePropertyIsATimeOrSeconds() throws Exception {
        assertEquals("2026-01-01T00:00:00Z", read("12", "2026-01-01T01:00:00+01:00"));
        assertEquals("2023-11-14T22:13:20Z", read("12", "1700000000"));
        assertEquals("1970-01-01T00:00:07Z", read("12", "7"));
    }

    @Test
    void theVariableCountsWhereThePropertyIsNotSet() throws Exception {
        assertEquals("1970-01-01T00:00:12Z", read("12"));
        assertEquals("1970-01-01T00:00:12Z", read("12", "x"));
    }

    @Test
    void withoutBothTheTimeIsAlwaysTheSame() throws Exception {
        assertEquals("2000-01-01T00:00:00Z", read(null));
        assertEquals("2000-01-01T00:00:00Z", read(null, "-"));
    }

    @Test
    void otherTextIsRefused() throws Exception {
        assertEquals(CANNOT_BE_READ + "Invalid project.build.outputTimestamp value 'today'" + FIX, read("12", "today"));
        assertEquals(
                CANNOT_BE_READ + "Invalid project.build.outputTimestamp value '2026-01-01'" + FIX, read("2026-01-01"));
        assertEquals(CANNOT_BE_READ + "For input string: \"99999999999999999999\"" + FIX, read("99999999999999999999"));
        assertEquals(
                CANNOT_BE_READ + "Instant exceeds minimum or maximum instant" + FIX, read(null, "999999999999999999"));
    }

    private static String read(String variable, String... property) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Reader.class.getName()));
        command.addAll(List.of(property));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("SOURCE_DATE_EPOCH");
        if (variable != null) {
            builder.environment().put("SOURCE_DATE_EPOCH", variable);
        }
        Process reader = builder.start();
        reader.getOutputStream().close();
        return new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
