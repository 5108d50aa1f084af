// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A file of any size, of which pieces are mapped as they are looked at. Not thread-safe. */
final class MappedFile implements Closeable {

    private static final long WINDOW = 1L << 30;
    /** Windows overlap by as much, so that no piece of this size crosses the end of one. */
    static final int MAX_PIECE = 1 << 16;

    private final Path path;
    private final FileChannel in;
    private final long size;
    private final MappedByteBuffer[] windows;

    MappedFile(Path path) throws IOException {
        this.path = path;
        in = FileChannel.open(path);
        size = in.size();
        windows = new MappedByteBuffer[(int) (size / WINDOW) + 1];
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** Bytes of the file, little-endian, with positions from 0; at most {@link #MAX_PIECE} of them. */
    ByteBuffer piece(long position, int length) throws IOException {
        if (position < 0 || length < 0 || position > size - length) {
            throw new DumpException(path + " ends too early: it has " + size + " bytes, and names some at " + position
                    + ". Copy or write the dump again, on a disk with enough space.");
        }
        int window = (int) (position / WINDOW);
        if (windows[window] == null) {
            long start = window * WINDOW;
            windows[window] = in.map(FileChannel.MapMode.READ_ONLY, start, Math.min(WINDOW + MAX_PIECE, size - start));
        }
        return windows[window].slice((int) (position % WINDOW), length).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
