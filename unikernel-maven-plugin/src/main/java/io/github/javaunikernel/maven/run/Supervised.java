// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a program that ends with this JVM, however that ends. The pipe between both is the lifeline: the kernel closes
 * it even when this JVM is killed, and a shell on its other end then does what ends the program. The program is in a
 * session of its own, so that Ctrl-C on the terminal reaches Maven alone, which shuts the guest down.
 */
final class Supervised {

    /**
     * Descriptor 3 is the lifeline, 4 the program's standard output. Nobody but the program keeps output or error open,
     * so their end is the program's. The status is the program's.
     */
    private static final String SCRIPT = """
            exec 3<&0 4>&1 >/dev/null
            { exec 4>&- 2>/dev/null; %s; } | "$@" >&4 3<&- 4>&- &
            exec 3<&- 4>&- 2>/dev/null
            wait $!
            """;

    private Supervised() {}

    /**
     * Starts a program.
     *
     * @param lifeline shell commands that read descriptor 3 to its end and then end the program; what they print is the
     *     program's input
     * @param errorToOutput whether what the program says on standard error comes on standard output
     */
    static Process start(List<String> program, String lifeline, boolean errorToOutput) throws IOException {
        return start(HostFamily.current(), program, lifeline, errorToOutput);
    }

    static Process start(HostFamily family, List<String> program, String lifeline, boolean errorToOutput)
            throws IOException {
        if (family == HostFamily.WINDOWS) {
            throw new ExplainedException("Windows has no shell of Unix, in which the plugin starts " + program.get(0)
                    + ". Run Maven in the Windows Subsystem for Linux.");
        }
        List<String> words = new ArrayList<>(family.ownSession());
        words.addAll(List.of("sh", "-c", String.format(SCRIPT, lifeline), "unikernel"));
        words.addAll(program);
        try {
            return new ProcessBuilder(words).redirectErrorStream(errorToOutput).start();
        } catch (IOException e) {
            throw new ExplainedException(
                    words.get(0) + " cannot be run: " + FileTrouble.reason(e)
                            + ". Install it (Debian: package util-linux), and make sure that it is on the PATH.",
                    e);
        }
    }
}
