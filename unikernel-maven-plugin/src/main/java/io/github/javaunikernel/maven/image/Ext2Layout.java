// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import java.util.UUID;
import java.util.stream.LongStream;

/**
 * A tree with an inode number and blocks for every node. Directories come first, then links and files in their
 * {@link PlacementOrder}, each file in one piece where no group boundary cuts it.
 */
final class Ext2Layout {

    /** More links than this to one directory (a subdirectory is one) are not valid (EXT2_LINK_MAX in Linux). */
    private static final int MAX_LINKS = 32000;

    /**
     * A node and its place.
     *
     * @param scan of a file, else null
     */
    record Placed(Node node, FileScan scan, BlockPointers pointers) {}

    private final List<Placed> directories = new ArrayList<>();
    private final List<Placed> others = new ArrayList<>();
    private final Map<Node, Integer> inodes = new IdentityHashMap<>();
    private final Map<Node, Node> parents = new IdentityHashMap<>();
    private final BootArea bootArea;
    private final UUID uuid;
    private final BlockAllocator allocator;
    private final Ext2Geometry geometry;
    private int nextInode = Inode.FIRST_FREE;

    Ext2Layout(ImageTree tree, long seconds) throws IOException {
        bootArea = tree.bootArea();
        gather(tree.root());
        others.sort(PlacementOrder.COMPARATOR);
        directories.forEach(directory -> number(directory.node));
        others.forEach(other -> number(other.node));
        uuid = digest(seconds);
        fillIn(uuid);

        Ext2Geometry trial = Ext2Geometry.forContent(contentBlocks(), usedInodes());
        BlockAllocator trialAllocator = place(trial);
        while (trialAllocator.end() > trial.blocks()) {
            trial = Ext2Geometry.full(trial.groups() + 1, usedInodes());
            trialAllocator = place(trial);
        }
        allocator = trialAllocator;
        geometry = trial.endingAt(allocator.end());
    }

    private BlockAllocator place(Ext2Geometry trial) {
        BlockAllocator blocks = new BlockAllocator(trial);
        directories.forEach(directory -> directory.pointers.place(blocks));
        PlacementOrder.place(others, blocks);
        return blocks;
    }

    private void number(Node node) {
        inodes.put(
                node,
                switch (node.path) {
                    case "/" -> Inode.ROOT;
                    case ImageTree.LOST_AND_FOUND -> Inode.LOST_AND_FOUND;
                    default -> nextInode++;
                });
    }

    List<Placed> directories() {
        return directories;
    }

    List<Placed> others() {
        return others;
    }

    Ext2Geometry geometry() {
        return geometry;
    }

    /** The blocks of a group that are in use, counted from its first. */
    BitSet usedBlocksIn(int group) {
        return allocator.usedIn(group);
    }

    long usedBlocks() {
        long used = 0;
        for (int group = 0; group < geometry.groups(); group++) {
            used += usedBlocksIn(group).cardinality();
        }
        return used;
    }

    int usedInodes() {
        return nextInode - 1;
    }

    int inodeOf(Node node) {
        return inodes.get(node);
    }

    /** The root is its own parent. */
    int inodeOfParent(Node.Directory directory) {
        return inodes.get(parents.getOrDefault(directory, directory));
    }

    UUID uuid() {
        return uuid;
    }

    /** The first bytes of the image, or null. */
    byte[] bootArea() throws ImageException {
        return bootArea == null
                ? null
                : bootArea.encode(bootArea.files().stream().map(this::placeOf).toList());
    }

    private BootArea.Place placeOf(String path) {
        Placed file = others.stream()
                .filter(other -> other.node.path.equals(path))
                .findFirst()
                .orElseThrow();
        long blocks = (file.scan.size() + Ext2Geometry.BLOCK_SIZE - 1) / Ext2Geometry.BLOCK_SIZE;
        int[] numbers =
                LongStream.range(0, blocks).mapToInt(file.pointers::locate).toArray();
        return BootArea.Place.of(file.scan.size(), numbers);
    }

    /** Gives files that name the image their content now that its id is known. */
    private void fillIn(UUID id) throws IOException {
        for (ListIterator<Placed> each = others.listIterator(); each.hasNext(); ) {
            Placed placed = each.next();
            if (placed.node instanceof Node.File file && file.content.namesImage()) {
                Node.File named = file.in(id);
                inodes.put(named, inodes.get(file));
                each.set(leaf(named));
            }
        }
    }

    /** From the names, kinds and contents, so that equal images have equal ids and different ones do not. */
    private UUID digest(long seconds) {
        MessageDigest digest = FileScan.newDigest();
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(seconds).array());
        if (bootArea != null) {
            digest.update(bootArea.sector());
        }
        for (Placed placed : directories) {
            digest.update((placed.node.path + "\0" + placed.node.permissions + "\0").getBytes(StandardCharsets.UTF_8));
        }
        for (Placed placed : others) {
            String content = placed.scan != null ? placed.scan.sha256() : ((Node.SymbolicLink) placed.node).target;
            digest.update((placed.node.path + "\0" + placed.node.permissions + "\0" + content + "\0")
                    .getBytes(StandardCharsets.UTF_8));
        }
        return freeFormId(digest.digest());
    }

    /** An id of the first bytes of a hash: version 8 and the variant of RFC 9562. */
    static UUID freeFormId(byte[] digest) {
        ByteBuffer hash = ByteBuffer.wrap(digest);
        long high = hash.getLong() & ~0xF000L | 0x8000L;
        long low = hash.getLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L;
        return new UUID(high, low);
    }

    private void gather(Node.Directory directory) throws IOException {
        long subdirectories = directory.children().values().stream()
                .filter(Node.Directory.class::isInstance)
                .count();
        if (subdirectories + 2 > MAX_LINKS) {
            throw new ImageException(directory.path + " has " + subdirectories + " subdirectories, ext2 takes "
                    + (MAX_LINKS - 2) + ". Spread them over more directories.");
        }
        long size = DirectoryBlocks.size(directory.children().keySet());
        directories.add(new Placed(directory, null, BlockPointers.dense(size / Ext2Geometry.BLOCK_SIZE)));
        for (Node child : directory.children().values()) {
            if (child instanceof Node.Directory subdirectory) {
                parents.put(subdirectory, directory);
                gather(subdirectory);
            } else {
                others.add(leaf(child));
            }
        }
    }

    private static Placed leaf(Node node) throws IOException {
        if (node instanceof Node.SymbolicLink link) {
            boolean fast = link.targetBytes().length < Inode.FAST_LINK_BYTES;
            return new Placed(node, null, BlockPointers.dense(fast ? 0 : 1));
        }
        Node.File file = (Node.File) node;
        FileScan scan = FileScan.of(file);
        if (scan.size() > BlockPointers.MAX_BLOCKS * Ext2Geometry.BLOCK_SIZE) {
            throw new ImageException(file.path + " has " + scan.size() + " bytes, more than an ext2 file can hold."
                    + " Leave it out or divide it.");
        }
        return new Placed(node, scan, new BlockPointers(scan.runs()));
    }

    private long contentBlocks() {
        long blocks = 0;
        for (Placed placed : directories) {
            blocks += placed.pointers.blockCount();
        }
        for (Placed placed : others) {
            blocks += placed.pointers.blockCount();
        }
        return blocks;
    }
}
