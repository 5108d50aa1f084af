// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The socket of a guest's channel (guest-kernel/docs/configuration.md, "The host's channel") as a file of the build.
 */
public final class ChannelSocket {

    private ChannelSocket() {}

    /** The socket of the guest that was started from this image last. */
    public static Path of(Path directory, String imageName) {
        return directory.resolve(imageName + ".channel");
    }

    /** The socket of the monitor of QEMU that belongs to a channel. */
    public static Path monitorOf(Path channel) {
        return channel.resolveSibling(channel.getFileName().toString().replaceFirst("\\.channel$", "") + ".qmp");
    }

    /** The path by which this JVM and its children reach the socket; empty if none is short enough. */
    static Optional<Path> reachable(Path socket) {
        return reachable(socket, HostFamily.current());
    }

    static Optional<Path> reachable(Path socket, HostFamily family) {
        Path absolute = socket.toAbsolutePath();
        return Stream.of(Path.of("").toAbsolutePath().relativize(absolute), absolute)
                .filter(path -> path.toString().getBytes(StandardCharsets.UTF_8).length <= family.longestSocket())
                .findFirst();
    }
}
