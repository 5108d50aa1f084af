// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.util.function.Consumer;

/** Makes whole lines of an instance's console, each with its number in front, since several share the terminal. */
final class ConsoleLines {

    /** A longer line is printed in pieces. */
    private static final int LONGEST = 2000;

    private final int number;
    private final Consumer<String> terminal;
    private final StringBuilder line = new StringBuilder();

    ConsoleLines(int number, Consumer<String> terminal) {
        this.number = number;
        this.terminal = terminal;
    }

    /** Takes a piece of the console. */
    synchronized void accept(String text) {
        text.chars().forEach(c -> {
            if (c == '\n') {
                flush();
            } else {
                line.append((char) c);
                if (line.length() == LONGEST) {
                    flush();
                }
            }
        });
    }

    /** Prints what came after the last whole line. */
    synchronized void end() {
        if (line.length() > 0) {
            flush();
        }
    }

    private void flush() {
        terminal.accept(number + " | " + line + "\n");
        line.setLength(0);
    }
}
