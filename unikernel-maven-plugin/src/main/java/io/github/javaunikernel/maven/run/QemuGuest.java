// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import com.google.gson.JsonObject;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A guest in QEMU. It ends with this JVM at the latest. */
public final class QemuGuest implements Guest {

    /** A line of {@code info usernet}: protocol, descriptor, source address and port, destination address and port. */
    private static final Pattern FORWARD =
            Pattern.compile("TCP\\[HOST_FORWARD]\\s+\\d+\\s+\\S+\\s+(\\d+)\\s+\\S+\\s+(\\d+)");
    /**
     * Milliseconds that a guest may be stopped while its memory is written, the most that QEMU allows: it is then
     * stopped at once, and counts as running in what is written, so that it goes on by itself.
     */
    private static final int LONGEST_STOP = 2_000_000;
    /** Far longer than QEMU takes to end when it is asked to; after that it is killed. */
    private static final int SECONDS_TO_QUIT = 10;

    private final Process process;
    private final Qmp qmp;
    private final Console console;
    private final Reports reports;

    private QemuGuest(Process process, Qmp qmp, Console console, Reports reports) {
        this.process = process;
        this.qmp = qmp;
        this.console = console;
        this.reports = reports;
    }

    /**
     * Starts QEMU with the guest stopped before its first instruction; {@link #resume} lets it run.
     *
     * @param channel the socket to make for requests to the guest's kernel
     */
    static QemuGuest start(QemuCommand command, Optional<Path> channel, Console console, Reports reports)
            throws IOException, SettingException {
        return start(HostFamily.current(), command, channel, console, reports);
    }

    static QemuGuest start(
            HostFamily family, QemuCommand command, Optional<Path> channel, Console console, Reports reports)
            throws IOException, SettingException {
        try (QemuSocket control = QemuSocket.open();
                QemuSocket reported = QemuSocket.open()) {
            Process process = Supervised.start(family, command.words(control.path(), reported.path(), channel));
            console.follow(process.getInputStream());
            process.onExit().thenRun(() -> {
                control.giveUp();
                closeLifeline(process);
            });
            Qmp qmp = greet(control, process, command, console);
            // QEMU has connected all of its sockets before it greets.
            reports.follow(Channels.newInputStream(reported.accept()));
            QemuGuest guest = new QemuGuest(process, qmp, console, reports);
            try {
                guest.restore(command.generation().flatMap(Generation::memory));
            } catch (IOException e) {
                guest.kill();
                throw e;
            }
            return guest;
        }
    }

    private static Qmp greet(QemuSocket control, Process process, QemuCommand command, Console console)
            throws IOException, SettingException {
        try {
            Qmp qmp = new Qmp(control.accept());
            qmp.greet();
            return qmp;
        } catch (IOException e) {
            closeLifeline(process);
            throw startFailure(command, console);
        }
    }

    /** QEMU reads the memory while it does other work for us, and runs the guest no sooner than all of it is there. */
    private void restore(Optional<Path> memory) throws IOException {
        if (memory.isEmpty()) {
            return;
        }
        FileChannel file = FileChannel.open(memory.get());
        SocketChannel connection = QemuSocket.ofQemu(path -> {
            qmp.execute("migrate-incoming", Map.of("uri", "unix:" + path));
            return SocketChannel.open(UnixDomainSocketAddress.of(path));
        });
        Thread sender = new Thread(() -> send(file, connection), "unikernel memory");
        sender.setDaemon(true);
        sender.start();
    }

    /** QEMU ends with a message when it gets only a part. */
    private static void send(FileChannel file, SocketChannel connection) {
        try (file;
                connection) {
            for (long at = 0, size = file.size(); at < size; ) {
                at += file.transferTo(at, size - at, connection);
            }
        } catch (IOException e) {
            // QEMU has ended, or will, as it has not got all.
            return;
        }
    }

    /**
     * Forwards a port of 127.0.0.1. The system itself chooses a free one, so no two builds get the same.
     *
     * @param parameter that names the host's port
     * @param guestAddress of a guest with a fixed one, else empty
     * @return the host's port
     */
    public int forward(PortForward port, String parameter, String guestAddress) throws IOException, SettingException {
        String problem = qmp.monitor("hostfwd_add " + QemuCommand.NETWORK + " tcp:127.0.0.1:" + port.host() + "-"
                + guestAddress + ":" + port.guest());
        if (!problem.isEmpty()) {
            throw new SettingException(
                    parameter,
                    "Port " + port.host() + " of this machine is in use, or you may not use it.",
                    "End the program that uses it, choose another port, or use 0 for a free one.");
        }
        return forwards().get(port.guest());
    }

    /** Opens QEMU's server for gdb on a port of 127.0.0.1; gdb then lets the guest run. */
    public void serveGdb(int port) throws IOException, SettingException {
        String answer = qmp.monitor("gdbserver tcp:127.0.0.1:" + port);
        if (!answer.startsWith("Waiting for gdb connection")) {
            throw new SettingException(
                    "gdb", "QEMU cannot wait for gdb on port " + port + ": " + answer + ".", "Choose another port.");
        }
    }

    /** Lets the guest run. */
    public void resume() throws IOException {
        qmp.execute("cont", Map.of());
    }

    /**
     * Stops the guest and writes its memory, from which another QEMU can go on; {@link #resume} lets this one go on,
     * too.
     */
    public void save(OutputStream out) throws IOException {
        qmp.execute("migrate-set-parameters", Map.of("downtime-limit", LONGEST_STOP));
        try (QemuSocket socket = QemuSocket.open()) {
            // A QEMU that has ended connects no more.
            qmp.ended().whenComplete((nothing, problem) -> socket.giveUp());
            qmp.execute("migrate", Map.of("uri", "unix:" + socket.path()));
            try (InputStream in = Channels.newInputStream(socket.accept())) {
                in.transferTo(out);
            }
        }
        // QEMU closes the connection last of all.
        JsonObject state = qmp.execute("query-migrate", Map.of()).getAsJsonObject("return");
        if (!state.get("status").getAsString().equals("completed")) {
            throw new ExplainedException("QEMU could not write the guest's memory: " + state
                    + ". Name another QEMU with -Dunikernel.qemu, or leave out -Dunikernel.serve.snapshot.");
        }
    }

    /**
     * Whether QEMU still runs at some time after the call, which it is asked. It answers no more once it has begun to
     * end, and it closes its connections only then.
     */
    public boolean responds() {
        try {
            qmp.execute("query-status", Map.of());
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public Console console() {
        return console;
    }

    @Override
    public Reports reports() {
        return reports;
    }

    @Override
    public void shutDown() throws IOException {
        try {
            qmp.execute("system_powerdown", Map.of());
        } catch (IOException e) {
            if (!qmp.ended().isDone()) {
                throw e;
            }
        }
    }

    @Override
    public void kill() {
        qmp.quit();
        try {
            if (!process.waitFor(SECONDS_TO_QUIT, TimeUnit.SECONDS)) {
                closeLifeline(process);
            }
        } catch (InterruptedException e) {
            closeLifeline(process);
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public GuestEnd await() throws InterruptedException {
        int status = process.waitFor();
        console.ended().exceptionally(problem -> null).join();
        reports.ended().exceptionally(problem -> null).join();
        return new GuestEnd(console, reports, status);
    }

    private Map<Integer, Integer> forwards() throws IOException {
        Map<Integer, Integer> byGuestPort = new HashMap<>();
        Matcher line = FORWARD.matcher(qmp.monitor("info usernet"));
        while (line.find()) {
            byGuestPort.put(Integer.valueOf(line.group(2)), Integer.valueOf(line.group(1)));
        }
        return byGuestPort;
    }

    /** Explains a failed start with what QEMU itself printed. */
    private static IOException startFailure(QemuCommand command, Console console) throws SettingException {
        console.ended().exceptionally(problem -> null).join();
        String messages = console.lastLines();
        if (messages.contains("memory")) {
            throw new SettingException(
                    "memory",
                    "QEMU cannot allocate " + command.memory() + " MiB on this machine:" + messages + "\n",
                    "Set a smaller value, or end other programs.");
        }
        String accelerator = command.accelerator();
        if (!accelerator.startsWith("tcg") && messages.toLowerCase(Locale.ROOT).contains(accelerator)) {
            throw new SettingException(
                    "accel",
                    "QEMU cannot use " + accelerator + ":" + messages + "\n",
                    "Use -Dunikernel.accel=tcg, or repair it.");
        }
        return new ExplainedException("QEMU ended before the guest was started:" + messages
                + "\nCorrect what it complains of, or name another QEMU with -Dunikernel.qemu.");
    }

    /** As the end of this JVM does. */
    void endLifeline() {
        closeLifeline(process);
    }

    /** Ends the supervisor, with QEMU if that still runs. */
    private static void closeLifeline(Process process) {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // Without the pipe there is no supervisor left that waits for its end.
            process.destroy();
        }
    }
}
