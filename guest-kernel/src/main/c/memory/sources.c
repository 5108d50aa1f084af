/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to mappings when the pages of a file change: it is cut, or gets pages of its own.
 *
 * Called by files/. Mutex "address_space" is taken here.
 */
#include "memory/areas.h"
#include "memory/page_cache.h"
#include "threads/thread.h"

#define PAGES_AT_ONCE 64 /* looked at before others may run */

void address_space_cut_source(struct page_source *source, uint64_t pages)
{
    mutex_lock(&address_space_mutex);
    list_for_each (link, &source->mappings) {
        struct area *area = list_entry(link, struct area, source_link);
        uint64_t first = area->offset >> PAGE_SHIFT;
        uint64_t kept = pages > first ? (pages - first) << PAGE_SHIFT : 0;
        if (kept < area->end - area->start)
            area_release_pages(area->start + kept, area->end);
    }
    mutex_unlock(&address_space_mutex);
}

/* Takes pages of the source out of an area; copies that a private mapping has of them stay. */
static void release_source(const struct area *area, const struct page_source *source)
{
    struct mmu_entry entry;
    for (uintptr_t at = area->start; at < area->end; at += PAGE_SIZE) {
        if ((at >> PAGE_SHIFT) % PAGES_AT_ONCE == 0)
            give_way();
        if (!mmu_query(at, &entry) || page_of(entry.physical)->source != source)
            continue;
        uintptr_t from = at;
        if (mmu_unmap(&from, at + PAGE_SIZE, &entry, 1))
            area_page_unmapped(entry.physical);
    }
}

void address_space_move_source(struct page_source *from, struct page_source *to, bool *moved)
{
    mutex_lock(&address_space_mutex);
    write_once(*moved, true);
    while (!list_empty(&from->mappings)) {
        struct area *area = list_entry(from->mappings.next, struct area, source_link);
        release_source(area, from);
        area_change_source(area, to);
    }
    mutex_unlock(&address_space_mutex);
}

bool address_space_can_write(struct page_source *source)
{
    bool found = false;
    mutex_lock(&address_space_mutex);
    list_for_each (link, &source->mappings) {
        const struct area *area = list_entry(link, struct area, source_link);
        found |= (area->flags & (AREA_SHARED | AREA_READ_ONLY)) == AREA_SHARED;
    }
    mutex_unlock(&address_space_mutex);
    return found;
}
