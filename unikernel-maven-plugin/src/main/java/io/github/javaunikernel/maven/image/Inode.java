// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The 128 bytes that describe one node (struct ext2_inode in ext2_fs.h). */
final class Inode {

    static final int ROOT = 2;
    static final int LOST_AND_FOUND = 11;
    /** The first number for nodes of the tree; 1 to 10 are reserved, 11 is lost+found. */
    static final int FIRST_FREE = 12;

    static final int TYPE_DIRECTORY = 0x4000;
    static final int TYPE_FILE = 0x8000;
    static final int TYPE_LINK = 0xA000;

    /** Shorter link targets are kept where the block pointers would be. */
    static final int FAST_LINK_BYTES = 60;

    private static final int SECTORS_PER_BLOCK = Ext2Geometry.BLOCK_SIZE / 512;
    static final int POINTERS_OFFSET = 40;
    static final int SIZE_HIGH_OFFSET = 108;

    private final ByteBuffer bytes =
            ByteBuffer.allocate(Ext2Geometry.INODE_SIZE).order(ByteOrder.LITTLE_ENDIAN);

    private Inode(int mode, long size, int links, long seconds, long blocks) {
        bytes.putShort(0, (short) mode);
        bytes.putInt(4, (int) size);
        bytes.putInt(8, (int) seconds);
        bytes.putInt(12, (int) seconds);
        bytes.putInt(16, (int) seconds);
        bytes.putShort(26, (short) links);
        bytes.putInt(28, (int) (blocks * SECTORS_PER_BLOCK));
    }

    static byte[] file(int permissions, long size, long seconds, BlockPointers pointers) {
        Inode inode = new Inode(TYPE_FILE | permissions, size, 1, seconds, pointers.blockCount());
        inode.bytes.putInt(SIZE_HIGH_OFFSET, (int) (size >>> 32));
        return inode.withPointers(pointers);
    }

    static byte[] directory(int permissions, long size, int links, long seconds, BlockPointers pointers) {
        return new Inode(TYPE_DIRECTORY | permissions, size, links, seconds, pointers.blockCount())
                .withPointers(pointers);
    }

    static byte[] link(byte[] target, long seconds, BlockPointers pointers) {
        Inode inode = new Inode(TYPE_LINK | 0777, target.length, 1, seconds, pointers.blockCount());
        if (target.length >= FAST_LINK_BYTES) {
            return inode.withPointers(pointers);
        }
        inode.bytes.put(POINTERS_OFFSET, target);
        return inode.bytes.array();
    }

    private byte[] withPointers(BlockPointers pointers) {
        int offset = POINTERS_OFFSET;
        for (int pointer : pointers.inodePointers()) {
            bytes.putInt(offset, pointer);
            offset += Integer.BYTES;
        }
        return bytes.array();
    }
}
