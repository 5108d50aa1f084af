// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/**
 * What the guest's kernel reports of its program: lines on a channel of their own, to which the program cannot write
 * (guest-kernel/docs/configuration.md, "Reports"). May be used by several threads.
 */
public final class Reports {

    /** Ports that are given out begin here (guest-kernel, net/ports.h). */
    private static final int FIRST_FREE_PORT = 32768;

    private final int debugPort;
    private final int jmxPort;
    private boolean localConnector;
    private final CompletableFuture<Void> listening = new CompletableFuture<>();
    private final CompletableFuture<Void> addressed = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private Optional<InetAddress> address = Optional.empty();
    private OptionalInt status = OptionalInt.empty();
    private OptionalInt signal = OptionalInt.empty();

    /**
     * Reports of a guest that has not started yet.
     *
     * @param debugPort the guest's port that the JVM's debugger agent listens on before the program does; 0 without one
     * @param jmxPort the same of the agent for JMX, which then listens on a free port, too: for programs of the guest
     */
    Reports(int debugPort, int jmxPort) {
        this.debugPort = debugPort;
        this.jmxPort = jmxPort;
    }

    /** Reads to the end of the stream in a thread of its own. */
    void follow(InputStream in) {
        Thread reader = new Thread(() -> read(in), "unikernel reports");
        reader.setDaemon(true);
        reader.start();
    }

    /** Takes one report: an event's name, a blank and a number. */
    synchronized void accept(String report) throws IOException {
        String[] words = report.split(" ");
        try {
            int number = Integer.parseUnsignedInt(words[words.length - 1]);
            switch (words[0]) {
                case "listening" -> listensOn(number);
                // It listens since before the snapshot.
                case "restored" -> listening.complete(null);
                case "address" -> hasAddress(number);
                case "exit" -> status = OptionalInt.of(number);
                case "killed" -> signal = OptionalInt.of(number);
                default -> throw unknown(report);
            }
        } catch (NumberFormatException e) {
            throw unknown(report);
        }
    }

    /** Done when the guest's program listens on its first port, or goes on from a snapshot. */
    CompletableFuture<Void> listening() {
        return listening;
    }

    /** Done when the guest has had an IPv4 address; one that goes on from a snapshot has then got it since. */
    CompletableFuture<Void> addressed() {
        return addressed;
    }

    /** The IPv4 address of the guest's first network device, unless it has none. */
    public synchronized Optional<InetAddress> address() {
        return address;
    }

    /** Runs an action when the guest's program listens on its first port. */
    public void whenListening(Runnable action) {
        listening.thenRun(action);
    }

    /** Done when there is nothing more to come. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    /** Fails when a report cannot be read or is not known, and is not done before. */
    CompletableFuture<Void> failed() {
        CompletableFuture<Void> failed = new CompletableFuture<>();
        ended.whenComplete((nothing, problem) -> {
            if (problem != null) {
                failed.completeExceptionally(problem);
            }
        });
        return failed;
    }

    /** Exit status of the guest's program, once it has ended by itself. */
    synchronized OptionalInt status() {
        return status;
    }

    /** Signal that killed the guest's program, once that has happened. */
    synchronized OptionalInt signal() {
        return signal;
    }

    private void listensOn(int port) {
        if (port == jmxPort) {
            localConnector = true;
        } else if (localConnector && port >= FIRST_FREE_PORT) {
            localConnector = false;
        } else if (port != debugPort) {
            listening.complete(null);
        }
    }

    private void hasAddress(int number) throws IOException {
        if (number == 0) {
            address = Optional.empty();
            return;
        }
        address = Optional.of(InetAddress.getByAddress(
                ByteBuffer.allocate(Integer.BYTES).putInt(number).array()));
        addressed.complete(null);
    }

    private void read(InputStream in) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                accept(line);
            }
            ended.complete(null);
        } catch (IOException e) {
            ended.completeExceptionally(e);
        }
    }

    private static IOException unknown(String report) {
        return new ExplainedException("The guest kernel reports '" + report + "', which this plugin does not know."
                + " Build the image with this version of the plugin, and without another kernel.");
    }
}
