// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.settings.SettingException;

/** Knows when a guest's program is ready. */
public interface Readiness {

    /**
     * Waits until it is.
     *
     * @param url of the program's first port, which ends in '/'
     */
    void await(Guest guest, String url) throws SettingException, GuestException, InterruptedException;
}
