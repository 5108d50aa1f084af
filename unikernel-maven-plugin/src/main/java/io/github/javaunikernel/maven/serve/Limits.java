// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.settings.SettingException;
import java.time.Duration;

/**
 * How many instances there are, and how long.
 *
 * @param min instances that run without any connection
 * @param max instances at any time, those that start or end included
 * @param maxConnections of one instance
 * @param idleTimeout after which an instance without a connection is stopped
 * @param drainTimeout that open connections get when the front door shuts down
 */
public record Limits(int min, int max, int maxConnections, Duration idleTimeout, Duration drainTimeout) {

    /** Checks numbers; times are in seconds. */
    public static Limits checked(int min, int max, int maxConnections, int idleTimeout, int drainTimeout)
            throws SettingException {
        least("serve.min", min, 0);
        least("serve.max", max, 1);
        least("serve.maxConnections", maxConnections, 1);
        least("serve.idleTimeout", idleTimeout, 0);
        least("serve.drainTimeout", drainTimeout, 0);
        if (min > max) {
            throw new SettingException(
                    "serve.min",
                    min + " instances are to be kept, but only " + max + " are allowed.",
                    "Give a smaller number, or raise -Dunikernel.serve.max.");
        }
        return new Limits(min, max, maxConnections, Duration.ofSeconds(idleTimeout), Duration.ofSeconds(drainTimeout));
    }

    private static void least(String parameter, int value, int least) throws SettingException {
        if (value < least) {
            throw new SettingException(parameter, value + " is too small.", "Give " + least + " or more.");
        }
    }
}
