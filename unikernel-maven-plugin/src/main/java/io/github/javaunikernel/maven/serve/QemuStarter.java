// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.Generation;
import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.MachineIdentity;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Boots instances in QEMU, or restores them there from a snapshot, on free ports of 127.0.0.1.
 *
 * @param stopLimit how long a guest may take to end in good order
 * @param terminal gets the lines of all consoles
 * @param snapshots that are taken and restored, or empty for boots only
 */
public record QemuStarter(
        QemuRequest request,
        Readiness readiness,
        Duration stopLimit,
        Consumer<String> terminal,
        Optional<Snapshots> snapshots)
        implements Starter {

    /** Knows when a guest's program is ready. */
    public interface Readiness {
        /** Waits until it is. */
        void await(Guest guest, List<PortForward> ports) throws SettingException, GuestException, InterruptedException;
    }

    @Override
    public Instance start(int number) throws InstanceException {
        try {
            return snapshots.isPresent() ? startOrRestore(number, snapshots.get()) : boot(number, request, null);
        } catch (SettingException e) {
            throw new InstanceException(e.getMessage(), e);
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }

    private Instance startOrRestore(int number, Snapshots kept) throws SettingException, IOException {
        MachineIdentity machine = MachineIdentity.of(request);
        Optional<Path> memory = kept.fitting(machine);
        if (memory.isPresent()) {
            try {
                return boot(number, request.of(Generation.next(memory)), new Origin(kept, machine, true));
            } catch (IOException e) {
                kept.discard("it cannot be restored (" + FileTrouble.of(e).text() + ")");
            }
        }
        return boot(number, request.of(Generation.next(Optional.empty())), new Origin(kept, machine, false));
    }

    private Instance boot(int number, QemuRequest machine, Origin origin) throws SettingException, IOException {
        ConsoleLines lines = new ConsoleLines(number, terminal);
        QemuBoot boot = QemuBoot.prepare(machine.onFreePorts(), new Console(lines::accept));
        try {
            boot.guest().resume();
        } catch (IOException e) {
            boot.guest().kill();
            throw e;
        }
        return new QemuInstance(boot, readiness, stopLimit, lines, Optional.ofNullable(origin));
    }

    /**
     * Where a machine comes from that has to do with snapshots.
     *
     * @param restored from one; else it was booted, and one may be taken of it
     */
    record Origin(Snapshots snapshots, MachineIdentity machine, boolean restored) {}
}
