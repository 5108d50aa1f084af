package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import sun.misc.Signal;

/** Ctrl-C is a signal that this JVM sends to itself. What is done, and said, comes in the order of the queue. */
class InterruptsTest {

    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    @Test
    void theFirstAsksTheGuestToEndAndTheNextEndsIt() throws InterruptedException {
        try (Interrupts interrupts = new Interrupts(events::add)) {
            interrupts.passTo(new Recorded());
            assertFalse(interrupts.asked());
            Signal.raise(new Signal("INT"));
            assertEquals("Shutting down; Ctrl-C again ends the guest by force", events.take());
            assertEquals("shutDown", events.take());
            assertTrue(interrupts.asked());
            Signal.raise(new Signal("INT"));
            assertEquals("Ending the guest by force", events.take());
            assertEquals("kill", events.take());
        }
    }

    @Test
    void oneThatComesBeforeTheGuestIsNotLost() throws InterruptedException {
        try (Interrupts interrupts = new Interrupts(events::add)) {
            Signal.raise(new Signal("INT"));
            assertEquals("Shutting down; Ctrl-C again ends the guest by force", events.take());
            assertTrue(events.isEmpty());
            interrupts.passTo(new Recorded());
            assertEquals("shutDown", events.take());
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
