// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuTest {

    @TempDir
    private Path directory;

    @Test
    void findsTheProgramOnThePath() throws Exception {
        Path qemu = qemu("QEMU emulator version 8.2.1", "q35");
        assertEquals(qemu, Qemu.find(null, "/nowhere" + File.pathSeparator + directory));
    }

    @Test
    void saysHowToInstallIt() {
        SettingException e = assertThrows(SettingException.class, () -> Qemu.find(null, "/nowhere"));
        assertTrue(e.getMessage()
                .startsWith("There is no qemu-system-x86_64 on the PATH or where installers put it."
                        + " [parameter qemu, -Dunikernel.qemu] Install it"));
        assertTrue(e.getMessage().contains("sudo apt install qemu-system-x86"));
        assertTrue(e.getMessage().contains("sudo dnf install") && e.getMessage().contains("brew install"));
    }

    @Test
    void takesNoOtherProgram() throws Exception {
        assertRefused("is not QEMU", qemu("BusyBox v1.35", "q35"));
        assertRefused("is QEMU 3.1; 4.2 or later is needed", qemu("QEMU emulator version 3.1.0", "q35"));
        assertRefused("is QEMU 4.1; 4.2 or later is needed", qemu("QEMU emulator version 4.1.0", "q35"));
        assertRefused("cannot emulate a PC", qemu("QEMU emulator version 8.2.1", "virt"));
        assertRefused("There is no program", directory.resolve("missing"));
    }

    @Test
    void needsANewerOneOnWindows() throws Exception {
        Path qemu = qemu("QEMU emulator version 7.1.0 (v7.1.0)", "q35");
        Qemu.check(HostFamily.LINUX, qemu);
        Qemu.check(HostFamily.MACOS, qemu);
        SettingException e = assertThrows(SettingException.class, () -> Qemu.check(HostFamily.WINDOWS, qemu));
        assertTrue(e.getMessage().contains("is QEMU 7.1; 7.2 or later is needed"), e.getMessage());
    }

    private static void assertRefused(String reason, Path program) {
        SettingException e = assertThrows(SettingException.class, () -> Qemu.find(program.toFile(), ""));
        assertTrue(e.getMessage().contains(reason), e.getMessage());
    }

    private Path qemu(String version, String machines) throws IOException {
        return Scripts.write(
                directory.resolve("qemu-system-x86_64"),
                "case $1 in --version) echo '" + version + "' ;; -machine) echo '" + machines + "' ;; esac");
    }
}
