// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.util.List;

/** The systems on which guests are run, and in what they differ for QEMU and for programs that are started. */
public enum HostFamily {

    /** Linux. It has setsid everywhere, but not perl. */
    LINUX("kvm", 107, List.of("setsid")),
    /** macOS. It has no setsid, but perl. */
    MACOS("hvf", 103, List.of("perl", "-e", "setpgrp; exec @ARGV", "--")),
    /** Windows. It has no shell of Unix, which programs are started by. */
    WINDOWS("whpx", 107, List.of());

    private final String virtualisation;
    private final int longestSocket;
    private final List<String> ownSession;

    HostFamily(String virtualisation, int longestSocket, List<String> ownSession) {
        this.virtualisation = virtualisation;
        this.longestSocket = longestSocket;
        this.ownSession = ownSession;
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

    /** The words before a command that give it a session of its own; none where that is not possible. */
    List<String> ownSession() {
        return ownSession;
    }

    /** The name of a program's file. */
    String program(String name) {
        return this == WINDOWS ? name + ".exe" : name;
    }
}
