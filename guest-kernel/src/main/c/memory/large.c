/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large pages: the first touch of an aligned LARGE_PAGE_SIZE of private memory for which the program gave
 * MADV_HUGEPAGE maps all of it at once, by one entry of the page tables.
 *
 * The frames of a large page are ordinary frames with one reference each, so whatever takes a part of it away or
 * changes it works as with pages: mmu_unmap() and mmu_protect() split the entry (platform/x86/user_half.h). An area may
 * later end in the middle of a large page; what is left of it stays one.
 *
 * A touch of one byte costs LARGE_PAGE_SIZE. So it is done only where memory is ample: AMPLE_SHARE of it is free
 * afterwards, without dropping a page of a file, and a free block is there. Otherwise the fault is served by pages, as
 * without advice.
 *
 * The frames are cleared with the kernel lock but without the mutex, in pieces between which others run.
 */
#include "core/debug.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/large.h"
#include "memory/mappings.h"
#include "threads/thread.h"

#define LARGE_ORDER 9 /* of LARGE_PAGE_SIZE, in frames */
#define LARGE_FRAMES (1UL << LARGE_ORDER)
#define AMPLE_SHARE 4     /* of all frames, one in so many stays free */
#define CLEARED_AT_ONCE 4 /* frames */

static bool ever_advised; /* spares the look at the areas where no program asks */

static uint64_t frames_left(void) { return pages_total_count() / AMPLE_SHARE; }

/* Nothing of it is mapped, and it lies in the area. */
static bool has_room(const struct area *area, uintptr_t start)
{
    struct mmu_entry found;
    uintptr_t end = start + LARGE_PAGE_SIZE, at = start;
    return start >= area->start && end <= area->end && !mmu_find(&at, end, &found, 1);
}

/* The area may have a large page there, as far as it and what is mapped decide. */
static bool is_suitable(const struct area *area, uintptr_t address)
{
    return area->flags & AREA_LARGE && !(area->flags & AREA_STACK) && area->protection != 0 &&
           has_room(area, align_down(address, LARGE_PAGE_SIZE));
}

bool large_is_wanted(const struct area *area, uintptr_t address)
{
    must_hold_mutex(&address_space_mutex);
    return is_suitable(area, address) && pages_free_count() >= LARGE_FRAMES + frames_left();
}

/* Where the fault may be served by a large page; NULL where not. */
static struct area *suitable_area(uintptr_t address, uint64_t error)
{
    struct area *area = area_find(address);
    return area && area_allows(area, error) && is_suitable(area, address) ? area : NULL;
}

static struct page *allocate_cleared(void)
{
    struct page *frames = pages_allocate_leaving(LARGE_ORDER, frames_left());
    if (!frames) {
        memory_events.large_missing++;
        return NULL;
    }
    for (unsigned i = 0; i < LARGE_FRAMES; i += CLEARED_AT_ONCE) {
        memset(page_data(frames + i), 0, CLEARED_AT_ONCE * PAGE_SIZE);
        give_way();
    }
    return frames;
}

/* Takes over the frames if it can. */
static bool map_frames(const struct area *area, uintptr_t address, const struct page *frames)
{
    struct mmu_entry entry = { .virtual = align_down(address, LARGE_PAGE_SIZE),
                               .physical = page_address(frames),
                               .protection = area->protection };
    if (mmu_map_large(&entry))
        return false;
    for (unsigned i = 0; i < LARGE_FRAMES; i++)
        area_page_mapped(entry.physical + i * PAGE_SIZE);
    memory_events.large_served++;
    return true;
}

bool large_fault(uintptr_t address, uint64_t error)
{
    if (likely(!read_once(ever_advised)))
        return false;
    mutex_lock(&address_space_mutex);
    bool suitable = suitable_area(address, error);
    mutex_unlock(&address_space_mutex);
    struct page *frames = suitable ? allocate_cleared() : NULL;
    if (!frames)
        return false;
    mutex_lock(&address_space_mutex);
    const struct area *area = suitable_area(address, error);
    bool mapped = area && map_frames(area, address, frames);
    mutex_unlock(&address_space_mutex);
    if (!mapped)
        pages_free(frames, LARGE_ORDER);
    return mapped;
}

static int advise_locked(uintptr_t start, uintptr_t end, bool large)
{
    must_hold_mutex(&address_space_mutex);
    unsigned steps = 0, flag = large ? AREA_LARGE : 0;
    for (struct area *area = area_first_after(start); area && area->start < end; area = area_next(area)) {
        mapping_step_locked(&steps);
        if (!mapping_is_private(area) || (area->flags & AREA_LARGE) == flag)
            continue;
        uintptr_t from = max_of(area->start, start);
        int error = area_split_around(from, min_of(area->end, end));
        if (error)
            return error;
        area = area_find(from);
        area->flags ^= AREA_LARGE;
    }
    return mapping_is_covered(start, end) ? 0 : -ENOMEM;
}

int address_space_advise_large(uintptr_t start, size_t length, bool large)
{
    length = align_up(length, PAGE_SIZE);
    if (!mapping_range_valid(start, length))
        return -ENOMEM;
    if (large && mmu_has_large_pages())
        write_once(ever_advised, true);
    mutex_lock(&address_space_mutex);
    int error = advise_locked(start, start + length, large && mmu_has_large_pages());
    mapping_merge_range(start, start + length);
    mutex_unlock(&address_space_mutex);
    return error;
}
