/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mprotect(2): changes the protection of areas, splits and joins them, and changes the entries of the page tables.
 *
 * A call that fails changes nothing: whether all of the range may be had with the new protection is looked at before
 * the first area changes. Memory that becomes writable for the first time counts as committed (commits_later()).
 *
 * Mutex "address_space" is taken here, and given up by nothing: long walks give way with it.
 */
#include "core/debug.h"
#include "lib/errno.h"
#include "memory/mappings.h"
#include "memory/page_cache.h"
#include "threads/thread.h"

#define PROTECT_PIECE (16UL << 20) /* bytes changed before others may run */

static bool may_become(unsigned protection, uintptr_t start, uintptr_t end)
{
    if (!(protection & MMU_WRITE))
        return true;
    unsigned steps = 0;
    for (struct area *area = area_find(start); area && area->start < end; area = area_next(area)) {
        if (area->flags & AREA_READ_ONLY)
            return false;
        mapping_step_locked(&steps);
    }
    return true;
}

static void protect_pages(uintptr_t start, uintptr_t end, unsigned protection, bool upgrade)
{
    while (start < end) {
        uintptr_t piece_end = end - start > PROTECT_PIECE ? start + PROTECT_PIECE : end;
        mmu_protect(start, piece_end, protection, upgrade);
        start = piece_end;
        give_way();
    }
}

/*
 * MAP_NORESERVE holds for what mmap() makes writable, and for what is so large that it can only be meant to stay
 * sparse. Otherwise memory that is reserved without access is committed by mprotect(): glibc's allocator takes its
 * memory this way, and can report that there is none left.
 */
static bool commits_later(const struct area *area, unsigned protection, size_t bytes)
{
    bool sparse = (area->protection & MMU_WRITE) || bytes >> PAGE_SHIFT > pages_total_count();
    return !((area->flags & AREA_NO_RESERVE) && sparse) && mapping_commits(area->flags & ~AREA_NO_RESERVE, protection);
}

/* Bytes of [start, end) that would become data. */
static size_t bytes_of_data(unsigned protection, uintptr_t start, uintptr_t end)
{
    size_t bytes = 0;
    for (struct area *area = area_find(start); area && area->start < end; area = area_next(area))
        if (is_data(area->flags, protection) && !is_data(area->flags, area->protection))
            bytes += min_of(area->end, end) - max_of(area->start, start);
    return bytes;
}

/* Bytes of [start, end) that would become writable for the first time. */
static size_t bytes_to_commit(unsigned protection, uintptr_t start, uintptr_t end)
{
    size_t bytes = 0;
    unsigned steps = 0;
    for (struct area *area = area_find(start); area && area->start < end; area = area_next(area)) {
        size_t part = min_of(area->end, end) - max_of(area->start, start);
        bytes += commits_later(area, protection, part) ? mapping_promise(area->flags, part) : 0;
        mapping_step_locked(&steps);
    }
    return bytes;
}

static int protect_locked(uintptr_t start, uintptr_t end, unsigned protection)
{
    must_hold_mutex(&address_space_mutex);
    if (!mapping_is_covered(start, end))
        return -ENOMEM;
    if (!may_become(protection, start, end))
        return -EACCES;
    if (!mapping_may_commit(bytes_to_commit(protection, start, end)) ||
        !mapping_within(read_once(data_limit), data_bytes, bytes_of_data(protection, start, end)))
        return -ENOMEM;
    int error = area_split_around(start, end);
    if (error)
        return error;
    unsigned steps = 0;
    for (struct area *area = area_find(start); area && area->start < end; area = area_next(area)) {
        mapping_step_locked(&steps);
        if (area->protection == protection)
            continue;
        if (commits_later(area, protection, area->end - area->start))
            area->flags |= AREA_COMMITTED;
        area_set_protection(area, protection);
        /* A private file page may still be the cache's own, and a shared one has to be marked dirty: the first write
         * must fault. */
        bool upgrade = !area->object ||
                       ((area->flags & AREA_SHARED) && !mappable_pages(area->object)->operations->write);
        protect_pages(area->start, area->end, protection, upgrade);
    }
    mapping_merge_range(start, end);
    return 0;
}

int address_space_protect(uintptr_t start, size_t length, unsigned protection)
{
    if (start & PAGE_MASK)
        return -EINVAL;
    if (!length)
        return 0;
    length = align_up(length, PAGE_SIZE);
    if (!mapping_range_valid(start, length))
        return -ENOMEM;
    mutex_lock(&address_space_mutex);
    int error = protect_locked(start, start + length, protection);
    mutex_unlock(&address_space_mutex);
    return error;
}
