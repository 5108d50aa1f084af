// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A property means the same for every goal that has it, and the help says what. */
class ParametersTest {

    /** Properties that differ between goals, and why. */
    private static final Map<String, String> DIFFERENT = Map.of(
            "filesDirectory", "the goal dev watches the directory, also before there is one",
            "firmware", "the image is made for one, and booted by one of those that it was made for",
            "memory", "a machine has by default what its image was made for",
            "virtualization", "the launch has no default of its own");

    private static final Pattern UNIT =
            Pattern.compile("seconds|MiB|days|bytes|[Pp]ort\\b|[Nn]umber of|times a second");

    /** Properties with a few possible values, all of which the help lists. */
    private static final Set<String> CHOICES = Set.of("cds", "instanceSources", "virtualization");

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

    @Test
    void helpHasTheUnitOfANumberAndAnExampleOfAText() throws Exception {
        for (GoalParameter parameter : GoalParameter.all()) {
            String text = parameter.description().replaceAll("<[^>]*>", "");
            String what = parameter.goal() + " " + parameter.name() + ": " + text;
            if (parameter.type().matches("int|java.lang.Integer")) {
                assertTrue(UNIT.matcher(text).find(), what);
            } else if (parameter.preset().isEmpty() && !parameter.type().equals("boolean")) {
                assertTrue(text.contains("such as") || CHOICES.contains(parameter.property()), what);
            }
        }
    }
}
