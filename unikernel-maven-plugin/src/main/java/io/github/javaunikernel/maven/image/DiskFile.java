// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * A part of an open file that is written in pieces, in any order; what is left out stays a hole. Positions are bytes
 * from the part's beginning.
 *
 * @param start where the part begins in the file
 */
record DiskFile(FileChannel file, long start) {

    /** Writes all the bytes. */
    void write(long position, byte[] bytes) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        long at = start + position;
        while (rest.hasRemaining()) {
            at += file.write(rest, at);
        }
    }

    /** Makes the file so long that it holds a part of this size. */
    void extendTo(long size) throws IOException {
        if (file.size() < start + size) {
            write(size - 1, new byte[1]);
        }
    }
}
