// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

    /** A console that is written to a file, which is there at once and has each piece as soon as the guest wrote it. */
    public static Console consoleTo(Path file) throws IOException {
        FileTrouble.on(file, () -> Files.write(file, new byte[0]));
        return new Console(text -> FileTrouble.on(
                file,
                () -> Files.write(
                        file,
                        text.getBytes(StandardCharsets.UTF_8),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND)));
    }

    /** Shuts the guest down in good order; ends it by force, and fails, when that takes longer than the limit. */
    public void stop(Duration limit) throws IOException, GuestException, InterruptedException {
        guest.shutDown();
        awaitEnd(
                limit,
                "The guest did not end within " + limit.toSeconds() + " s of being asked to, and was ended"
                        + " by force. Shorten its shutdown hooks, or give it more time with -Dunikernel.stop.timeout."
                        + " The last lines of its console:");
        guest.await().check(true);
    }

    /** Runs an action when the guest has ended. */
    public void whenEnded(Runnable action) {
        guest.console().ended().whenComplete((nothing, problem) -> action.run());
    }

    /** Waits until the guest's program has ended well by itself; ends it, and fails, after the limit. */
    public void awaitEnd(Duration limit) throws IOException, GuestException, InterruptedException {
        awaitEnd(
                limit,
                "The program in the guest has not ended within " + limit.toSeconds() + " s. Correct it, or give it"
                        + " more time with -Dunikernel.start.timeout. The last lines of its console:");
        guest.await().check(false);
    }

    private void awaitEnd(Duration limit, String tooLate) throws IOException, GuestException, InterruptedException {
        try {
            guest.console().ended().get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            guest.kill();
            throw new GuestException(tooLate, guest.console());
        } catch (ExecutionException e) {
            guest.kill();
            throw guest.console().brokenOff(e.getCause());
        }
    }

    /** Ends the guest at once, if it has not ended yet. */
    public void kill() throws IOException {
        guest.kill();
    }
}
