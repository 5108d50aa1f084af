// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The disk for UEFI, as others' tools see it: sgdisk, fsck.fat, mtools and e2fsck. */
class UefiDiskTest {

    private static final Instant TIME = Instant.parse("2026-03-04T05:06:08Z");
    private static final int MEBIBYTE = 1 << 20;
    private static final int SYSTEM_START = MEBIBYTE;
    private static final int SYSTEM_SIZE = 35 * MEBIBYTE;
    private static final int ROOT_START = 36 * MEBIBYTE;
    private static final byte[] LOADER = bytes(24576);
    private static final byte[] KERNEL = bytes(700001);

    @TempDir
    private Path scratch;

    @Test
    void thePartitionTableIsSound() throws Exception {
        Path disk = scratch.resolve("disk");
        ImageSummary summary = write(disk, TIME);
        assertEquals(Files.size(disk), summary.size());
        assertEquals(0, summary.size() % MEBIBYTE);
        String verified = tool("sgdisk", "-v", disk.toString());
        assertTrue(verified.contains("No problems found."), verified);
        String first = tool("sgdisk", "-i", "1", disk.toString());
        assertTrue(first.contains("C12A7328-F81F-11D2-BA4B-00A0C93EC93B (EFI system partition)"), first);
        assertTrue(first.contains("First sector: 2048 "), first);
        assertTrue(first.contains("Last sector: 73727 "), first);
        assertTrue(first.contains("Partition name: 'EFI system'"), first);
        String second = tool("sgdisk", "-i", "2", disk.toString());
        assertTrue(second.contains("0FC63DAF-8483-4772-8E79-3D69D8477DE4 (Linux filesystem)"), second);
        assertTrue(second.contains("First sector: 73728 "), second);
        assertTrue(second.contains("Partition name: 'unikernel'"), second);
    }

    @Test
    void theSecondTableReplacesALostFirst() throws Exception {
        Path disk = scratch.resolve("disk");
        write(disk, TIME);
        String before = tool("sgdisk", "-p", disk.toString());
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.seek(512);
            file.write(new byte[512]);
        }
        String after = tool("sgdisk", "-p", disk.toString());
        assertTrue(after.endsWith(before.substring(before.indexOf("Disk identifier"))), after);
    }

    @Test
    void theProtectiveMbrCoversTheDisk() throws Exception {
        Path disk = scratch.resolve("disk");
        write(disk, TIME);
        String listed = tool("fdisk", "-l", "-t", "dos", disk.toString());
        assertTrue(listed.matches("(?s).* 1 +" + (Files.size(disk) / 512 - 1) + " .* ee GPT\\s*"), listed);
    }

    @Test
    void theSystemPartitionIsFat32WithWhatIsBooted() throws Exception {
        Path disk = scratch.resolve("disk");
        UUID id = write(disk, TIME).uuid();
        Path system = cut(disk, SYSTEM_START, SYSTEM_SIZE);
        String checked = tool("fsck.fat", "-n", "-v", system.toString());
        assertTrue(checked.contains("2 FATs, 32 bit entries"), checked);
        assertTrue(checked.contains("8 files, 1421/70544 clusters"), checked);
        assertArrayEquals(LOADER, read(system, "EFI/BOOT/BOOTX64.EFI"));
        assertArrayEquals(KERNEL, read(system, "EFI/UNIKERN/KERNEL.ELF"));
        assertEquals("kernel root=" + id, new String(read(system, "EFI/UNIKERN/MENU.LST"), StandardCharsets.UTF_8));
        assertArrayEquals(new byte[0], read(system, "EFI/EMPTY"));
        String listed = tool("mdir", "-i", system.toString(), "::/EFI/BOOT");
        assertTrue(listed.contains("Volume in drive : is UNIKERNEL"), listed);
        assertTrue(listed.matches("(?s).*BOOTX64 +EFI +24576 2026-03-04 +5:06 .*"), listed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1970-01-01T00:00:00Z", "2038-01-19T03:14:07Z"})
    void timesBeyondFatsAreTheNearest(String time) throws Exception {
        Path disk = scratch.resolve("disk");
        write(disk, Instant.parse(time));
        String listed = tool("mdir", "-i", cut(disk, SYSTEM_START, SYSTEM_SIZE).toString(), "::/EFI/BOOT");
        String expected = time.startsWith("1970") ? "1980-01-01 +0:00" : "2038-01-19 +3:14";
        assertTrue(listed.matches("(?s).*BOOTX64 +EFI +24576 " + expected + " .*"), listed);
    }

    @Test
    void theRootPartitionIsTheOtherFormsImage() throws Exception {
        Path disk = scratch.resolve("disk");
        Path alone = scratch.resolve("alone");
        ImageSummary partitioned = write(disk, TIME);
        ImageSummary unpartitioned = new Ext2Writer("test", TIME).write(tree(), alone);
        Path root = cut(disk, ROOT_START, (int) unpartitioned.size());
        assertEquals(-1, Files.mismatch(alone, root));
        E2fs.assertClean(root);
        assertEquals(unpartitioned.uuid(), partitioned.uuid());
        assertEquals(unpartitioned.entries(), partitioned.entries());
        assertTrue(partitioned.stored() > unpartitioned.stored() + KERNEL.length + LOADER.length);
        assertTrue(partitioned.stored() < partitioned.size());
    }

    @Test
    void theSameInputMakesTheSameBytes() throws Exception {
        Path one = scratch.resolve("one");
        Path other = scratch.resolve("other");
        write(one, TIME);
        write(other, TIME);
        assertEquals(-1, Files.mismatch(one, other));
        write(other, TIME.plusSeconds(2));
        assertNotEquals(identifier(one), identifier(other));
    }

    @Test
    void theReaderFindsTheFileSystem() throws Exception {
        Path disk = scratch.resolve("disk");
        write(disk, TIME);
        try (Ext2Reader reader = new Ext2Reader(disk)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            reader.copy("/etc/text", out);
            assertEquals("text", out.toString(StandardCharsets.UTF_8));
        }
        for (long sector : List.of(-1L, Long.MAX_VALUE, 1L << 54, 100_000_000L)) {
            try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
                file.seek(1024 + 128 + 32);
                file.writeLong(Long.reverseBytes(sector));
            }
            assertThrows(ImageException.class, () -> new Ext2Reader(disk).close());
        }
    }

    @Test
    void aKernelThatDoesNotFitIsRefusedAndLeavesNothing() throws Exception {
        Path disk = scratch.resolve("disk");
        UefiDisk writer =
                new UefiDisk(new Ext2Writer("test", TIME), TIME, id -> Map.of("EFI/KERNEL.ELF", new byte[SYSTEM_SIZE]));
        ImageException e = assertThrows(ImageException.class, () -> writer.write(tree(), disk));
        assertTrue(e.getMessage().contains("which has 35 MiB"), e.getMessage());
        assertFalse(Files.exists(disk));
    }

    private static ImageSummary write(Path disk, Instant time) throws Exception {
        return new UefiDisk(
                        new Ext2Writer("test", time),
                        time,
                        id -> Map.of(
                                "EFI/BOOT/BOOTX64.EFI",
                                LOADER,
                                "EFI/UNIKERN/KERNEL.ELF",
                                KERNEL,
                                "EFI/UNIKERN/MENU.LST",
                                ("kernel root=" + id).getBytes(StandardCharsets.UTF_8),
                                "EFI/EMPTY",
                                new byte[0]))
                .write(tree(), disk);
    }

    private static ImageTree tree() throws Exception {
        return new ImageTree()
                .file("/etc/text", FileContent.of("text"), 0644, "test")
                .file("/data", FileContent.of(bytes(3 * MEBIBYTE)), 0644, "test");
    }

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    private String identifier(Path disk) throws Exception {
        return tool("sgdisk", "-p", disk.toString())
                .lines()
                .filter(line -> line.startsWith("Disk identifier"))
                .findFirst()
                .orElseThrow();
    }

    private Path cut(Path disk, int start, int size) throws Exception {
        Path part = scratch.resolve("part");
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "r")) {
            byte[] bytes = new byte[size];
            file.seek(start);
            file.readFully(bytes);
            Files.write(part, bytes);
        }
        return part;
    }

    private byte[] read(Path system, String path) throws Exception {
        Path copy = scratch.resolve("copy");
        tool("mcopy", "-n", "-o", "-i", system.toString(), "::/" + path, copy.toString());
        return Files.readAllBytes(copy);
    }

    /** What a tool that ends with success prints. */
    private static String tool(String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PATH", System.getenv("PATH") + ":/usr/sbin:/sbin");
        builder.environment().put("LC_ALL", "C");
        command[0] = Arrays.stream(builder.environment().get("PATH").split(":"))
                .map(directory -> Path.of(directory, builder.command().get(0)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(command[0] + " is not installed. Run 'lab/setup'."))
                .toString();
        Process process = builder.command(command).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }
}
