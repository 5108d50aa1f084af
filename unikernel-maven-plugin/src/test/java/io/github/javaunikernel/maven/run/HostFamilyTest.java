// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
    void programsAreFoundWhereInstallersPutThem() {
        Map<String, String> windows = Map.of("ProgramFiles", "C:\\Program Files", "SystemDrive", "C:");
        assertEquals(
                List.of("C:\\Program Files\\qemu", "C:\\msys64\\usr\\bin"),
                HostFamily.WINDOWS.installDirectories(windows));
        assertEquals(List.of(), HostFamily.WINDOWS.installDirectories(Map.of("ProgramFiles", "")));
        assertTrue(HostFamily.MACOS.installDirectories(Map.of()).contains("/opt/homebrew/bin"));
        assertEquals(List.of("/usr/sbin", "/sbin"), HostFamily.LINUX.installDirectories(Map.of()));
    }

    @Test
    void quotationMarksOfAPathAreNoPartOfIt() throws Exception {
        Path program = Files.createFile(directory.resolve("qemu.exe"));
        assertTrue(program.toFile().setExecutable(true));
        assertEquals(Optional.of(program), Programs.find(HostFamily.WINDOWS, "qemu", "\"" + directory + "\""));
        assertEquals(Optional.empty(), Programs.find(HostFamily.WINDOWS, "qemu", "\0"));
    }

    @Test
    void socketsHaveShorterPathsOnMacs() {
        Path work = Path.of("/work");
        Path longest = Path.of("/" + "s".repeat(106));
        assertEquals(Optional.of(longest), ChannelSocket.reachable(longest, HostFamily.LINUX, work));
        assertEquals(Optional.empty(), ChannelSocket.reachable(longest, HostFamily.MACOS, work));
        Path shorter = Path.of("/" + "s".repeat(102));
        assertEquals(
                Optional.of(Path.of("../" + "s".repeat(100))),
                ChannelSocket.reachable(Path.of("/" + "s".repeat(100)), HostFamily.MACOS, work));
        assertEquals(Optional.of(shorter), ChannelSocket.reachable(shorter, HostFamily.MACOS, work));
    }

    @Test
    void aSocketOnAnotherDriveHasItsWholePath() throws Exception {
        try (FileSystem windows = Jimfs.newFileSystem(Configuration.windows())) {
            Path work = windows.getPath("D:\\hello");
            Path here = windows.getPath("D:\\hello\\target\\hello.channel");
            Path there = windows.getPath("C:\\temp\\hello.channel");
            assertEquals(
                    Optional.of(windows.getPath("target\\hello.channel")),
                    ChannelSocket.reachable(here, HostFamily.WINDOWS, work));
            assertEquals(Optional.of(there), ChannelSocket.reachable(there, HostFamily.WINDOWS, work));
        }
    }

    @Test
    void eachFamilyIsToldHowToGetDiskTools() {
        for (HostFamily family : HostFamily.values()) {
            assertTrue(family.e2fsprogs().matches("Install .*e2fsprogs.*\\."), family.e2fsprogs());
        }
    }

    /** It is started with nothing but the plugin's jar. */
    @Test
    void theSupervisorUsesTheJdkAlone() {
        JavaClass supervisor = new ClassFileImporter().importClass(Supervisor.class);
        supervisor
                .getDirectDependenciesFromSelf()
                .forEach(dependency -> assertTrue(
                        dependency
                                .getTargetClass()
                                .getBaseComponentType()
                                .getPackageName()
                                .startsWith("java."),
                        dependency.getDescription()));
    }
}
