// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a program that ends with this JVM, however that ends. The standard input of the process that is returned is
 * the lifeline: the system closes it even when this JVM is killed, and a supervisor on its other end then ends the
 * program. Ctrl-C on the terminal reaches Maven alone, which shuts the guest down. The supervisor is a shell in a
 * session of its own; on Windows it is a JVM without a console.
 */
final class Supervised {

    /**
     * Descriptor 3 is the lifeline, 4 the program's standard output. Nobody but the program keeps output or error open,
     * so their end is the program's. The status is the program's. The process group is that of this shell, so that no
     * other program can have its number as long as the one is there that kills it.
     */
    private static final String KILLING = """
            exec 3<&0 4>&1 >/dev/null
            { exec 4>&- 2>/dev/null; cat <&3; kill -9 0; } &
            "$@" </dev/null >&4 3<&- 4>&- &
            exec 3<&- 4>&- 2>/dev/null
            wait $!
            """;

    /** As above; what ends the program is not known here. Its input does not end before the lifeline. */
    private static final String ENDING = """
            exec 3<&0 4>&1 >/dev/null
            { exec 4>&- 2>/dev/null; %s; } | "$@" >&4 3<&- 4>&- &
            exec 3<&- 4>&- 2>/dev/null
            wait $!
            """;

    /** A small JVM that starts fast. */
    private static final List<String> SMALL = List.of("-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private Supervised() {}

    /** Starts a program that is killed at the end of the lifeline. What it prints is on standard output. */
    static Process start(HostFamily family, List<String> program) throws IOException {
        return family == HostFamily.WINDOWS
                ? start(inJvm(program), true, null)
                : start(inShell(family, KILLING, program), true, null);
    }

    /**
     * Starts a program that the commands of a shell end.
     *
     * @param lifeline shell commands that read descriptor 3 to its end and then end the program; what they print is the
     *     program's input
     * @param searchPath the environment variable PATH of both
     */
    static Process start(List<String> program, String lifeline, String searchPath) throws IOException {
        return start(inShell(HostFamily.current(), String.format(ENDING, lifeline), program), false, searchPath);
    }

    private static List<String> inShell(HostFamily family, String script, List<String> program) {
        List<String> words = new ArrayList<>(family.ownSession());
        words.addAll(List.of("sh", "-c", script, "unikernel"));
        words.addAll(program);
        return words;
    }

    private static List<String> inJvm(List<String> program) throws IOException {
        // Of the two launchers on Windows, javaw has no console.
        Path java = Programs.find(
                        HostFamily.WINDOWS,
                        "javaw",
                        Path.of(System.getProperty("java.home"), "bin").toString())
                .orElse(Path.of(System.getProperty("java.home"), "bin", "java"));
        List<String> words = new ArrayList<>(List.of(java.toString()));
        words.addAll(SMALL);
        words.addAll(List.of("-cp", place(Supervisor.class).toString(), Supervisor.class.getName()));
        words.addAll(program);
        return words;
    }

    private static Path place(Class<?> type) throws ExplainedException {
        try {
            return Path.of(
                    type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new ExplainedException(
                    "The plugin's jar has a place that is no URI. Set another localRepository in Maven's settings.", e);
        }
    }

    /** A search path that is null is that of this JVM. */
    private static Process start(List<String> words, boolean errorToOutput, String searchPath) throws IOException {
        ProcessBuilder program = new ProcessBuilder(words).redirectErrorStream(errorToOutput);
        if (searchPath != null) {
            program.environment().put("PATH", searchPath);
        }
        try {
            return program.start();
        } catch (IOException e) {
            throw new ExplainedException(
                    words.get(0) + " cannot be run: " + FileTrouble.reason(e)
                            + ". Install it (Debian: package util-linux), and make sure that it is on the PATH.",
                    e);
        }
    }
}
