package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.it.app.conformance.Conformance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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
        List<String> found = HttpConnection.get(port(), "/conformance").lines().toList();
        assertAll(IntStream.range(0, expected.size()).mapToObj(
                i -> () -> assertEquals(expected.get(i), i < found.size() ? found.get(i) : "nothing")));
        assertEquals(expected.size(), found.size());
    }

    private List<String> onLinux() throws IOException, InterruptedException {
        ProcessBuilder java = new ProcessBuilder(jdk().resolve("bin/java").toString(), "-cp", System.getProperty("lab.classes"),
                Conformance.class.getName());
        java.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = java.start();
        List<String> lines = Arrays.asList(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n"));
        assertEquals(0, process.waitFor(), "status of the checks on Linux");
        return lines;
    }
}
