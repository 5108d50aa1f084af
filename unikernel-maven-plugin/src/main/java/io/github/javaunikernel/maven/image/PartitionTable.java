// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.zip.CRC32;

/**
 * The GUID partition table of a disk, at its beginning and again at its end, and the MBR before it, which has the disk
 * in use for systems that do not know such tables (UEFI specification 2.10, 5.2.3 and 5.3). Positions are sectors.
 */
final class PartitionTable {

    static final int SECTOR_SIZE = 512;

    private static final int ENTRIES = 128;
    private static final int ENTRY_SIZE = 128;
    private static final int ENTRY_SECTORS = ENTRIES * ENTRY_SIZE / SECTOR_SIZE;
    private static final int HEADER_SIZE = 92;
    private static final int FIRST_HEADER = 1;
    private static final int FIRST_ENTRIES = FIRST_HEADER + 1;
    /** What the table takes at the end of the disk. */
    static final int SECTORS_AT_END = ENTRY_SECTORS + 1;

    private static final byte[] SIGNATURE = "EFI PART".getBytes(StandardCharsets.US_ASCII);
    private static final int REVISION = 0x10000;
    private static final int FIRST_LBA_OFFSET = 32;
    private static final int NAME_OFFSET = 56;

    private static final int MBR_PARTITION = 446;
    private static final int MBR_SIGNATURE = 510;
    private static final byte PROTECTIVE = (byte) 0xEE;
    private static final long MBR_SECTORS_MAX = 0xFFFFFFFFL;

    private final long sectors;
    private final UUID disk;
    private final ByteBuffer entries = littleEndian(ENTRIES * ENTRY_SIZE);
    private int count;

    /** A table without partitions, for a disk of this size. */
    PartitionTable(long sectors, UUID disk) {
        this.sectors = sectors;
        this.disk = disk;
    }

    /** Adds a partition. Names have at most 36 characters. */
    PartitionTable add(UUID type, UUID id, long first, long length, String name) {
        ByteBuffer entry = entries.slice(count++ * ENTRY_SIZE, ENTRY_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        putGuid(entry, type);
        putGuid(entry, id);
        entry.putLong(first).putLong(first + length - 1);
        entry.put(NAME_OFFSET, name.getBytes(StandardCharsets.UTF_16LE));
        return this;
    }

    /** Writes all of it to the disk, which then has its size. */
    void write(DiskFile out) throws IOException {
        long lastHeader = sectors - 1;
        long lastEntries = lastHeader - ENTRY_SECTORS;
        out.write(0, protectiveMbr());
        out.write(FIRST_HEADER * SECTOR_SIZE, header(FIRST_HEADER, lastHeader, FIRST_ENTRIES));
        out.write(FIRST_ENTRIES * SECTOR_SIZE, entries.array());
        out.write(lastEntries * SECTOR_SIZE, entries.array());
        out.write(lastHeader * SECTOR_SIZE, header(lastHeader, FIRST_HEADER, lastEntries));
    }

    private byte[] protectiveMbr() {
        ByteBuffer mbr = littleEndian(SECTOR_SIZE).position(MBR_PARTITION);
        // Not active; from sector 1 on; type; to beyond what cylinders, heads and sectors can say.
        mbr.put(new byte[] {0, 0, 2, 0, PROTECTIVE, -1, -1, -1});
        mbr.putInt(1).putInt((int) Math.min(sectors - 1, MBR_SECTORS_MAX));
        return mbr.putShort(MBR_SIGNATURE, (short) 0xAA55).array();
    }

    private byte[] header(long own, long other, long entriesAt) {
        ByteBuffer header = littleEndian(SECTOR_SIZE);
        header.put(SIGNATURE).putInt(REVISION).putInt(HEADER_SIZE).putInt(0).putInt(0);
        header.putLong(own).putLong(other);
        header.putLong(FIRST_ENTRIES + ENTRY_SECTORS).putLong(sectors - SECTORS_AT_END - 1);
        putGuid(header, disk);
        header.putLong(entriesAt).putInt(ENTRIES).putInt(ENTRY_SIZE).putInt(crc(entries.array(), entries.capacity()));
        return header.putInt(16, crc(header.array(), HEADER_SIZE)).array();
    }

    private static int crc(byte[] bytes, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /** The first three fields are little-endian numbers, the rest are bytes (UEFI specification, appendix A). */
    private static void putGuid(ByteBuffer out, UUID id) {
        long high = id.getMostSignificantBits();
        out.putInt((int) (high >>> 32)).putShort((short) (high >>> 16)).putShort((short) high);
        out.putLong(Long.reverseBytes(id.getLeastSignificantBits()));
    }

    private static ByteBuffer littleEndian(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** How many bytes {@link #startOf} wants from the beginning of a disk. */
    static final int BEGINNING = (FIRST_ENTRIES + ENTRY_SECTORS) * SECTOR_SIZE;

    /** In bytes, where the partition with this number, from 0, begins on a disk that begins so; 0 without a table. */
    static long startOf(int number, byte[] beginning) {
        ByteBuffer bytes = ByteBuffer.wrap(beginning).order(ByteOrder.LITTLE_ENDIAN);
        if (!bytes.slice(SECTOR_SIZE, SIGNATURE.length).equals(ByteBuffer.wrap(SIGNATURE))) {
            return 0;
        }
        return bytes.getLong(FIRST_ENTRIES * SECTOR_SIZE + number * ENTRY_SIZE + FIRST_LBA_OFFSET) * SECTOR_SIZE;
    }
}
