// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** An instance in this process: a server with a thread for each connection. */
final class FakeInstance implements Instance {

    /** What its program does with a connection, which is closed afterwards. */
    interface Program {
        void serve(FakeInstance instance, Socket client) throws IOException;
    }

    final int number;
    final CompletableFuture<Void> ready = new CompletableFuture<>();

    final CompletableFuture<String> end = new CompletableFuture<>();
    volatile boolean stopped;
    volatile boolean retired;
    /** What it does before it ends, when it is idle. */
    volatile Runnable retirement = () -> {};

    private volatile boolean killed;
    private final ServerSocket server;
    private final Thread acceptor;
    private final Set<Socket> clients = ConcurrentHashMap.newKeySet();

    FakeInstance(int number, Program program) {
        this.number = number;
        try {
            // The backlog of a port that QEMU forwards.
            server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        acceptor = thread(() -> accept(program));
    }

    static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "fake instance");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void accept(Program program) {
        try {
            while (true) {
                Socket client = server.accept();
                clients.add(client);
                thread(() -> serve(program, client));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                end.complete("It cannot accept a connection: " + e);
            }
        }
    }

    private void serve(Program program, Socket client) {
        try (client) {
            program.serve(this, client);
        } catch (IOException e) {
            // The test looks at the client's side.
        }
    }

    /**
     * As SIGKILL does to QEMU: its connections are closed like those of a program that has ended well. The test
     * completes its end.
     */
    void breakOff() throws IOException {
        killed = true;
        becomeDeaf();
        for (Socket client : clients) {
            client.close();
        }
    }

    /** Nothing listens any more, although the instance is still there. */
    void becomeDeaf() throws IOException {
        server.close();
        // Until accept() has returned, Linux still takes connections.
        try {
            acceptor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public List<InetSocketAddress> addresses() {
        return List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort()));
    }

    @Override
    public void awaitReady() throws InstanceException {
        CompletableFuture.anyOf(ready, end).join();
        if (end.isDone()) {
            throw new InstanceException(end.join(), null);
        }
    }

    @Override
    public String awaitEnd() {
        return end.join();
    }

    @Override
    public boolean responds() {
        return !killed;
    }

    @Override
    public boolean isRestored() {
        return false;
    }

    @Override
    public void retire() {
        retired = true;
        retirement.run();
        stop();
    }

    @Override
    public void stop() {
        stopped = true;
        kill();
    }

    @Override
    public void kill() {
        try {
            breakOff();
            end.complete("It was ended.");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
