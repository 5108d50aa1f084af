/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page cache: the pages of files, found by (source, index), shared by read(2) and by
 * mappings. A page_source is embedded in whatever has pages: an ext2 inode, a tmpfs inode.
 *
 * Lock "page_cache" guards the hash, the LRU list and page identity. Filling a page sleeps, with no lock but the page's
 * own busy mark; two readers of one absent page cause one read. Clean pages of sources with `evictable` are dropped
 * when memory is short, least recently used first; pages of other sources (tmpfs) live until truncated. Pages are not
 * on the list while the program has them mapped, so that the search for one to drop does not pass them: memory/areas.h
 * unmaps the idle ones.
 *
 * Pages of an evictable source that can be changed are dirty from the change until they have been written, and are not
 * dropped meanwhile. memory/writeback.h writes them.
 */
#pragma once

#include "core/pages.h"
#include "lib/list.h"
#include "lib/types.h"
#include "threads/wait.h"

struct page_source;

struct page_source_operations {
    /*
     * Fills `count` (<= PAGE_CACHE_BATCH) frames, which are the pages index, index + 1, ... of the source, with the
     * file's contents; bytes beyond its end become zero. Sleeps. 0 or negative errno for all of them. NULL: absent
     * pages are zeros. The frames are zeroed before, and come one at a time where pages cannot be dropped again, so
     * that none is wasted.
     */
    int (*fill)(struct page_source *source, uint32_t index, struct page **pages, unsigned count);
    /* Writes `count` (<= PAGE_CACHE_BATCH) pages of the source, in the order of their indices (page->index), to where
     * fill() finds them. Sleeps, allocates nothing. What cannot be written is the source's affair: the pages count as
     * written. NULL: the source's pages are never dirty. */
    void (*write)(struct page_source *source, struct page **pages, unsigned count);
    /* Before the page, to which the caller has a reference, is changed: makes room for it where write() will write it,
     * which lasts while the page is cached. Sleeps. 0, -ENOSPC, -ENOMEM, -EIO, or -ENXIO where the page lies beyond the
     * size. NULL where write() is. */
    int (*reserve)(struct page_source *source, uint32_t index);
    /* Whether fill() would read the page; else it is zeros. NULL: as far as the size says. */
    bool (*stored)(struct page_source *source, uint32_t index);
};
#define PAGE_CACHE_BATCH 32

struct page_source {
    const struct page_source_operations *operations;
    uint64_t size; /* bytes; pages wholly after it are not read ahead */
    bool evictable;
    uint32_t next_index; /* read-ahead: the index after the last one asked for */
    uint32_t window;     /* read-ahead: pages to read at once, grows when sequential */
    bool random;         /* read-ahead: a miss out of sequence reads its page only. Single word, without a lock */
    uint64_t page_count; /* page_cache: how many are cached */
    struct list pages;   /* page_cache: those, in no order; only of a source that is not evictable */
    /* page_cache: the dirty pages that are not mapped, and those that are, each dirty for longest first. */
    struct dirty_pages {
        struct list pages;
        struct list link; /* among the sources that have any */
        uint64_t count;
    } dirty, dirty_mapped;
    bool writing;         /* page_cache: some of its pages are being written */
    struct list mappings; /* address_space: areas that map it (memory/address_space.h) */
};

void page_source_init(struct page_source *source, const struct page_source_operations *operations, uint64_t size,
                      bool evictable);
/* The page with one more reference for the caller (page_put() to give it back); filled. NULL
 * with *error set to -EIO, -ENOMEM, -ENOSPC (without memory for a page that cannot be dropped again), -ENXIO (beyond
 * the source's size, where no page may be: truncation would not find it), ... May sleep; the caller keeps the source
 * there meanwhile (a reference to its file or inode). */
struct page *page_cache_get(struct page_source *source, uint32_t index, int *error);
/* Only if it is there and filled; no I/O, does not sleep. */
struct page *page_cache_find(struct page_source *source, uint32_t index);
/*
 * The cached pages of [first, end), in no order, those entered meanwhile perhaps not: each with a reference, NULL at
 * the end. Its cost grows with the number of indices or of cached pages, whichever is lower. Gives way
 * (threads/thread.h).
 */
struct page_walk {
    struct page_source *source;
    uint64_t first, end;
    uint64_t left; /* indices, or pages of the source, to look at */
    bool by_index;
};
void page_walk_init(struct page_walk *walk, struct page_source *source, uint64_t first, uint64_t end);
struct page *page_walk_next(struct page_walk *walk);
/* Drops the pages of [first, end); each is freed when its last reference goes. Returns their number. Gives way. */
uint64_t page_cache_drop(struct page_source *source, uint64_t first, uint64_t end);
#define PAGE_CACHE_END UINT32_MAX /* after the last index of any source */
void page_cache_init(void);
/*
 * A translation of the page has been entered into the user's page tables, or taken from them. The caller (areas.c)
 * holds the address_space mutex and a reference to the page. Nothing to do for anonymous memory.
 */
void page_cache_mapped(struct page *page);
void page_cache_unmapped(struct page *page);
/* ---- Dirty pages ---- */

/* The page's contents have changed, or may from now on through a mapping that has been entered under the address_space
 * mutex that is held. The caller has a reference, and room is reserved. False, and nothing is done, for pages that are
 * never written, or that were cut off. */
bool page_cache_dirty(struct page *page);
/* Pages that are dirty now, and that have been written, ever. */
uint64_t page_cache_dirty_count(void);
uint64_t page_cache_written_count(void);
extern struct wait_queue page_cache_written; /* woken after either has changed, but for pages that became dirty */
/* Writes what has been dirty for longest of some source and is not mapped, each with the pages that follow it there, as
 * many as go at once; false: there is none. For memory/writeback.c. Sleeps. */
bool page_cache_write_some(void);
/* Writes all pages of the source that are dirty now, but those that are mapped. Sleeps. The caller keeps the source
 * there. */
void page_cache_write_source(struct page_source *source);
/* The same for those that are mapped, as they are: they stay dirty. */
void page_cache_write_mapped(struct page_source *source);
/* Dirty pages of the source, mapped or not. */
uint64_t page_cache_dirty_of(const struct page_source *source);
/* The place of a dirty page that is mapped, of *source, or of any where that is NULL; false: there is none. The caller
 * has the address_space mutex: so the page stays mapped, and its source there. */
bool page_cache_dirty_mapped(struct page_source **source, uint32_t *index);

/* Frames: all that the cache holds, those of evictable sources, and of these the ones that are mapped. */
uint64_t page_cache_count(void);
uint64_t page_cache_evictable(void);
uint64_t page_cache_mapped_count(void);
/*
 * Clean pages of evictable sources, mapped or not, beyond a 16th of memory or 32 MiB: what may be promised, or given to
 * what system calls make and the program keeps. The last ones are most likely the program's code, which it cannot run
 * without: with all other memory taken it would read each page in again for every few instructions. Linux leaves half
 * of its cache at most in MemAvailable.
 */
uint64_t page_cache_spare(void);
