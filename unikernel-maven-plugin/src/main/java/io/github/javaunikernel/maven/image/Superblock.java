// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * The 1024 bytes that describe the file system (struct ext2_super_block in ext2_fs.h).
 *
 * @param seconds time of creation, since 1970
 */
record Superblock(Ext2Geometry geometry, long freeBlocks, long freeInodes, UUID uuid, String label, long seconds) {

    static final int SIZE = 1024;

    static final int INODES_OFFSET = 0;
    static final int INODES_PER_GROUP_OFFSET = 40;

    private static final int MAGIC_OFFSET = 56;
    private static final int MAGIC = 0xEF53;
    private static final int LOG_BLOCK_SIZE = 2;
    private static final int STATE_CLEAN = 1;
    private static final int ERRORS_CONTINUE = 1;
    private static final int REVISION_DYNAMIC = 1;
    private static final int INCOMPAT_FILETYPE = 0x2;
    private static final int RO_COMPAT_SPARSE_SUPER = 0x1;
    private static final int RO_COMPAT_LARGE_FILE = 0x2;
    private static final int LABEL_BYTES = 16;

    /** Whether these are the first bytes of a superblock with blocks and inodes as this plugin makes them. */
    static boolean isOfThisPlugin(ByteBuffer bytes) {
        return bytes.getShort(MAGIC_OFFSET) == (short) MAGIC
                && bytes.getInt(24) == LOG_BLOCK_SIZE
                && bytes.getShort(88) == Ext2Geometry.INODE_SIZE;
    }

    /** The copy that belongs in the given group. */
    byte[] encode(int group) {
        ByteBuffer out = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(INODES_OFFSET, (int) geometry.inodes());
        out.putInt(4, (int) geometry.blocks());
        out.putInt(12, (int) freeBlocks);
        out.putInt(16, (int) freeInodes);
        out.putInt(24, LOG_BLOCK_SIZE);
        out.putInt(28, LOG_BLOCK_SIZE);
        out.putInt(32, Ext2Geometry.BLOCKS_PER_GROUP);
        out.putInt(36, Ext2Geometry.BLOCKS_PER_GROUP);
        out.putInt(INODES_PER_GROUP_OFFSET, geometry.inodesPerGroup());
        out.putInt(48, (int) seconds);
        // No forced check after so many mounts: the image is never written.
        out.putShort(54, (short) -1);
        out.putShort(MAGIC_OFFSET, (short) MAGIC);
        out.putShort(58, (short) STATE_CLEAN);
        out.putShort(60, (short) ERRORS_CONTINUE);
        out.putInt(64, (int) seconds);
        out.putInt(76, REVISION_DYNAMIC);
        out.putInt(84, Inode.LOST_AND_FOUND);
        out.putShort(88, (short) Ext2Geometry.INODE_SIZE);
        out.putShort(90, (short) group);
        out.putInt(96, INCOMPAT_FILETYPE);
        out.putInt(100, RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE);
        ByteBuffer.wrap(out.array(), 104, 16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits());
        byte[] name = label.getBytes(StandardCharsets.US_ASCII);
        out.put(120, name, 0, Math.min(name.length, LABEL_BYTES));
        return out.array();
    }
}
