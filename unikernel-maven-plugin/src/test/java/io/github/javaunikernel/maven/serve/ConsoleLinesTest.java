// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleLinesTest {

    private final List<String> printed = new ArrayList<>();
    private final ConsoleLines lines = new ConsoleLines(3, printed::add);

    @Test
    void piecesBecomeWholeLinesWithTheNumber() {
        lines.accept("one\ntw");
        lines.accept("o\n\nrest");
        assertEquals(List.of("3 | one\n", "3 | two\n", "3 | \n"), printed);
        lines.end();
        lines.end();
        assertEquals(List.of("3 | one\n", "3 | two\n", "3 | \n", "3 | rest\n"), printed);
    }

    @Test
    void aLineThatNeverEndsIsPrintedInPieces() {
        lines.accept("x".repeat(4500));
        assertEquals(List.of(2005, 2005), printed.stream().map(String::length).toList());
    }
}
