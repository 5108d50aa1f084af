// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.HostChannel;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.time.Duration;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Has the kernel of a running guest print system calls, packets and a profile on the guest's console, and count waits
 * for its locks, from now on. Without parameters it ends all of them.
 *
 * @since 0.1.0
 */
@Mojo(name = "trace", threadSafe = true)
public final class TraceMojo extends AbstractChannelMojo {

    /**
     * System calls to print when they return: names as in strace with commas between them, {@code all} or {@code none}.
     * The name of an error, such as {@code EINVAL}, stands for the calls that fail with it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.trace", defaultValue = "none")
    private String trace;

    /**
     * How many bytes of each frame of the network to print, from 0 (none) to 65535. {@code guest-kernel/tools/capture}
     * makes a file for Wireshark of the lines.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.capture", defaultValue = "0")
    private int capture;

    /**
     * How many times a second to sample where the CPU spends its time, in the program and in the kernel, from 0 (none)
     * to 10000. {@code guest-kernel/tools/profile} makes folded stacks for a flame graph of the lines.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.profile", defaultValue = "0")
    private int profile;

    /**
     * Whether to count waits for the kernel's locks from now on, from zero. {@code unikernel:dump} with {@code locks}
     * writes what has been counted; the guest prints it when it ends.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.lockstat", defaultValue = "false")
    private boolean lockstat;

    @Override
    void check() throws SettingException {
        if (!trace.matches("\\w+(,\\w+)*")) {
            throw new SettingException(
                    "trace",
                    "'" + trace + "' are no names of system calls or errors.",
                    "Use names as in strace, errors such as EINVAL, all or none.");
        }
        if (capture < 0 || capture > 65535) {
            throw new SettingException(
                    "capture", capture + " bytes of a frame cannot be printed.", "Use a number from 0 to 65535.");
        }
        if (profile < 0 || profile > 10000) {
            throw new SettingException(
                    "profile", profile + " samples a second cannot be taken.", "Use a number from 0 to 10000.");
        }
    }

    @Override
    void ask(HostChannel guest, Duration limit) throws IOException {
        guest.trace(trace);
        guest.capture(capture);
        guest.profile(profile);
        guest.lockStatistics(lockstat);
    }
}
