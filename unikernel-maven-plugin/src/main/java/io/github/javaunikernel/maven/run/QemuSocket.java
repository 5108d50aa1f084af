// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where QEMU connects to, such as with the serial port that the guest's kernel reports on: a socket in a directory of
 * its own, which only this user can reach and which is there only until QEMU is connected.
 */
final class QemuSocket implements Closeable {

    private static final String DIRECTORY = "unikernel";
    private static final String NAME = "socket";
    private static final String SHORT_PATH =
            "Set java.io.tmpdir to a directory with a short path, on a disk with some space.";

    private final Path directory;
    private final ServerSocketChannel server;

    private QemuSocket(Path directory, ServerSocketChannel server) {
        this.directory = directory;
        this.server = server;
    }

    static QemuSocket open() throws IOException {
        QemuSocket socket = new QemuSocket(Files.createTempDirectory(DIRECTORY), server());
        try {
            socket.server.bind(UnixDomainSocketAddress.of(socket.path()), 1);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw new ExplainedException(
                    "A socket cannot be made at " + socket.path() + ": " + FileTrouble.reason(e) + ". " + SHORT_PATH,
                    e);
        }
    }

    private static ServerSocketChannel server() throws IOException {
        try {
            return ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        } catch (UnsupportedOperationException e) {
            throw new ExplainedException(
                    "This system has no Unix sockets, over which the plugin speaks with QEMU. Use Windows 10, version"
                            + " 1803, or later.",
                    e);
        }
    }

    /** A directory and a path in it for a socket that QEMU makes; the directory is deleted in the end. */
    interface Use {
        /** Has QEMU make the socket, and connects to it. */
        SocketChannel connect(Path path) throws IOException;
    }

    /** Connects to a socket that QEMU makes, of which no file is left. */
    static SocketChannel ofQemu(Use use) throws IOException {
        Path directory = Files.createTempDirectory(DIRECTORY);
        Path path = directory.resolve(NAME);
        try {
            return use.connect(path);
        } finally {
            Files.deleteIfExists(path);
            Files.delete(directory);
        }
    }

    /** Where to connect. */
    Path path() {
        return directory.resolve(NAME);
    }

    /** Waits for QEMU. */
    SocketChannel accept() throws IOException {
        return server.accept();
    }

    /** Fails {@link #accept}, also in another thread. */
    void giveUp() {
        try {
            server.close();
        } catch (IOException e) {
            // A socket is closed whatever its close reports (close(2)).
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path());
        Files.delete(directory);
    }
}
