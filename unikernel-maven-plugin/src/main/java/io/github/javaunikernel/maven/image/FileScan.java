// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;

/**
 * What one reading of a file finds.
 *
 * @param size in bytes
 * @param sha256 lower-case hexadecimal
 * @param runs the blocks that must be stored, in order
 */
record FileScan(long size, String sha256, List<BlockRun> runs) {

    private static final byte[] ZEROS = new byte[Ext2Geometry.BLOCK_SIZE];

    /** Receives each block that is stored; the tail of the last one is zero. */
    interface BlockSink {
        void block(long index, byte[] bytes) throws IOException;
    }

    static FileScan of(Node.File file) throws IOException {
        return read(file, (index, bytes) -> {});
    }

    /** Reads the file again, to write it; fails when it is no longer what it was. */
    void replay(Node.File file, BlockSink sink) throws IOException {
        Iterator<BlockRun> rest = runs.iterator();
        BlockRun[] run = {new BlockRun(0, 0)};
        FileScan now = read(file, (index, bytes) -> {
            while (index >= run[0].end() && rest.hasNext()) {
                run[0] = rest.next();
            }
            // A file that grew must not be written past the blocks laid out for it.
            if (index < run[0].first() || index >= run[0].end()) {
                throw changed(file);
            }
            sink.block(index, bytes);
        });
        if (!now.sha256.equals(sha256)) {
            throw changed(file);
        }
    }

    private static ImageException changed(Node.File file) {
        return new ImageException(file.path + " (" + file.origin
                + ") changed while the image was written. Build again when nothing writes to it.");
    }

    private static FileScan read(Node.File file, BlockSink sink) throws IOException {
        MessageDigest digest = newDigest();
        List<BlockRun> runs = new ArrayList<>();
        byte[] block = new byte[Ext2Geometry.BLOCK_SIZE];
        long size = 0;
        long runStart = -1;
        long index = 0;
        try (InputStream in = file.content.open()) {
            for (int n = in.readNBytes(block, 0, block.length); n > 0; n = in.readNBytes(block, 0, block.length)) {
                digest.update(block, 0, n);
                Arrays.fill(block, n, block.length, (byte) 0);
                boolean stored = file.dense || !Arrays.equals(block, ZEROS);
                if (stored) {
                    sink.block(index, block);
                }
                if (stored && runStart < 0) {
                    runStart = index;
                } else if (!stored && runStart >= 0) {
                    runs.add(new BlockRun(runStart, index - runStart));
                    runStart = -1;
                }
                size += n;
                index++;
            }
        }
        if (runStart >= 0) {
            runs.add(new BlockRun(runStart, index - runStart));
        }
        return new FileScan(size, HexFormat.of().formatHex(digest.digest()), List.copyOf(runs));
    }

    static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
