// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Runs a program of a JDK to its end. */
final class Tool {

    /** Options from the environment would change what is built, from machine to machine. */
    private static final List<String> OPTION_VARIABLES =
            List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH");

    private Tool() {}

    /** Returns what the program printed to both its outputs. */
    static String run(List<String> command) throws IOException, ToolException {
        return run(command, Map.of(), null);
    }

    /** As above, in a directory. */
    static String run(List<String> command, Path directory) throws IOException, ToolException {
        return run(command, Map.of(), directory);
    }

    /**
     * As above, with variables of the environment.
     *
     * @param directory to run in, or null for that of this process
     */
    static String run(List<String> command, Map<String, String> variables, Path directory)
            throws IOException, ToolException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .directory(directory == null ? null : directory.toFile());
        builder.environment().keySet().removeAll(OPTION_VARIABLES);
        builder.environment().putAll(variables);
        Process process = start(builder);
        try {
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), Charset.defaultCharset());
            int status = process.waitFor();
            if (status != 0) {
                throw new ToolException(command.get(0), status, output);
            }
            return output;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(command.get(0) + " was interrupted");
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(ProcessBuilder program) throws ExplainedException {
        try {
            return program.start();
        } catch (IOException e) {
            throw new ExplainedException(
                    program.command().get(0) + " cannot be run: " + FileTrouble.reason(e)
                            + ". Repair the JDK, or name another one with -Dunikernel.jdkHome.",
                    e);
        }
    }
}
