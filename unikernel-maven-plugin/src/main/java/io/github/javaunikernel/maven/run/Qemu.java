// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** QEMU's program for x86-64 on this machine. */
public final class Qemu {

    private static final String PARAMETER = "qemu";
    private static final String PROGRAM = "qemu-system-x86_64";
    private static final String INSTALL = "Install it (Debian, Ubuntu: sudo apt install qemu-system-x86;"
            + " Fedora: sudo dnf install qemu-system-x86; macOS: brew install qemu; Windows: winget install"
            + " SoftwareFreedomConservancy.QEMU), or name the program;"
            + " -DskipITs leaves out the goal start.";
    private static final Pattern VERSION = Pattern.compile("QEMU emulator version (\\d+)\\.(\\d+)");
    /** Has random numbers of its own for guests since 4.2, and on Windows Unix sockets since 7.2. */
    private static final Map<HostFamily, List<Integer>> OLDEST =
            Map.of(HostFamily.LINUX, List.of(4, 2), HostFamily.MACOS, List.of(4, 2), HostFamily.WINDOWS, List.of(7, 2));

    private Qemu() {}

    /**
     * Finds the program and makes sure that it is the right one.
     *
     * @param given a path, or null to search
     * @param searchPath directories as in the environment variable PATH
     */
    public static Path find(File given, String searchPath) throws SettingException {
        Path program = given != null ? given.toPath() : search(searchPath);
        if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            throw new SettingException(PARAMETER, "There is no program " + program + ".", INSTALL);
        }
        check(HostFamily.current(), program);
        return program;
    }

    /** What the program says of its version, in one line. */
    static String version(Path program) throws SettingException {
        return output(program, "--version").lines().findFirst().orElse("");
    }

    private static Path search(String searchPath) throws SettingException {
        return Programs.installed(PROGRAM, searchPath)
                .orElseThrow(() -> new SettingException(
                        PARAMETER, "There is no " + PROGRAM + " on the PATH or where installers put it.", INSTALL));
    }

    /** Refuses a program that cannot run guests on this family. */
    static void check(HostFamily family, Path program) throws SettingException {
        Matcher version = VERSION.matcher(output(program, "--version"));
        if (!version.find()) {
            throw new SettingException(
                    PARAMETER, program + " is not QEMU.", "Name a " + PROGRAM + ", or leave it out.");
        }
        int major = Integer.parseInt(version.group(1));
        int minor = Integer.parseInt(version.group(2));
        List<Integer> oldest = OLDEST.get(family);
        if (major < oldest.get(0) || major == oldest.get(0) && minor < oldest.get(1)) {
            throw new SettingException(
                    PARAMETER,
                    program + " is QEMU " + major + "." + minor + "; " + oldest.get(0) + "." + oldest.get(1)
                            + " or later is needed.",
                    INSTALL);
        }
        if (!output(program, "-machine", "help").contains("q35")) {
            throw new SettingException(
                    PARAMETER, program + " cannot emulate a PC.", "Name a " + PROGRAM + ", or leave it out.");
        }
    }

    private static String output(Path program, String... options) throws SettingException {
        String[] command = new String[options.length + 1];
        command[0] = program.toString();
        System.arraycopy(options, 0, command, 1, options.length);
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new SettingException(
                    PARAMETER, program + " cannot be run: " + FileTrouble.reason(e) + ".", INSTALL, e);
        }
    }
}
