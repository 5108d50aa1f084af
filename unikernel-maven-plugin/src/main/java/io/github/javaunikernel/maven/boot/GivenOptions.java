// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The options of the JVM that come from the user: arguments, system properties, and the variables of the environment
 * that the JVM and its launcher read options from.
 *
 * @param arguments in their order, system properties among them as {@code -D} options
 * @param environment those variables that hold options of the JVM, with their values
 */
public record GivenOptions(List<String> arguments, Map<String, String> environment) {

    /** In the order in which the JVM takes them; a later option wins over an earlier one. */
    private static final List<String> VARIABLES = List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

    /** None at all. */
    public static final GivenOptions NONE = new GivenOptions(List.of(), Map.of());

    /** Options from arguments, a map of system properties, and the whole environment. */
    public static GivenOptions of(
            List<String> arguments, Map<String, String> systemProperties, Map<String, String> environment) {
        List<String> all = new ArrayList<>(arguments);
        new TreeMap<>(systemProperties).forEach((key, value) -> all.add("-D" + key + "=" + value));
        Map<String, String> variables = new TreeMap<>(environment);
        variables.keySet().retainAll(VARIABLES);
        return new GivenOptions(List.copyOf(all), variables);
    }

    /** Every option, in the order in which the JVM takes them. */
    public List<String> all() {
        List<String> all = new ArrayList<>();
        for (String variable : VARIABLES.subList(0, 2)) {
            all.addAll(words(environment.getOrDefault(variable, "")));
        }
        all.addAll(arguments);
        all.addAll(words(environment.getOrDefault(VARIABLES.get(2), "")));
        return all;
    }

    /** Whether an option matches the regular expression as a whole. */
    public boolean any(String expression) {
        return all().stream().anyMatch(option -> option.matches(expression));
    }

    /** The words of such a variable: separated by white space, with single or double quotes around what has some. */
    public static List<String> words(String value) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean inWord = false;
        char quote = 0;
        for (char c : value.toCharArray()) {
            if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    word.append(c);
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
                inWord = true;
            } else if (!Character.isWhitespace(c)) {
                word.append(c);
                inWord = true;
            } else if (inWord) {
                words.add(word.toString());
                word.setLength(0);
                inWord = false;
            }
        }
        if (inWord) {
            words.add(word.toString());
        }
        return words;
    }
}
