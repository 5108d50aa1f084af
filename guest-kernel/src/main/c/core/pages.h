/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page frames: a buddy allocator over the memory the platform found free, and one descriptor
 * for every frame. Anonymous memory, page tables, the page cache and the heap all draw from it.
 *
 * Lock: "pages", taken inside; any context may call. Frames are PAGE_SIZE bytes and always
 * reachable by the kernel at phys_to_virt().
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "platform/platform.h"

struct page_source;

struct page {
    uint32_t references;        /* 0: free. Users of an allocated frame count themselves */
    uint32_t index;             /* page cache: which page of the source; free: buddy order */
    struct page_source *source; /* page cache: the file this frame belongs to, else NULL */
    uint32_t hash_next;         /* page cache: frame number of the next in the hash chain, 0: none */
    uint32_t flags;             /* page cache: its own marks, under its lock */
    struct list link;           /* free list, or the page cache's least-recently-used list */
};

struct page *page_of(phys_t address);
phys_t page_address(const struct page *page);
static inline void *page_data(const struct page *page) { return phys_to_virt(page_address(page)); }

/*
 * Sets the allocator up: `descriptors` has room for `frames` descriptors (frames 0..frames-1);
 * nothing is free until pages_add_free(). Called once by the platform's boot code.
 */
void pages_init(struct page *descriptors, uint64_t frames);
/* Gives the whole pages within [start, end) to the allocator; from 1 GiB on, the whole 4 MiB within it. Frame 0 is
 * never given out. */
void pages_add_free(phys_t start, phys_t end);

/*
 * Who may take the last frames. The program gets an error for an object that it makes well before a page fault fails,
 * which it does not survive; and however much the program takes, the kernel can still receive and answer.
 */
enum pages_level {
    PAGES_KEPT,     /* what a system call makes and the program keeps: leaves pages_margin() */
    PAGES_NEEDED,   /* page faults, their tables, buffers of one call: leaves PAGES_RESERVE */
    PAGES_RESERVED, /* the kernel's own progress, given back soon: leaves nothing */
};
#define PAGES_RESERVE 192 /* frames */

/* One frame with one reference, contents undefined; NULL when the level's memory is exhausted and no clean page of the
 * page cache is left to drop. */
struct page *page_allocate_at(enum pages_level level);
/* At PAGES_KEPT. */
struct page *page_allocate(void);
struct page *page_allocate_zeroed(void);
/* 2^order frames, contiguous and aligned to their size (physically; on Xen PV not machine-
 * contiguous), order <= PAGES_MAX_ORDER. Freed whole with pages_free(). */
#define PAGES_MAX_ORDER 10
struct page *pages_allocate_at(unsigned order, enum pages_level level);
/* The same only if a free block is there and at least `left` frames stay free: nothing is dropped for it. */
struct page *pages_allocate_leaving(unsigned order, uint64_t left);
/* At PAGES_KEPT. */
struct page *pages_allocate(unsigned order);
void pages_free(struct page *first, unsigned order);

void page_get(struct page *page);
/* Drops a reference; dropping the last one frees the frame. */
void page_put(struct page *page);

uint64_t pages_free_count(void);
/* Free frames that the level may take. */
uint64_t pages_free_at(enum pages_level level);
/* Frames that PAGES_KEPT leaves: the reserve, and a 64th of memory up to 16 MiB for the program to go on with. */
uint64_t pages_margin(void);
uint64_t pages_total_count(void);

/*
 * Called (once set) when an allocation fails, to free clean page-cache pages; returns how many
 * frames it freed. For PAGES_KEPT it leaves those without which the program would not get on: page_cache_spare().
 * May be called in any context, so it must not sleep.
 */
extern uint64_t (*pages_reclaim)(uint64_t wanted, enum pages_level level);
