// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.invoked;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Maven as a process of its own, for the scripts of the invoker's projects that have to do with a goal while it runs.
 * It is in a session of its own, and so takes signals as on a terminal of its own; it does not outlive the script.
 */
public final class MavenSession {

    private final Process process;
    private final BufferedReader reader;
    private final StringBuilder text = new StringBuilder();

    private MavenSession(Process process) {
        this.process = process;
        this.reader = process.inputReader();
    }

    /**
     * Starts Maven, offline and with the settings of the projects.
     *
     * @param directory of the project
     * @param settings file with the settings
     * @param repository the local repository
     * @param words goals and options
     */
    public static MavenSession start(File directory, File settings, File repository, List<String> words)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "setsid",
                "setpriv",
                "--pdeathsig",
                "KILL",
                "env",
                "--default-signal=INT",
                "--default-signal=TERM",
                System.getProperty("maven.home") + "/bin/mvn",
                "-o",
                "-B",
                "-s",
                settings.getPath(),
                "-Dmaven.repo.local=" + repository,
                "-Dstyle.color=never"));
        command.addAll(words);
        Process process = new ProcessBuilder(command)
                .directory(directory)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        return new MavenSession(process);
    }

    /** Reads on to a line with the pattern; returns its first group, or null if it has none. */
    public String await(String pattern) throws IOException {
        Pattern wanted = Pattern.compile(pattern);
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            text.append(line).append('\n');
            Matcher found = wanted.matcher(line);
            if (found.find()) {
                return found.groupCount() == 0 ? null : found.group(1);
            }
        }
        throw new AssertionError("no '" + pattern + "' in:\n" + text);
    }

    /** Sends a signal, such as {@code INT}, to all of the session, as a terminal does on Ctrl-C. */
    public void signal(String name) throws IOException, InterruptedException {
        String kill = "kill -" + name + " -" + process.pid();
        int status = new ProcessBuilder("sh", "-c", kill).inheritIO().start().waitFor();
        if (status != 0) {
            throw new AssertionError("'" + kill + "' ended with status " + status);
        }
    }

    /** Reads to the end; returns the status. */
    public int end() throws IOException, InterruptedException {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            text.append(line).append('\n');
        }
        return process.waitFor();
    }

    /** All that has been read. */
    public String output() {
        return text.toString();
    }
}
