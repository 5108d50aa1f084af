// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where QEMU connects to, such as with the serial port that the guest's kernel reports on: a socket in a directory of
 * its own, which only this user can reach and which is there only until QEMU is connected.
 */
final class ReportSocket implements Closeable {

    private final Path directory;
    private final ServerSocketChannel server;

    private ReportSocket(Path directory, ServerSocketChannel server) {
        this.directory = directory;
        this.server = server;
    }

    static ReportSocket open() throws IOException {
        ReportSocket socket = new ReportSocket(
                Files.createTempDirectory("unikernel"), ServerSocketChannel.open(StandardProtocolFamily.UNIX));
        try {
            socket.server.bind(UnixDomainSocketAddress.of(socket.path()), 1);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw new ExplainedException(
                    "A socket cannot be made at " + socket.path() + ": " + FileTrouble.reason(e)
                            + ". Set java.io.tmpdir to a directory with a short path, on a disk with some space.",
                    e);
        }
    }

    /** Where to connect. */
    Path path() {
        return directory.resolve("reports");
    }

    /** What comes from QEMU, which has connected before it greets (and so this does not wait). */
    InputStream accept() throws IOException {
        return Channels.newInputStream(server.accept());
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
