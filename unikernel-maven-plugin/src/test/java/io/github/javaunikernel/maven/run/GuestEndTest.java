package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestEndTest {

    private final List<String> shown = new ArrayList<>();

    @Test
    void isGoodWithStatusZero() {
        assertDoesNotThrow(() -> new GuestEnd(console("unikernel: exit status=0\r\n"), 0).check(false));
    }

    @Test
    void isGoodWithSigtermWhenAskedFor() {
        Console console = console("unikernel: exit status=143\r\n");
        assertDoesNotThrow(() -> new GuestEnd(console, 0).check(true));
        assertProblem("The program in the guest ended with status 143.", new GuestEnd(console, 0), false);
        Console early = console("unikernel: killed by signal 15\r\n");
        assertDoesNotThrow(() -> new GuestEnd(early, 0).check(true));
        assertProblem("killed by signal 15.", new GuestEnd(early, 0), false);
    }

    @Test
    void isBadWithAnotherStatus() {
        assertProblem("ended with status 1.", new GuestEnd(console("Oh\r\nunikernel: exit status=1\r\n"), 0), true);
    }

    @Test
    void isBadWithAPanicASignalOrNothing() {
        assertProblem("The guest kernel panicked.", new GuestEnd(console("unikernel: panic: no disk\r\n"), 33), false);
        assertProblem("killed by signal 11.", new GuestEnd(console("unikernel: killed by signal 11\r\n"), 0), false);
        assertProblem("ended without the end of its program (status 1)", new GuestEnd(console("Hello\r\n"), 1), false);
        assertProblem("ended by force", new GuestEnd(console("Hello\r\n"), 0), true);
    }

    @Test
    void consoleTellsWhenTheProgramListensAndKeepsTheKernelsFiguresToItself() {
        Console console = console("Hello\r\nunikernel: timing listen=123\r\nBye");
        assertTrue(console.listening().isDone());
        assertEquals(List.of("Hello", "Bye"), shown);
        assertFalse(console("Hello\r\n").listening().isDone());
    }

    @Test
    void consoleKeepsTheLastLines() {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= 40; i++) {
            text.append("line ").append(i).append('\n');
        }
        String last = console(text.toString()).lastLines();
        assertTrue(last.startsWith("\n  | line 16\n") && last.endsWith("\n  | line 40"), last);
    }

    private static void assertProblem(String expected, GuestEnd end, boolean asked) {
        GuestException e = assertThrows(GuestException.class, () -> end.check(asked));
        assertTrue(e.getMessage().contains(expected), e.getMessage());
        assertTrue(e.getMessage().endsWith(end.console().lastLines()), e.getMessage());
    }

    private Console console(String text) {
        Console console = new Console(shown::add, false);
        console.follow(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        console.ended().join();
        return console;
    }
}
