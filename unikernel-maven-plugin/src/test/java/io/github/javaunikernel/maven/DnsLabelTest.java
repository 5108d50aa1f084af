// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DnsLabelTest {

    @ParameterizedTest
    @CsvSource({"hello, hello", "my.app_2, my-app-2", "_a_, a", "___, unikernel", "Hello, Hello"})
    void isTheNearestLabel(String id, String label) {
        assertEquals(label, DnsLabel.near(id));
    }

    @ParameterizedTest
    @CsvSource({"62, 62", "63, 63", "64, 63"})
    void hasAtMost63Characters(int length, int kept) {
        assertEquals("a".repeat(kept), DnsLabel.near("a".repeat(length)));
        assertEquals("a".repeat(62), DnsLabel.near("a".repeat(62) + "-b"));
    }
}
