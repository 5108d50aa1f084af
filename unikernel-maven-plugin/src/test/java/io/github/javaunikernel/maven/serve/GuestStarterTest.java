// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.MachineIdentity;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestStarterTest {

    private static final MachineIdentity MACHINE = new MachineIdentity("i", "k", "QEMU 7", "q35", "emulated");

    @TempDir
    private Path scratch;

    private final List<String> log = new ArrayList<>();
    private final List<Console> consoles = new ArrayList<>();

    /** Machines that can be booted, but not restored. */
    private final Machines machines = new Machines() {

        @Override
        public MachineIdentity identity() {
            return MACHINE;
        }

        @Override
        public Machine boot(int number, boolean saved, Console console) {
            consoles.add(console);
            return new Booted();
        }

        @Override
        public Machine restore(int number, Path memory, Console console) throws IOException {
            consoles.add(console);
            throw new IOException("not a migration stream");
        }
    };

    @Test
    void aColdStartAfterAFailedRestoreHasAConsoleOfItsOwn() throws Exception {
        Snapshots snapshots = new Snapshots(scratch.resolve("hello.snapshot"), log::add);
        snapshots.take(MACHINE, file -> Files.write(file, new byte[1]));
        log.clear();
        GuestStarter starter = new GuestStarter(
                machines, (guest, url) -> {}, Duration.ZERO, Duration.ZERO, line -> {}, Optional.of(snapshots));
        assertFalse(starter.start(1).isRestored());
        assertEquals(2, consoles.size());
        assertNotSame(consoles.get(0), consoles.get(1));
        assertEquals(Optional.empty(), snapshots.fitting(MACHINE));
        assertEquals(1, log.size());
    }

    private static final class Booted implements Machine {

        @Override
        public Guest guest() {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<InetSocketAddress> addresses() {
            return List.of();
        }

        @Override
        public boolean responds() {
            return false;
        }

        @Override
        public void save(Path file) {
            throw new UnsupportedOperationException();
        }
    }
}
