/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mremap(2): an area grows, shrinks or moves.
 *
 * Nothing is copied: pages are entered at the new place before they are taken out at the old one, and what needs
 * memory comes first. A call that fails leaves the area where it was; a move to a fixed place may have unmapped what
 * was there.
 *
 * Mutex "address_space" is taken here, and given up by nothing: long walks give way with it.
 */
#include "core/debug.h"
#include "lib/errno.h"
#include "memory/mappings.h"
#include "threads/thread.h"

/* Takes translations out of the page tables whose pages are mapped elsewhere. */
static void forget_pages(uintptr_t start, uintptr_t end)
{
    struct mmu_entry entries[UNMAP_BATCH];
    while (start < end) {
        mmu_unmap(&start, end, entries, UNMAP_BATCH);
        give_way();
    }
}

/* Maps the pages of [from, from + length) at `to` as well. -ENOMEM: none of them. */
static int share_pages(uintptr_t from, uintptr_t to, size_t length)
{
    struct mmu_entry entries[UNMAP_BATCH];
    uintptr_t at = from;
    while (at < from + length) {
        size_t count = mmu_find(&at, from + length, entries, UNMAP_BATCH);
        for (size_t i = 0; i < count; i++)
            entries[i].virtual += to - from;
        if (mmu_map(entries, count)) {
            forget_pages(to, to + length);
            return -ENOMEM;
        }
        give_way();
    }
    return 0;
}

/*
 * The area is exactly what moves. What needs memory comes first: the new area, and its tables with the pages in them;
 * nothing after that can fail.
 */
static int64_t move_whole_area(struct area *area, size_t new_length, bool fixed, uintptr_t new_start)
{
    uintptr_t start = area->start, end = area->end;
    size_t moved = min_of(end - start, new_length);
    struct map_request request = { .where = new_start,
                                   .length = new_length,
                                   .fixed = fixed,
                                   .protection = area->protection,
                                   .flags = area->flags,
                                   .object = area->object,
                                   .offset = area->offset,
                                   .name = area->name };
    int64_t address = mapping_insert(&request);
    if (address < 0)
        return address;
    struct area *target = area_find((uintptr_t)address);
    if (share_pages(start, (uintptr_t)address, moved)) {
        area_remove(target);
        return -ENOMEM;
    }
    forget_pages(start, start + moved);
    area_release_pages(start + moved, end);
    area_remove(area);
    area_merge_around(target);
    return address;
}

static int64_t move_area(uintptr_t start, size_t old_length, size_t new_length, bool fixed, uintptr_t new_start)
{
    int error = area_split_around(start, start + old_length);
    if (error)
        return error;
    int64_t address = move_whole_area(area_find(start), new_length, fixed, new_start);
    if (address < 0)
        area_merge_around(area_find(start));
    return address;
}

static int64_t remap_locked(uintptr_t start, size_t old_length, size_t new_length, bool may_move, bool fixed,
                            uintptr_t new_start)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_find(start);
    if (!area || area->fixed_pages)
        return -EFAULT;
    if (!fixed && new_length < old_length) { /* what is cut off may have holes, and belong to other areas */
        int error = mapping_unmap_locked(start + new_length, start + old_length);
        return error ? error : (int64_t)start;
    }
    if (start + old_length > area->end)
        return -EFAULT;
    if (fixed) {
        bool overlaps = new_start < start + old_length && start < new_start + new_length;
        return overlaps ? -EINVAL : move_area(start, old_length, new_length, true, new_start);
    }
    if (new_length == old_length)
        return (int64_t)start;
    if (!mapping_may_grow(new_length - old_length, area->flags, area->protection))
        return -ENOMEM;
    if ((area->flags & AREA_COMMITTED) && !mapping_may_commit(new_length - old_length))
        return -ENOMEM;
    bool at_end = start + old_length == area->end;
    if (at_end && mapping_range_valid(start, new_length) && mapping_is_free(area->end, new_length - old_length)) {
        area_set_end(area, start + new_length);
        return (int64_t)start;
    }
    return may_move ? move_area(start, old_length, new_length, false, 0) : -ENOMEM;
}

int64_t address_space_remap(uintptr_t start, size_t old_length, size_t new_length, bool may_move, bool fixed,
                            uintptr_t new_start)
{
    old_length = align_up(old_length, PAGE_SIZE);
    new_length = align_up(new_length, PAGE_SIZE);
    if ((start & PAGE_MASK) || !old_length || !new_length || new_length > USER_LIMIT)
        return -EINVAL;
    if (!mapping_range_valid(start, old_length))
        return -EFAULT;
    mutex_lock(&address_space_mutex);
    int64_t result = remap_locked(start, old_length, new_length, may_move, fixed, new_start);
    mutex_unlock(&address_space_mutex);
    return result;
}
