// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A project whose guest is looked into with the plugin's goals, and with the tools of a JDK.
 *
 * @param jdk of which the image was made
 */
record Operated(Path project, Jdk jdk) {

    private static final Pattern MARKED = Pattern.compile("(?m)^ *\\d+:\\s+(\\d+)\\s+\\d+\\s+it[.]Main[$]Marked\\b");

    /** The property that names the version of the plugin. */
    static String version() {
        return "-Dunikernel.version=" + System.getProperty("lab.version");
    }

    /** A file that the plugin writes: {@code operate.SUFFIX}. */
    Path file(String suffix) {
        return project.resolve("target").resolve("operate." + suffix);
    }

    /** The files of the image without their extensions. */
    Path image() {
        return project.resolve("target").resolve("operate");
    }

    /** Runs {@code unikernel:dump}, which has to succeed. */
    void dump(String what, String... properties) throws IOException {
        List<String> words = new ArrayList<>(List.of("unikernel:dump", "-Dunikernel.dump=" + what, version()));
        words.addAll(List.of(properties));
        // However slow the machine is.
        words.add("-Dunikernel.dump.timeout=36000");
        Maven.run(project, Map.of("JAVA_HOME", jdk.home().toString()), words.toArray(String[]::new));
    }

    /** The number of marked objects in a histogram of the JVM or of jhsdb. */
    int counted(String histogram) {
        Matcher line = MARKED.matcher(histogram);
        if (!line.find()) {
            throw new AssertionError("The histogram has no marked objects:\n" + histogram);
        }
        return Integer.parseInt(line.group(1));
    }

    /** What jhsdb says of the core file, in which it finds the files of the guest. */
    String jhsdb(String... words) throws IOException, InterruptedException {
        Path files = file("core.files");
        List<String> command = new ArrayList<>(List.of("jhsdb"));
        command.addAll(List.of(words));
        command.addAll(List.of(
                "--exe",
                files.resolve("jvm/bin/java").toString(),
                "--core",
                file("core").toString()));
        return run(command, Map.of("SA_ALTROOT", files.toString()));
    }

    /** What a tool of the JDK prints; it has to succeed. */
    String tool(String... words) throws IOException, InterruptedException {
        return run(List.of(words), Map.of());
    }

    private String run(List<String> words, Map<String, String> environment) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(words);
        command.set(0, jdk.home().resolve("bin").resolve(words.get(0)).toString());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(String.join(" ", command) + " failed:\n" + text);
        }
        return text;
    }
}
