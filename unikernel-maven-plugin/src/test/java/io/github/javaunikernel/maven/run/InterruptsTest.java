// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Signals themselves are sent to a JVM of their own, since they may be ignored where the tests run. */
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

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void theSignalItselfDoesSo(String signal) throws Exception {
        Process waiting = new ProcessBuilder(
                        "env",
                        "--default-signal=" + signal,
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Waiting.class.getName())
                .redirectErrorStream(true)
                .start();
        try (BufferedReader output = waiting.inputReader()) {
            assertEquals("waits", output.readLine());
            send(signal, waiting);
            assertEquals("shutDown", output.readLine());
            send(signal, waiting);
            assertEquals("kill", output.readLine());
            assertEquals(0, waiting.waitFor());
        } finally {
            waiting.destroyForcibly();
        }
    }

    private static void send(String signal, Process process) throws Exception {
        List<String> command = List.of("sh", "-c", "kill -" + signal + " " + process.pid());
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
    }

    /** A program with something to end, which prints what happens to it. */
    static final class Waiting implements Stoppable {

        private final CountDownLatch killed = new CountDownLatch(1);

        public static void main(String[] arguments) throws InterruptedException {
            Waiting waiting = new Waiting();
            try (Interrupts interrupts = new Interrupts(message -> {})) {
                interrupts.passTo(waiting);
                System.out.println("waits");
                waiting.killed.await();
            }
        }

        @Override
        public void shutDown() {
            System.out.println("shutDown");
        }

        @Override
        public void kill() {
            System.out.println("kill");
            killed.countDown();
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
