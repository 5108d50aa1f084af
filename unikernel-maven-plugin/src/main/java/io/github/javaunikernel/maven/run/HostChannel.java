// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/**
 * Requests to the kernel of a running guest, through the channel that its host gave it: commands of jcmd for the JVM,
 * and files of the guest (guest-kernel/docs/configuration.md, "The host's channel"). For one thread, and one at a time
 * for each guest.
 */
public final class HostChannel implements Closeable {

    /** The longest request of the kernel (linux/host_channel.h), with its tag and its end. */
    private static final int MAX_REQUEST = 4096;
    /** What the kernel itself may take for an answer beyond the time that the JVM may take. */
    private static final Duration KERNELS_TIME = Duration.ofSeconds(30);
    /** Error numbers of the kernel, errno(3). */
    private static final int ENOENT = 2;

    private static final int ENOMEM = 12;
    private static final int EINVAL = 22;
    private static final int EOPNOTSUPP = 95;
    private static final int ETIMEDOUT = 110;

    private final Path socket;
    private final SocketChannel connection;
    private final Selector selector;
    private final ByteBuffer received = ByteBuffer.allocate(1 << 16).flip();

    private static final String PARAMETER = "channel";

    private record Answer(int error, byte[] bytes) {}

    private HostChannel(Path socket, SocketChannel connection, Selector selector) {
        this.socket = socket;
        this.connection = connection;
        this.selector = selector;
    }

    /** Connects to the socket that QEMU made for the channel. */
    public static HostChannel connect(Path socket) throws SettingException {
        Path path = ChannelSocket.reachable(socket)
                .orElseThrow(() -> new SettingException(
                        PARAMETER,
                        "The path of the channel is too long for a socket: " + socket + ".",
                        "Work in a directory with a shorter path."));
        try {
            SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(path));
            connection.configureBlocking(false);
            Selector selector = Selector.open();
            connection.register(selector, SelectionKey.OP_READ);
            return new HostChannel(socket, connection, selector);
        } catch (IOException e) {
            throw new SettingException(
                    PARAMETER,
                    "No guest can be reached at " + socket + ": " + FileTrouble.reason(e) + ".",
                    "Start it with unikernel:run or unikernel:start, or name the socket of its channel.",
                    e);
        }
    }

    /**
     * Has the JVM in the guest carry out a command of jcmd.
     *
     * @param limit for each piece of the answer, in whole seconds
     * @return what jcmd prints
     */
    public String jcmd(String command, Duration limit) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        Answer answer = request("jvm " + limit.toSeconds() + " " + command, limit);
        while (answer.error() == 0 && answer.bytes().length > 0) {
            text.writeBytes(answer.bytes());
            answer = request("more " + limit.toSeconds(), limit);
        }
        if (answer.error() != 0) {
            throw jvmFailure(answer.error(), limit);
        }
        return withoutStatus(command, text.toString(StandardCharsets.UTF_8));
    }

    /** Copies a file of the guest to one of this machine. */
    public void fetch(String from, Path to) throws IOException {
        WholeFile.write(to, part -> {
            try (OutputStream out = Files.newOutputStream(part)) {
                copy(from, out);
            }
        });
    }

    /** What a text file of the guest holds. */
    String text(String file) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        copy(file, text);
        return text.toString(StandardCharsets.UTF_8);
    }

    /** Removes a file of the guest, if it is there. */
    public void remove(String file) throws IOException {
        Answer answer = request("remove " + file, Duration.ZERO);
        if (answer.error() != 0 && answer.error() != ENOENT) {
            throw fileFailure(file, answer.error());
        }
    }

    /**
     * Has the kernel print system calls on the console from now on.
     *
     * @param names of system calls, and of errors with which they fail, with commas between them; {@code all} or
     *     {@code none}
     */
    public void trace(String names) throws IOException {
        checkDone(
                request("trace " + names, Duration.ZERO),
                "The guest has not all of the system calls and errors " + names
                        + ". Use names as in strace, errors such as EINVAL, all or none; its console has those that it"
                        + " does not know.");
    }

    /**
     * Has the kernel print packets on the console from now on.
     *
     * @param bytes of each frame, 0 to 65535; 0: no more
     */
    public void capture(int bytes) throws IOException {
        checkDone(
                request("capture " + bytes, Duration.ZERO),
                "The guest cannot print " + bytes + " bytes of each frame. Use a number from 0 to 65535.");
    }

    /**
     * Has the kernel sample where the CPU spends its time, and print the samples on the console, from now on.
     *
     * @param hertz samples a second, 0 to 10000; 0: no more, after those that are left
     */
    public void profile(int hertz) throws IOException {
        checkDone(
                request("profile " + hertz, Duration.ZERO),
                "The guest cannot take " + hertz + " samples a second. Use a number from 0 to 10000.");
    }

    /** Has the kernel count waits for its locks from now on, from zero; or no more. */
    public void lockStatistics(boolean on) throws IOException {
        checkDone(
                request("lockstat " + (on ? 1 : 0), Duration.ZERO),
                "The guest cannot count waits for locks. Build the image with this version of the plugin.");
    }

    /** What the kernel has counted of its locks: a heading, and a line for each class. */
    public String locks() throws IOException {
        Answer answer = request("locks", Duration.ZERO);
        checkDone(answer, "The guest has no lock statistics. Build the image with this version of the plugin.");
        return new String(answer.bytes(), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        selector.close();
        connection.close();
    }

    private void copy(String from, OutputStream out) throws IOException {
        long offset = 0;
        for (Answer answer = read(from, 0); answer.bytes().length > 0; answer = read(from, offset)) {
            out.write(answer.bytes());
            offset += answer.bytes().length;
        }
    }

    private Answer read(String file, long offset) throws IOException {
        Answer answer = request("read " + offset + " " + file, Duration.ZERO);
        if (answer.error() != 0) {
            throw fileFailure(file, answer.error());
        }
        return answer;
    }

    /** What another client has left behind, in either direction, is passed over. */
    private Answer request(String text, Duration limit) throws IOException {
        String tag = UUID.randomUUID().toString();
        byte[] line = ("\n" + tag + " " + text + "\n").getBytes(StandardCharsets.UTF_8);
        if (line.length > MAX_REQUEST) {
            throw new ExplainedException("The request has " + line.length + " bytes; a guest takes " + MAX_REQUEST
                    + ". Shorten the command.");
        }
        long deadline = System.nanoTime() + limit.plus(KERNELS_TIME).toNanos();
        for (ByteBuffer rest = ByteBuffer.wrap(line); rest.hasRemaining(); ) {
            connection.write(rest);
        }
        await(tag + " ", deadline);
        int error = Integer.parseInt(word(' ', deadline));
        byte[] bytes = new byte[Integer.parseInt(word('\n', deadline))];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = next(deadline);
        }
        return new Answer(error, bytes);
    }

    private void await(String mark, long deadline) throws IOException {
        StringBuilder last = new StringBuilder();
        while (!mark.contentEquals(last)) {
            if (last.length() == mark.length()) {
                last.deleteCharAt(0);
            }
            last.append((char) (next(deadline) & 0xff));
        }
    }

    private String word(char end, long deadline) throws IOException {
        StringBuilder word = new StringBuilder();
        for (char c = (char) next(deadline); c != end; c = (char) next(deadline)) {
            word.append(c);
        }
        return word.toString();
    }

    private byte next(long deadline) throws IOException {
        while (!received.hasRemaining()) {
            received.clear();
            int count = connection.read(received);
            received.flip();
            if (count < 0) {
                throw new ExplainedException(
                        "The guest ended meanwhile. See its console for the reason, and start it again.");
            }
            if (count == 0) {
                awaitBytes(deadline);
            }
        }
        return received.get();
    }

    private void awaitBytes(long deadline) throws IOException {
        long millis = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
        selector.selectedKeys().clear();
        if (millis <= 0 || selector.select(millis) == 0 && System.nanoTime() >= deadline) {
            throw new ExplainedException("The kernel of the guest does not answer at " + socket + ". See its console;"
                    + " a kernel before this version has no channel, and one that hangs answers nothing.");
        }
    }

    private static void checkDone(Answer answer, String refused) throws IOException {
        if (answer.error() == EINVAL) {
            throw new ExplainedException(refused);
        }
        if (answer.error() != 0) {
            throw new ExplainedException("The guest's kernel does not know the request (error " + answer.error()
                    + "). Build the image with this version of the plugin, and start it again.");
        }
    }

    /** The first line is a number: 0, or what went wrong (attachListener.cpp in the JDK). */
    private static String withoutStatus(String command, String text) throws IOException {
        String[] parts = text.split("\n", 2);
        String rest = parts.length > 1 ? parts[1] : "";
        if (!parts[0].equals("0")) {
            throw new ExplainedException("The JVM refuses '" + command + "': " + rest.strip()
                    + ". See the commands that it has with -Dunikernel.jcmd=help.");
        }
        return rest;
    }

    private static IOException jvmFailure(int error, Duration limit) {
        return new ExplainedException(
                switch (error) {
                    case EOPNOTSUPP ->
                        "The program in the guest takes no such commands: it is no JVM, has not started yet, or runs"
                                + " with -Xrs. Wait until it has started, or leave that option out.";
                    case ETIMEDOUT ->
                        "The JVM has not answered within " + limit.toSeconds() + " s. Give it more time with"
                                + " -Dunikernel.dump.timeout, and see that it does not run with"
                                + " -XX:+DisableAttachMechanism.";
                    case ENOMEM ->
                        "The guest has no memory left for the request. Give it more with -Dunikernel.memory.";
                    default ->
                        "The kernel cannot pass the command on to the JVM (error " + error + "). Look for errno "
                                + error + " in errno(3), and see the guest's console.";
                });
    }

    private static IOException fileFailure(String file, int error) {
        return new ExplainedException("The guest's file " + file + " cannot be used (error " + error
                + "). See that the JVM could write it: a directory in the guest's memory, such as /tmp, needs room.");
    }
}
