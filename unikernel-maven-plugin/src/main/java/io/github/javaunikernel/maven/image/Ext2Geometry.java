// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

/**
 * How the blocks of an image are divided into groups. Every group begins with its own blocks: in some groups a copy of
 * the superblock and the group descriptors, then the block bitmap, the inode bitmap and the inode table.
 *
 * @param blocks all blocks of the image
 * @param groups number of groups, at least one; only the last may be short
 * @param inodesPerGroup a multiple of the inodes in a block
 */
record Ext2Geometry(long blocks, int groups, int inodesPerGroup) {

    static final int BLOCK_SIZE = 4096;
    static final int INODE_SIZE = 128;
    /** One bit a block in a bitmap of one block. */
    static final int BLOCKS_PER_GROUP = BLOCK_SIZE * Byte.SIZE;

    /**
     * Images are whole multiples of so many blocks, 32 KiB: GRUB reads disks in pieces of 64 sectors
     * (GRUB_DISK_CACHE_SIZE in its grub/disk.h), and under Xen waits forever for one that reaches beyond the end.
     */
    private static final int SIZE_UNIT = 8;

    static final int DESCRIPTOR_SIZE = 32;
    private static final int INODES_PER_BLOCK = BLOCK_SIZE / INODE_SIZE;
    private static final int MAX_INODES_PER_GROUP = BLOCK_SIZE * Byte.SIZE;

    /** The smallest number of full groups with room for so many content blocks (data, index, directory) and inodes. */
    static Ext2Geometry forContent(long contentBlocks, long inodes) throws ImageException {
        for (int groups = 1; ; groups++) {
            Ext2Geometry geometry = full(groups, inodes);
            if (geometry.inodesPerGroup <= MAX_INODES_PER_GROUP && geometry.contentBlocks() >= contentBlocks) {
                return geometry;
            }
        }
    }

    /** So many full groups. */
    static Ext2Geometry full(int groups, long inodes) throws ImageException {
        long blocks = (long) groups * BLOCKS_PER_GROUP;
        if (blocks > Integer.MAX_VALUE) {
            throw new ImageException(
                    "The image would need more than " + Integer.MAX_VALUE + " blocks of 4096 bytes. Leave out files.");
        }
        return new Ext2Geometry(blocks, groups, inodesPerGroup(inodes, groups));
    }

    /** The same with the last group cut off after so many blocks of the image, or after the group's own ones. */
    Ext2Geometry endingAt(long end) {
        return new Ext2Geometry(roundUp(Math.max(end, firstContentBlock(groups - 1))), groups, inodesPerGroup);
    }

    /** A full group is a multiple of the unit too, so the last group never becomes too large. */
    private static long roundUp(long blocks) {
        return (blocks + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT;
    }

    private static int inodesPerGroup(long inodes, int groups) {
        long each = (inodes + groups - 1) / groups;
        return Math.toIntExact((each + INODES_PER_BLOCK - 1) / INODES_PER_BLOCK * INODES_PER_BLOCK);
    }

    long inodes() {
        return (long) groups * inodesPerGroup;
    }

    int descriptorBlocks() {
        return (groups * DESCRIPTOR_SIZE + BLOCK_SIZE - 1) / BLOCK_SIZE;
    }

    /** With sparse_super, groups 0 and 1 and the powers of 3, 5 and 7 carry a copy of the superblock. */
    boolean hasSuperblock(int group) {
        return group <= 1 || isPower(group, 3) || isPower(group, 5) || isPower(group, 7);
    }

    private static boolean isPower(int number, int base) {
        long power = base;
        while (power < number) {
            power *= base;
        }
        return power == number;
    }

    long firstBlock(int group) {
        return (long) group * BLOCKS_PER_GROUP;
    }

    int blocksIn(int group) {
        return (int) (Math.min(firstBlock(group + 1), blocks) - firstBlock(group));
    }

    long blockBitmap(int group) {
        return firstBlock(group) + (hasSuperblock(group) ? 1 + descriptorBlocks() : 0);
    }

    long inodeBitmap(int group) {
        return blockBitmap(group) + 1;
    }

    long inodeTable(int group) {
        return inodeBitmap(group) + 1;
    }

    long firstContentBlock(int group) {
        return inodeTable(group) + inodesPerGroup / INODES_PER_BLOCK;
    }

    /** Byte offset of an inode in the image; inode numbers start at 1. */
    long inodeOffset(int inode) {
        int index = inode - 1;
        return inodeTable(index / inodesPerGroup) * BLOCK_SIZE + (long) (index % inodesPerGroup) * INODE_SIZE;
    }

    private int overhead(int group) {
        return (int) (firstContentBlock(group) - firstBlock(group));
    }

    private long contentBlocks() {
        long total = blocks;
        for (int group = 0; group < groups; group++) {
            total -= overhead(group);
        }
        return total;
    }
}
