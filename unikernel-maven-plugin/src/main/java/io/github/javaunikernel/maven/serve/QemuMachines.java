// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.Generation;
import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.MachineIdentity;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Machines in QEMU, on free ports of 127.0.0.1. */
public record QemuMachines(QemuRequest request) implements Machines {

    @Override
    public MachineIdentity identity() throws SettingException, IOException {
        return MachineIdentity.of(request);
    }

    @Override
    public Machine boot(int number, boolean saved, Console console) throws SettingException, IOException {
        return start(saved ? request.of(Generation.next(Optional.empty())) : request, console);
    }

    @Override
    public Machine restore(int number, Path memory, Console console) throws SettingException, IOException {
        return start(request.of(Generation.next(Optional.of(memory))), console);
    }

    private static Machine start(QemuRequest machine, Console console) throws SettingException, IOException {
        QemuBoot boot = QemuBoot.prepare(machine.onFreePorts(), console);
        try {
            boot.guest().resume();
        } catch (IOException e) {
            boot.guest().kill();
            throw e;
        }
        return new InQemu(boot);
    }

    private record InQemu(QemuBoot boot) implements Machine {

        @Override
        public Guest guest() {
            return boot.guest();
        }

        @Override
        public List<InetSocketAddress> addresses() {
            return boot.ports().stream()
                    .map(port -> new InetSocketAddress("127.0.0.1", port.host()))
                    .toList();
        }

        @Override
        public boolean responds() {
            return boot.guest().responds();
        }

        @Override
        public void save(Path file) throws IOException {
            try (OutputStream out = Files.newOutputStream(file)) {
                boot.guest().save(out);
            }
            boot.guest().resume();
        }
    }
}
