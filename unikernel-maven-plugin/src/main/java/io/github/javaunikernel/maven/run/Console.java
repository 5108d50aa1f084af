package io.github.javaunikernel.maven.run;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the guest writes: passed on line by line, the last lines kept, and read for what the kernel reports
 * (guest-kernel/docs/configuration.md). May be used by several threads.
 */
public final class Console {

    private static final int KEPT = 25;
    private static final Pattern LISTENING = Pattern.compile("unikernel: timing listen=\\d+");
    private static final Pattern TIMING = Pattern.compile("unikernel: timing \\w+=\\d+");
    private static final Pattern STATUS = Pattern.compile("unikernel: exit status=(\\d+)");
    private static final Pattern SIGNAL = Pattern.compile("unikernel: killed by signal (\\d+)");

    private final Consumer<String> sink;
    private final boolean showTimings;
    private final Deque<String> last = new ArrayDeque<>();
    private final CompletableFuture<Void> listening = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private OptionalInt status = OptionalInt.empty();
    private OptionalInt signal = OptionalInt.empty();

    /**
     * Makes a console without a guest yet.
     *
     * @param sink gets every line
     * @param showTimings whether the kernel's reports on time are lines for the user, too
     */
    public Console(Consumer<String> sink, boolean showTimings) {
        this.sink = sink;
        this.showTimings = showTimings;
    }

    /** Reads to the end of the stream in a thread of its own. */
    void follow(InputStream in) {
        Thread reader = new Thread(() -> read(in), "unikernel console");
        reader.setDaemon(true);
        reader.start();
    }

    /** Done when the guest's program listens on its first port. */
    CompletableFuture<Void> listening() {
        return listening;
    }

    /** Has something done when the guest's program listens on its first port. */
    public void whenListening(Runnable action) {
        listening.thenRun(action);
    }

    /** Done when there is nothing more to come. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    /** Exit status of the guest's program, as far as it has reported one. */
    synchronized OptionalInt status() {
        return status;
    }

    /** Signal that killed the guest's program, as far as that was reported. */
    synchronized OptionalInt signal() {
        return signal;
    }

    /** The last lines for a message, each on a line of its own behind a line feed. */
    synchronized String lastLines() {
        StringBuilder text = new StringBuilder();
        last.forEach(line -> text.append("\n  | ").append(line));
        return text.toString();
    }

    private void read(InputStream in) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                accept(line);
            }
            ended.complete(null);
        } catch (IOException | UncheckedIOException e) {
            ended.completeExceptionally(e);
        }
    }

    private void accept(String line) {
        if (LISTENING.matcher(line).matches()) {
            listening.complete(null);
        }
        if (!showTimings && TIMING.matcher(line).matches()) {
            return;
        }
        note(line);
        sink.accept(line);
    }

    private synchronized void note(String line) {
        status = number(STATUS, line, status);
        signal = number(SIGNAL, line, signal);
        last.add(line);
        if (last.size() > KEPT) {
            last.remove();
        }
    }

    private static OptionalInt number(Pattern pattern, String line, OptionalInt otherwise) {
        Matcher matcher = pattern.matcher(line);
        return matcher.matches() ? OptionalInt.of(Integer.parseInt(matcher.group(1))) : otherwise;
    }
}
