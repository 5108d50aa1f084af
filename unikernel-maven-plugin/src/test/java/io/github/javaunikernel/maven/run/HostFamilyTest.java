// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The systems that are told apart, and what follows for programs and sockets. */
class HostFamilyTest {

    @TempDir
    Path directory;

    @Test
    void isKnownByTheNameThatJavaGivesIt() {
        assertEquals(HostFamily.LINUX, HostFamily.of("Linux"));
        assertEquals(HostFamily.MACOS, HostFamily.of("Mac OS X"));
        assertEquals(HostFamily.WINDOWS, HostFamily.of("Windows 11"));
        assertEquals(HostFamily.LINUX, HostFamily.of("FreeBSD"));
    }

    @Test
    void programsOfWindowsHaveAnExtension() throws Exception {
        for (String name : new String[] {"qemu", "qemu.exe"}) {
            Path program = Files.createFile(directory.resolve(name));
            assertTrue(program.toFile().setExecutable(true));
        }
        String path = directory.toString();
        assertEquals(Optional.of(directory.resolve("qemu")), Programs.find(HostFamily.LINUX, "qemu", path));
        assertEquals(Optional.of(directory.resolve("qemu")), Programs.find(HostFamily.MACOS, "qemu", path));
        assertEquals(Optional.of(directory.resolve("qemu.exe")), Programs.find(HostFamily.WINDOWS, "qemu", path));
    }

    @Test
    void socketsHaveShorterPathsOnMacs() {
        Path longest = Path.of("/" + "s".repeat(106));
        assertEquals(Optional.of(longest), ChannelSocket.reachable(longest, HostFamily.LINUX));
        assertEquals(Optional.empty(), ChannelSocket.reachable(longest, HostFamily.MACOS));
        Path shorter = Path.of("/" + "s".repeat(102));
        assertEquals(Optional.of(shorter), ChannelSocket.reachable(shorter, HostFamily.MACOS));
    }

    @Test
    void windowsIsToldWhereProgramsCanBeStarted() {
        IOException failure = assertThrows(
                IOException.class, () -> Supervised.start(HostFamily.WINDOWS, List.of("C:\\qemu.exe"), "", false));
        assertEquals(
                "Windows has no shell of Unix, in which the plugin starts C:\\qemu.exe. Run Maven in the Windows"
                        + " Subsystem for Linux.",
                failure.getMessage());
    }
}
