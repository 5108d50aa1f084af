// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Has QEMU write the memory of a guest, which stands still meanwhile, whether its kernel still runs or has panicked.
 */
public final class GuestMemoryFile {

    private static final String PARAMETER = "dump.monitor";

    private GuestMemoryFile() {}

    /**
     * Writes the file.
     *
     * @param monitor socket of QEMU's monitor (QMP)
     */
    public static void write(Path monitor, Path file) throws SettingException, IOException {
        Path path = ChannelSocket.reachable(monitor)
                .orElseThrow(() -> new SettingException(
                        PARAMETER,
                        "The path of QEMU's monitor is too long for a socket: " + monitor + ".",
                        "Work in a directory with a shorter path."));
        try (SocketChannel connection = connect(path, monitor)) {
            Qmp qmp = new Qmp(connection);
            qmp.greet();
            // What QEMU itself may not write, it reports in words that name no file.
            FileTrouble.on(file, () -> Files.write(file, new byte[0]));
            qmp.execute("dump-guest-memory", Map.of("paging", false, "protocol", "file:" + file.toAbsolutePath()));
        }
    }

    private static SocketChannel connect(Path path, Path monitor) throws SettingException {
        try {
            return SocketChannel.open(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            throw new SettingException(
                    PARAMETER,
                    "No QEMU can be reached at " + monitor + ": " + FileTrouble.reason(e) + ".",
                    "Start the guest with unikernel:run or unikernel:start, or name the socket of QEMU's monitor, or a"
                            + " file with the memory of the machine with -Dunikernel.coreFile.",
                    e);
        }
    }
}
