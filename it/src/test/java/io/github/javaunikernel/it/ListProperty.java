// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.util.Arrays;
import java.util.List;

/** System properties of several words, as the build sets them. */
final class ListProperty {

    private ListProperty() {}

    /** What a property lists with commas; nothing if it is not set. */
    static List<String> of(String property) {
        return Arrays.stream(System.getProperty(property, "").split(","))
                .filter(name -> !name.isBlank())
                .toList();
    }
}
