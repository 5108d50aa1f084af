// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Builds the content of one directory: entries in the order given, none across a block (struct ext2_dir_entry_2). */
final class DirectoryBlocks {

    static final int TYPE_FILE = 1;
    static final int TYPE_DIRECTORY = 2;
    static final int TYPE_LINK = 7;

    static final int HEADER = 8;

    private final ByteArrayOutputStream full = new ByteArrayOutputStream();
    private ByteBuffer block = emptyBlock();
    private int lastEntry = -1;

    DirectoryBlocks(int self, int parent) {
        add(".", self, TYPE_DIRECTORY);
        add("..", parent, TYPE_DIRECTORY);
    }

    void add(String name, int inode, int type) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        int length = entryLength(bytes.length);
        if (length > block.remaining()) {
            finishBlock();
        }
        lastEntry = block.position();
        block.putInt(inode)
                .putShort((short) length)
                .put((byte) bytes.length)
                .put((byte) type)
                .put(bytes);
        block.position(lastEntry + length);
    }

    byte[] finish() {
        finishBlock();
        return full.toByteArray();
    }

    /** Bytes that {@link #finish} will return for the names, without building them. */
    static long size(Iterable<String> names) {
        int used = entryLength(1) + entryLength(2);
        long blocks = 1;
        for (String name : names) {
            int length = entryLength(name.getBytes(StandardCharsets.UTF_8).length);
            if (used + length > Ext2Geometry.BLOCK_SIZE) {
                blocks++;
                used = 0;
            }
            used += length;
        }
        return blocks * Ext2Geometry.BLOCK_SIZE;
    }

    private static int entryLength(int nameLength) {
        return (HEADER + nameLength + 3) & ~3;
    }

    /** The last entry of a block reaches to its end. */
    private void finishBlock() {
        block.putShort(lastEntry + Integer.BYTES, (short) (Ext2Geometry.BLOCK_SIZE - lastEntry));
        full.writeBytes(block.array());
        block = emptyBlock();
    }

    private static ByteBuffer emptyBlock() {
        return ByteBuffer.allocate(Ext2Geometry.BLOCK_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    }
}
