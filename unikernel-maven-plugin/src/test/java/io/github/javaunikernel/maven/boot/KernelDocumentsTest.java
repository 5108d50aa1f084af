// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class KernelDocumentsTest {

    @Test
    void everyCallOfTheTableIsOneThatCanBeTraced() throws Exception {
        List<List<String>> calls = KernelDocuments.systemCalls();
        assertEquals(4, calls.get(0).size());
        assertEquals("`read`", calls.get(0).get(1));
        assertTrue(Kernel.callNames()
                .containsAll(
                        calls.stream().map(row -> row.get(1).replace("`", "")).collect(Collectors.toSet())));
    }

    @Test
    void protectionsSayWhereTheyAreActive() throws Exception {
        List<List<String>> protections = KernelDocuments.protections();
        assertTrue(protections.size() > 20, protections.toString());
        assertEquals(List.of("yes", "yes"), protections.get(0).subList(3, 5));
    }

    @Test
    void aBarInACellIsEscaped() {
        assertEquals(
                List.of(List.of("a | b", "")),
                KernelDocuments.rows("| X | Y |\n|---|---|\n| a \\| b |  |\n\n| c | d |\n", "X"));
    }
}
