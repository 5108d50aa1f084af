// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the blocks of one file are: the inode's fifteen pointers and the index blocks under them.
 *
 * <p>After the 12 direct blocks, the file is seen as a row of leaves of 1024 blocks. Leaf 0 hangs in the inode (single
 * indirect). The others are grouped by 1024 into mids: mid 0 hangs in the inode (double indirect), all further mids in
 * the one top block (triple indirect).
 */
final class BlockPointers {

    /** Receives the content of one index block. */
    interface IndexSink {
        void block(int number, byte[] bytes) throws IOException;
    }

    static final int DIRECT = 12;
    static final int POINTERS = Ext2Geometry.BLOCK_SIZE / Integer.BYTES;
    private static final int SINGLE = 12;
    private static final int DOUBLE = 13;
    private static final int TRIPLE = 14;
    /** The largest number of blocks one file can have. */
    static final long MAX_BLOCKS =
            DIRECT + POINTERS + (long) POINTERS * POINTERS + (long) POINTERS * POINTERS * POINTERS;

    private static final class Index {
        private final int[] pointers = new int[POINTERS];
        private int number;
    }

    private final List<BlockRun> runs;
    private final int[] inodePointers = new int[15];
    private final Map<Integer, Index> leaves = new TreeMap<>();
    private final Map<Integer, Index> mids = new TreeMap<>();
    private Index top;

    BlockPointers(List<BlockRun> runs) {
        this.runs = runs;
        for (BlockRun run : runs) {
            addIndexes(run);
        }
    }

    /** The pointers of a file without holes. */
    static BlockPointers dense(long blocks) {
        return new BlockPointers(blocks == 0 ? List.of() : List.of(new BlockRun(0, blocks)));
    }

    /** Data and index blocks together. */
    long blockCount() {
        return dataBlocks() + leaves.size() + mids.size() + (top == null ? 0 : 1);
    }

    private long dataBlocks() {
        return runs.stream().mapToLong(BlockRun::count).sum();
    }

    /** Gives every block a place: first the index blocks, so that the data after them is one piece. */
    void place(BlockAllocator allocator) {
        if (top != null) {
            top.number = allocator.next();
            inodePointers[TRIPLE] = top.number;
        }
        mids.forEach((mid, index) -> placeMid(mid, index, allocator.next()));
        leaves.forEach((leaf, index) -> placeLeaf(leaf, index, allocator.next()));
        for (BlockRun run : runs) {
            for (long block = run.first(); block < run.end(); block++) {
                placeData(block, allocator.next());
            }
        }
    }

    int[] inodePointers() {
        return inodePointers;
    }

    /** The place of a stored block of the file. */
    int locate(long block) {
        if (block < DIRECT) {
            return inodePointers[(int) block];
        }
        long behind = block - DIRECT;
        return leaves.get((int) (behind / POINTERS)).pointers[(int) (behind % POINTERS)];
    }

    void writeIndexes(IndexSink sink) throws IOException {
        if (top != null) {
            sink.block(top.number, encode(top));
        }
        for (Index mid : mids.values()) {
            sink.block(mid.number, encode(mid));
        }
        for (Index leaf : leaves.values()) {
            sink.block(leaf.number, encode(leaf));
        }
    }

    private void addIndexes(BlockRun run) {
        long first = Math.max(run.first() - DIRECT, 0);
        long last = run.end() - 1 - DIRECT;
        if (last < 0) {
            return;
        }
        for (int leaf = (int) (first / POINTERS); leaf <= last / POINTERS; leaf++) {
            leaves.computeIfAbsent(leaf, key -> new Index());
            if (leaf == 0) {
                continue;
            }
            int mid = (leaf - 1) / POINTERS;
            mids.computeIfAbsent(mid, key -> new Index());
            if (mid > 0 && top == null) {
                top = new Index();
            }
        }
    }

    private void placeMid(int mid, Index index, int number) {
        index.number = number;
        if (mid == 0) {
            inodePointers[DOUBLE] = number;
        } else {
            top.pointers[mid - 1] = number;
        }
    }

    private void placeLeaf(int leaf, Index index, int number) {
        index.number = number;
        if (leaf == 0) {
            inodePointers[SINGLE] = number;
        } else {
            mids.get((leaf - 1) / POINTERS).pointers[(leaf - 1) % POINTERS] = number;
        }
    }

    private void placeData(long block, int number) {
        if (block < DIRECT) {
            inodePointers[(int) block] = number;
            return;
        }
        long behind = block - DIRECT;
        leaves.get((int) (behind / POINTERS)).pointers[(int) (behind % POINTERS)] = number;
    }

    private static byte[] encode(Index index) {
        ByteBuffer bytes = ByteBuffer.allocate(Ext2Geometry.BLOCK_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(index.pointers);
        return bytes.array();
    }
}
