// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One run of {@code lab/xen} or {@code lab/qemu}: a guest in an emulated machine, its console as lines that can be
 * waited for and a file beside the images, its port 8080 forwarded. Safe for use by several threads. Closing ends the
 * guest and its host.
 */
final class Lab implements AutoCloseable {

    private static final Pattern FORWARD = Pattern.compile("lab: forward 127\\.0\\.0\\.1:(\\d+) to \\d+");
    private static final int LINES_SHOWN = 40;
    /** The last resort against a guest that talks for ever. */
    private static final Duration LONGEST_RUN = Duration.ofHours(6);

    private final String name;
    private final Process process;
    /** Of every line; closed by the reader. */
    private final PrintWriter copy;

    private final Thread reader;
    private final Thread guard;
    /** Every line so far, of the guest and of the lab; guarded by itself. */
    private final List<String> lines = new ArrayList<>();
    /** Set, under {@code lines}, when no line will follow. */
    private boolean ended;

    private Lab(String name, Process process, PrintWriter copy) {
        this.name = name;
        this.process = process;
        this.copy = copy;
        reader = new Thread(this::readLines, "lab console");
        guard = new Thread(() -> process.destroy());
    }

    /**
     * Starts a guest; does not wait for it.
     *
     * @param name of the logs beside the images: {@code NAME.console.log} of the guest and the lab,
     *     {@code NAME.host.log} of the machine around them
     * @param platform says which program of the lab boots the guest
     * @param options of that program, besides those for control, the forwarded port and the log; the property
     *     {@code lab.vcpus} adds a number of CPUs other than the image was made for
     */
    static Lab start(String name, Platform platform, List<String> options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("lab.directory") + "/" + platform.program(),
                "--control",
                "--forward",
                "0:8080",
                "--timeout",
                Long.toString(LONGEST_RUN.toSeconds()),
                "--log",
                file(name, "host").toString()));
        Path symbols = Path.of(System.getProperty("lab.symbols"));
        if (Files.exists(symbols)) {
            command.addAll(List.of("--symbols", symbols.toString()));
        }
        String vcpus = System.getProperty("lab.vcpus");
        if (vcpus != null) {
            command.addAll(List.of("--vcpus", vcpus));
        }
        command.addAll(options);
        PrintWriter copy =
                new PrintWriter(Files.newBufferedWriter(file(name, "console"), StandardCharsets.UTF_8), true);
        Lab lab = new Lab(
                name, new ProcessBuilder(command).redirectErrorStream(true).start(), copy);
        Runtime.getRuntime().addShutdownHook(lab.guard);
        lab.reader.setDaemon(true);
        lab.reader.start();
        return lab;
    }

    private static Path file(String name, String kind) {
        return images().resolve(name + "." + kind + ".log");
    }

    /** Where the plugin put the images under test. */
    static Path images() {
        return Path.of(System.getProperty("lab.images"));
    }

    private void readLines() {
        try (copy;
                BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                copy.println(line);
                add(line.stripTrailing());
            }
        } catch (IOException e) {
            add("lab: console lost: " + e);
        }
        synchronized (lines) {
            ended = true;
            lines.notifyAll();
        }
    }

    private void add(String line) {
        synchronized (lines) {
            lines.add(line);
            lines.notifyAll();
        }
    }

    /** How many lines there were so far: a place to search from later. */
    int position() {
        synchronized (lines) {
            return lines.size();
        }
    }

    /**
     * Waits for a line that contains the text, anywhere in what was or will be printed.
     *
     * @param silence how long there may be no new line before the wait is given up
     */
    String await(String text, Duration silence) {
        return await(0, text, silence);
    }

    /** Waits for a line that contains the text, at or after the position. */
    String await(int position, String text, Duration silence) {
        synchronized (lines) {
            for (int next = position; ; next++) {
                while (next >= lines.size()) {
                    if (ended) {
                        throw new AssertionError("The lab ended without the line \"" + text + "\". " + lastLines());
                    }
                    awaitMore("the line \"" + text + "\"", silence);
                }
                if (lines.get(next).contains(text)) {
                    return lines.get(next);
                }
            }
        }
    }

    /** Returns at the next line or at the end; to be called with {@code lines} locked. */
    private void awaitMore(String description, Duration silence) {
        int before = lines.size();
        long deadline = System.nanoTime() + silence.toNanos();
        while (lines.size() == before && !ended) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError("There was nothing for " + silence.toSeconds() + " s, where " + description
                        + " should have come. " + lastLines());
            }
            try {
                lines.wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("Interrupted while waiting for " + description, e);
            }
        }
    }

    /** The end of what was printed so far and where all of it is, for a message about a failure. */
    String lastLines() {
        synchronized (lines) {
            return "The guest's console is in " + file(name, "console") + ", the host's log in " + file(name, "host")
                    + "; the last lines were:\n"
                    + String.join("\n", lines.subList(Math.max(0, lines.size() - LINES_SHOWN), lines.size()));
        }
    }

    /** Every line so far. */
    List<String> lines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /** Throws when the guest has ended. */
    void checkRuns() {
        synchronized (lines) {
            if (ended) {
                throw new AssertionError("The guest ended. " + lastLines());
            }
        }
    }

    /** The port of 127.0.0.1 that leads to the guest's 8080. */
    int port() {
        Matcher matcher = FORWARD.matcher(await("lab: forward ", GuestSuite.BOOT));
        if (!matcher.matches()) {
            throw new AssertionError("the lab did not tell its port");
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** What the guest has used of its CPU so far. */
    double cpuSeconds() {
        int position = position();
        command("list");
        String answer = await(position, "lab: answer: guest ", GuestSuite.END);
        return Double.parseDouble(answer.substring(answer.lastIndexOf(' ') + 1));
    }

    /** How many instructions the guest has executed so far, if the lab was asked to count them. */
    long instructions() {
        int position = position();
        command("instructions");
        String[] answer =
                await(position, "lab: answer: instructions ", GuestSuite.END).split(" ");
        return Long.parseLong(answer[answer.length - 2]) + Long.parseLong(answer[answer.length - 1]);
    }

    /** Gives a command to the lab, such as {@code shutdown}, {@code list} or {@code sysrq q}. */
    void command(String command) {
        try {
            Writer out = process.outputWriter(StandardCharsets.UTF_8);
            out.write(command + "\n");
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("the lab does not take commands any more", e);
        }
    }

    /**
     * Waits for the end of the guest. The value is its own status, or one of the lab's.
     *
     * @param silence how long there may be no new line before the wait is given up
     */
    int exitStatus(Duration silence) throws InterruptedException {
        synchronized (lines) {
            while (!ended) {
                awaitMore("the end of the guest", silence);
            }
        }
        return process.waitFor();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().removeShutdownHook(guard);
    }
}
