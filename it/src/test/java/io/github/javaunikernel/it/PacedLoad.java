// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Up to 200 requests a second for one answer, each on a connection of its own, from several threads; fewer where the
 * server does not answer so soon. The first answer that is another one, or none, is an error at the end, but for
 * connections that are closed because the machine stands still. Safe for use by several threads.
 */
final class PacedLoad implements AutoCloseable {

    private static final int CLIENTS = 8;
    private static final int REQUESTS_PER_SECOND = 200;
    private static final long PERIOD = TimeUnit.SECONDS.toMicros(1) * CLIENTS / REQUESTS_PER_SECOND;
    private static final int LOOK_MILLIS = 50;

    interface Stop {
        void run() throws IOException, InterruptedException;
    }

    private final ScheduledExecutorService clients = Executors.newScheduledThreadPool(CLIENTS);
    private final AtomicLong answers = new AtomicLong();
    /** Of requests, while the machine stood still. */
    private final AtomicLong closed = new AtomicLong();
    /** Grows when the machine begins to stand still and when it goes on again, so it is odd in between. */
    private final AtomicInteger stops = new AtomicInteger();

    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final long began = System.nanoTime();
    private final int port;
    private final String expected;

    private PacedLoad(int port, String expected) {
        this.port = port;
        this.expected = expected;
    }

    static PacedLoad start(int port, String expected) {
        PacedLoad load = new PacedLoad(port, expected);
        for (int i = 0; i < CLIENTS; i++) {
            load.clients.scheduleAtFixedRate(load::ask, i * PERIOD / CLIENTS, PERIOD, TimeUnit.MICROSECONDS);
        }
        return load;
    }

    /** What it throws ends the requests of this client. */
    private void ask() {
        int stopsBefore = stops.get();
        try {
            assertEquals(expected, HttpConnection.get(port, "/").strip());
            answers.incrementAndGet();
        } catch (EOFException | SocketException e) {
            if (stopsBefore % 2 == 0 && stops.get() == stopsBefore) {
                throw failed(e);
            }
            closed.incrementAndGet();
        } catch (IOException | RuntimeException | Error e) {
            throw failed(e);
        }
    }

    private IllegalStateException failed(Throwable e) {
        failure.compareAndSet(null, e);
        return new IllegalStateException(e);
    }

    /**
     * Does something for which the machine stands still, however long that takes on this host. The clocks of others go
     * on: QEMU's user network gives up a connection that is not accepted for 75 s, and the program's server closes one
     * that was silent for 30 s. So a request that was on its way may find its connection closed; the next ones, which
     * each client makes as before, may not.
     */
    void whileItStandsStill(Stop stop) throws IOException, InterruptedException {
        stops.incrementAndGet();
        try {
            stop.run();
        } finally {
            stops.incrementAndGet();
        }
    }

    /** Waits until the server has answered a request that was made after this call. */
    void awaitProgress(FrameworkClient.Check check) throws IOException, InterruptedException {
        long enough = answers.get() + CLIENTS + 1;
        while (answers.get() < enough) {
            checkAnswers();
            check.run();
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private void checkAnswers() {
        if (failure.get() != null) {
            throw new AssertionError("A request failed while the guest was looked into.", failure.get());
        }
    }

    /** For whoever reads the test's output. */
    String summary() {
        double seconds = (System.nanoTime() - began) / 1e9;
        return String.format(
                Locale.ROOT,
                "%d answers in %.0f s, %.0f a second; %d connections closed while it stood still",
                answers.get(),
                seconds,
                answers.get() / seconds,
                closed.get());
    }

    /** Ends the requests; none may have failed. */
    @Override
    public void close() {
        clients.shutdown();
        try {
            if (!clients.awaitTermination(1, TimeUnit.HOURS)) {
                throw new AssertionError("A request was not answered.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        checkAnswers();
    }
}
