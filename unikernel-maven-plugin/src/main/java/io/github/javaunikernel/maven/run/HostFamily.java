// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The systems on which guests are run, and in what they differ for QEMU and for programs that are started. */
public enum HostFamily {

    /** Linux. It has setsid everywhere, but not perl. Debian has mke2fs where not every user's PATH leads. */
    LINUX(
            "kvm",
            107,
            List.of("setsid"),
            "Install it (Debian, Ubuntu: sudo apt install e2fsprogs).",
            List.of("/usr/sbin", "/sbin")),
    /** macOS. It has no setsid, but perl. Homebrew and MacPorts install programs. */
    MACOS(
            "hvf",
            103,
            List.of("perl", "-e", "setpgrp; exec @ARGV", "--"),
            "Install it (brew install e2fsprogs).",
            List.of(
                    "/opt/homebrew/bin",
                    "/usr/local/bin",
                    "/opt/local/bin",
                    "/opt/local/sbin",
                    "/opt/homebrew/opt/e2fsprogs/sbin",
                    "/usr/local/opt/e2fsprogs/sbin")),
    /** Windows. It has no sessions of Unix; programs without a console are not reached by Ctrl-C. */
    WINDOWS(
            "whpx",
            107,
            List.of(),
            "Install MSYS2 and in it the package e2fsprogs (pacman -S e2fsprogs), or make the disk's file on Linux and"
                    + " copy it there.",
            List.of("%ProgramFiles%\\qemu", "%SystemDrive%\\msys64\\usr\\bin"));

    private final String virtualisation;
    private final int longestSocket;
    private final List<String> ownSession;
    private final String e2fsprogs;
    private final List<String> installDirectories;

    HostFamily(
            String virtualisation,
            int longestSocket,
            List<String> ownSession,
            String e2fsprogs,
            List<String> installDirectories) {
        this.virtualisation = virtualisation;
        this.longestSocket = longestSocket;
        this.ownSession = ownSession;
        this.e2fsprogs = e2fsprogs;
        this.installDirectories = installDirectories;
    }

    /** This machine's. */
    public static HostFamily current() {
        return of(System.getProperty("os.name"));
    }

    /**
     * That of a system; those that are not known are taken for Linux.
     *
     * @param name as in the system property {@code os.name}
     */
    static HostFamily of(String name) {
        return name.startsWith("Mac") ? MACOS : name.startsWith("Windows") ? WINDOWS : LINUX;
    }

    /** What QEMU calls its hardware virtualisation. */
    String virtualisation() {
        return virtualisation;
    }

    /** Bytes that the path of a Unix socket may have, without its end: sun_path in unix(7), unix(4), afunix.h. */
    int longestSocket() {
        return longestSocket;
    }

    /** The words before a command that give it a session of its own; none where a shell does not do that. */
    List<String> ownSession() {
        return ownSession;
    }

    /** What to do where there is no mke2fs or debugfs, in a sentence. */
    String e2fsprogs() {
        return e2fsprogs;
    }

    /** The name of a program's file. */
    String program(String name) {
        return this == WINDOWS ? name + ".exe" : name;
    }

    /**
     * Directories into which programs are usually installed, whether the PATH names them or not.
     *
     * @param environment the variables of the process; a directory below one that is not set is left out
     */
    List<String> installDirectories(Map<String, String> environment) {
        return installDirectories.stream()
                .flatMap(directory -> expanded(directory, environment))
                .toList();
    }

    private static Stream<String> expanded(String directory, Map<String, String> environment) {
        if (!directory.startsWith("%")) {
            return Stream.of(directory);
        }
        int end = directory.indexOf('%', 1);
        String value = environment.get(directory.substring(1, end));
        return Stream.of(Objects.requireNonNullElse(value, ""))
                .filter(start -> !start.isEmpty())
                .map(start -> start + directory.substring(end + 1));
    }
}
