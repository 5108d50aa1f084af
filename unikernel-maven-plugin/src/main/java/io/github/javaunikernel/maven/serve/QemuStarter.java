// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * Boots instances in QEMU, on free ports of 127.0.0.1.
 *
 * @param stopLimit how long a guest may take to end in good order
 * @param terminal gets the lines of all consoles
 */
public record QemuStarter(QemuRequest request, Readiness readiness, Duration stopLimit, Consumer<String> terminal)
        implements Starter {

    /** Knows when a guest's program is ready. */
    public interface Readiness {
        /** Waits until it is. */
        void await(Guest guest, List<PortForward> ports) throws SettingException, GuestException, InterruptedException;
    }

    @Override
    public Instance start(int number) throws InstanceException {
        ConsoleLines lines = new ConsoleLines(number, terminal);
        try {
            QemuBoot boot = QemuBoot.prepare(request.onFreePorts(), new Console(lines::accept));
            try {
                boot.guest().resume();
            } catch (IOException e) {
                boot.guest().kill();
                throw e;
            }
            return new QemuInstance(boot, readiness, stopLimit, lines);
        } catch (SettingException e) {
            throw new InstanceException(e.getMessage(), e);
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }
}
