/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scratch disk: room for files that need not outlive the machine. A memory file system (files/tmpfs.h) on one keeps
 * names and attributes in memory as always, but its pages can be dropped: they are written to the disk before. The disk
 * itself says nothing of files, so there is nothing to check or repair after a crash.
 *
 * Only disks that are marked as scratch disks, or whose first page is zeros, are used: other contents may be data that
 * is still wanted.
 */
#pragma once

#include "core/lock.h"
#include "drivers/device.h"
#include "files/scratch/extents.h"
#include "files/scratch/space.h"
#include "memory/page_cache.h"

struct scratch {
    struct block_device *device;
    struct spinlock lock; /* space, and the extents of all files */
    struct space space;
    bool failed; /* changes once, under the lock: a write was not done, so nothing that was stored is trusted */
};
/* What a file has on the disk. */
struct scratch_file {
    struct scratch *scratch;
    struct page_source *pages; /* of the file; its size is the limit of what can be reserved */
    struct extents extents;    /* scratch->lock */
};

/* The first usable disk besides that of `root`, marked. NULL: there is none, and why has been logged. Sleeps. */
struct scratch *scratch_open(const struct block_device *root);
/* Blocks of PAGE_SIZE bytes that are free. */
uint64_t scratch_free(struct scratch *scratch);

void scratch_file_init(struct scratch_file *file, struct scratch *scratch, struct page_source *pages);
/* As page_source_operations.stored, reserve, fill and write. */
bool scratch_stored(struct scratch_file *file, uint32_t index);
int scratch_reserve(struct scratch_file *file, uint32_t index);
int scratch_read(struct scratch_file *file, uint32_t index, struct page **pages, unsigned count);
void scratch_write(struct scratch_file *file, struct page **pages, unsigned count);
/* -EIO once a write has failed, else 0: there is nothing to store. */
int scratch_sync(const struct scratch_file *file);
/* Gives back what the pages from `first` on, which are not in the page cache any more, have on the disk. Gives way. */
void scratch_cut(struct scratch_file *file, uint64_t first);
