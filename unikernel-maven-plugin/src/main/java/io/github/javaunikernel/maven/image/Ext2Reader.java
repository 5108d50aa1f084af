// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads an image that {@link Ext2Writer} or {@link UefiDisk} has written. Nothing in it is trusted. Not thread-safe.
 */
public final class Ext2Reader implements Closeable {

    private static final int MAX_DEPTH = 64;

    private final Path image;
    private final FileChannel in;
    private final long start;
    private final int inodes;
    private final int inodesPerGroup;

    /**
     * Opens an image; the caller closes it.
     *
     * @throws ImageException when the file is not an image of this plugin
     */
    public Ext2Reader(Path image) throws IOException {
        if (!Files.isRegularFile(image)) {
            throw new ImageException(
                    image, "There is no image " + image + ".", "Make it with 'mvn package', or correct the path.");
        }
        this.image = image;
        in = FileChannel.open(image);
        try {
            start = UefiDisk.rootStart(in);
            if (start < 0 || start > in.size()) {
                throw damaged("its partition table is damaged");
            }
            ByteBuffer superblock = read(Superblock.SIZE, Superblock.SIZE);
            if (!Superblock.isOfThisPlugin(superblock)) {
                throw damaged("it has no file system that this plugin makes");
            }
            inodes = superblock.getInt(Superblock.INODES_OFFSET);
            inodesPerGroup = superblock.getInt(Superblock.INODES_PER_GROUP_OFFSET);
            if (inodes < Inode.ROOT || inodesPerGroup < 1) {
                throw damaged("it has no inodes");
            }
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    /** Everything in the image in the order of its path, the root left out; nothing has an origin. */
    public List<ImageEntry> entries() throws IOException {
        List<ImageEntry> entries = new ArrayList<>();
        addBelow("", Inode.ROOT, 0, entries);
        entries.sort(Comparator.comparing(ImageEntry::path));
        return entries;
    }

    /** Whether there is a file at this path; links are not followed. */
    public boolean holdsFile(String path) throws IOException {
        return file(path).isPresent();
    }

    /** Writes the content of a file; links are not followed. */
    public void copy(String path, OutputStream out) throws IOException {
        copy(file(path).orElseThrow(() -> damaged("it has no file " + path)), out);
    }

    private Optional<Stored> file(String path) throws IOException {
        Stored here = stored(Inode.ROOT);
        for (String name : path.replaceAll("^/+|/+$", "").split("/+")) {
            Integer child = here.isDirectory() ? children(here).get(name) : null;
            if (child == null) {
                return Optional.empty();
            }
            here = stored(child);
        }
        return Optional.of(here).filter(Stored::isFile);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    private void addBelow(String path, int directory, int depth, List<ImageEntry> entries) throws IOException {
        if (depth > MAX_DEPTH) {
            throw damaged("its directories are in a circle");
        }
        for (Map.Entry<String, Integer> child : children(stored(directory)).entrySet()) {
            String name = path + "/" + child.getKey();
            Stored node = stored(child.getValue());
            entries.add(entry(name, node));
            if (node.isDirectory()) {
                addBelow(name, child.getValue(), depth + 1, entries);
            }
        }
    }

    private ImageEntry entry(String path, Stored node) throws IOException {
        if (node.isDirectory()) {
            return new ImageEntry(path, "directory", node.permissions(), 0, null, null, null);
        }
        if (node.isLink()) {
            return new ImageEntry(path, "link", node.permissions(), node.size(), null, target(node), null);
        }
        if (!node.isFile()) {
            throw damaged(path + " is neither a file nor a directory nor a link");
        }
        MessageDigest digest = FileScan.newDigest();
        copy(node, new DigestOutputStream(OutputStream.nullOutputStream(), digest));
        String sha256 = HexFormat.of().formatHex(digest.digest());
        return new ImageEntry(path, "file", node.permissions(), node.size(), sha256, null, null);
    }

    private String target(Stored link) throws IOException {
        if (link.size() < Inode.FAST_LINK_BYTES) {
            return new String(link.bytes().array(), Inode.POINTERS_OFFSET, (int) link.size(), StandardCharsets.UTF_8);
        }
        return new String(content(link), StandardCharsets.UTF_8);
    }

    /** Names and inode numbers (struct ext2_dir_entry_2), those of the directory itself and its parent left out. */
    private Map<String, Integer> children(Stored directory) throws IOException {
        Map<String, Integer> children = new LinkedHashMap<>();
        ByteBuffer entries = ByteBuffer.wrap(content(directory)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + DirectoryBlocks.HEADER <= entries.capacity(); ) {
            int length = entries.getShort(at + 4) & 0xFFFF;
            int nameLength = entries.get(at + 6) & 0xFF;
            if (length < DirectoryBlocks.HEADER + nameLength || at + length > entries.capacity()) {
                throw damaged("a directory of it has entries that overlap");
            }
            String name = new String(entries.array(), at + DirectoryBlocks.HEADER, nameLength, StandardCharsets.UTF_8);
            if (entries.getInt(at) != 0 && !name.equals(".") && !name.equals("..")) {
                children.put(name, entries.getInt(at));
            }
            at += length;
        }
        return children;
    }

    /** Of what is small: a directory, or the target of a link. */
    private byte[] content(Stored node) throws IOException {
        if (node.size() > in.size()) {
            throw damaged("a directory or link of it is larger than the image");
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        copy(node, content);
        return content.toByteArray();
    }

    private void copy(Stored node, OutputStream out) throws IOException {
        long blocks = (node.size() + Ext2Geometry.BLOCK_SIZE - 1) / Ext2Geometry.BLOCK_SIZE;
        if (node.size() < 0 || blocks > BlockPointers.MAX_BLOCKS) {
            throw damaged("a file of it has an impossible size");
        }
        byte[] hole = new byte[Ext2Geometry.BLOCK_SIZE];
        for (long index = 0; index < blocks; index++) {
            long number = locate(node, index);
            byte[] block = number == 0
                    ? hole
                    : read(number * Ext2Geometry.BLOCK_SIZE, Ext2Geometry.BLOCK_SIZE)
                            .array();
            out.write(block, 0, (int) Math.min(block.length, node.size() - index * Ext2Geometry.BLOCK_SIZE));
        }
    }

    /** The number of a block of a file, 0 for a hole. */
    private long locate(Stored node, long index) throws IOException {
        if (index < BlockPointers.DIRECT) {
            return node.pointer((int) index);
        }
        long rest = index - BlockPointers.DIRECT;
        long span = BlockPointers.POINTERS;
        int levels = 1;
        while (rest >= span) {
            rest -= span;
            span *= BlockPointers.POINTERS;
            levels++;
        }
        long number = node.pointer(BlockPointers.DIRECT + levels - 1);
        for (; levels > 0 && number != 0; levels--) {
            span /= BlockPointers.POINTERS;
            long entry = number * Ext2Geometry.BLOCK_SIZE + rest / span * Integer.BYTES;
            number = Integer.toUnsignedLong(read(entry, Integer.BYTES).getInt(0));
            rest %= span;
        }
        return number;
    }

    private Stored stored(int number) throws IOException {
        if (number < 1 || number > inodes) {
            throw damaged("it names an inode that it does not have, " + number);
        }
        int group = (number - 1) / inodesPerGroup;
        long descriptor = Ext2Geometry.BLOCK_SIZE + (long) group * Ext2Geometry.DESCRIPTOR_SIZE;
        long table = Integer.toUnsignedLong(
                read(descriptor, Ext2Geometry.DESCRIPTOR_SIZE).getInt(8));
        long offset = (long) ((number - 1) % inodesPerGroup) * Ext2Geometry.INODE_SIZE;
        return new Stored(read(table * Ext2Geometry.BLOCK_SIZE + offset, Ext2Geometry.INODE_SIZE));
    }

    private ByteBuffer read(long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (in.read(bytes, start + position + bytes.position()) < 0) {
                throw damaged("it ends too early");
            }
        }
        return bytes.flip();
    }

    private ImageException damaged(String why) {
        return new ImageException(
                image,
                image + " cannot be read as an image: " + why + ".",
                "Name a file that 'unikernel:image' has made, or make it again.");
    }

    /** An inode as it is stored. */
    private record Stored(ByteBuffer bytes) {

        private int type() {
            return bytes.getShort(0) & 0xF000;
        }

        boolean isDirectory() {
            return type() == Inode.TYPE_DIRECTORY;
        }

        boolean isFile() {
            return type() == Inode.TYPE_FILE;
        }

        boolean isLink() {
            return type() == Inode.TYPE_LINK;
        }

        int permissions() {
            return bytes.getShort(0) & 0777;
        }

        long size() {
            long high = isFile() ? (long) bytes.getInt(Inode.SIZE_HIGH_OFFSET) << 32 : 0;
            return high | Integer.toUnsignedLong(bytes.getInt(4));
        }

        long pointer(int index) {
            return Integer.toUnsignedLong(bytes.getInt(Inode.POINTERS_OFFSET + index * Integer.BYTES));
        }
    }
}
