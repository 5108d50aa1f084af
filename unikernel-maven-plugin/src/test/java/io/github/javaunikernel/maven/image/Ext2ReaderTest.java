// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Ext2ReaderTest {

    private static final int BLOCK = 4096;

    @TempDir
    private Path scratch;

    @Test
    void everythingThatWasWrittenIsRead() throws Exception {
        ImageTree tree = new ImageTree()
                .file("/etc/text", FileContent.of("text"), 0640, "test")
                .file("/empty", FileContent.of(""), 0755, "test")
                .symbolicLink("/short", "etc/text", "test")
                .symbolicLink("/long", "/" + "t".repeat(200), "test")
                .directory("/a/b");
        for (int i = 0; i < 300; i++) {
            tree.file("/many/file-with-a-long-name-" + i, FileContent.of("" + i), 0644, "test");
        }
        List<ImageEntry> written = writer().write(tree, image()).entries();
        List<ImageEntry> expected = written.stream()
                .map(entry -> new ImageEntry(
                        entry.path(),
                        entry.type(),
                        entry.permissions(),
                        entry.size(),
                        entry.sha256(),
                        entry.target(),
                        null))
                .toList();
        try (Ext2Reader reader = new Ext2Reader(image())) {
            assertEquals(expected, reader.entries());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, BLOCK, 12 * BLOCK + 1, (12 + 1024) * BLOCK, (12 + 3 * 1024) * BLOCK + 77})
    void contentComesBackAtEveryIndexBoundary(int size) throws Exception {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        writer().write(new ImageTree().file("/dir/data", FileContent.of(bytes), 0644, "test"), image());
        assertArrayEquals(bytes, read("/dir/data"));
    }

    @Test
    void holesAndTheTripleIndirectBlockAreRead() throws Exception {
        Path sparse = scratch.resolve("sparse");
        long size = (4L << 30) + (5L << 20);
        try (RandomAccessFile out = new RandomAccessFile(sparse.toFile(), "rw")) {
            out.setLength(size);
            out.seek(size - 6);
            out.write("island".getBytes());
        }
        writer().write(new ImageTree().file("/sparse", FileContent.of(sparse), 0644, "test"), image());
        long[] found = new long[2];
        try (Ext2Reader reader = new Ext2Reader(image())) {
            reader.copy("/sparse", new OutputStream() {
                @Override
                public void write(int b) {
                    throw new AssertionError("blocks are written in one piece");
                }

                @Override
                public void write(byte[] bytes, int offset, int length) {
                    found[0] += length;
                    for (int i = offset; i < offset + length; i++) {
                        found[1] += bytes[i] != 0 ? 1 : 0;
                    }
                }
            });
        }
        assertEquals(size, found[0]);
        assertEquals(6, found[1]);
    }

    @Test
    void mistakesAreExplained() throws Exception {
        writer().write(new ImageTree().file("/a/file", FileContent.of("x"), 0644, "test"), image());
        for (String path : List.of("/a/other", "/a/file/b", "/a")) {
            assertRefused("cannot be read as an image: it has no file " + path + ".", path);
            assertFalse(holdsFile(path));
        }
        assertTrue(holdsFile("/a/file"));
        Path other = Files.writeString(scratch.resolve("other"), "x".repeat(5000));
        assertOpeningRefused("it has no file system that this plugin makes", other);
        assertOpeningRefused("it ends too early", Files.writeString(scratch.resolve("short"), "x"));
        assertOpeningRefused("There is no image ", scratch.resolve("none"));
    }

    /** Whatever is in a directory (blocks 6 to 10 here): the reader ends, with an explanation or something to show. */
    @Test
    void damagedDirectoriesAreNoTrap() throws Exception {
        ImageTree tree = new ImageTree();
        for (int i = 0; i < 20; i++) {
            tree.file("/d" + i % 3 + "/f" + i, FileContent.of("content " + i), 0644, "test");
        }
        writer().write(tree, image());
        byte[] good = Files.readAllBytes(image());
        Random random = new Random(1);
        int refused = 0;
        for (int round = 0; round < 300; round++) {
            byte[] bad = good.clone();
            for (int i = 0; i < 200; i++) {
                bad[6 * BLOCK + random.nextInt(5 * BLOCK)] = (byte) random.nextInt();
            }
            Files.write(image(), bad);
            refused += refuses() ? 1 : 0;
        }
        assertTrue(refused > 10, refused + " images were refused");
    }

    private boolean refuses() {
        try (Ext2Reader reader = new Ext2Reader(image())) {
            reader.entries();
            return false;
        } catch (ImageException e) {
            return true;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void assertRefused(String words, String path) {
        String message = assertThrows(ImageException.class, () -> read(path)).getMessage();
        assertTrue(message.contains(words), message);
    }

    private static void assertOpeningRefused(String words, Path file) {
        String message = assertThrows(ImageException.class, () -> new Ext2Reader(file).close())
                .getMessage();
        assertTrue(message.contains(words), message);
    }

    private boolean holdsFile(String path) throws IOException {
        try (Ext2Reader reader = new Ext2Reader(image())) {
            return reader.holdsFile(path);
        }
    }

    private byte[] read(String path) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Ext2Reader reader = new Ext2Reader(image())) {
            reader.copy(path, out);
        }
        return out.toByteArray();
    }

    private Path image() {
        return scratch.resolve("test.img");
    }

    private static Ext2Writer writer() {
        return assertDoesNotThrow(() -> new Ext2Writer("test", Instant.EPOCH));
    }
}
