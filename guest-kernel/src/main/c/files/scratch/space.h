/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which blocks of a scratch disk are free. Blocks are PAGE_SIZE bytes and have numbers from 0. The caller serialises
 * all calls for one space.
 */
#pragma once

#include "lib/types.h"

#define SPACE_NONE UINT32_MAX /* no block */

/* So many blocks as a page has bits. */
struct space_chunk {
    uint64_t *used; /* a bit for each block; NULL: all are free */
    uint32_t free;  /* blocks */
};
struct space {
    struct space_chunk *chunks;
    uint32_t chunk_count;
    uint32_t current; /* chunk and, in it, word of `used` at which the search begins */
    uint32_t current_word;
    uint64_t blocks, free;
};

/* `blocks` <= SPACE_BLOCKS_MAX, all free. 0 or -ENOMEM. */
#define SPACE_BLOCKS_MAX (UINT32_MAX - 1UL)
must_check int space_init(struct space *space, uint64_t blocks);
void space_release(struct space *space);
/*
 * Takes a block: the one after `near` if that is free, so that what is written in order lies in order; else the first
 * of 64 free ones, so that files that grow at the same time do not interleave; else any. SPACE_NONE as `near`: no wish;
 * as the result: all are taken, or there is no memory to remember it.
 */
uint32_t space_take(struct space *space, uint32_t near);
/* Gives back blocks that were taken. */
void space_give(struct space *space, uint32_t block, uint32_t count);
