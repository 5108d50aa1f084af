// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.util.Comparator;
import java.util.List;

/**
 * The order of the files and links in an image, and the free blocks between them. Links, and files that name the image,
 * come first: they share a piece of the image with the file system's own blocks, which change with every image. The
 * others follow by their {@link Placement}, of each kind the small files first and packed, then the large ones, each at
 * the beginning of a piece, so that it can grow within its last piece. The free blocks are holes in the file.
 */
final class PlacementOrder {

    /** Deployments send pieces of 512 KiB (the block size of the EBS direct APIs). */
    static final int PIECE = (512 << 10) / Ext2Geometry.BLOCK_SIZE;

    static final Comparator<Ext2Layout.Placed> COMPARATOR = Comparator.comparing(PlacementOrder::isFollowing)
            .thenComparing(placed -> placement(placed).volatility())
            .thenComparing(PlacementOrder::isLarge)
            .thenComparing(placed -> placement(placed).rank())
            .thenComparing(placed -> placed.node().path);

    private PlacementOrder() {}

    /** Gives blocks to what has been sorted with the comparator. */
    static void place(List<Ext2Layout.Placed> sorted, BlockAllocator allocator) {
        Ext2Layout.Placed previous = null;
        for (Ext2Layout.Placed placed : sorted) {
            allocator.align(unitBetween(previous, placed));
            placed.pointers().place(allocator);
            previous = placed;
        }
    }

    private static int unitBetween(Ext2Layout.Placed previous, Ext2Layout.Placed next) {
        if (!isFollowing(next)) {
            return 1;
        }
        if (previous == null || !isFollowing(previous)) {
            return PIECE;
        }
        int unit = placement(previous).volatility().unit;
        if (placement(previous).volatility() != placement(next).volatility()) {
            return unit;
        }
        if (!isLarge(next)) {
            return 1;
        }
        return isLarge(previous) ? PIECE : Math.max(unit / 4, PIECE);
    }

    /** Whether it comes after the blocks that change with every image. */
    private static boolean isFollowing(Ext2Layout.Placed placed) {
        return placed.node() instanceof Node.File file && !file.content.namesImage();
    }

    private static boolean isLarge(Ext2Layout.Placed placed) {
        return placed.pointers().blockCount() >= PIECE;
    }

    private static Placement placement(Ext2Layout.Placed placed) {
        return placed.node() instanceof Node.File file ? file.placement : Placement.SYSTEM;
    }
}
