// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.javaunikernel.maven.BadValues.Value;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.apache.maven.plugin.descriptor.Parameter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every goal, with values of every wrong kind for every parameter that its descriptor has, so that no new parameter is
 * forgotten. A value is refused before anything is changed, by a message that names the parameter as users write it and
 * ends with what to do. What is accepted all the same is listed here, with the reason.
 */
class BadInputsTest {

    /** A problem in one or more sentences, the parameter, and what to do. */
    private static final Pattern MESSAGE =
            Pattern.compile("(?s)(.+[.:?])\\s\\[parameter (\\w+)(?:, -D(unikernel\\.[\\w.]+))?] (\\p{Upper}.*\\.)(.*)");

    /** What no message may have: a class, a stack trace. */
    private static final Pattern JAVA = Pattern.compile("Exception|java\\.|\\bat \\w+\\.|\\bnull\\b");

    /**
     * What a goal is asked for.
     *
     * @param properties that ask for it
     * @param parameters a pattern of the names of those that matter then
     */
    private record Use(Map<String, String> properties, String parameters) {

        static Use of(String parameters, String... properties) {
            Map<String, String> pairs = new TreeMap<>();
            for (int i = 0; i < properties.length; i += 2) {
                pairs.put(properties[i], properties[i + 1]);
            }
            return new Use(pairs, parameters);
        }
    }

    private static final String SHOW = "unikernel.inspect";
    private static final String[] A_FILE = {"unikernel.path", "/etc/unikernel.conf"};
    private static final String OTHER = "unikernel.other";

    /** What only an image with a JVM has a use for, and what is for the agent of JMX. */
    private static final String OF_JAVA = "mainClass|modulePath|applicationDirectory|mainJar|jvmArguments"
            + "|systemProperties|systemPropertyVariables|modules|additionalModules|locales|jdkHome|jdkChecksum"
            + "|trustedCertificates|compress|stripDebug|cds|cdsAddress|classList|startup|debug|debugSuspend";

    private static final String OF_JMX = "jmx.*";

    /** The goals that are asked for different things; the others have one use. */
    private static final Map<String, List<Use>> USES = Map.of(
            "inspect",
            List.of(
                    Use.of("(?!path|other).*", SHOW, "list"),
                    Use.of("inspect", SHOW, "tree"),
                    Use.of("path", SHOW, "cat", A_FILE[0], A_FILE[1]),
                    Use.of("path|other", SHOW, "cp", A_FILE[0], A_FILE[1], OTHER, "PLACE/copy"),
                    Use.of("other", SHOW, "diff", OTHER, "PLACE/older.img")),
            "image",
            List.of(
                    // Without a JVM an image is made in a moment, and most parameters mean the same.
                    Use.of("(?!(" + OF_JAVA + "|" + OF_JMX + ")$).*", "unikernel.executable", "PLACE/program"),
                    Use.of(OF_JAVA, "unikernel.modules", "java.base"),
                    Use.of(
                            OF_JMX,
                            "unikernel.modules",
                            "java.base",
                            "unikernel.jmx",
                            "9010",
                            "unikernel.jmxPasswordFile",
                            "PLACE/jmx.password",
                            "unikernel.jmxKeystore",
                            "PLACE/jmx.p12",
                            "unikernel.jmxSslFile",
                            "PLACE/jmx.properties")));

    @TempDir
    Path scratch;

    /** All but the goal help, which is generated. */
    static Stream<Arguments> goals() throws Exception {
        return ConfiguredGoal.plugin().getMojos().stream()
                .map(MojoDescriptor::getGoal)
                .filter(goal -> !goal.equals("help"))
                .filter(goal -> goal.matches(System.getProperty("goals", ".*")))
                .sorted()
                .flatMap(goal ->
                        USES.getOrDefault(goal, List.of(Use.of(".*"))).stream().map(use -> Arguments.of(goal, use)));
    }

    @ParameterizedTest
    @MethodSource("goals")
    void badValuesAreRefusedBeforeAnythingIsChanged(String name, Use use) throws Exception {
        List<String> wrong = new ArrayList<>();
        Set<String> accepted = new TreeSet<>();
        try (GoalTrial trial = new GoalTrial(scratch.resolve("project"), name, use.properties())) {
            GoalTrial.Outcome usual = trial.run(Map.of(), "");
            for (Parameter parameter : trial.parameters()) {
                if (!parameter.getName().matches(use.parameters())) {
                    continue;
                }
                for (Value value : BadValues.of(trial, parameter)) {
                    String what = name + " " + parameter.getName() + " " + value.kind();
                    GoalTrial.Outcome outcome = value.property().isEmpty()
                            ? trial.run(Map.of(), value.pom())
                            : trial.run(Map.of(value.property(), value.text()), "");
                    if (outcome.isLike(usual)) {
                        accepted.add(parameter.getName() + " " + value.kind());
                    } else {
                        complaints(trial, parameter, outcome).forEach(problem -> wrong.add(what + ": " + problem));
                    }
                }
            }
        }
        accepted.removeIf(AcceptedValues::contains);
        assertEquals(
                "",
                String.join("\n", wrong)
                        + (accepted.isEmpty() ? "" : "\naccepted although it looks wrong: " + accepted));
    }

    private static List<String> complaints(GoalTrial trial, Parameter parameter, GoalTrial.Outcome outcome) {
        if (outcome.byMaven()) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        Matcher message = MESSAGE.matcher(outcome.message());
        if (!message.matches()) {
            found.add("this is no explanation: " + outcome.message());
        } else if (!trial.has(message.group(2), message.group(3))) {
            found.add("the goal has no such parameter: " + outcome.message());
        } else if (!AcceptedValues.mayBlame(parameter.getName(), message.group(2))) {
            found.add("another parameter is blamed: " + outcome.message());
        } else if (!message.group(5).isEmpty()) {
            found.add("the fix is not the end: " + outcome.message());
        }
        if (JAVA.matcher(outcome.message()).find()) {
            found.add("that is for developers: " + outcome.message());
        }
        if (!outcome.changes().isEmpty()) {
            found.add("changed before it was refused: " + outcome.changes() + ": " + outcome.message());
        }
        return found;
    }
}
