// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SupervisedTest {

    /** Passes input on, and says at its end what ends the program. */
    private static final String LIFELINE = "cat <&3; echo quit";

    private static final List<String> UNTIL_QUIT =
            List.of("sh", "-c", "while read -r line; do echo \"got $line\"; [ \"$line\" = quit ] && exit 7; done");

    @Test
    void programGetsWhatIsWritten() throws Exception {
        Process process = Supervised.start(UNTIL_QUIT, LIFELINE, System.getenv("PATH"));
        process.getOutputStream().write("one\nquit\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        // Its output ends with it, while the lifeline is still held.
        assertEquals("got one\ngot quit\n", output(process));
        process.getOutputStream().close();
        assertEquals(7, process.waitFor());
    }

    @Test
    void programEndsWithTheLifeline() throws Exception {
        Process process = Supervised.start(UNTIL_QUIT, LIFELINE, System.getenv("PATH"));
        process.getOutputStream().close();
        assertEquals("got quit\n", output(process));
        assertEquals(7, process.waitFor());
    }

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void statusAndBothOutputsAreTheOnesOfTheProgram(HostFamily family) throws Exception {
        Process process =
                Supervised.start(family, List.of("sh", "-c", "echo \"$1\"; echo error >&2; exit 7", "x", "a  b"));
        assertEquals("a  b\nerror\n", output(process));
        assertEquals(7, process.waitFor());
    }

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void aProgramThatStaysIsKilledWithTheLifeline(HostFamily family) throws Exception {
        Process process =
                Supervised.start(family, List.of("sh", "-c", "echo $$; trap '' TERM; exec tail -f /dev/null"));
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        ProcessHandle program =
                ProcessHandle.of(Long.parseLong(lines.readLine())).orElseThrow();
        assertTrue(program.isAlive());
        process.getOutputStream().close();
        assertNotEquals(0, process.waitFor());
        program.onExit().join();
        assertFalse(program.isAlive());
    }

    @ParameterizedTest
    @EnumSource(HostFamily.class)
    void aProgramThatIsNotThereIsNamed(HostFamily family) throws Exception {
        Process process = Supervised.start(family, List.of("/nowhere/qemu"));
        String output = output(process);
        assertTrue(output.contains("/nowhere/qemu"), output);
        assertEquals(127, process.waitFor());
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
