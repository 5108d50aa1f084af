// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The part of an ELF file that a dynamic linker reads: all its segments, without the section headers and the symbols
 * for debuggers after them. Those of a libjvm.so can be several megabytes.
 */
public final class LoadedElf {

    private static final int HEADER_SIZE = 64;
    private static final int SECTION_TABLE_OFFSET = 40;
    private static final int SECTION_COUNT = 60;
    private static final int SECTION_NAMES = 62;

    private final Path file;
    private final long size;

    private LoadedElf(Path file, long size) {
        this.file = file;
        this.size = size;
    }

    /** The loaded part of a file; empty when it is no ELF file or has no segments. */
    public static Optional<LoadedElf> of(Path file) throws IOException {
        return ElfFile.read(file)
                .map(ElfFile::loadedSize)
                .filter(size -> size >= HEADER_SIZE)
                .map(size -> new LoadedElf(file, size));
    }

    /** Opens the bytes from the start. */
    public InputStream open() throws IOException {
        InputStream in = Files.newInputStream(file);
        ByteBuffer header = ByteBuffer.wrap(in.readNBytes(HEADER_SIZE)).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(SECTION_TABLE_OFFSET, 0)
                .putShort(SECTION_COUNT, (short) 0)
                .putShort(SECTION_NAMES, (short) 0);
        return new SequenceInputStream(new ByteArrayInputStream(header.array()), new Limited(in, size - HEADER_SIZE));
    }

    /** A stream that ends after so many bytes. */
    private static final class Limited extends InputStream {
        private final InputStream in;
        private long left;

        Limited(InputStream in, long left) {
            this.in = in;
            this.left = left;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            int count = in.read(bytes, offset, (int) Math.min(length, left));
            left -= Math.max(count, 0);
            return count;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
