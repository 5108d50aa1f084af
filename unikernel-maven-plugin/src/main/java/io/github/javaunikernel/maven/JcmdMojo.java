// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.HostChannel;
import java.io.IOException;
import java.time.Duration;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Has the JVM in a running guest carry out a command of {@code jcmd}, and prints the answer. The guest needs no port
 * for that.
 *
 * @since 0.1.0
 */
@Mojo(name = "jcmd", threadSafe = true)
public final class JcmdMojo extends AbstractChannelMojo {

    /**
     * The command with its arguments, such as {@code VM.flags -all}. {@code help} lists the commands.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jcmd", defaultValue = "help")
    private String jcmd;

    @Override
    void check() {}

    @Override
    void ask(HostChannel guest, Duration limit) throws IOException {
        guest.jcmd(jcmd, limit).lines().forEach(getLog()::info);
    }
}
