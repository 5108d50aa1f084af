// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

/** Hands out the content blocks of an image from front to back, stepping over the groups' own blocks. */
final class BlockAllocator {

    private final Ext2Geometry geometry;
    private int group;
    private long next;

    BlockAllocator(Ext2Geometry geometry) {
        this.geometry = geometry;
        this.next = geometry.firstContentBlock(0);
    }

    int next() {
        while (next >= geometry.endOfGroup(group)) {
            group++;
            next = geometry.firstContentBlock(group);
        }
        return Math.toIntExact(next++);
    }

    /** How many blocks at the front of a group are in use, its own included. */
    int usedIn(int group) {
        long end = Math.min(next, geometry.endOfGroup(group));
        return (int) (Math.max(end, geometry.firstContentBlock(group)) - geometry.firstBlock(group));
    }
}
