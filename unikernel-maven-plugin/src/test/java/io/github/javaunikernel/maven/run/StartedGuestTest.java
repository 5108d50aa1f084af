// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A program that is expected to end by itself. */
class StartedGuestTest {

    private final Console console = new Console(text -> {});
    private final Reports reports = new Reports(0, 0);
    private GuestOutput guestOutput;
    private boolean killed;

    @BeforeEach
    void follow() throws IOException {
        guestOutput = new GuestOutput();
        console.follow(guestOutput.stream());
        guestOutput.print("The ledger is not in order\n");
    }

    @AfterEach
    void end() throws IOException {
        guestOutput.close();
    }

    @Test
    void anEndWithStatus0IsAGoodOne() throws Exception {
        endWith(0);
        guest().awaitEnd(Duration.ofMinutes(5));
        assertFalse(killed);
    }

    @Test
    void anotherStatusIsAnErrorWithTheConsole() throws Exception {
        endWith(4);
        GuestException e = assertThrows(GuestException.class, () -> guest().awaitEnd(Duration.ofMinutes(5)));
        assertEquals(
                "The program in the guest ended with status 4. The last lines of its console:"
                        + "\n  | The ledger is not in order",
                e.getMessage());
    }

    @Test
    void aProgramThatStaysIsEnded() {
        GuestException e = assertThrows(GuestException.class, () -> guest().awaitEnd(Duration.ofSeconds(1)));
        assertTrue(
                e.getMessage()
                        .startsWith("The program in the guest has not ended within 1 s. Correct it, or give it"
                                + " more time with -Dunikernel.start.timeout. The last lines of its console:"),
                e.getMessage());
        assertTrue(killed);
    }

    private void endWith(int status) throws IOException {
        reports.accept("exit " + status);
        guestOutput.close();
    }

    private StartedGuest guest() {
        return new StartedGuest(new FakeGuest(console, reports) {
            @Override
            public void kill() {
                killed = true;
            }
        });
    }
}
