// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.ChannelSocket;
import io.github.javaunikernel.maven.run.HostChannel;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that ask a running guest for something, through the channel that its host gave it. */
abstract class AbstractChannelMojo extends AbstractImageFilesMojo {

    /**
     * Socket of the guest's channel, such as {@code /run/vm/channel}. The default is that of the guest that
     * {@code unikernel:run} or {@code unikernel:start} started from the image.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.channel")
    private File channel;

    /**
     * Maximum time until the JVM in the guest must answer, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.timeout", defaultValue = "300")
    private int timeout;

    @Override
    protected void run() throws SettingException, IOException, InterruptedException {
        Duration limit = AbstractStartMojo.limit("dump.timeout", timeout);
        check();
        try (HostChannel guest = HostChannel.connect(socket())) {
            ask(guest, limit);
        }
    }

    /** Refuses values that would otherwise fail only when the guest has begun. */
    abstract void check() throws SettingException;

    /** Asks the guest. */
    abstract void ask(HostChannel guest, Duration limit) throws IOException, InterruptedException;

    final Path socket() {
        return channel == null ? ChannelSocket.of(directory(), fileName()) : channel.toPath();
    }
}
