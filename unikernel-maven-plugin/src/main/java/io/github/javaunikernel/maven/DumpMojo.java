// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.Dump;
import io.github.javaunikernel.maven.run.HostChannel;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Writes what the JVM in a running guest says of itself to a file in the build directory: its threads, its heap, or a
 * recording of the JDK Flight Recorder. The guest serves on, and needs no port for that.
 *
 * @since 0.1.0
 */
@Mojo(name = "dump", threadSafe = true)
public final class DumpMojo extends AbstractChannelMojo {

    /**
     * What to write: {@code threads} (NAME.threads.txt), {@code histogram} (NAME.histogram.txt, the objects of each
     * class), {@code heap} (NAME.hprof) or {@code jfr} (NAME.jfr; the image needs the module {@code jdk.jfr}). Heap and
     * recording lie in {@code guestDirectory} until they have been copied.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump", defaultValue = "threads")
    private String dump;

    /**
     * How long {@code jfr} records, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.duration", defaultValue = "60")
    private int duration;

    /**
     * Directory of the guest with room for a heap dump or a recording. {@code /tmp} is in the guest's memory; a
     * directory on a scratch disk is not.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.guestDirectory", defaultValue = "/tmp")
    private String guestDirectory;

    private Dump chosen;

    @Override
    void check() throws SettingException {
        chosen = Dump.parse(dump);
        AbstractStartMojo.limit("dump.duration", duration);
    }

    @Override
    void ask(HostChannel guest, Duration limit) throws IOException, InterruptedException {
        Path file = directory().resolve(fileName() + chosen.suffix());
        chosen.take(guest, new Dump.Request(file, guestDirectory, limit, Duration.ofSeconds(duration)));
        getLog().info("Wrote " + file);
    }
}
