// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The first 1024 bytes of an image, which ext2 leaves free: the boot sector and the boot map, which says where the
 * files are that boot code reads (guest-kernel, docs/bios.md).
 *
 * @param sector the boot sector
 * @param files paths of the files in the order of the map; they must be boot files of the tree
 */
public record BootArea(byte[] sector, List<String> files) {

    private static final int SECTOR_SIZE = 512;
    private static final int SIZE = 2 * SECTOR_SIZE;
    /** {@code UMAP} (MAP_MAGIC in the kernel's bios/map.h). */
    private static final int MAGIC = 0x50414D55;

    private static final int FILES_OFFSET = SECTOR_SIZE + 4;
    private static final int EXTENTS_OFFSET = SECTOR_SIZE + 32;

    /** Consecutive blocks of the image. */
    record Extent(int block, int count) {}

    /** Where a file is in the image. */
    record Place(long size, List<Extent> extents) {

        /** A file whose blocks have these numbers, in its order. */
        static Place of(long size, int[] blocks) {
            List<Extent> extents = new ArrayList<>();
            int start = 0;
            for (int i = 1; i <= blocks.length; i++) {
                if (i == blocks.length || blocks[i] != blocks[i - 1] + 1) {
                    extents.add(new Extent(blocks[start], i - start));
                    start = i;
                }
            }
            return new Place(size, extents);
        }
    }

    /** The bytes, for files in these places. */
    byte[] encode(List<Place> places) throws ImageException {
        ByteBuffer out = ByteBuffer.allocate(SIZE)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(sector)
                .putInt(MAGIC);
        int fileAt = FILES_OFFSET;
        int extentAt = EXTENTS_OFFSET;
        for (Place place : places) {
            out.putInt(fileAt, place.extents.size()).putInt(fileAt + 4, Math.toIntExact(place.size));
            fileAt += 8;
            for (Extent extent : place.extents) {
                if (extentAt == SIZE) {
                    throw new ImageException("The files that are needed to boot are in too many pieces for the boot"
                            + " map. Use a smaller kernel.");
                }
                out.putInt(extentAt, extent.block).putInt(extentAt + 4, extent.count);
                extentAt += 8;
            }
        }
        return out.array();
    }
}
