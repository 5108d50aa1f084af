/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads partition tables. Nothing of a header is used before its checksum and its place have been found right, and the
 * entries' checksum before any of them; still every number is held against the size of the disk, since a checksum is
 * no proof of sense. So a partition that gpt_read() returns lies on the disk.
 *
 * Called by the boot thread before anything is mounted, so there are no locks.
 */
#include "files/gpt.h"

#include "lib/crc32.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SIGNATURE "EFI PART"
#define ENTRY_MIN 128 /* 5.3.3: 128 times a power of two */
#define ENTRY_MAX 4096
#define ENTRIES_MAX 1024

/* 5.3.2 */
struct packed header {
    char signature[8];
    uint32_t revision, size, crc, reserved;
    uint64_t own, other;
    uint64_t first_usable, last_usable;
    uint8_t guid[16];
    uint64_t entries;
    uint32_t count, entry_size, entries_crc;
};

/* 5.3.3, without the name */
struct entry {
    uint8_t type[16], guid[16];
    uint64_t first, last; /* blocks; both are the partition's */
};

static uint64_t block_size(const struct gpt *gpt)
{
    return max_of(gpt->cache.device->block_size, (uint32_t)SECTOR_SIZE);
}

static uint64_t disk_blocks(const struct gpt *gpt)
{
    return gpt->cache.device->sectors / (block_size(gpt) / SECTOR_SIZE);
}

/* Adds bytes of the disk to a checksum. 0, -EIO or -ENOMEM. */
static int add_to_crc(struct gpt *gpt, uint64_t offset, uint64_t length, uint32_t *crc)
{
    char piece[SECTOR_SIZE];
    while (length > 0) {
        size_t count = min_of(length, (uint64_t)sizeof(piece));
        int error = block_cache_read(&gpt->cache, offset, piece, count);
        if (error)
            return error;
        *crc = crc32_add(*crc, piece, count);
        offset += count;
        length -= count;
    }
    return 0;
}

/* The checksum of a header counts its own field as 0. */
static int check_header(struct gpt *gpt, uint64_t block, const struct header *header)
{
    struct header blank = *header;
    if (memcmp(header->signature, SIGNATURE, sizeof(header->signature)) || header->own != block ||
        header->size < sizeof(*header) || header->size > block_size(gpt))
        return -ENOENT;
    blank.crc = 0;
    uint32_t crc = crc32_add(0, &blank, sizeof(blank));
    int error = add_to_crc(gpt, block * block_size(gpt) + sizeof(blank), header->size - sizeof(blank), &crc);
    if (error)
        return error;
    return crc == header->crc ? 0 : -ENOENT;
}

static bool entries_are_on_disk(const struct gpt *gpt, const struct header *header)
{
    uint64_t bytes = (uint64_t)header->count * header->entry_size;
    return header->entry_size >= ENTRY_MIN && header->entry_size <= ENTRY_MAX && header->entry_size % ENTRY_MIN == 0 &&
           header->count <= ENTRIES_MAX && header->entries < disk_blocks(gpt) &&
           bytes <= (disk_blocks(gpt) - header->entries) * block_size(gpt);
}

/* Reads the table whose header is in this block. */
static int load(struct gpt *gpt, uint64_t block)
{
    struct header header;
    uint32_t crc = 0;
    int error = block_cache_read(&gpt->cache, block * block_size(gpt), &header, sizeof(header));
    if (!error)
        error = check_header(gpt, block, &header);
    if (!error && !entries_are_on_disk(gpt, &header))
        error = -ENOENT;
    if (error)
        return error;
    gpt->entries = header.entries * block_size(gpt);
    gpt->count = header.count;
    gpt->entry_size = header.entry_size;
    gpt->first_usable = header.first_usable;
    gpt->last_usable = header.last_usable;
    error = add_to_crc(gpt, gpt->entries, (uint64_t)gpt->count * gpt->entry_size, &crc);
    if (!error && crc != header.entries_crc)
        error = -ENOENT;
    return error;
}

int gpt_open(struct gpt *gpt, struct block_device *disk)
{
    *gpt = (struct gpt){ 0 };
    block_cache_init(&gpt->cache, disk);
    if (disk_blocks(gpt) < 2)
        return -ENOENT;
    int error = load(gpt, 1);
    if (error)
        error = load(gpt, disk_blocks(gpt) - 1);
    if (error)
        gpt_close(gpt);
    return error;
}

int gpt_read(struct gpt *gpt, uint32_t number, struct gpt_partition *out)
{
    static const uint8_t unused[16];
    struct entry entry;
    int error = block_cache_read(&gpt->cache, gpt->entries + (uint64_t)number * gpt->entry_size, &entry, sizeof(entry));
    if (error)
        return error;
    if (!memcmp(entry.type, unused, sizeof(unused)) || entry.first > entry.last || entry.first < gpt->first_usable ||
        entry.last > gpt->last_usable || entry.last >= disk_blocks(gpt))
        return -ENOENT;
    uint64_t unit = block_size(gpt) / SECTOR_SIZE;
    *out = (struct gpt_partition){ entry.first * unit, (entry.last - entry.first + 1) * unit };
    return 0;
}

void gpt_close(struct gpt *gpt) { page_cache_drop(&gpt->cache.pages, 0, PAGE_CACHE_END); }
