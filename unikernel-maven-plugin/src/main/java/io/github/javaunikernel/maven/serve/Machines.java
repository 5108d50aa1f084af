// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.MachineIdentity;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;

/** What makes machines of one image: QEMU or a Xen host. Several threads may use it at the same time. */
public interface Machines {

    /** What a snapshot of such a machine belongs to, as it is now. */
    MachineIdentity identity() throws SettingException, IOException;

    /**
     * Starts a machine that boots.
     *
     * @param number of the instance, from 1 on
     * @param saved whether a snapshot may be taken of it
     */
    Machine boot(int number, boolean saved, Console console) throws SettingException, IOException;

    /** Starts a machine that goes on from the file that {@link Machine#save} has written. */
    Machine restore(int number, Path memory, Console console) throws SettingException, IOException;
}
