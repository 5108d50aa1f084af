// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Writes an {@link ImageTree} as an unpartitioned ext2 file system. The image ends with its last file, is sparse where
 * it is empty, and appears under its name only when it is complete. Thread-safe.
 */
public final class Ext2Writer {

    /** Inode times are signed 32-bit seconds; later ones would read as 1901. */
    private static final long MAX_SECONDS = Integer.MAX_VALUE;

    private final String label;
    private final long seconds;

    /**
     * Makes a writer.
     *
     * @param label volume label, of which the first 16 bytes are kept
     * @param time given to every file and to the file system
     * @throws ImageException when ext2 cannot store the time
     */
    public Ext2Writer(String label, Instant time) throws ImageException {
        this.label = label;
        this.seconds = time.getEpochSecond();
        if (seconds < 0 || seconds > MAX_SECONDS) {
            throw new ImageException("ext2 cannot store the time " + time
                    + ". Use one between 1970-01-01T00:00:00Z and 2038-01-19T03:14:07Z.");
        }
    }

    /** Writes the tree to the file, replacing what is there. On failure nothing is left and what was there stays. */
    public ImageSummary write(ImageTree tree, Path image) throws IOException {
        ImageSummary[] summary = new ImageSummary[1];
        WholeFile.write(image, part -> {
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
                summary[0] = write(tree, new DiskFile(out, 0));
            }
        });
        return summary[0];
    }

    /** Writes the tree to a part of a disk. */
    ImageSummary write(ImageTree tree, DiskFile out) throws IOException {
        Ext2Layout layout = new Ext2Layout(tree, seconds);
        new Pass(layout, out).run();
        long size = layout.geometry().blocks() * Ext2Geometry.BLOCK_SIZE;
        return new ImageSummary(size, layout.usedBlocks() * Ext2Geometry.BLOCK_SIZE, layout.uuid(), entries(layout));
    }

    private static List<ImageEntry> entries(Ext2Layout layout) {
        List<ImageEntry> entries = new ArrayList<>();
        for (Ext2Layout.Placed placed : layout.directories()) {
            Node node = placed.node();
            if (layout.inodeOf(node) != Inode.ROOT) {
                entries.add(new ImageEntry(node.path, "directory", node.permissions, 0, null, null, node.origin));
            }
        }
        for (Ext2Layout.Placed placed : layout.others()) {
            Node node = placed.node();
            if (node instanceof Node.SymbolicLink link) {
                entries.add(new ImageEntry(
                        node.path,
                        "link",
                        node.permissions,
                        link.targetBytes().length,
                        null,
                        link.target,
                        node.origin));
            } else {
                entries.add(new ImageEntry(
                        node.path,
                        "file",
                        node.permissions,
                        placed.scan().size(),
                        placed.scan().sha256(),
                        null,
                        node.origin));
            }
        }
        entries.sort(Comparator.comparing(ImageEntry::path));
        return List.copyOf(entries);
    }

    /** One writing of one layout to one open file. */
    private final class Pass {
        private final Ext2Layout layout;
        private final Ext2Geometry geometry;
        private final DiskFile out;

        Pass(Ext2Layout layout, DiskFile out) {
            this.layout = layout;
            this.geometry = layout.geometry();
            this.out = out;
        }

        void run() throws IOException {
            for (Ext2Layout.Placed placed : layout.directories()) {
                writeDirectory(placed);
            }
            for (Ext2Layout.Placed placed : layout.others()) {
                if (placed.node() instanceof Node.SymbolicLink link) {
                    writeLink(placed, link);
                } else {
                    writeFile(placed, (Node.File) placed.node());
                }
            }
            writeBitmaps();
            writeSuperblocks();
            writeBootArea();
            out.extendTo(geometry.blocks() * Ext2Geometry.BLOCK_SIZE);
        }

        private void writeDirectory(Ext2Layout.Placed placed) throws IOException {
            Node.Directory directory = (Node.Directory) placed.node();
            DirectoryBlocks content = new DirectoryBlocks(layout.inodeOf(directory), layout.inodeOfParent(directory));
            int links = 2;
            for (var child : directory.children().entrySet()) {
                Node node = child.getValue();
                content.add(child.getKey(), layout.inodeOf(node), entryType(node));
                links += node instanceof Node.Directory ? 1 : 0;
            }
            byte[] bytes = content.finish();
            for (int block = 0; block * Ext2Geometry.BLOCK_SIZE < bytes.length; block++) {
                int offset = block * Ext2Geometry.BLOCK_SIZE;
                writeBlock(
                        placed.pointers().locate(block),
                        Arrays.copyOfRange(bytes, offset, offset + Ext2Geometry.BLOCK_SIZE));
            }
            placed.pointers().writeIndexes(this::writeBlock);
            writeInode(placed, Inode.directory(directory.permissions, bytes.length, links, seconds, placed.pointers()));
        }

        private static int entryType(Node node) {
            if (node instanceof Node.Directory) {
                return DirectoryBlocks.TYPE_DIRECTORY;
            }
            return node instanceof Node.File ? DirectoryBlocks.TYPE_FILE : DirectoryBlocks.TYPE_LINK;
        }

        private void writeLink(Ext2Layout.Placed placed, Node.SymbolicLink link) throws IOException {
            byte[] target = link.targetBytes();
            if (target.length >= Inode.FAST_LINK_BYTES) {
                writeBlock(placed.pointers().locate(0), Arrays.copyOf(target, Ext2Geometry.BLOCK_SIZE));
            }
            writeInode(placed, Inode.link(target, seconds, placed.pointers()));
        }

        private void writeFile(Ext2Layout.Placed placed, Node.File file) throws IOException {
            placed.scan()
                    .replay(file, (index, bytes) -> writeBlock(placed.pointers().locate(index), bytes));
            placed.pointers().writeIndexes(this::writeBlock);
            writeInode(placed, Inode.file(file.permissions, placed.scan().size(), seconds, placed.pointers()));
        }

        private void writeBitmaps() throws IOException {
            int inodes = layout.usedInodes();
            for (int group = 0; group < geometry.groups(); group++) {
                writeBlock(
                        (int) geometry.blockBitmap(group),
                        bitmap(layout.usedBlocksIn(group), geometry.blocksIn(group)));
                BitSet usedInodes = new BitSet();
                usedInodes.set(0, usedInodesIn(group, inodes));
                writeBlock((int) geometry.inodeBitmap(group), bitmap(usedInodes, geometry.inodesPerGroup()));
            }
        }

        private int usedInodesIn(int group, int used) {
            int before = group * geometry.inodesPerGroup();
            return Math.min(Math.max(used - before, 0), geometry.inodesPerGroup());
        }

        /** The bits in use set, and those from {@code valid} on, which stand for nothing. */
        private static byte[] bitmap(BitSet used, int valid) {
            BitSet bits = (BitSet) used.clone();
            bits.set(valid, Ext2Geometry.BLOCK_SIZE * Byte.SIZE);
            return Arrays.copyOf(bits.toByteArray(), Ext2Geometry.BLOCK_SIZE);
        }

        private void writeSuperblocks() throws IOException {
            long freeBlocks = geometry.blocks() - layout.usedBlocks();
            Superblock superblock = new Superblock(
                    geometry, freeBlocks, geometry.inodes() - layout.usedInodes(), layout.uuid(), label, seconds);
            byte[] descriptors = descriptors();
            for (int group = 0; group < geometry.groups(); group++) {
                if (!geometry.hasSuperblock(group)) {
                    continue;
                }
                long start = geometry.firstBlock(group) * Ext2Geometry.BLOCK_SIZE;
                // The first kilobyte of the image is the boot area.
                out.write(start + (group == 0 ? Superblock.SIZE : 0), superblock.encode(group));
                out.write(start + Ext2Geometry.BLOCK_SIZE, descriptors);
            }
        }

        private void writeBootArea() throws IOException {
            byte[] area = layout.bootArea();
            if (area != null) {
                out.write(0, area);
            }
        }

        /** The group descriptors (struct ext2_group_desc in ext2_fs.h). */
        private byte[] descriptors() {
            int[] directories = new int[geometry.groups()];
            layout.directories()
                    .forEach(placed -> directories[(layout.inodeOf(placed.node()) - 1) / geometry.inodesPerGroup()]++);
            ByteBuffer bytes = ByteBuffer.allocate(geometry.groups() * Ext2Geometry.DESCRIPTOR_SIZE)
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int group = 0; group < geometry.groups(); group++) {
                int freeInodes = geometry.inodesPerGroup() - usedInodesIn(group, layout.usedInodes());
                bytes.position(group * Ext2Geometry.DESCRIPTOR_SIZE);
                bytes.putInt((int) geometry.blockBitmap(group))
                        .putInt((int) geometry.inodeBitmap(group))
                        .putInt((int) geometry.inodeTable(group))
                        .putShort((short) (geometry.blocksIn(group)
                                - layout.usedBlocksIn(group).cardinality()))
                        .putShort((short) freeInodes)
                        .putShort((short) directories[group]);
            }
            return bytes.array();
        }

        private void writeInode(Ext2Layout.Placed placed, byte[] inode) throws IOException {
            out.write(geometry.inodeOffset(layout.inodeOf(placed.node())), inode);
        }

        private void writeBlock(int number, byte[] bytes) throws IOException {
            out.write((long) number * Ext2Geometry.BLOCK_SIZE, bytes);
        }
    }
}
