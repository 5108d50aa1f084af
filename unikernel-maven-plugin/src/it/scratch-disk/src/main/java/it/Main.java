// SPDX-License-Identifier: Apache-2.0
package it;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;

/** Writes a file that is larger than the machine's memory, and reads it back. */
public class Main {

    private static final int PIECE = 1 << 20;
    private static final int PIECES = 160;

    public static void main(String[] args) throws IOException {
        Path file = Path.of("/scratch/large");
        CRC32 written = new CRC32();
        CRC32 read = new CRC32();
        long before = Files.getFileStore(file.getParent()).getUsableSpace();
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (int i = 0; i < PIECES; i++) {
                fill(piece, i);
                written.update(piece.duplicate());
                while (piece.hasRemaining()) {
                    channel.write(piece);
                }
            }
            channel.force(true);
            channel.position(0);
            piece.clear();
            while (channel.read(piece) > 0) {
                piece.flip();
                read.update(piece);
                piece.clear();
            }
        }
        long taken = before - Files.getFileStore(file.getParent()).getUsableSpace();
        Files.delete(file);
        long left = Files.getFileStore(file.getParent()).getUsableSpace();
        System.out.println("same contents: " + (written.getValue() == read.getValue()));
        System.out.println("taken: " + (taken >> 20) + " MiB, free again: " + (left == before));
        System.out.println("type: " + Files.getFileStore(file.getParent()).type() + ", "
                + (before >> 20 >= 299 ? "as large as asked for" : before + " bytes"));
    }

    private static void fill(ByteBuffer piece, int seed) {
        piece.clear();
        for (int i = 0; i < PIECE; i += Long.BYTES) {
            piece.putLong((long) seed << 32 | i * 0x9e3779b9L);
        }
        piece.flip();
    }
}
