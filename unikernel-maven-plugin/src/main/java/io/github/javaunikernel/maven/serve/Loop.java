// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/**
 * Runs everything of a front door in one thread: what channels are ready for, what other threads post, and what the
 * time has come for.
 */
final class Loop implements Closeable {

    /** Knows what to do when a channel is ready. */
    interface Handler {
        /** Does it. */
        void ready(SelectionKey key);
    }

    /** What is looked after between events. */
    interface Work {
        /** Brings everything up to date; returns when that has to happen again without any event. */
        OptionalLong arrange(long now);

        /** Whether there is nothing left to do. */
        boolean isDone();
    }

    private final Selector selector;
    private final LongSupplier clock;
    private final Queue<Runnable> posted = new ConcurrentLinkedQueue<>();

    /**
     * Makes a loop that is not running yet.
     *
     * @param clock in nanoseconds, never going back
     */
    Loop(LongSupplier clock) throws IOException {
        this.clock = clock;
        selector = Selector.open();
    }

    long now() {
        return clock.getAsLong();
    }

    /** Runs an action in the loop's thread. Any thread may call this. */
    void post(Runnable action) {
        posted.add(action);
        selector.wakeup();
    }

    /** Has a handler called; the channel does not block from now on. */
    SelectionKey register(SelectableChannel channel, int operations, Handler handler) throws IOException {
        channel.configureBlocking(false);
        return channel.register(selector, operations, handler);
    }

    /** Runs in the calling thread until the work is done. */
    void run(Work work) throws IOException, InterruptedException {
        OptionalLong next = work.arrange(now());
        while (!work.isDone()) {
            select(next);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            for (SelectionKey key : selector.selectedKeys()) {
                if (key.isValid()) {
                    ((Handler) key.attachment()).ready(key);
                }
            }
            selector.selectedKeys().clear();
            for (Runnable action = posted.poll(); action != null; action = posted.poll()) {
                action.run();
            }
            next = work.arrange(now());
        }
    }

    private void select(OptionalLong next) throws IOException {
        if (next.isEmpty()) {
            selector.select();
            return;
        }
        // Rounded up, so that the time has come when the wait is over.
        long milliseconds = Duration.ofNanos(next.getAsLong() - now()).toMillis() + 1;
        if (milliseconds <= 0) {
            selector.selectNow();
        } else {
            selector.select(milliseconds);
        }
    }

    /** Closes a connection, if there is one, so that the other side gets an error. */
    static void reset(SocketChannel channel) {
        if (channel == null) {
            return;
        }
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            // The other side has reset it before.
        } finally {
            close(channel);
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // A socket is closed whatever its close reports (close(2)).
        }
    }

    /** Ends the loop for good; channels that were closed before are released. */
    @Override
    public void close() throws IOException {
        selector.close();
    }
}
