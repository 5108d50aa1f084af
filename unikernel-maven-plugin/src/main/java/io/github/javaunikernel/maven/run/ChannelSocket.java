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
        return reachable(
                socket.toAbsolutePath(), HostFamily.current(), Path.of("").toAbsolutePath());
    }

    /** There is no way from one drive of Windows to another but by the whole path. */
    static Optional<Path> reachable(Path absolute, HostFamily family, Path workingDirectory) {
        boolean oneDrive = absolute.getRoot().equals(workingDirectory.getRoot());
        return Stream.of(oneDrive ? workingDirectory.relativize(absolute) : absolute, absolute)
                .filter(path -> path.toString().getBytes(StandardCharsets.UTF_8).length <= family.longestSocket())
                .findFirst();
    }
}
