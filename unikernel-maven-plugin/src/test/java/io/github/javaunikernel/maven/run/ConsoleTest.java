// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

class ConsoleTest {

    private final StringBuilder shown = new StringBuilder();
    private final Console console = new Console(shown::append);

    @Test
    void showsWhatComesWithTheLineEndsOfFiles() {
        read("Hello\r\n50 %\r100 %\r\n\r\n\r\r\nBye\r");
        assertEquals("Hello\n50 %\r100 %\n\n\r\nBye\r", shown.toString());
    }

    @Test
    void takesLineEndsAndCharactersInPieces() {
        byte[] text = "Größe 😀\r\nBye".getBytes(StandardCharsets.UTF_8);
        console.follow(new ByteArrayInputStream(text) {
            @Override
            public synchronized int read(byte[] to, int from, int length) {
                return super.read(to, from, Math.min(1, length));
            }
        });
        console.ended().join();
        assertEquals("Größe 😀\nBye", shown.toString());
    }

    @Test
    void showsALineBeforeItsEnd() throws Exception {
        BlockingQueue<String> pieces = new LinkedBlockingQueue<>();
        try (GuestOutput guest = new GuestOutput()) {
            new Console(pieces::add).follow(guest.stream());
            guest.print("Continue? ");
            assertEquals("Continue? ", pieces.take());
        }
    }

    @Test
    void aFullDiskEndsTheConsoleOfAFileAndIsNamed() throws Exception {
        Console onFullDisk = StartedGuest.consoleTo(Path.of("/dev/full"));
        onFullDisk.follow(new ByteArrayInputStream("Hello\n".getBytes(StandardCharsets.UTF_8)));
        CompletionException end =
                assertThrows(CompletionException.class, () -> onFullDisk.ended().join());
        assertEquals(
                "The guest's console broke off. There is no space left for /dev/full. Free some space on its disk,"
                        + " or name a directory on another one. The last lines before:\n  | Hello",
                onFullDisk.brokenOff(end.getCause()).getMessage());
    }

    @Test
    void keepsTheLastLines() {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= 40; i++) {
            text.append("line ").append(i).append('\n');
        }
        read(text.toString());
        String last = console.lastLines();
        assertTrue(last.startsWith("\n  | line 16\n") && last.endsWith("\n  | line 40"), last);
    }

    @Test
    void keepsTheBeginningOfALineThatNeverEnds() {
        char[] text = new char[1_000_000];
        Arrays.fill(text, 'x');
        read(new String(text));
        assertEquals("\n  | " + "x".repeat(2000), console.lastLines());
        assertEquals(text.length, shown.length());
    }

    private void read(String text) {
        InputStream in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        console.follow(in);
        console.ended().join();
    }
}
