// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class SupervisedTest {

    /** Passes input on, and says at its end what ends the program. */
    private static final String LIFELINE = "cat <&3; echo quit";

    private static final List<String> UNTIL_QUIT =
            List.of("sh", "-c", "while read -r line; do echo \"got $line\"; [ \"$line\" = quit ] && exit 7; done");

    @Test
    void programGetsWhatIsWritten() throws Exception {
        Process process = Supervised.start(UNTIL_QUIT, LIFELINE, false);
        process.getOutputStream().write("one\nquit\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        // Its output ends with it, while the lifeline is still held.
        assertEquals("got one\ngot quit\n", output(process));
        process.getOutputStream().close();
        assertEquals(7, process.waitFor());
    }

    @Test
    void programEndsWithTheLifeline() throws Exception {
        Process process = Supervised.start(UNTIL_QUIT, LIFELINE, false);
        process.getOutputStream().close();
        assertEquals("got quit\n", output(process));
        assertEquals(7, process.waitFor());
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
