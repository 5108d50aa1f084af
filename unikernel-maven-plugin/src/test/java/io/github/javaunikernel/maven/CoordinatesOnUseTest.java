// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is taken for the coordinates of an artifact, and what for a path. */
class CoordinatesOnUseTest {

    @ParameterizedTest
    @ValueSource(
            strings = {"org.example:jdk:21", "org.example:jdk:zip:21", "org.example:jdk:tar.gz:linux-x64:21.0.2+13"})
    void coordinates(String text) {
        assertTrue(CoordinatesOnUse.isCoordinates(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdk",
                "../jdk",
                "/usr/lib/jvm/jdk",
                "C:\\jdk",
                "C:jdk",
                "C:/a:b:c",
                "org.example:jdk",
                "a:b:c:d:e:f",
                "a b:c:d"
            })
    void paths(String text) {
        assertFalse(CoordinatesOnUse.isCoordinates(text));
    }
}
