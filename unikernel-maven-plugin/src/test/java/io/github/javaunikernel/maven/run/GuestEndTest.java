// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class GuestEndTest {

    private final Console console = new Console(text -> {});

    @Test
    void isGoodWithStatusZero() {
        assertDoesNotThrow(() -> end("exit 0", 0).check(false));
    }

    @Test
    void isGoodWithSigtermWhenAskedFor() {
        assertDoesNotThrow(() -> end("exit 143", 0).check(true));
        assertProblem("The program in the guest ended with status 143.", end("exit 143", 0), false);
        assertDoesNotThrow(() -> end("killed 15", 0).check(true));
        assertProblem("killed by signal 15.", end("killed 15", 0), false);
    }

    @Test
    void isBadWithAnotherStatus() {
        assertProblem("ended with status 1.", end("listening 80\nexit 1", 0), true);
    }

    @Test
    void isBadWithAPanicASignalOrNothing() {
        assertProblem("The guest kernel panicked.", end("", 33), false);
        assertProblem("killed by signal 11.", end("killed 11", 0), false);
        assertProblem("ended before its program did (status 1)", end("", 1), false);
        assertProblem("ended by force", end("", 0), true);
    }

    @Test
    void doesNotDependOnTheConsole() {
        console.follow(stream("unikernel: exit status=0\nexit 0\n"));
        console.ended().join();
        assertProblem("ended with status 3. ", end("exit 3", 0), false);
        assertProblem("ended before its program did (status 0)", end("", 0), false);
    }

    @Test
    void theDebuggersAgentIsNotTheProgram() {
        assertTrue(reports("listening 8080", 5005).listening().isDone());
        assertFalse(reports("listening 5005", 5005).listening().isDone());
        assertTrue(reports("listening 5005\nlistening 8080", 5005).listening().isDone());
    }

    @Test
    void anUnknownReportIsAnError() {
        for (String report : new String[] {"sleeping 7", "exit", "exit zero", ""}) {
            Reports reports = new Reports(0, 0);
            reports.follow(stream(report + "\n"));
            CompletionException e = assertThrows(
                    CompletionException.class, () -> reports.ended().join());
            assertTrue(e.getCause().getMessage().contains("reports '" + report + "'"), e.getMessage());
        }
    }

    @Test
    void theAgentForJmxIsNotTheProgram() {
        assertFalse(withJmx("listening 9010\nlistening 40873").listening().isDone());
        assertTrue(withJmx("listening 9010\nlistening 40873\nlistening 40874")
                .listening()
                .isDone());
        assertTrue(withJmx("listening 9010\nlistening 8080").listening().isDone());
        assertTrue(withJmx("listening 40873").listening().isDone());
    }

    private static Reports withJmx(String lines) {
        return follow(new Reports(0, 9010), lines);
    }

    private void assertProblem(String expected, GuestEnd end, boolean asked) {
        GuestException e = assertThrows(GuestException.class, () -> end.check(asked));
        assertTrue(e.getMessage().contains(expected), e.getMessage());
        assertTrue(e.getMessage().endsWith(console.lastLines()), e.getMessage());
    }

    private GuestEnd end(String reports, int machineStatus) {
        return new GuestEnd(console, reports(reports, 0), machineStatus);
    }

    private static Reports reports(String lines, int debugPort) {
        return follow(new Reports(debugPort, 0), lines);
    }

    private static Reports follow(Reports reports, String lines) {
        reports.follow(stream(lines));
        assertEquals(null, reports.ended().join());
        return reports;
    }

    private static ByteArrayInputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }
}
