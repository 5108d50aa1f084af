// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A guest in the background, until it is stopped or the build ends. */
public final class StartedGuest {

    private final Guest guest;

    /** Takes over a guest. */
    public StartedGuest(Guest guest) {
        this.guest = guest;
    }

    /** A console that is written to a file, which is there at once and complete when the guest has ended. */
    public static Console consoleTo(Path file) throws IOException {
        BufferedWriter writer = Files.newBufferedWriter(file);
        Console console = new Console(text -> append(writer, text));
        console.ended().whenComplete((nothing, problem) -> close(writer));
        return console;
    }

    /** Shuts the guest down in good order; ends it by force, and fails, when that takes longer than the limit. */
    public void stop(Duration limit) throws IOException, GuestException, InterruptedException {
        guest.shutDown();
        try {
            guest.console().ended().get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            guest.kill();
            throw new GuestException("The guest did not end within " + limit.toSeconds() + " s of being asked to, and was ended"
                    + " by force. Shorten its shutdown hooks, or give it more time with -Dunikernel.stop.timeout."
                    + " The last lines of its console:", guest.console());
        } catch (ExecutionException e) {
            throw new IOException("The guest's console broke off: " + e.getCause().getMessage(), e.getCause());
        }
        guest.await().check(true);
    }

    private static void append(BufferedWriter writer, String text) {
        try {
            writer.write(text);
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void close(BufferedWriter writer) {
        try {
            writer.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the guest at once, if it has not ended yet. */
    public void kill() {
        try {
            guest.kill();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
