// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;

/** Without the signal itself, which may be ignored where the tests run: the invoker project "running" sends that. */
class InterruptsTest {

    private final Queue<String> events = new ArrayDeque<>();

    @Test
    void theFirstAsksTheGuestToEndAndTheNextEndsIt() {
        try (Interrupts interrupts = new Interrupts(events::add)) {
            interrupts.passTo(new Recorded());
            assertFalse(interrupts.asked());
            interrupts.interrupt();
            assertEquals("Shutting down; Ctrl-C again ends the guest by force", events.remove());
            assertEquals("shutDown", events.remove());
            assertTrue(interrupts.asked());
            interrupts.interrupt();
            assertEquals("Ending the guest by force", events.remove());
            assertEquals("kill", events.remove());
        }
    }

    @Test
    void oneThatComesBeforeTheGuestIsNotLost() {
        try (Interrupts interrupts = new Interrupts(events::add)) {
            interrupts.interrupt();
            assertEquals("Shutting down; Ctrl-C again ends the guest by force", events.remove());
            assertTrue(events.isEmpty());
            interrupts.passTo(new Recorded());
            assertEquals("shutDown", events.remove());
            assertTrue(interrupts.asked());
        }
    }

    private final class Recorded implements Guest {

        @Override
        public Console console() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Reports reports() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void shutDown() {
            events.add("shutDown");
        }

        @Override
        public void kill() {
            events.add("kill");
        }

        @Override
        public GuestEnd await() {
            throw new UnsupportedOperationException();
        }
    }
}
