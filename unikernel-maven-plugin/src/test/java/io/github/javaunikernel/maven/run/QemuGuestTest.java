// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * A guest on each family of systems, as far as that can be without them: this machine's programs are started as they
 * would be there. Only macOS's own way to a session of its own needs perl, which it always has.
 */
class QemuGuestTest {

    private final StringBuffer printed = new StringBuffer();
    private final CompletableFuture<Void> restored = new CompletableFuture<>();
    private final Console console = new Console(text -> {
        printed.append(text);
        if (printed.toString().contains("Restored all that it knew\n")) {
            restored.complete(null);
        }
    });

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void isStartedAskedAndShutDown(HostFamily family) throws Exception {
        QemuGuest guest = start(family, 96, Optional.empty());
        assertEquals(40_000, guest.forward(new PortForward(0, 8080), "hostPorts", ""));
        assertTrue(guest.responds());
        guest.resume();
        guest.reports().listening().join();
        guest.shutDown();
        GuestEnd end = guest.await();
        end.check(false);
        assertEquals(0, end.machineStatus());
        assertEquals("The guest runs\nThe guest ends\n", printed.toString());
    }

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void quitsWhenItIsToEndAtOnce(HostFamily family) throws Exception {
        QemuGuest guest = start(family, 96, Optional.empty());
        guest.kill();
        assertEquals(3, guest.await().machineStatus());
    }

    /** As one does whose JVM is killed: nobody is there any more to speak QMP. */
    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void isEndedByTheLifelineWhenItDoesNotQuit(HostFamily family) throws Exception {
        QemuGuest guest = start(family, 2, Optional.empty());
        guest.shutDown();
        assertTrue(guest.responds());
        guest.endLifeline();
        GuestEnd end = guest.await();
        assertThrows(GuestException.class, () -> end.check(false));
        assertTrue(!guest.responds() && end.machineStatus() != 0);
    }

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void saysWhatQemuSaid(HostFamily family) {
        SettingException e = assertThrows(SettingException.class, () -> start(family, 1, Optional.empty()));
        assertEquals("memory", e.parameter());
        assertTrue(e.getMessage().contains("| cannot set up guest memory"), e.getMessage());
    }

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void goesOnFromWhatWasSaved(HostFamily family) throws Exception {
        Path memory = Files.writeString(directory.resolve("it's \"memory\""), "all that it knew");
        QemuGuest guest = start(family, 96, Optional.of(new Generation(UUID.randomUUID(), Optional.of(memory))));
        restored.join();
        guest.kill();
        guest.await();
    }

    /** QEMU itself, which takes the words of the command and boots the kernel from a disk that has no files. */
    @ParameterizedTest
    @EnumSource(value = HostFamily.class, mode = Mode.EXCLUDE, names = "MACOS")
    void isQemuItself(HostFamily family) throws Exception {
        Optional<Path> qemu = Programs.find("qemu-system-x86_64", System.getenv("PATH"));
        Assumptions.assumeTrue(qemu.isPresent());
        Path kernel = directory.resolve("kernel");
        Files.write(kernel, Kernel.builtIn().elf());
        QemuGuest guest = start(family, command(qemu.get(), kernel, 64, Optional.empty()));
        guest.resume();
        GuestEnd end = guest.await();
        assertEquals(GuestEnd.PANIC, end.machineStatus(), printed.toString());
        assertTrue(printed.toString().contains("unikernel: "), printed.toString());
    }

    private QemuGuest start(HostFamily family, int memory, Optional<Generation> generation) throws Exception {
        return start(family, command(FakeQemu.program(directory), Path.of("kernel"), memory, generation));
    }

    private QemuGuest start(HostFamily family, QemuCommand command) throws Exception {
        return QemuGuest.start(family, command, Optional.empty(), console, new Reports(0, 0));
    }

    private QemuCommand command(Path qemu, Path kernel, int memory, Optional<Generation> generation) throws Exception {
        return new QemuCommand(
                qemu,
                "tcg",
                memory,
                1,
                Firmware.NONE,
                Optional.empty(),
                kernel,
                "a b",
                Files.write(directory.resolve("an image"), new byte[1 << 20]),
                NetworkSetting.parse("dhcp"),
                0,
                List.of(),
                Optional.empty(),
                generation);
    }
}
