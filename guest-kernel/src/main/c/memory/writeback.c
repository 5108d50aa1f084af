/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that writes dirty pages. It sleeps until a sixteenth of memory is dirty (WRITE_FROM), or until someone
 * has found no memory (`in_need`), and then writes those that have been dirty for longest. Dirty pages that are mapped
 * can be changed at any moment, so they are unmapped before they are written; their turn comes when there are no
 * others. Who makes pages dirty waits while an eighth of memory is (DIRTY_MOST).
 *
 * Counters are read without a lock: a late look only shifts the moment. Mutex "address_space" is taken to unmap.
 * Whoever waits here may hold an inode's lock: writing takes none.
 */
#include "memory/writeback.h"

#include "memory/areas.h"
#include "memory/page_cache.h"
#include "threads/thread.h"

#define WRITE_FROM 16 /* one part in so many of memory */
#define DIRTY_MOST 8
#define UNMAPPED_AT_ONCE 64 /* pages */

static struct wait_queue wanted = WAIT_QUEUE(wanted);
static unsigned in_need; /* who wait in writeback_make_room(); atomic */

static bool has_work(void)
{
    uint64_t dirty = page_cache_dirty_count();
    return dirty > pages_total_count() / WRITE_FROM || (dirty && read_once(in_need));
}

/* Some of the dirty pages that are mapped, of a source or of any (NULL), can be written from now on. */
static void unmap_some(struct page_source *of)
{
    struct page_source *source = of;
    uint32_t index;
    mutex_lock(&address_space_mutex);
    for (unsigned i = 0; i < UNMAPPED_AT_ONCE && page_cache_dirty_mapped(&source, &index); i++, source = of)
        areas_unmap_page(source, index);
    mutex_unlock(&address_space_mutex);
}

static noreturn void write_pages(void *unused)
{
    (void)unused;
    for (;;) {
        wait_until(&wanted, has_work(), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        if (!page_cache_write_some())
            unmap_some(NULL);
        give_way();
    }
}

void writeback_start(void)
{
    static bool started;
    if (!started)
        thread_start_kernel("writeback", write_pages, NULL);
    started = true;
}

void writeback_dirtied(void)
{
    if (has_work())
        wake(&wanted, 0);
}

void writeback_source(struct page_source *source)
{
    for (uint64_t left = read_once(source->dirty_mapped.count); left; left -= min_of(left, (uint64_t)UNMAPPED_AT_ONCE))
        unmap_some(source);
    page_cache_write_source(source);
}

static bool is_crowded(void) { return page_cache_dirty_count() > pages_total_count() / DIRTY_MOST; }

void writeback_throttle(void)
{
    if (is_crowded())
        wait_until(&page_cache_written, !is_crowded(), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
}

bool writeback_make_room(void)
{
    if (!page_cache_dirty_count())
        return false;
    uint64_t before = page_cache_written_count();
    __atomic_add_fetch(&in_need, 1, __ATOMIC_RELAXED);
    wake(&wanted, 0);
    wait_until(&page_cache_written, page_cache_written_count() != before || !page_cache_dirty_count(), NO_DEADLINE,
               SLEEP_UNINTERRUPTIBLE);
    __atomic_sub_fetch(&in_need, 1, __ATOMIC_RELAXED);
    return true;
}
