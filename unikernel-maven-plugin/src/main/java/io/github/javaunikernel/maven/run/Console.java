// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;

/**
 * What the guest writes: passed on as it comes, the last lines kept. Nothing is concluded from it, since the program
 * may write what it likes. May be used by several threads.
 */
public final class Console {

    private static final int LINES_KEPT = 25;
    /** Of a line; a program may well write one that never ends. */
    private static final int CHARACTERS_KEPT = 2000;

    /** Takes text; a failure ends the reading. */
    public interface Sink {
        /** Takes a piece of any length; lines end with a line feed. */
        void accept(String text) throws IOException;
    }

    private final Sink sink;
    private final Deque<StringBuilder> last = new ArrayDeque<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private boolean lineEnded = true;
    private boolean carriageReturn;

    /**
     * Makes a console without a guest yet.
     *
     * @param sink gets the text
     */
    public Console(Sink sink) {
        this.sink = sink;
    }

    /** Reads to the end of the stream in a thread of its own. */
    void follow(InputStream in) {
        Thread reader = new Thread(() -> read(in), "unikernel console");
        reader.setDaemon(true);
        reader.start();
    }

    /** Done when there is nothing more to come. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    /** The last lines for a message, each on a line of its own after a line feed. */
    synchronized String lastLines() {
        StringBuilder text = new StringBuilder();
        last.forEach(line -> text.append("\n  | ").append(line));
        return text.toString();
    }

    /** What to say when the console has ended by a failure. */
    GuestException brokenOff(Throwable failure) {
        FileTrouble trouble = FileTrouble.of((IOException) failure);
        return new GuestException("The guest's console broke off. " + trouble.text() + " The last lines before:", this);
    }

    private void read(InputStream in) {
        char[] buffer = new char[4096];
        try (Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
            for (int length = reader.read(buffer); length >= 0; length = reader.read(buffer)) {
                pass(withoutTerminalEnds(buffer, length));
            }
            if (carriageReturn) {
                pass("\r");
            }
            ended.complete(null);
        } catch (IOException e) {
            ended.completeExceptionally(e);
        }
    }

    /** The kernel ends lines as terminals want it, with a carriage return before the line feed. */
    private String withoutTerminalEnds(char[] text, int length) {
        StringBuilder result = new StringBuilder(length + 1);
        for (int i = 0; i < length; i++) {
            if (carriageReturn && text[i] != '\n') {
                result.append('\r');
            }
            carriageReturn = text[i] == '\r';
            if (!carriageReturn) {
                result.append(text[i]);
            }
        }
        return result.toString();
    }

    private void pass(String text) throws IOException {
        note(text);
        sink.accept(text);
    }

    private synchronized void note(String text) {
        text.chars().forEach(c -> note((char) c));
    }

    private void note(char c) {
        if (lineEnded) {
            last.add(new StringBuilder());
            if (last.size() > LINES_KEPT) {
                last.remove();
            }
        }
        lineEnded = c == '\n';
        if (!lineEnded && last.getLast().length() < CHARACTERS_KEPT) {
            last.getLast().append(c);
        }
    }
}
