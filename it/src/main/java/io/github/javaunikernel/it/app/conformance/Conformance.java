// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Programs by area of the class library, a line for each thing that they find: what Java says of files, sockets,
 * channels, threads, time and text depends on the system under it, and is the same on Linux and in the guest. Numbers
 * that a machine chooses, such as ports, are not printed.
 */
public final class Conformance {

    /** What one check finds; an exception is an answer too. */
    interface Question {
        Object answer() throws Exception;
    }

    /** The checks of one area, with a directory of their own. */
    interface Area {
        void run(Conformance checks) throws Exception;
    }

    private final Path scratch;
    private final String area;
    private final List<String> lines = new ArrayList<>();

    private Conformance(Path scratch, String area) {
        this.scratch = scratch;
        this.area = area;
    }

    /** Prints the lines of every area. */
    public static void main(String[] arguments) throws Exception {
        lines().forEach(System.out::println);
    }

    /** Runs every area. */
    public static List<String> lines() throws Exception {
        List<String> lines = new ArrayList<>();
        run("files", new FileChecks(), lines);
        run("streams", new StreamChecks(), lines);
        run("channels", new ChannelChecks(), lines);
        run("sockets", new SocketChecks(), lines);
        run("multicast", new MulticastChecks(), lines);
        run("threads", new ThreadChecks(), lines);
        run("time", new TimeChecks(), lines);
        run("text", new TextChecks(), lines);
        return lines;
    }

    private static void run(String name, Area area, List<String> lines) throws Exception {
        Path scratch = Files.createTempDirectory("conformance");
        try {
            Conformance checks = new Conformance(scratch, name);
            area.run(checks);
            lines.addAll(checks.lines);
        } finally {
            delete(scratch);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    Path scratch() {
        return scratch;
    }

    Path file(String name) {
        return scratch.resolve(name);
    }

    /** One line; the directory of the area is no part of it. */
    void check(String name, Question question) {
        String answer;
        try {
            answer = String.valueOf(question.answer());
        } catch (Exception | LinkageError e) {
            answer = e.getClass().getName() + ": " + e.getMessage();
        }
        lines.add(area + " " + name + ": "
                + answer.replace(scratch.toString(), "SCRATCH").replace("\n", "\\n"));
    }
}
