// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.util.BitSet;

/**
 * Hands out the content blocks of an image from front to back, stepping over the groups' own blocks. It goes on after
 * the last group of the geometry, as if there were more; the caller compares {@link #end} with what there is.
 */
final class BlockAllocator {

    private final Ext2Geometry geometry;
    private final BitSet content = new BitSet();
    private int group;
    private long next;

    BlockAllocator(Ext2Geometry geometry) {
        this.geometry = geometry;
        this.next = geometry.firstContentBlock(0);
    }

    int next() {
        while (next >= geometry.firstBlock(group + 1)) {
            group++;
            next = geometry.firstContentBlock(group);
        }
        int block = Math.toIntExact(next++);
        content.set(block);
        return block;
    }

    /** Leaves blocks free, so that the next one has a number that is a multiple of the unit where no group begins. */
    void align(int unit) {
        next = (next + unit - 1) / unit * unit;
    }

    /** The number after that of the last block that was handed out, or of the first one that could be. */
    long end() {
        return Math.max(content.length(), geometry.firstContentBlock(0));
    }

    /** The blocks of a group that are in use, its own included, counted from the group's first. */
    BitSet usedIn(int group) {
        int start = Math.toIntExact(geometry.firstBlock(group));
        BitSet used = content.get(start, start + geometry.blocksIn(group));
        used.set(0, Math.toIntExact(geometry.firstContentBlock(group) - start));
        return used;
    }
}
