// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app;

import java.io.IOException;
import java.io.InputStream;

/** Bytes that follow from a seed alone: both sides of a transfer can make them, so that every byte is checked. */
public final class Pattern extends InputStream {

    private long state;
    private long left;

    /**
     * @param seed any value; different seeds give different bytes
     * @param size how many bytes there are
     */
    public Pattern(long seed, long size) {
        // A xorshift generator never leaves zero.
        state = seed * 0x9E3779B97F4A7C15L | 1;
        left = size;
    }

    @Override
    public int read() {
        if (left == 0) {
            return -1;
        }
        left--;
        return next();
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
        if (left == 0) {
            return length == 0 ? 0 : -1;
        }
        int count = (int) Math.min(length, left);
        for (int i = 0; i < count; i++) {
            buffer[offset + i] = (byte) next();
        }
        left -= count;
        return count;
    }

    /** All of the bytes, for small sizes. */
    public static byte[] bytes(long seed, int size) {
        try (Pattern pattern = new Pattern(seed, size)) {
            return pattern.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The next byte by Marsaglia's xorshift64. */
    private int next() {
        state ^= state << 13;
        state ^= state >>> 7;
        state ^= state << 17;
        return (int) (state >>> 32) & 0xff;
    }
}
