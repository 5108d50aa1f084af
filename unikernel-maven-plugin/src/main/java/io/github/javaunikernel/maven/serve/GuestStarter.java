// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.MachineIdentity;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Boots instances, or restores them from a snapshot.
 *
 * @param startLimit how long a guest may take to get an address
 * @param stopLimit how long a guest may take to end in good order
 * @param terminal gets the lines of all consoles
 * @param snapshots that are taken and restored, or empty for boots only
 */
public record GuestStarter(
        Machines machines,
        Readiness readiness,
        Duration startLimit,
        Duration stopLimit,
        Consumer<String> terminal,
        Optional<Snapshots> snapshots)
        implements Starter {

    @Override
    public Instance start(int number) throws InstanceException {
        try {
            return snapshots.isPresent() ? startOrRestore(number, snapshots.get()) : boot(number, null);
        } catch (SettingException e) {
            throw new InstanceException(e.getMessage(), e);
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }

    private Instance startOrRestore(int number, Snapshots kept) throws SettingException, IOException {
        MachineIdentity identity = machines.identity();
        Optional<Path> memory = kept.fitting(identity);
        if (memory.isPresent()) {
            try {
                return restore(number, memory.get(), new Origin(kept, identity, true));
            } catch (IOException e) {
                kept.discard("it cannot be restored (" + FileTrouble.of(e).text() + ")");
            }
        }
        return boot(number, new Origin(kept, identity, false));
    }

    private Instance restore(int number, Path memory, Origin origin) throws SettingException, IOException {
        ConsoleLines lines = new ConsoleLines(number, terminal);
        return instance(machines.restore(number, memory, new Console(lines::accept)), lines, origin);
    }

    private Instance boot(int number, Origin origin) throws SettingException, IOException {
        ConsoleLines lines = new ConsoleLines(number, terminal);
        return instance(machines.boot(number, origin != null, new Console(lines::accept)), lines, origin);
    }

    /** The console of a machine that could not be restored has ended, so each attempt has its own. */
    private Instance instance(Machine machine, ConsoleLines lines, Origin origin) {
        return new GuestInstance(machine, readiness, startLimit, stopLimit, lines, Optional.ofNullable(origin));
    }

    /**
     * Where a machine comes from that has to do with snapshots.
     *
     * @param restored from one; else it was booted, and one may be taken of it
     */
    record Origin(Snapshots snapshots, MachineIdentity machine, boolean restored) {}
}
