/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the pages of a file lie on a scratch disk: runs of pages that follow each other in the file and on the disk.
 * The caller serialises all calls for one file. Memory is counted as that of memory file systems (files/tmpfs.h).
 */
#pragma once

#include "files/scratch/space.h"
#include "lib/tree.h"
#include "lib/types.h"

struct extents {
    struct tree tree; /* by place in the file */
    uint64_t pages;   /* in all of them */
};

void extents_init(struct extents *extents);
/* The block of a page, or SPACE_NONE. */
uint32_t extents_find(const struct extents *extents, uint32_t index);
/* The block of the page before it that is nearest, or SPACE_NONE. */
uint32_t extents_before(const struct extents *extents, uint32_t index);
/* Enters a page that is not there. 0 or -ENOSPC: there is no memory for it. */
must_check int extents_add(struct extents *extents, uint32_t index, uint32_t block);
/* Takes pages from the end, but none before `first`, and gives their blocks back to the space: so few that the caller
 * need not let others run. False: that was all. */
bool extents_cut_some(struct extents *extents, uint64_t first, struct space *space);
