/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GUID partition table of a disk (UEFI specification 2.10, 5.3). Where the first table is damaged, the second one
 * at the end of the disk counts. The MBR before it is not looked at, and types and names of partitions neither.
 *
 * One thread at a time for each struct gpt. What sleeps, sleeps for the disk.
 */
#pragma once

#include "files/block_io.h"

struct gpt {
    struct block_cache cache;
    uint64_t entries;                   /* bytes from the beginning of the disk */
    uint32_t count, entry_size;         /* entries that are there, bytes of each */
    uint64_t first_usable, last_usable; /* the disk's blocks that partitions may have */
};
struct gpt_partition {
    uint64_t first, sectors; /* in units of SECTOR_SIZE; on the disk */
};

/* Reads and checks the table. 0, -ENOENT if the disk has none that is sound, -EIO or -ENOMEM. If 0, gpt_close() must
 * follow. Sleeps. */
int gpt_open(struct gpt *gpt, struct block_device *disk);
/* The entry with this number, from 0 up to gpt->count. 0, -ENOENT if it is empty or has no place on the disk, -EIO or
 * -ENOMEM. Sleeps. */
int gpt_read(struct gpt *gpt, uint32_t number, struct gpt_partition *out);
/* Leaves nothing of the disk in the page cache. */
void gpt_close(struct gpt *gpt);
