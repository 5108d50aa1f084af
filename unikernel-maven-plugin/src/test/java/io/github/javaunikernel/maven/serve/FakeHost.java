// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/** A front door whose instances are in this process, and whose clock the test moves. */
final class FakeHost implements Starter, AutoCloseable {

    /** What the log has in place of further messages after the door has failed. */
    private static final String FAILURE = "The front door has failed: ";

    private final AtomicLong clock =
            new AtomicLong(Long.MAX_VALUE - Duration.ofSeconds(30).toNanos());
    private final FakeInstance.Program program;
    private final BlockingQueue<String> log = new LinkedBlockingQueue<>();
    private final BlockingQueue<FakeInstance> started = new LinkedBlockingQueue<>();
    private final List<Socket> clients = new ArrayList<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final FrontDoor door;
    /** What a start fails with, or null. */
    volatile String failure;
    /** Whether instances are ready as soon as they are started. */
    volatile boolean readyAtOnce = true;

    FakeHost(Limits limits, FakeInstance.Program program) throws Exception {
        this.program = program;
        door = FrontDoor.open(InetAddress.getLoopbackAddress(), List.of(0), limits, this, clock::get, log::add);
        FakeInstance.thread(() -> {
            try {
                door.run();
                ended.complete(null);
            } catch (Exception e) {
                ended.completeExceptionally(e);
                log.add(FAILURE + e);
            }
        });
    }

    static Limits limits(int min, int max, int maxConnections) {
        return new Limits(min, max, maxConnections, Duration.ofSeconds(60), Duration.ofSeconds(30));
    }

    @Override
    public Instance start(int number) throws InstanceException {
        if (failure != null) {
            throw new InstanceException(failure, null);
        }
        FakeInstance instance = new FakeInstance(number, program);
        if (readyAtOnce) {
            instance.ready.complete(null);
        }
        started.add(instance);
        return instance;
    }

    FrontDoor door() {
        return door;
    }

    /** The next instance that is started. */
    FakeInstance nextInstance() throws InterruptedException {
        return started.take();
    }

    boolean hasStarted() {
        return !started.isEmpty();
    }

    /**
     * Moves the clock. That happens between two events: what a client has seen of one may come before the door has
     * noted its time.
     */
    void pass(Duration time) {
        CompletableFuture<Void> passed = new CompletableFuture<>();
        door.between(() -> {
            clock.addAndGet(time.toNanos());
            passed.complete(null);
        });
        CompletableFuture.anyOf(passed, ended).join();
    }

    /** Waits for a message with this text; earlier ones are dropped. */
    String await(String text) throws InterruptedException {
        String message = log.take();
        while (!message.contains(text)) {
            assertFalse(message.startsWith(FAILURE), message);
            message = log.take();
        }
        return message;
    }

    /** What has been logged and not been awaited. */
    List<String> logged() {
        return List.copyOf(log);
    }

    Socket connect() throws IOException {
        Socket client =
                new Socket(InetAddress.getLoopbackAddress(), door.ports().get(0));
        clients.add(client);
        return client;
    }

    static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    static String read(Socket socket, int length) throws IOException {
        return new String(socket.getInputStream().readNBytes(length), StandardCharsets.UTF_8);
    }

    static String readAll(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Waits until the front door has ended by itself. */
    void awaitEnd() {
        ended.join();
    }

    @Override
    public void close() throws Exception {
        for (Socket client : clients) {
            client.close();
        }
        door.kill();
        ended.join();
        assertTrue(door.status().instances().isEmpty(), () -> door.status().toString());
    }
}
