// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** A property means the same for every goal that has it, and the help says what. */
class ParametersTest {

    /** Properties that differ between goals, and why. */
    private static final Map<String, String> DIFFERENT = Map.of(
            "filesDirectory", "the goal dev watches the directory, also before there is one",
            "firmware", "the image is made for one, and booted by one of those that it was made for",
            "memory", "a machine has by default what its image was made for",
            "virtualization", "the launch has no default of its own");

    @Test
    void aPropertyHasOneTypeAndOneDefault() throws Exception {
        Map<String, Set<String>> kinds = new TreeMap<>();
        for (GoalParameter parameter : GoalParameter.all()) {
            if (!parameter.property().startsWith("<")) {
                kinds.computeIfAbsent(parameter.property(), any -> new TreeSet<>())
                        .add(parameter.type() + " " + parameter.preset());
            }
        }
        kinds.values().removeIf(kind -> kind.size() == 1);
        assertEquals(new TreeSet<>(DIFFERENT.keySet()), kinds.keySet(), kinds.toString());
    }

    @Test
    void helpIsCompleteAndInSentences() throws Exception {
        for (GoalParameter parameter : GoalParameter.all()) {
            String text = parameter.description().replaceAll("<[^>]*>", "").strip();
            String what = parameter.goal() + " " + parameter.name() + ": " + text;
            assertTrue(text.matches("(?s)\\p{Upper}.*\\."), what);
            assertTrue(!text.matches("(?is).*\\b(\\w+) \\1\\b.*"), what);
            assertTrue(!parameter.since().isEmpty(), what);
        }
    }
}
