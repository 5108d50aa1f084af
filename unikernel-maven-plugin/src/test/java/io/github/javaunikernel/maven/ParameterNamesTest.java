// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Messages, the manual and the generated project name parameters as the plugin's descriptor has them. */
class ParameterNamesTest {

    private static final Path ROOT = Path.of("..");
    private static final List<Path> TEXTS = List.of(
            ROOT.resolve("README.md"),
            ROOT.resolve("CONTRIBUTING.md"),
            ROOT.resolve("quickstart"),
            ROOT.resolve("src/site"),
            ROOT.resolve("guest-kernel/docs"),
            ROOT.resolve("samples"),
            ROOT.resolve("unikernel-archetype/src/main/resources"));

    private static final Pattern PROPERTY = Pattern.compile("-Dunikernel\\.(\\w+(?:\\.\\w+)*)");
    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
    /** Stand for any name. */
    private static final Set<String> EXAMPLES = Set.of("NAME");

    private Set<String> properties;
    private Set<String> pairs;
    private List<GoalParameter> parameters;

    @BeforeEach
    void readDescriptor() throws Exception {
        parameters = GoalParameter.all();
        properties = parameters.stream().map(GoalParameter::property).collect(Collectors.toSet());
        pairs = parameters.stream()
                .map(one -> one.name() + " unikernel." + one.property())
                .collect(Collectors.toSet());
    }

    @Test
    void everyPropertyInAMessageExists() throws IOException {
        Set<String> unknown = new TreeSet<>();
        ClassUses.below(Path.of("target/classes"))
                .forEach((type, uses) -> uses.texts().stream()
                        .flatMap(ParameterNamesTest::namedIn)
                        .filter(name -> !properties.contains(name))
                        .forEach(name -> unknown.add(type + ": " + name)));
        assertEquals(Set.of(), unknown);
    }

    @Test
    void everyPropertyInADocumentExists() throws IOException {
        Set<String> unknown = new TreeSet<>();
        for (Path file : documents()) {
            namedIn(Files.readString(file))
                    .filter(name -> !properties.contains(name) && !EXAMPLES.contains(name))
                    .forEach(name -> unknown.add(file + ": " + name));
        }
        assertEquals(Set.of(), unknown);
    }

    @Test
    void theTablesOfTheManualNameAndPresetParametersAsTheyAre() throws IOException {
        List<String> wrong = new ArrayList<>();
        int rows = 0;
        for (Path file : documents()) {
            String[] header = null;
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith("| Parameter")) {
                    header = cells(line);
                } else if (!line.startsWith("|")) {
                    header = null;
                } else if (header != null && !line.matches("[|\\s-]+")) {
                    rows++;
                    check(header, cells(line)).forEach(problem -> wrong.add(file.getFileName() + ": " + problem));
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(rows > 80, rows + " rows");
    }

    private List<String> check(String[] header, String[] row) {
        List<String> names = quoted(row[0]);
        boolean hasProperties = header[1].equals("Property");
        List<String> wanted = hasProperties ? quoted(row[1]) : List.of();
        List<String> problems = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            if (name.startsWith("unikernel.") || namesProperties(name)) {
                continue;
            }
            boolean inBrackets = i + 1 < names.size() && names.get(i + 1).startsWith("unikernel.");
            String property = inBrackets ? names.get(i + 1) : hasProperties && i < wanted.size() ? wanted.get(i) : "";
            boolean known = property.isEmpty()
                    ? parameters.stream().anyMatch(one -> one.name().equals(name))
                    : pairs.contains(name + " " + property);
            if (!known) {
                problems.add("there is no " + name + " " + property);
            }
            if (names.size() == 1) {
                problems.addAll(checkPreset(name, row[hasProperties ? 2 : 1].strip()));
            }
        }
        return problems;
    }

    /** True for what is typed on the command line, such as {@code -Dunikernel.memory=256}, if its properties exist. */
    private boolean namesProperties(String typed) {
        List<String> named = namedIn(typed).toList();
        return !named.isEmpty() && properties.containsAll(named);
    }

    /** Words that are no value, such as "detected", are explained elsewhere. */
    private List<String> checkPreset(String name, String shown) {
        String value = shown.replace("`", "");
        if (!shown.matches("\\d+|`[\\w.,:/]+`")) {
            return List.of();
        }
        Set<String> presets = parameters.stream()
                .filter(one -> one.name().equals(name))
                .map(GoalParameter::preset)
                .collect(Collectors.toSet());
        boolean same = presets.stream().anyMatch(preset -> preset.equals(value) || preset.endsWith("/" + value))
                || presets.stream().allMatch(String::isEmpty);
        return same ? List.of() : List.of(name + " is " + presets + " by default, not " + shown);
    }

    private static String[] cells(String line) {
        return Stream.of(line.substring(1).split("(?<!\\\\)\\|"))
                .map(String::strip)
                .toArray(String[]::new);
    }

    private static List<String> quoted(String cell) {
        return QUOTED.matcher(cell).results().map(found -> found.group(1)).toList();
    }

    private static Stream<String> namedIn(String text) {
        Matcher matcher = PROPERTY.matcher(text);
        return matcher.results().map((MatchResult found) -> found.group(1));
    }

    private static List<Path> documents() throws IOException {
        List<Path> all = new ArrayList<>();
        for (Path text : TEXTS) {
            try (Stream<Path> files = Files.walk(text)) {
                files.filter(Files::isRegularFile)
                        .filter(file -> file.toString().matches(".*(\\.(md|yml|xml|json|java|properties)|quickstart)"))
                        .forEach(all::add);
            }
        }
        return all;
    }
}
