// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.dev;

import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Interrupts;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/**
 * Keeps a guest of the newest image running. One thread does all the work, event by event; others only report events.
 * The old guest answers until the new image is there, and keeps running if that cannot be made.
 */
public final class DevLoop {

    /** The steps that the loop repeats. */
    public interface Steps {
        /**
         * Makes the image.
         *
         * @throws BuildException if it cannot be made of what the project has now
         */
        void build() throws BuildException, SettingException, IOException, InterruptedException;

        /** Starts a guest of it. */
        Guest start() throws SettingException, IOException;

        /** Waits until a guest answers. */
        void awaitReady(Guest guest) throws SettingException, GuestException, InterruptedException;
    }

    /** The project has a fault for the moment. */
    public static final class BuildException extends Exception {
        private static final long serialVersionUID = 1L;

        /** With a message for the user. */
        public BuildException(String message) {
            super(message);
        }
    }

    /** What happens beside the loop's own work. */
    private sealed interface Event {
        /** Files have changed. */
        record Changed(Collection<Path> files) implements Event {}

        /** A guest has ended. */
        record Ended(Guest guest) implements Event {}

        /** A guest answers. */
        record Ready(Guest guest) implements Event {}

        /** A guest does not answer, or changes cannot be noticed. */
        record Failed(Guest guest, String message) implements Event {}

        /** The user wants the end. */
        record Asked() implements Event {}
    }

    private final List<Path> inputs;
    private final Duration stopLimit;
    private final Steps steps;
    private final Consumer<String> log;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private Guest current;
    /** When the change was made that the current guest shows. */
    private Instant since = Instant.now();

    /**
     * Prepares a loop.
     *
     * @param inputs directories to watch
     * @param stopLimit how long a guest may take to end in good order
     * @param log gets what happens
     */
    public DevLoop(List<Path> inputs, Duration stopLimit, Steps steps, Consumer<String> log) {
        this.inputs = inputs;
        this.stopLimit = stopLimit;
        this.steps = steps;
        this.log = log;
    }

    /** Runs until Ctrl-C. A first image that cannot be made is an error; later ones are waited for. */
    public void run(Interrupts interrupts) throws BuildException, SettingException, IOException, InterruptedException {
        interrupts.whenAsked(() -> events.add(new Event.Asked()));
        try (Changes changes = new Changes(inputs)) {
            follow(changes);
            steps.build();
            restart(interrupts);
            for (Event event = events.take(); !interrupts.asked(); event = events.take()) {
                handle(event, interrupts);
            }
            end();
        } finally {
            if (current != null) {
                current.kill();
            }
        }
    }

    private void follow(Changes changes) {
        inThread("unikernel changes", () -> {
            try {
                for (Collection<Path> files = changes.await(); !files.isEmpty(); files = changes.await()) {
                    events.add(new Event.Changed(files));
                }
            } catch (IOException e) {
                events.add(new Event.Failed(
                        null,
                        "Changes are no longer noticed. " + FileTrouble.of(e).text()));
            }
        });
    }

    private interface Work {
        void run() throws InterruptedException;
    }

    private static void inThread(String name, Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private void handle(Event event, Interrupts interrupts) throws SettingException, IOException, InterruptedException {
        if (event instanceof Event.Changed changed) {
            rebuild(changed.files(), interrupts);
        } else if (event instanceof Event.Ready ready && ready.guest() == current) {
            log.accept(String.format(
                    "Answers %.1f s after the change",
                    Duration.between(since, Instant.now()).toMillis() / 1e3));
        } else if (event instanceof Event.Failed failed && (failed.guest() == current || failed.guest() == null)) {
            log.accept(failed.message());
        } else if (event instanceof Event.Ended ended && ended.guest() == current) {
            current = null;
            log.accept("The guest has ended; waiting for a change");
        }
    }

    private void rebuild(Collection<Path> files, Interrupts interrupts)
            throws SettingException, IOException, InterruptedException {
        Instant changed = newest(files);
        log.accept("Changed: " + named(files));
        try {
            steps.build();
        } catch (BuildException e) {
            log.accept("The image stays as it was. " + e.getMessage());
            return;
        }
        end();
        since = changed;
        restart(interrupts);
    }

    private static String named(Collection<Path> files) {
        Path first = files.iterator().next().getFileName();
        return files.size() == 1 ? first.toString() : first + " and " + (files.size() - 1) + " more";
    }

    /** When the last of the files was written; for those that are gone, now. */
    private static Instant newest(Collection<Path> files) throws IOException {
        Instant newest = Instant.EPOCH;
        for (Path file : files) {
            if (Files.isRegularFile(file)) {
                Instant written = Files.getLastModifiedTime(file).toInstant();
                newest = written.isAfter(newest) ? written : newest;
            }
        }
        return newest.equals(Instant.EPOCH) ? Instant.now() : newest;
    }

    private void restart(Interrupts interrupts) throws SettingException, IOException {
        if (interrupts.asked()) {
            return;
        }
        Guest guest = steps.start();
        current = guest;
        interrupts.passTo(guest);
        new StartedGuest(guest).whenEnded(() -> events.add(new Event.Ended(guest)));
        inThread("unikernel readiness", () -> {
            try {
                steps.awaitReady(guest);
                events.add(new Event.Ready(guest));
            } catch (SettingException | GuestException e) {
                events.add(new Event.Failed(guest, e.getMessage()));
            }
        });
    }

    /** Ends the guest, cleanly if possible; its status does not matter, because another guest follows. */
    private void end() throws IOException, InterruptedException {
        Guest guest = current;
        current = null;
        if (guest == null) {
            return;
        }
        try {
            new StartedGuest(guest).stop(stopLimit);
        } catch (GuestException e) {
            log.accept(e.getMessage());
        } finally {
            guest.kill();
        }
    }
}
