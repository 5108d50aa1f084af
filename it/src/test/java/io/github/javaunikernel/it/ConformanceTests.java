// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.it.app.conformance.Conformance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** For suites whose guest answers what {@link Conformance} finds; the same Java finds the same on this machine. */
interface ConformanceTests {

    int LEAST = 400;

    int port();

    /** The JDK that the guest's runtime was linked from. */
    Path jdk();

    @Test
    @Order(95)
    default void theClassLibraryFindsWhatItFindsOnLinux() throws IOException, InterruptedException {
        List<String> expected = onLinux();
        assertTrue(expected.size() >= LEAST, expected.size() + " checks");
        Map<String, String> found =
                byCheck(HttpConnection.get(port(), "/conformance").lines().toList());
        Map<String, String> wanted = byCheck(expected);
        assertAll(wanted.entrySet().stream()
                .map(check -> () -> assertEquals(check.getValue(), found.get(check.getKey()), check.getKey())));
        assertEquals(wanted.keySet(), found.keySet());
    }

    /** The answers by the names of the checks, in their order. */
    private static Map<String, String> byCheck(List<String> lines) {
        Map<String, String> answers = new LinkedHashMap<>();
        for (String line : lines) {
            int colon = line.indexOf(": ");
            assertNull(
                    answers.put(line.substring(0, colon), line.substring(colon + 2)),
                    () -> "two checks have one name: " + line);
        }
        return answers;
    }

    private List<String> onLinux() throws IOException, InterruptedException {
        ProcessBuilder java = new ProcessBuilder(
                jdk().resolve("bin/java").toString(),
                "-cp",
                System.getProperty("lab.classes"),
                Conformance.class.getName());
        java.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = java.start();
        List<String> lines =
                Arrays.asList(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n"));
        assertEquals(0, process.waitFor(), "status of the checks on Linux");
        return lines;
    }
}
