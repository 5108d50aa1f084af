// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Proves options of the JVM by starting the linked runtime with them, as {@code java OPTIONS -version}. What would have
 * effects outside the JVM is left out: agents, servers for management, recordings, and files that are only in the
 * guest; for those it only checks that the runtime has the modules that they need.
 */
public final class OptionProof {

    private static final String PARAMETER = "jvmArguments";
    /** What only makes sense in the guest, or acts beyond the start of a JVM. */
    private static final Pattern LEFT_OUT = Pattern.compile("-javaagent:.*|-agentpath:.*|-agentlib:.*|-Xrun.*|@.*"
            + "|-Dcom\\.sun\\.management\\..*|-XX:\\+ManagementServer|-XX:(StartFlightRecording"
            + "|FlightRecorderOptions).*"
            + "|-Djava\\.system\\.class\\.loader=.*|-Djava\\.nio\\.file\\.spi\\..*|-Djava\\.security\\.manager=.*\\..*"
            + "|-XX:(SharedArchiveFile|ArchiveClassesAtExit|AOT[A-Za-z]+|Flags|VMOptionsFile|ErrorFile"
            + "|CompileCommandFile)=.*"
            + "|-XX:\\+?(AlwaysPreTouch|AutoCreateSharedArchive)|-Xshare:on|-Xloggc:.*|-splash:.*|--patch-module=.*");
    /** Options that take the next word. */
    private static final Set<String> WITH_VALUE = Set.of(
            "--add-modules",
            "--add-opens",
            "--add-exports",
            "--add-reads",
            "--enable-native-access",
            "--limit-modules");

    private static final Pattern LOG_FILE =
            Pattern.compile("(-Xlog:[^:]*):(?!stdout|stderr|:|$)(?:file=)?(?:\"[^\"]*\"|[^:]+)(.*)");
    /** Modules without which an option fails, although the JVM starts with it. */
    private static final Map<String, String> NEEDS = Map.of(
            "-javaagent:",
            "java.instrument",
            "-agentlib:jdwp",
            "jdk.jdwp.agent",
            "-Xrunjdwp",
            "jdk.jdwp.agent",
            "-XX:StartFlightRecording",
            "jdk.jfr",
            "-XX:FlightRecorderOptions",
            "jdk.jfr",
            "-Dcom.sun.management.",
            "jdk.management.agent",
            "-XX:+ManagementServer",
            "jdk.management.agent");

    private static final String NO_OPTION =
            "Begin each option with '-', and put what is for the application into arguments.";
    /** The build machine, not the option, is at fault. */
    private static final Pattern OF_THIS_MACHINE = Pattern.compile("Could not reserve|insufficient memory"
            + "|Native memory allocation|Cannot allocate memory|unable to create native thread");

    private final JavaHome jdk;
    private final Path runtime;

    /** Proves options of a linked runtime, on a machine that can run it. */
    public OptionProof(JavaHome jdk, Path runtime) {
        this.jdk = jdk;
        this.runtime = runtime;
    }

    /** Refuses what is neither an option nor a word after one, without any runtime. */
    public static void checkForm(List<String> options) throws SettingException {
        String before = "";
        for (String option : options) {
            if (!option.matches("(?s)[-@].+") && !before.startsWith("-")) {
                throw new SettingException(PARAMETER, "'" + option + "' is not an option of the JVM.", NO_OPTION);
            }
            before = option;
        }
    }

    /**
     * Starts the runtime.
     *
     * @param options in the order in which the guest gives them
     * @param environment variables that hold options
     * @return what the JVM warns of
     */
    public List<String> prove(List<String> options, Map<String, String> environment)
            throws IOException, SettingException {
        List<String> all = new ArrayList<>(options);
        environment.values().forEach(value -> all.addAll(GivenOptions.words(value)));
        List<String> linked = RuntimeLinker.modules(runtime);
        for (String option : all) {
            checkNeeds(option, linked);
        }
        try {
            return warnings(start(options, environment, List.of("-version"), null));
        } catch (ToolException e) {
            return explain(e);
        }
    }

    /**
     * Starts the runtime with those of the options that can be proved.
     *
     * @param program the words after the options
     * @param directory to run in, or null for that of this process
     * @return what it prints
     */
    String start(List<String> options, Map<String, String> environment, List<String> program, Path directory)
            throws IOException, ToolException {
        Path scratch = Files.createTempDirectory("unikernel-options");
        try {
            List<String> command =
                    new ArrayList<>(List.of(runtime.resolve("bin/java").toString()));
            command.addAll(provable(options, scratch));
            command.addAll(program);
            Map<String, String> variables = new TreeMap<>();
            environment.forEach(
                    (name, value) -> variables.put(name, joined(provable(GivenOptions.words(value), scratch))));
            return Tool.run(command, variables, directory);
        } finally {
            DirectoryTree.delete(scratch);
        }
    }

    /**
     * Proves that a module with all that it requires is found, by a start that loads its main class and ends.
     *
     * @param program the module path and the module, as on the command line
     */
    public void proveModules(List<String> program) throws IOException, SettingException {
        List<String> command =
                new ArrayList<>(List.of(runtime.resolve("bin/java").toString(), "--dry-run"));
        command.addAll(program);
        try {
            Tool.run(command);
        } catch (ToolException e) {
            throw new SettingException(
                    "modulePath",
                    "The modules of the application do not start: " + shortened(e.output()),
                    "Correct the module descriptions or the dependencies, or set it to false.",
                    e);
        }
    }

    private void checkNeeds(String option, List<String> linked) throws SettingException {
        for (Map.Entry<String, String> need : NEEDS.entrySet()) {
            if (option.startsWith(need.getKey()) && !linked.contains(need.getValue())) {
                throw new SettingException(
                        PARAMETER,
                        "The option " + option + " needs the module " + need.getValue()
                                + ", which is not in the runtime.",
                        jdk.modules().contains(need.getValue())
                                ? "Add the module to modules, or remove the option."
                                : "Remove the option, or choose another JDK with jdkHome.");
            }
        }
    }

    private static List<String> provable(List<String> options, Path scratch) {
        List<String> provable = new ArrayList<>();
        boolean value = false;
        for (String option : options) {
            Matcher log = LOG_FILE.matcher(option);
            if (!value && log.matches()) {
                provable.add(log.group(1) + ":file=" + scratch.resolve("log") + log.group(2));
            } else if (value || !LEFT_OUT.matcher(option).matches()) {
                provable.add(option);
            }
            value = !value && WITH_VALUE.contains(option);
        }
        return provable;
    }

    private static String joined(List<String> words) {
        return String.join(
                " ",
                words.stream()
                        .map(word -> word.matches("\\S+") ? word : "\"" + word + "\"")
                        .toList());
    }

    private static List<String> warnings(String output) {
        return output.lines()
                .filter(line -> line.matches(".*\\b(warning|WARNING): .*"))
                .map(line -> "The JVM warns about its options: " + line.strip())
                .toList();
    }

    private List<String> explain(ToolException failure) throws SettingException {
        String output = shortened(failure.output());
        if (isOfThisMachine(failure)) {
            return List.of("The JVM options could not be checked, because this machine has too little memory for them: "
                    + output + " Build on a machine with more memory to check them.");
        }
        throw new SettingException(
                PARAMETER, "The JVM does not start with these options: " + output, fix(output), failure);
    }

    /** Whether the machine, not the options, made a start fail. */
    static boolean isOfThisMachine(ToolException failure) {
        return OF_THIS_MACHINE.matcher(failure.output()).find();
    }

    /** What matters of an output, as one text that ends like a sentence. */
    static String shortened(String printed) {
        String output = printed.lines()
                .filter(line -> !line.startsWith("Picked up ")
                        && !line.startsWith("NOTE: ")
                        && !line.startsWith("Caused by: ")
                        && !line.startsWith("Error: Could not create the Java Virtual Machine")
                        && !line.startsWith("Error: A fatal exception has occurred"))
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .limit(6)
                .collect(Collectors.joining(" "));
        return output.endsWith(".") ? output : output + ".";
    }

    private String fix(String output) {
        if (output.contains("Multiple garbage collectors")) {
            return "Keep one of the options that choose a collector.";
        }
        Matcher module = Pattern.compile("Module ([\\w.]+) not found").matcher(output);
        if (module.find()) {
            return jdk.modules().contains(module.group(1))
                    ? "Add " + module.group(1) + " to additionalModules."
                    : "Correct the name of the module, or choose a JDK that has it with jdkHome.";
        }
        if (output.contains("Could not find or load main class")) {
            return NO_OPTION;
        }
        if (output.contains("Unrecognized")) {
            return "Correct or remove the option; 'java -XX:+PrintFlagsFinal -version' prints those of Java "
                    + jdk.feature() + ".";
        }
        return "Correct or remove the option, in jvmArguments, systemProperties or a variable such as "
                + "JAVA_TOOL_OPTIONS.";
    }
}
