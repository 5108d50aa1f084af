// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A server on this machine that the program under test talks to, on a free port of 127.0.0.1, which a guest reaches at
 * {@link #FROM_GUEST}. One process, which closing ends with what it started.
 */
class HostService implements AutoCloseable {

    /** The host's loopback interface, in QEMU's user network. */
    private static final String FROM_GUEST = "10.0.2.2";

    private static final int PATIENCE_MINUTES = 1;

    private final Process process;
    private final int port;
    private final Path log;
    private final Thread guard;

    /**
     * Starts the server; does not wait for it.
     *
     * @param log what the server prints
     */
    HostService(List<String> command, int port, Path log) throws IOException {
        this.port = port;
        this.log = log;
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        guard = new Thread(process::destroy);
        Runtime.getRuntime().addShutdownHook(guard);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    int port() {
        return port;
    }

    /** Where a program on this machine finds the server. */
    String fromHere() {
        return "127.0.0.1:" + port;
    }

    String fromGuest() {
        return FROM_GUEST + ":" + port;
    }

    /** Throws what the server printed, when it has ended. */
    void checkRuns() throws IOException {
        if (!process.isAlive()) {
            throw new AssertionError("The server ended:\n" + Files.readString(log));
        }
    }

    /** Asks the server to end; called once, while it runs. */
    void end() throws IOException, InterruptedException {
        process.destroy();
    }

    @Override
    public void close() throws IOException {
        try {
            if (process.isAlive()) {
                end();
            }
            if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().removeShutdownHook(guard);
    }
}
