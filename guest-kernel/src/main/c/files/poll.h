/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) and select(2): waiting for any of some files. */
#pragma once

#include "files/file.h"

struct poll_entry {
    struct file *file;      /* NULL: not looked at */
    uint32_t wanted, found; /* POLL*; errors and hang-ups are always found */
    struct waiter waiter;
};

/* Entries in blocks of 32 KiB: the most that there may be take 4 MiB, which is free in one piece in a fresh guest
 * only. */
#define POLL_BLOCK ((unsigned)(32768 / sizeof(struct poll_entry)))
#define POLL_BLOCKS (DESCRIPTOR_LIMIT / POLL_BLOCK + 1)

struct poll_table {
    unsigned count;                         /* entries, at most DESCRIPTOR_LIMIT */
    struct poll_entry *blocks[POLL_BLOCKS]; /* each of POLL_BLOCK, the last of what is left */
};

static inline struct poll_entry *poll_entry(const struct poll_table *table, unsigned i)
{
    return &table->blocks[i / POLL_BLOCK][i % POLL_BLOCK];
}

/* Sets `found` of every entry. The number of entries that have found something, 0 at the monotonic deadline, or -EINTR.
 * */
int poll_files(const struct poll_table *table, nanoseconds deadline);
