// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Ctrl-C while a guest is in the foreground, or SIGTERM, which a service manager sends in its place: the first one asks
 * the guest to end, the next ends it. One that comes while the guest is being started takes effect as soon as there is
 * a guest.
 */
public final class Interrupts implements AutoCloseable {

    private static final List<Signal> SIGNALS = List.of(new Signal("INT"), new Signal("TERM"));

    private final Consumer<String> log;
    private final Map<Signal, SignalHandler> previous = new HashMap<>();
    private final CompletableFuture<Void> first = new CompletableFuture<>();
    private Stoppable guest;
    private int interrupts;

    /**
     * Begins.
     *
     * @param log gets what happens
     */
    public Interrupts(Consumer<String> log) {
        this.log = log;
        SIGNALS.forEach(signal -> previous.put(signal, Signal.handle(signal, received -> interrupt())));
    }

    /** Sets the guest, or what starts guests, that Ctrl-C ends; a Ctrl-C from before takes effect now. */
    public void passTo(Stoppable started) {
        int before;
        synchronized (this) {
            guest = started;
            before = interrupts;
        }
        end(started, before);
    }

    /** Whether the guest was asked to end. */
    public synchronized boolean asked() {
        return interrupts > 0;
    }

    /** Runs an action at the first Ctrl-C. */
    public void whenAsked(Runnable action) {
        first.thenRun(action);
    }

    /** Restores the handling of the signals that was in effect before. */
    @Override
    public void close() {
        previous.forEach(Signal::handle);
    }

    /** What Ctrl-C and SIGTERM do. */
    void interrupt() {
        Stoppable current;
        int now;
        synchronized (this) {
            current = guest;
            now = ++interrupts;
        }
        log.accept(now == 1 ? "Shutting down; Ctrl-C again ends the guest by force" : "Ending the guest by force");
        if (current != null) {
            end(current, now);
        }
        first.complete(null);
    }

    /** Without the lock, so that a guest that is slow to be asked can be killed meanwhile. */
    private void end(Stoppable current, int times) {
        try {
            if (times > 1) {
                current.kill();
            } else if (times == 1) {
                current.shutDown();
            }
        } catch (IOException e) {
            log.accept(FileTrouble.of(e).text());
        }
    }
}
