// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Ext2WriterTest {

    private static final Instant TIME = Instant.parse("2026-01-01T00:00:00Z");
    private static final int BLOCK = 4096;

    @TempDir
    private Path scratch;

    @Test
    void emptyTreeIsCleanAndSmall() throws Exception {
        Path image = write(new ImageTree(), "empty");
        E2fs.assertClean(image);
        assertTrue(Files.size(image) < 16 * BLOCK, "size " + Files.size(image));
        assertTrue(E2fs.debugfs(image, "ls -p /").contains("/11/040700/0/0/lost+found/"));
    }

    @Test
    void usesOnlyTheFeaturesThatOldReadersKnow() throws Exception {
        String header = E2fs.debugfs(write(new ImageTree(), "features"), "stats -h");
        assertTrue(header.contains("Filesystem features:      filetype sparse_super large_file\n"), header);
        assertTrue(header.contains("Block size:               4096"), header);
        assertTrue(header.contains("Inode size:\t          128"), header);
        assertTrue(header.contains("Filesystem state:         clean"), header);
        assertTrue(header.contains("Filesystem volume name:   test"), header);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0,
                1,
                BLOCK - 1,
                BLOCK,
                BLOCK + 1,
                12 * BLOCK,
                12 * BLOCK + 1,
                (12 + 1024) * BLOCK,
                (12 + 1024) * BLOCK + 1,
                (12 + 3 * 1024) * BLOCK + 77
            })
    void contentComesBackAtEveryIndexBoundary(int size) throws Exception {
        byte[] bytes = random(size, size);
        Path image = write(new ImageTree().file("/dir/data", FileContent.of(bytes), 0640, "test"), "boundary");
        E2fs.assertClean(image);
        assertEquals(0, Files.size(image) % (32 << 10), "GRUB hangs at the end of a disk of another size");
        assertArrayEquals(bytes, E2fs.read(image, "/dir/data", scratch));
        assertTrue(E2fs.debugfs(image, "stat /dir/data").contains("Mode:  0640"));
    }

    @Test
    void permissionsTimesAndLinksAreStored() throws Exception {
        String longTarget = "/" + "t".repeat(200);
        ImageTree tree = new ImageTree()
                .file("/bin/run", FileContent.of("run"), 0755, "test")
                .symbolicLink("/short", "bin/run", "test")
                .symbolicLink("/limit", "x".repeat(59), "test")
                .symbolicLink("/over", "x".repeat(60), "test")
                .symbolicLink("/long", longTarget, "test")
                .directory("/empty/inner");
        Path image = write(tree, "links");
        E2fs.assertClean(image);
        String stat = E2fs.debugfs(image, "stat /bin/run");
        assertTrue(stat.contains("Mode:  0755"), stat);
        assertTrue(stat.contains("mtime: 0x6955b900"), stat);
        assertTrue(E2fs.debugfs(image, "stat /short").contains("Fast link dest: \"bin/run\""));
        assertTrue(E2fs.debugfs(image, "stat /limit").contains("Fast link dest: \"" + "x".repeat(59)));
        assertTrue(E2fs.debugfs(image, "stat /over").contains("Blockcount: 8"));
        assertEquals(longTarget, new String(E2fs.read(image, "/long", scratch)));
        assertTrue(E2fs.debugfs(image, "stat /empty").contains("Links: 3"));
    }

    @Test
    void longNamesAndUnicodeNamesAreStored() throws Exception {
        String longest = "n".repeat(255);
        String unicode = "überraschung-日本";
        ImageTree tree = new ImageTree()
                .file("/" + longest, FileContent.of("longest"), 0644, "test")
                .file("/" + unicode, FileContent.of("unicode"), 0644, "test");
        Path image = write(tree, "names");
        E2fs.assertClean(image);
        assertEquals("longest", new String(E2fs.read(image, "/" + longest, scratch)));
        assertEquals("unicode", new String(E2fs.read(image, "/" + unicode, scratch)));
        ImageException refused = assertThrows(
                ImageException.class, () -> tree.file("/" + longest + "n", FileContent.of(""), 0644, "test"));
        assertTrue(refused.getMessage().endsWith("Shorten it."), refused.getMessage());
    }

    @Test
    void manyThousandsOfFilesComeBack() throws Exception {
        int count = 40_000;
        ImageTree tree = new ImageTree();
        for (int i = 0; i < count; i++) {
            tree.file("/d" + i % 7 + "/some-file-name-" + i, FileContent.of("content of " + i), 0644, "test");
        }
        Path image = write(tree, "many");
        E2fs.assertClean(image);
        for (int directory = 0; directory < 7; directory++) {
            long listed = E2fs.debugfs(image, "ls -p /d" + directory)
                    .lines()
                    .filter(line -> line.contains("/some-file-name-"))
                    .count();
            int expected = count / 7 + (directory < count % 7 ? 1 : 0);
            assertEquals(expected, listed);
        }
        for (int i : new int[] {0, 1, 19_999, count - 1}) {
            byte[] content = E2fs.read(image, "/d" + i % 7 + "/some-file-name-" + i, scratch);
            assertEquals("content of " + i, new String(content));
        }
    }

    @Test
    void severalGroupsAreFilledInOnePieceEach() throws Exception {
        // 300 MB: three groups, of which group 1 carries a superblock copy and group 2 does not.
        Path large = scratch.resolve("large");
        byte[] megabyte = random(1 << 20, 5);
        try (FileChannel out = FileChannel.open(large, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 300; i++) {
                megabyte[0] = (byte) i;
                out.write(ByteBuffer.wrap(megabyte));
            }
        }
        Path image = write(new ImageTree().file("/large", FileContent.of(large), 0644, "test"), "groups");
        E2fs.assertClean(image);
        Path copy = scratch.resolve("copy");
        E2fs.debugfs(image, "dump /large " + copy);
        assertEquals(-1, Files.mismatch(large, copy));
        // The first superblock is destroyed; the copy must do.
        try (RandomAccessFile out = new RandomAccessFile(image.toFile(), "rw")) {
            out.write(new byte[2048]);
        }
        assertTrue(E2fs.debugfsFromCopy(image, 32_768, "ls -p /").contains("/large/314572800/"));
    }

    @Test
    void sparseFileOfOverTwoGigabytesTakesLittleRoom() throws Exception {
        Path sparse = scratch.resolve("sparse");
        long size = (4L << 30) + (25L << 20) + 12_345;
        long[] offsets = {0, 100_000, 7L << 20, (4L << 30) + (20L << 20), size - 6};
        try (RandomAccessFile out = new RandomAccessFile(sparse.toFile(), "rw")) {
            out.setLength(size);
            for (long offset : offsets) {
                out.seek(offset);
                out.write("island".getBytes());
            }
        }
        Path image = write(new ImageTree().file("/sparse", FileContent.of(sparse), 0644, "test"), "sparse-image");
        E2fs.assertClean(image);
        assertTrue(Files.size(image) < 1 << 20, "size " + Files.size(image));
        Path copy = scratch.resolve("copy");
        E2fs.debugfs(image, "dump /sparse " + copy);
        assertEquals(size, Files.size(copy));
        try (RandomAccessFile in = new RandomAccessFile(copy.toFile(), "r")) {
            for (long offset : offsets) {
                byte[] found = new byte[6];
                in.seek(offset);
                in.readFully(found);
                assertEquals("island", new String(found), "at " + offset);
            }
        }
        // Block 1 << 20 and what follows hang under the triple indirect block.
        assertTrue(E2fs.debugfs(image, "stat /sparse").contains("(TIND)"));
    }

    @Test
    void bootFilesHaveNoHoles() throws Exception {
        byte[] mostlyZero = new byte[10 * BLOCK];
        mostlyZero[9 * BLOCK] = 1;
        Path image = write(
                new ImageTree()
                        .bootFile("/boot/unikernel", FileContent.of(mostlyZero), "test")
                        .file("/other", FileContent.of(mostlyZero), 0644, "test"),
                "boot");
        E2fs.assertClean(image);
        assertTrue(E2fs.debugfs(image, "stat /boot/unikernel").contains("Blockcount: 80"));
        assertTrue(E2fs.debugfs(image, "stat /other").contains("Blockcount: 8"));
        assertArrayEquals(mostlyZero, E2fs.read(image, "/other", scratch));
    }

    @Test
    void bootAreaSaysWhereTheFilesAre() throws Exception {
        byte[] sector = random(512, 1);
        byte[] kernel = random(100_000, 2);
        byte[] menu = random(1, 3);
        ImageTree tree = new ImageTree()
                .bootFile("/menu", FileContent.of(menu), "test")
                .bootFile("/kernel", FileContent.of(kernel), "test")
                .bootFile("/loader", FileContent.of(sector), "test")
                .boot(new BootArea(sector, List.of("/loader", "/kernel", "/menu")));
        Path image = write(tree, "area");
        E2fs.assertClean(image);
        ByteBuffer area = ByteBuffer.wrap(start(image)).order(ByteOrder.LITTLE_ENDIAN);
        assertArrayEquals(sector, Arrays.copyOf(area.array(), 512));
        area.position(512);
        assertEquals("UMAP", "" + (char) area.get() + (char) area.get() + (char) area.get() + (char) area.get());
        List<Integer> extents = new ArrayList<>();
        for (int size : List.of(512, kernel.length, 1)) {
            extents.add(area.getInt());
            assertEquals(size, area.getInt());
        }
        assertEquals(List.of(1, 1, 1), extents);
        assertEquals(0, area.getInt());
        assertArrayEquals(sector, Arrays.copyOf(blocks(image, area, 1), 512));
        assertArrayEquals(kernel, Arrays.copyOf(blocks(image, area, 1), kernel.length));
        assertArrayEquals(menu, Arrays.copyOf(blocks(image, area, 1), 1));
        while (area.hasRemaining()) {
            assertEquals(0, area.get());
        }
    }

    @Test
    void imagesWithoutABootAreaBeginWithZeros() throws Exception {
        assertArrayEquals(new byte[1024], start(write(new ImageTree(), "none")));
    }

    @Test
    void extentsEndWhereBlocksDoNotFollowEachOther() {
        assertEquals(
                List.of(
                        new BootArea.Extent(7, 2),
                        new BootArea.Extent(10, 1),
                        new BootArea.Extent(9, 1),
                        new BootArea.Extent(11, 3)),
                BootArea.Place.of(1, new int[] {7, 8, 10, 9, 11, 12, 13}).extents());
        assertEquals(List.of(), BootArea.Place.of(0, new int[0]).extents());
    }

    @Test
    void bootFilesInTooManyPiecesAreRefused() throws Exception {
        int[] blocks = new int[61];
        Arrays.setAll(blocks, i -> 100 + 2 * i);
        BootArea area = new BootArea(new byte[512], List.of("/file"));
        assertRefused("in too many pieces", () -> area.encode(List.of(BootArea.Place.of(61 * BLOCK, blocks))));
        byte[] most = area.encode(List.of(BootArea.Place.of(60 * BLOCK, Arrays.copyOf(blocks, 60))));
        assertEquals(218, ByteBuffer.wrap(most).order(ByteOrder.LITTLE_ENDIAN).getInt(1024 - 8));
    }

    @Test
    void aFileCanNameTheImageThatItIsIn() throws Exception {
        Path image = write(new ImageTree().bootFile("/menu", FileContent.of(id -> "root " + id), "test"), "named");
        E2fs.assertClean(image);
        String root = new String(E2fs.read(image, "/menu", scratch), StandardCharsets.UTF_8);
        assertEquals("root " + uuid(image), root.replace("-", ""));
        Path other = write(new ImageTree().bootFile("/menu", FileContent.of(id -> "Root " + id), "test"), "other");
        assertNotEquals(uuid(image), uuid(other));
    }

    @Test
    void anotherBootSectorMakesAnotherImage() throws Exception {
        String[] ids = new String[2];
        for (int i = 0; i < ids.length; i++) {
            byte[] sector = new byte[512];
            sector[0] = (byte) i;
            ids[i] = uuid(write(new ImageTree().boot(new BootArea(sector, List.of())), "sector" + i));
        }
        assertNotEquals(ids[0], ids[1]);
    }

    @Test
    void sameTreeGivesSameBytesWhateverTheOrderOfCalls() throws Exception {
        ImageTree one =
                new ImageTree().file("/a", FileContent.of("1"), 0644, "x").file("/b", FileContent.of("2"), 0644, "y");
        ImageTree two =
                new ImageTree().file("/b", FileContent.of("2"), 0644, "y").file("/a", FileContent.of("1"), 0644, "x");
        ImageTree other =
                new ImageTree().file("/b", FileContent.of("3"), 0644, "y").file("/a", FileContent.of("1"), 0644, "x");
        Path first = write(one, "first");
        assertEquals(-1, Files.mismatch(first, write(two, "second")));
        assertEquals(-1, Files.mismatch(first, write(one, "again")));
        assertNotEquals(uuid(first), uuid(write(other, "other")));
    }

    @Test
    void summaryTellsEveryNodeWithSizeHashAndOrigin() throws Exception {
        ImageTree tree = new ImageTree()
                .file("/a/b", FileContent.of("abc"), 0755, "maven:g:a:1")
                .symbolicLink("/l", "a/b", "generated");
        ImageSummary summary = new Ext2Writer("test", TIME).write(tree, scratch.resolve("summary"));
        assertEquals(Files.size(scratch.resolve("summary")), summary.size());
        assertEquals(
                "[/a, /a/b, /l, /lost+found]",
                summary.entries().stream().map(ImageEntry::path).toList().toString());
        assertEquals(
                new ImageEntry(
                        "/a/b",
                        "file",
                        0755,
                        3,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                        null,
                        "maven:g:a:1"),
                summary.entries().get(1));
        assertEquals("a/b", summary.entries().get(2).target());
    }

    @Test
    void failureLeavesTheOldImageAndNothingElse() throws Exception {
        Path image = scratch.resolve("kept.img");
        Files.writeString(image, "old");
        AtomicInteger reads = new AtomicInteger();
        FileContent changing = () -> InputStream.nullInputStream().available() == 0 && reads.getAndIncrement() == 0
                ? FileContent.of("first").open()
                : FileContent.of("other, and longer".repeat(1000)).open();
        ImageTree tree = new ImageTree().file("/changing", changing, 0644, "the test");
        IOException refused = assertThrows(ImageException.class, () -> new Ext2Writer("test", TIME).write(tree, image));
        assertTrue(refused.getMessage().contains("/changing (the test) changed"), refused.getMessage());
        assertEquals("old", Files.readString(image));
        try (var files = Files.list(scratch)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void impossibleTreesAreRefused() throws Exception {
        ImageTree tree = new ImageTree().file("/a", FileContent.of(""), 0644, "first");
        assertRefused("Conflicting entries for /a", () -> tree.file("/a", FileContent.of(""), 0644, "second"));
        assertRefused("needs /a to be a directory", () -> tree.file("/a/b", FileContent.of(""), 0644, "second"));
        assertRefused("not absolute", () -> tree.directory("b"));
        assertRefused("component '..'", () -> tree.directory("/b/../c"));
        assertRefused("component ''", () -> tree.directory("/b//c"));
        assertRefused(
                "Conflicting entries for /lost+found",
                () -> tree.file("/lost+found", FileContent.of(""), 0644, "second"));
        assertRefused("target of 4096 bytes", () -> tree.symbolicLink("/l", "t".repeat(4096), "second"));
        assertRefused("cannot store the time", () -> new Ext2Writer("x", Instant.parse("2040-01-01T00:00:00Z")));
        assertTrue(tree.holdsFile("/a"));
        assertFalse(tree.holdsFile("/lost+found"));
        assertFalse(tree.holdsFile("/a/b"));
    }

    private static void assertRefused(String words, Executable call) {
        String message = assertThrows(ImageException.class, call).getMessage();
        assertTrue(message.contains(words), message);
    }

    private Path write(ImageTree tree, String name) throws IOException {
        Path image = scratch.resolve(name + ".img");
        new Ext2Writer("test", TIME).write(tree, image);
        return image;
    }

    /** The first 1024 bytes. */
    private static byte[] start(Path image) throws IOException {
        try (InputStream in = Files.newInputStream(image)) {
            return in.readNBytes(1024);
        }
    }

    /** What is in the next extents of a boot map. */
    private static byte[] blocks(Path image, ByteBuffer map, int extents) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
            for (int i = 0; i < extents; i++) {
                file.seek((long) map.getInt() * BLOCK);
                byte[] bytes = new byte[map.getInt() * BLOCK];
                file.readFully(bytes);
                content.write(bytes);
            }
        }
        return content.toByteArray();
    }

    private static String uuid(Path image) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image)).order(ByteOrder.BIG_ENDIAN);
        return String.format("%016x%016x", bytes.getLong(1024 + 104), bytes.getLong(1024 + 112));
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
