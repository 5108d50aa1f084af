/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the files of the boot map with the BIOS's INT 13h extensions (Enhanced Disk Drive specification, 3.0).
 *
 * A file is a row of extents. Sectors are read to BUFFER_ADDRESS, which the BIOS can reach, never more at once than
 * every BIOS can do, and copied from there.
 */
#include "bios.h"
#include "lib/string.h"

#define DISK 0x13
#define DISK_READ 0x4200
#define DISK_PARAMETERS 0x4800
#define READ_SECTORS (BUFFER_SIZE / SECTOR_SIZE)

static const char *const names[MAP_FILES] = { "the boot loader", "the kernel", "menu.lst" };
static const struct boot_map *const map = (const struct boot_map *)MAP_ADDRESS;
static uint8_t disk;

/* Where a sector of a file is on the disk, and how many follow it there. */
struct place {
    uint64_t sector; /* 0: in a hole of the file */
    uint32_t count;
};

void disk_init(uint8_t drive)
{
    disk = drive;
    uint32_t extents = 0;
    for (unsigned i = 0; i < MAP_FILES; i++)
        extents += min_of(map->files[i].extents, (uint32_t)MAP_EXTENTS_MAX + 1);
    if (extents > MAP_EXTENTS_MAX)
        fail("the boot map is damaged; build the image again");
}

static enum map_file map_file(enum boot_file file) { return file == FILE_KERNEL ? MAP_KERNEL : MAP_MENU; }

uint32_t file_size(enum boot_file file) { return map->files[map_file(file)].size; }

static struct place locate(enum map_file file, uint32_t sector)
{
    const struct map_extent *extent = map->extents;
    for (unsigned before = 0; before < file; before++)
        extent += map->files[before].extents;
    uint64_t skip = sector;
    for (uint32_t i = 0; i < map->files[file].extents; i++, extent++) {
        uint64_t count = (uint64_t)extent->count * BLOCK_SECTORS;
        if (skip < count)
            return (struct place){ extent->block ? (uint64_t)extent->block * BLOCK_SECTORS + skip : 0,
                                   (uint32_t)min_of(count - skip, (uint64_t)READ_SECTORS) };
        skip -= count;
    }
    fail("%s has more bytes than the boot map has blocks for it; build the image again", names[file]);
}

/* What the disk's parameters say of its size; 0 if nothing. */
static uint64_t disk_sectors(void)
{
    struct packed {
        uint16_t size, flags;
        uint32_t cylinders, heads, sectors_per_track;
        uint64_t sectors;
        uint16_t sector_size;
    } parameters = { .size = sizeof(parameters) };
    struct bios_registers registers = { .eax = DISK_PARAMETERS, .edx = disk, .esi = (uintptr_t)&parameters };
    bios_call(DISK, &registers);
    return registers.flags & FLAG_CARRY ? 0 : parameters.sectors;
}

static noreturn void read_failed(enum map_file file, const struct place *place, unsigned status)
{
    unsigned long long sectors = disk_sectors(), end = place->sector + place->count;
    if (sectors > 0 && end > sectors)
        fail("cannot read %s: it ends at sector %llu of a disk of %llu; write the whole image to the disk", names[file],
             end, sectors);
    fail("cannot read the disk (INT 13h status 0x%02x) at sector %llu; check the disk, or write the image to it again",
         status, (unsigned long long)place->sector);
}

/* Reads place->count sectors to BUFFER_ADDRESS. */
static void disk_read(enum map_file file, const struct place *place)
{
    struct packed {
        uint8_t size, zero;
        uint16_t count, offset, segment;
        uint64_t sector;
    } packet = { sizeof(packet), 0, (uint16_t)place->count, 0, BUFFER_ADDRESS >> 4, place->sector };
    struct bios_registers registers = { .eax = DISK_READ, .edx = disk, .esi = (uintptr_t)&packet };
    bios_call(DISK, &registers);
    if (registers.flags & FLAG_CARRY)
        read_failed(file, place, registers.eax >> 8 & 0xff);
}

void file_read(enum boot_file which, uint32_t offset, void *to, uint32_t length)
{
    enum map_file file = map_file(which);
    if (offset > map->files[file].size || length > map->files[file].size - offset)
        fail("%s is cut off; build the image again", names[file]);
    while (length > 0) {
        uint32_t skip = offset % SECTOR_SIZE;
        struct place place = locate(file, offset / SECTOR_SIZE);
        uint64_t wanted = ((uint64_t)skip + length + SECTOR_SIZE - 1) / SECTOR_SIZE;
        place.count = (uint32_t)min_of((uint64_t)place.count, wanted);
        uint32_t copied = min_of(length, place.count * SECTOR_SIZE - skip);
        if (place.sector == 0) {
            memset(to, 0, copied);
        } else {
            disk_read(file, &place);
            memcpy(to, (const char *)BUFFER_ADDRESS + skip, copied);
        }
        to = (char *)to + copied;
        offset += copied;
        length -= copied;
    }
}
