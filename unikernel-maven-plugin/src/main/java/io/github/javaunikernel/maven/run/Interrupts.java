package io.github.javaunikernel.maven.run;

import java.io.IOException;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** Ctrl-C while a guest is in the foreground: the first one asks it to end, the next ends it. */
public final class Interrupts implements AutoCloseable {

    private static final Signal INTERRUPT = new Signal("INT");

    private final Guest guest;
    private final Consumer<String> log;
    private final SignalHandler previous;
    private volatile boolean asked;

    /**
     * Begins.
     *
     * @param log is told what happens
     */
    public Interrupts(Guest guest, Consumer<String> log) {
        this.guest = guest;
        this.log = log;
        previous = Signal.handle(INTERRUPT, signal -> interrupt());
    }

    /** Whether the guest was asked to end. */
    public boolean asked() {
        return asked;
    }

    /** Leaves Ctrl-C to whom it was before. */
    @Override
    public void close() {
        Signal.handle(INTERRUPT, previous);
    }

    private void interrupt() {
        try {
            if (asked) {
                log.accept("Ending the guest by force");
                guest.kill();
            } else {
                asked = true;
                log.accept("Shutting down; Ctrl-C again ends the guest by force");
                guest.shutDown();
            }
        } catch (IOException e) {
            log.accept(e.getMessage());
        }
    }
}
