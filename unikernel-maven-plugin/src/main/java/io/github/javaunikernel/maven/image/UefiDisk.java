// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/**
 * Writes an {@link ImageTree} as a disk that UEFI boots: a partition with what the firmware starts, and one with the
 * file system that {@link Ext2Writer} would have written alone, byte for byte (guest-kernel, docs/uefi.md).
 */
public final class UefiDisk {

    /** Types of partitions (UEFI specification 2.10, table 5.7; Discoverable Partitions: Linux file system). */
    private static final UUID SYSTEM_TYPE = UUID.fromString("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");

    private static final UUID LINUX_TYPE = UUID.fromString("0FC63DAF-8483-4772-8E79-3D69D8477DE4");

    private static final int SECTOR_SIZE = PartitionTable.SECTOR_SIZE;
    private static final long MEBIBYTE = 1 << 20;
    /** The partitions begin at full MiB, so that blocks and pages are aligned. */
    private static final long SYSTEM_START = MEBIBYTE;

    private static final long ROOT_START = 36 * MEBIBYTE;
    private static final int ROOT_NUMBER = 1;

    private final Ext2Writer writer;
    private final Instant time;
    private final Function<UUID, Map<String, byte[]>> boot;

    /**
     * Makes a writer of disks.
     *
     * @param writer of the file system
     * @param time of the files that are booted from
     * @param boot these files, by paths such as {@code EFI/BOOT/BOOTX64.EFI}, for a file system with this id
     */
    public UefiDisk(Ext2Writer writer, Instant time, Function<UUID, Map<String, byte[]>> boot) {
        this.writer = writer;
        this.time = time;
        this.boot = boot;
    }

    /** Writes the disk to the file, replacing what is there. On failure nothing is left and what was there stays. */
    public ImageSummary write(ImageTree tree, Path image) throws IOException {
        ImageSummary[] whole = new ImageSummary[1];
        WholeFile.write(image, part -> {
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
                whole[0] = write(tree, out);
            }
        });
        return whole[0];
    }

    private ImageSummary write(ImageTree tree, FileChannel out) throws IOException {
        ImageSummary root = writer.write(tree, new DiskFile(out, ROOT_START));
        UUID id = root.uuid();
        long tableSize = (long) PartitionTable.SECTORS_AT_END * SECTOR_SIZE;
        long size = (ROOT_START + root.size() + tableSize + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
        int systemSectors = (int) ((ROOT_START - SYSTEM_START) / SECTOR_SIZE);
        FatVolume system = new FatVolume(
                systemSectors,
                (int) (SYSTEM_START / SECTOR_SIZE),
                (int) (id.getMostSignificantBits() >>> 32),
                "UNIKERNEL",
                time);
        boot.apply(id).forEach(system::file);
        long used = system.write(new DiskFile(out, SYSTEM_START));
        new PartitionTable(size / SECTOR_SIZE, derived(id, "disk"))
                .add(SYSTEM_TYPE, derived(id, "system"), SYSTEM_START / SECTOR_SIZE, systemSectors, "EFI system")
                .add(LINUX_TYPE, derived(id, "root"), ROOT_START / SECTOR_SIZE, root.size() / SECTOR_SIZE, "unikernel")
                .write(new DiskFile(out, 0));
        return new ImageSummary(size, PartitionTable.BEGINNING + used + root.stored() + tableSize, id, root.entries());
    }

    /** An id of its own for each part of a disk, the same for the same file system. */
    private static UUID derived(UUID id, String part) {
        MessageDigest digest = FileScan.newDigest();
        digest.update(ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array());
        digest.update(part.getBytes(StandardCharsets.US_ASCII));
        return Ext2Layout.freeFormId(digest.digest());
    }

    /** Where the file system begins in an image of either form, in bytes. */
    static long rootStart(FileChannel image) throws IOException {
        ByteBuffer beginning = ByteBuffer.allocate(PartitionTable.BEGINNING);
        while (beginning.hasRemaining() && image.read(beginning, beginning.position()) > 0) {
            continue;
        }
        return PartitionTable.startOf(ROOT_NUMBER, beginning.array());
    }
}
