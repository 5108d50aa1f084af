// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Builds of other projects by the Maven of this one, with its repository. */
final class Maven {

    private static final int PATIENCE_MINUTES = 240;

    private Maven() {}

    /** How a build ended, and what it printed. */
    private record End(int status, String text) {}

    /** Runs a build that has to succeed; what it printed. */
    static String run(Path directory, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        End end = build(directory, environment, arguments);
        if (end.status() != 0) {
            throw new AssertionError("Maven ended with status " + end.status() + ":\n" + end.text());
        }
        return end.text();
    }

    /** Runs a build that has to fail; what it printed. */
    static String fail(Path directory, String... arguments) throws IOException, InterruptedException {
        End end = build(directory, Map.of(), arguments);
        if (end.status() == 0) {
            throw new AssertionError("Maven succeeded:\n" + end.text());
        }
        return end.text();
    }

    private static End build(Path directory, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("lab.maven"),
                "-B",
                "-ntp",
                "-Dstyle.color=never",
                "-Dmaven.repo.local=" + System.getProperty("lab.repository")));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("maven", ".log");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
            builder.environment().putAll(environment);
            int status = finish(builder.start());
            return new End(status, Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }

    private static int finish(Process process) throws InterruptedException {
        try {
            if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
                throw new AssertionError("Maven did not end within " + PATIENCE_MINUTES + " minutes");
            }
            return process.exitValue();
        } finally {
            process.destroy();
        }
    }
}
