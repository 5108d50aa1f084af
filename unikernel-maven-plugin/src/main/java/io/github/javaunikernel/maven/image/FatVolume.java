// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * A FAT32 file system with clusters of one sector and short names (Microsoft Extensible Firmware Initiative FAT32 File
 * System Specification 1.03). Each file and directory is in one piece. Not thread-safe.
 */
final class FatVolume {

    private static final int SECTOR_SIZE = PartitionTable.SECTOR_SIZE;
    private static final int RESERVED_SECTORS = 32;
    private static final int TABLES = 2;
    private static final int TABLE_ENTRY_SIZE = Integer.BYTES;
    private static final int INFORMATION_SECTOR = 1;
    private static final int BACKUP_SECTOR = 6;
    private static final int ROOT_CLUSTER = 2;
    /** With fewer clusters a file system counts as FAT16. */
    private static final int CLUSTERS_MIN = 65525;

    private static final byte FIXED_DISK = (byte) 0xF8;
    private static final int END_OF_CHAIN = 0x0FFFFFFF;
    private static final String NAME = "[A-Z0-9_]{1,8}(\\.[A-Z0-9_]{1,3})?";
    private static final int NAME_LENGTH = 8;
    private static final int SHORT_NAME_LENGTH = 11;
    private static final int ENTRY_SIZE = 32;
    private static final byte LABEL = 0x08;
    private static final byte DIRECTORY = 0x10;
    private static final byte ARCHIVE = 0x20;
    private static final int FIRST_YEAR = 1980;
    private static final int LAST_YEAR = 2107;

    /** What a directory has, and where on the disk it is. */
    private static final class Directory {
        private final Map<String, Directory> directories = new TreeMap<>();
        private final Map<String, byte[]> files = new TreeMap<>();
        private int cluster;
    }

    private final int sectors;
    private final int hidden;
    private final int id;
    private final String label;
    private final short date;
    private final short time;
    private final int tableSectors;
    private final ByteBuffer table;
    private final Directory root = new Directory();
    private int nextCluster = ROOT_CLUSTER;

    /**
     * An empty file system.
     *
     * @param sectors of the partition
     * @param hidden sectors before the partition
     * @param id number of the volume
     * @param label at most 11 characters
     * @param instant the time of everything in it
     */
    FatVolume(int sectors, int hidden, int id, String label, Instant instant) {
        this.sectors = sectors;
        this.hidden = hidden;
        this.id = id;
        this.label = label;
        LocalDateTime moment = representable(LocalDateTime.ofInstant(instant, ZoneOffset.UTC));
        date = (short) (moment.getYear() - FIRST_YEAR << 9 | moment.getMonthValue() << 5 | moment.getDayOfMonth());
        time = (short) (moment.getHour() << 11 | moment.getMinute() << 5 | moment.getSecond() / 2);
        tableSectors = tableSectors(sectors);
        table = littleEndian(tableSectors * SECTOR_SIZE);
        if (clusters() < CLUSTERS_MIN) {
            throw new IllegalArgumentException(sectors + " sectors are too few for FAT32");
        }
    }

    private static LocalDateTime representable(LocalDateTime moment) {
        if (moment.getYear() < FIRST_YEAR) {
            return LocalDateTime.of(FIRST_YEAR, 1, 1, 0, 0);
        }
        return moment.getYear() > LAST_YEAR ? LocalDateTime.of(LAST_YEAR, 12, 31, 23, 59, 58) : moment;
    }

    /** The fewest that have an entry for each cluster that is left, and for the two numbers that stand for none. */
    private static int tableSectors(int sectors) {
        int perSector = SECTOR_SIZE / TABLE_ENTRY_SIZE;
        int size = 1;
        while (size * perSector < sectors - RESERVED_SECTORS - TABLES * size + ROOT_CLUSTER) {
            size++;
        }
        return size;
    }

    private int clusters() {
        return sectors - RESERVED_SECTORS - TABLES * tableSectors;
    }

    /** Adds a file; the names in its path, with slashes between them, are in capitals, of eight and three letters. */
    FatVolume file(String path, byte[] content) {
        Directory here = root;
        String[] names = path.split("/");
        for (int i = 0; i < names.length; i++) {
            if (!names[i].matches(NAME)) {
                throw new IllegalArgumentException(path + " has a name that FAT cannot store");
            }
            if (i < names.length - 1) {
                here = here.directories.computeIfAbsent(names[i], name -> new Directory());
            }
        }
        here.files.put(names[names.length - 1], content);
        return this;
    }

    /**
     * Writes the file system.
     *
     * @return bytes of it that are in use
     * @throws ImageException when the files do not fit
     */
    long write(DiskFile out) throws IOException {
        table.putInt(0, END_OF_CHAIN & ~0xFF | FIXED_DISK & 0xFF).putInt(TABLE_ENTRY_SIZE, END_OF_CHAIN);
        placeDirectories(root, 1);
        writeDirectory(out, root, null);
        for (int sector : new int[] {0, BACKUP_SECTOR}) {
            out.write((long) sector * SECTOR_SIZE, bootSector());
            out.write((long) (sector + INFORMATION_SECTOR) * SECTOR_SIZE, informationSector());
        }
        byte[] used = Arrays.copyOf(table.array(), nextCluster * TABLE_ENTRY_SIZE);
        for (int copy = 0; copy < TABLES; copy++) {
            out.write((long) (RESERVED_SECTORS + copy * tableSectors) * SECTOR_SIZE, used);
        }
        out.extendTo((long) sectors * SECTOR_SIZE);
        return position(nextCluster);
    }

    /** Before any file, so that they follow each other. */
    private void placeDirectories(Directory directory, int others) throws ImageException {
        int entries = others + directory.directories.size() + directory.files.size();
        directory.cluster = take(entries * ENTRY_SIZE);
        for (Directory child : directory.directories.values()) {
            placeDirectories(child, 2);
        }
    }

    /** Takes clusters for so many bytes, at least one byte; returns the first. */
    private int take(int bytes) throws ImageException {
        int count = (bytes + SECTOR_SIZE - 1) / SECTOR_SIZE;
        int first = nextCluster;
        if (count > clusters() + ROOT_CLUSTER - first) {
            throw new ImageException("The kernel does not fit in the partition that UEFI boots from, which has "
                    + ((long) sectors * SECTOR_SIZE >> 20) + " MiB. Use a smaller kernel.");
        }
        nextCluster += count;
        for (int cluster = first; cluster < nextCluster; cluster++) {
            table.putInt(cluster * TABLE_ENTRY_SIZE, cluster == nextCluster - 1 ? END_OF_CHAIN : cluster + 1);
        }
        return first;
    }

    private long position(int cluster) {
        return (long) (RESERVED_SECTORS + TABLES * tableSectors + cluster - ROOT_CLUSTER) * SECTOR_SIZE;
    }

    private void writeDirectory(DiskFile out, Directory directory, Directory parent) throws IOException {
        int size = 2 + directory.directories.size() + directory.files.size();
        ByteBuffer entries = littleEndian(size * ENTRY_SIZE);
        if (parent == null) {
            putEntry(entries, label, LABEL, 0, 0);
        } else {
            putEntry(entries, ".", DIRECTORY, directory.cluster, 0);
            putEntry(entries, "..", DIRECTORY, parent == root ? 0 : parent.cluster, 0);
        }
        for (Map.Entry<String, Directory> child : directory.directories.entrySet()) {
            putEntry(entries, shortName(child.getKey()), DIRECTORY, child.getValue().cluster, 0);
            writeDirectory(out, child.getValue(), directory);
        }
        for (Map.Entry<String, byte[]> file : directory.files.entrySet()) {
            byte[] content = file.getValue();
            int cluster = 0;
            if (content.length > 0) {
                cluster = take(content.length);
                out.write(position(cluster), content);
            }
            putEntry(entries, shortName(file.getKey()), ARCHIVE, cluster, content.length);
        }
        out.write(position(directory.cluster), Arrays.copyOf(entries.array(), entries.position()));
    }

    /** Eight characters and three, without the dot. */
    private static String shortName(String name) {
        int dot = name.indexOf('.');
        return dot < 0
                ? name
                : String.format("%-" + NAME_LENGTH + "s%s", name.substring(0, dot), name.substring(dot + 1));
    }

    private void putEntry(ByteBuffer out, String name, byte attributes, int cluster, int size) {
        out.put(padded(name)).put(attributes).putShort((short) 0);
        out.putShort(time).putShort(date).putShort(date);
        out.putShort((short) (cluster >>> 16)).putShort(time).putShort(date);
        out.putShort((short) cluster).putInt(size);
    }

    private static byte[] padded(String name) {
        return String.format("%-" + SHORT_NAME_LENGTH + "s", name).getBytes(StandardCharsets.US_ASCII);
    }

    private byte[] bootSector() {
        ByteBuffer boot = littleEndian(SECTOR_SIZE);
        // A jump to where boot code would be, and who made it.
        boot.put(new byte[] {(byte) 0xEB, 0x58, (byte) 0x90}).put("UNIKERNL".getBytes(StandardCharsets.US_ASCII));
        boot.putShort((short) SECTOR_SIZE)
                .put((byte) 1)
                .putShort((short) RESERVED_SECTORS)
                .put((byte) TABLES);
        boot.putShort((short) 0).putShort((short) 0).put(FIXED_DISK).putShort((short) 0);
        // Sectors in a track and heads, which nothing uses.
        boot.putShort((short) 63).putShort((short) 255).putInt(hidden).putInt(sectors);
        boot.putInt(tableSectors).putInt(0).putInt(ROOT_CLUSTER);
        boot.putShort((short) INFORMATION_SECTOR).putShort((short) BACKUP_SECTOR);
        boot.position(64).put((byte) 0x80).put((byte) 0).put((byte) 0x29).putInt(id);
        boot.put(padded(label)).put("FAT32   ".getBytes(StandardCharsets.US_ASCII));
        return boot.putShort(510, (short) 0xAA55).array();
    }

    private byte[] informationSector() {
        return littleEndian(SECTOR_SIZE)
                .putInt(0, 0x41615252)
                .putInt(484, 0x61417272)
                .putInt(488, clusters() + ROOT_CLUSTER - nextCluster)
                .putInt(492, nextCluster)
                .putInt(508, 0xAA550000)
                .array();
    }

    private static ByteBuffer littleEndian(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
