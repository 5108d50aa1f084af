// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which blocks of a volume hold anything but zeros, with the SHA-256 of each. Blocks that are absent read as zeros,
 * which is also how EBS treats blocks never written. The last block of an image is padded with zeros. Immutable.
 */
final class BlockMap {
    /** The only block size the EBS direct API knows, in bytes. */
    static final int BLOCK_SIZE = 512 * 1024;

    private static final long GIB = 1L << 30;
    /** StartSnapshot: VolumeSize at most 65536 GiB. */
    private static final long MAX_BYTES = 65_536 * GIB;

    private static final byte[] ZEROS = new byte[BLOCK_SIZE];
    private static final String HEADER = "unikernel block map 1";

    private final NavigableMap<Integer, byte[]> digests;
    private final long imageBytes;

    private BlockMap(NavigableMap<Integer, byte[]> digests, long imageBytes) {
        this.digests = Collections.unmodifiableNavigableMap(digests);
        this.imageBytes = imageBytes;
    }

    /**
     * Reads a raw image on all processors.
     *
     * @throws CloudException when the file is absent, empty or larger than a volume can be
     */
    static BlockMap of(Path image) throws CloudException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.READ)) {
            long bytes = channel.size();
            requireUsableSize(image, bytes);
            int count = (int) ((bytes + BLOCK_SIZE - 1) / BLOCK_SIZE);
            NavigableMap<Integer, byte[]> digests = Collections.synchronizedNavigableMap(new TreeMap<>());
            IntStream.range(0, count)
                    .parallel()
                    .forEach(index -> digest(channel, index).ifPresent(d -> digests.put(index, d)));
            if (digests.isEmpty()) {
                throw new CloudException(Reason.IMAGE, "The image " + image + " contains only zeros.");
            }
            return new BlockMap(new TreeMap<>(digests), bytes);
        } catch (UncheckedIOException e) {
            throw DiskImage.unreadable(image, e.getCause());
        } catch (IOException e) {
            throw DiskImage.unreadable(image, e);
        }
    }

    private static void requireUsableSize(Path image, long bytes) throws CloudException {
        if (bytes == 0) {
            throw new CloudException(Reason.IMAGE, "The image " + image + " is empty.");
        }
        if (bytes > MAX_BYTES) {
            throw new CloudException(
                    Reason.IMAGE,
                    "The image " + image + " has " + bytes + " bytes; a volume holds at most " + MAX_BYTES + ".");
        }
    }

    private static Optional<byte[]> digest(FileChannel channel, int index) {
        try {
            byte[] block = read(channel, index);
            return isZero(block) ? Optional.empty() : Optional.of(Digests.sha256(block));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One block of an image, padded with zeros after its end. Safe for many threads on one channel. */
    static byte[] read(FileChannel channel, int index) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BLOCK_SIZE);
        long position = (long) index * BLOCK_SIZE;
        while (buffer.hasRemaining() && channel.read(buffer, position + buffer.position()) >= 0) {
            // positional reads advance the buffer alone
        }
        return buffer.array();
    }

    private static boolean isZero(byte[] block) {
        return block[0] == 0 && Arrays.mismatch(block, ZEROS) < 0;
    }

    /** Image size in bytes, before padding. */
    long imageBytes() {
        return imageBytes;
    }

    /** Size of the smallest volume that holds the image, in GiB. */
    int volumeGiB() {
        return (int) ((imageBytes + GIB - 1) / GIB);
    }

    /** Blocks that are not all zero. */
    int blocks() {
        return digests.size();
    }

    /**
     * What a snapshot made on top of {@code parent} must be sent, by ascending index: blocks that differ, and zeros
     * where only the parent has data.
     */
    List<Block> changesSince(BlockMap parent) {
        NavigableMap<Integer, Block> changes = new TreeMap<>();
        digests.forEach((index, digest) -> {
            if (!Arrays.equals(digest, parent.digests.get(index))) {
                changes.put(index, new Block(index, digest));
            }
        });
        byte[] zeroDigest = Digests.sha256(ZEROS);
        parent.digests.keySet().stream()
                .filter(index -> !digests.containsKey(index))
                .forEach(index -> changes.put(index, new Block(index, zeroDigest)));
        return List.copyOf(changes.values());
    }

    /** What a snapshot without parent must be sent, by ascending index. */
    List<Block> all() {
        List<Block> blocks = new ArrayList<>(digests.size());
        digests.forEach((index, digest) -> blocks.add(new Block(index, digest)));
        return List.copyOf(blocks);
    }

    /** SHA-256 over every index and digest, lower-case hex: equal exactly when two volumes read the same. */
    String identity() {
        ByteBuffer all = ByteBuffer.allocate(digests.size() * (Integer.BYTES + Digests.SHA256_BYTES));
        digests.forEach((index, digest) -> all.putInt(index).put(digest));
        return HexFormat.of().formatHex(Digests.sha256(all.array()));
    }

    /** Writes this map as text, whole or not at all. */
    void save(Path file) throws IOException {
        StringBuilder text = new StringBuilder(HEADER)
                .append(' ')
                .append(imageBytes)
                .append(' ')
                .append(identity())
                .append('\n');
        digests.forEach((index, digest) -> text.append(index)
                .append(' ')
                .append(HexFormat.of().formatHex(digest))
                .append('\n'));
        Files.createDirectories(file.getParent());
        WholeFile.write(file, part -> Files.writeString(part, text, StandardCharsets.US_ASCII));
    }

    /** Reads a map that {@link #save} wrote; empty when there is none or it is damaged. */
    static Optional<BlockMap> load(Path file) {
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.US_ASCII);
            if (lines.isEmpty() || !lines.get(0).startsWith(HEADER + ' ')) {
                return Optional.empty();
            }
            String[] header = lines.get(0).substring(HEADER.length() + 1).split(" ");
            NavigableMap<Integer, byte[]> digests = new TreeMap<>();
            for (String line : lines.subList(1, lines.size())) {
                int space = line.indexOf(' ');
                digests.put(
                        Integer.valueOf(line.substring(0, space)),
                        HexFormat.of().parseHex(line.substring(space + 1)));
            }
            BlockMap map = new BlockMap(digests, Long.parseLong(header[0]));
            return map.identity().equals(header[1]) ? Optional.of(map) : Optional.empty();
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    /** One block to be sent: its index in the volume and the SHA-256 of its 512 KiB. */
    record Block(int index, byte[] digest) {}
}
