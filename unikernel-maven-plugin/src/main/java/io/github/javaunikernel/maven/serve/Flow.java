// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * One direction of a connection. What is read waits here until it can be written; while there is no room, nothing is
 * read, so that a slow reader slows down its writer. The end of the input is passed on after the last byte, once that
 * is allowed.
 */
final class Flow {

    /** Of bytes that wait. */
    private static final int ROOM = 16 * 1024;

    private final ByteBuffer waiting = ByteBuffer.allocate(ROOM);
    private boolean endAllowed;
    private boolean ended;
    private boolean endPassed;

    /** Makes a direction whose end is passed on at once, or only after {@link #allowEnd}. */
    Flow(boolean endAllowed) {
        this.endAllowed = endAllowed;
    }

    boolean canRead() {
        return !ended && waiting.hasRemaining();
    }

    boolean canWrite() {
        return waiting.position() > 0 || ended && endAllowed && !endPassed;
    }

    /** Reads what is there; returns the number of bytes. */
    int read(SocketChannel source) throws IOException {
        int length = source.read(waiting);
        ended = length < 0;
        return Math.max(length, 0);
    }

    /** Writes what can be written. */
    void write(SocketChannel sink) throws IOException {
        waiting.flip();
        sink.write(waiting);
        waiting.compact();
        if (waiting.position() == 0 && ended && endAllowed && !endPassed) {
            sink.shutdownOutput();
            endPassed = true;
        }
    }

    void allowEnd() {
        endAllowed = true;
    }

    /** Whether the source has no more bytes. */
    boolean hasEnded() {
        return ended;
    }

    /** Whether everything has been written, and the end too. */
    boolean isDone() {
        return endPassed;
    }
}
