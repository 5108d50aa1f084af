/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Linux calls do with the address space: map and unmap, the program break, and questions about it.
 * protection.c and remap.c have the rest of what they change.
 *
 * A call that fails leaves what was mapped as it was, except that an unmapping may have unmapped a part of its range.
 * Private memory counts as committed when it becomes writable for the first time, and must then fit into what is
 * available (mapping_may_commit()).
 *
 * Called by linux/, and by files/ when the pages of a file change and for /proc. Mutex "address_space" is taken here.
 * Long walks give way with it; long unmapping and discarding give it up between pieces (pause_locked()), after which
 * anything may have changed.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "memory/layout.h"
#include "memory/mappings.h"
#include "memory/page_cache.h"
#include "memory/user.h"
#include "threads/thread.h"

#define PIECE_PAGES 1024 /* given back before others may have the address space */
#define AREAS_AT_ONCE 64 /* looked at before others may run */

uint64_t address_space_limit = UINT64_MAX, data_limit = UINT64_MAX, stack_limit = USER_STACK_SIZE;
static uintptr_t break_start, break_now;

void address_space_init(void)
{
    mutex_init(&address_space_mutex, LOCK_ADDRESS_SPACE);
    process_layout = layout_choose();
}

/* Between the pieces of long work: threads that wait for the address space get it. */
static void pause_locked(void)
{
    must_hold_mutex(&address_space_mutex);
    mutex_unlock(&address_space_mutex);
    give_way();
    mutex_lock(&address_space_mutex);
}

void mapping_step_locked(unsigned *steps)
{
    must_hold_mutex(&address_space_mutex);
    if (++*steps % AREAS_AT_ONCE == 0)
        give_way();
}

uint64_t address_space_available(void) { return pages_free_at(PAGES_KEPT) + page_cache_spare(); }

bool mapping_may_commit(size_t bytes) { return bytes >> PAGE_SHIFT <= address_space_available(); }

bool mapping_may_grow(size_t bytes, unsigned flags, unsigned protection)
{
    must_hold_mutex(&address_space_mutex);
    return mapping_within(read_once(address_space_limit), reserved_bytes, bytes) &&
           (!is_data(flags, protection) || mapping_within(read_once(data_limit), data_bytes, bytes));
}

int mapping_unmap_locked(uintptr_t start, uintptr_t end)
{
    must_hold_mutex(&address_space_mutex);
    int error = area_split_around(start, end);
    if (error)
        return error;
    struct area *area = area_first_after(start);
    while (area && area->start < end) {
        struct area *next = area_next(area);
        area_release_pages(area->start, area->end);
        area_remove(area);
        area = next;
    }
    return 0;
}

void mapping_merge_range(uintptr_t start, uintptr_t end)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_first_after(start ? start - 1 : 0);
    unsigned steps = 0;
    while (area && area->start <= end) {
        mapping_step_locked(&steps);
        uintptr_t at = area->start;
        area_merge_around(area);
        area = area_first_after(at);
        if (area)
            area = area_next(area);
    }
}

bool mapping_is_free(uintptr_t start, size_t length)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_first_after(start);
    return !area || area->start >= start + length;
}

static int64_t choose_address(const struct map_request *request, size_t length)
{
    uintptr_t hint = align_down(request->where, PAGE_SIZE);
    if (request->fixed) {
        if (!mapping_range_valid(request->where, length))
            return user_range_ok(request->where, length) ? -EINVAL : -ENOMEM;
        if (request->no_replace)
            return mapping_is_free(hint, length) ? (int64_t)hint : -EEXIST;
        int error = mapping_unmap_locked(hint, hint + length);
        return error ? error : (int64_t)hint;
    }
    if (hint && mapping_range_valid(hint, length) && mapping_is_free(hint, length))
        return (int64_t)hint;
    uintptr_t found = areas_highest_gap(length, process_layout.map_top);
    return found ? (int64_t)found : -ENOMEM;
}

int64_t mapping_insert(const struct map_request *request)
{
    must_hold_mutex(&address_space_mutex);
    size_t length = align_up(request->length, PAGE_SIZE);
    if (!request->length || length < request->length || length > USER_LIMIT)
        return request->length ? -ENOMEM : -EINVAL;
    struct area *area = area_create();
    if (!area)
        return -ENOMEM;
    int64_t address = choose_address(request, length);
    if (address < 0) {
        area_discard(area);
        return address;
    }
    *area = (struct area){ .start = (uintptr_t)address,
                           .end = (uintptr_t)address + length,
                           .protection = request->protection,
                           .flags = request->flags,
                           .object = request->object ? mappable_get(request->object) : NULL,
                           .offset = request->offset,
                           .name = request->name,
                           .fixed_pages = request->fixed_pages };
    area_insert(area);
    return address;
}

static int64_t map_locked(const struct map_request *request)
{
    must_hold_mutex(&address_space_mutex);
    bool committed = mapping_commits(request->flags, request->protection),
         replaces = request->fixed && !request->no_replace;
    if (!replaces && !mapping_may_grow(request->length, request->flags, request->protection))
        return -ENOMEM;
    if (committed && !mapping_may_commit(mapping_promise(request->flags, request->length)))
        return -ENOMEM;
    int64_t address = mapping_insert(request);
    if (address < 0)
        return address;
    struct area *area = area_find((uintptr_t)address);
    if (committed)
        area->flags |= AREA_COMMITTED;
    area_merge_around(area);
    return address;
}

int64_t address_space_map(const struct map_request *request)
{
    if (request->object && !mappable_pages(request->object))
        return -ENODEV;
    mutex_lock(&address_space_mutex);
    int64_t address = map_locked(request);
    mutex_unlock(&address_space_mutex);
    if (address > 0 && request->populate)
        address_space_populate((uintptr_t)address, request->length, request->protection & MMU_WRITE);
    return address;
}

/* Unmaps from `at` on until much has been given back; moves it to where the rest begins. */
static int unmap_piece(uintptr_t *at, uintptr_t end)
{
    uintptr_t reached = area_release_some(*at, end, PIECE_PAGES);
    /* Without memory for one more area the rest goes in one piece. */
    int error = reached < end ? area_split_at(reached) : 0;
    if (error)
        reached = end;
    error = mapping_unmap_locked(*at, reached);
    *at = reached;
    return error;
}

int address_space_unmap(uintptr_t start, size_t length)
{
    length = align_up(length, PAGE_SIZE);
    if (!mapping_range_valid(start, length))
        return -EINVAL;
    uintptr_t at = start, end = start + length;
    mutex_lock(&address_space_mutex);
    int error = area_split_around(start, end);
    while (!error && at < end) {
        error = unmap_piece(&at, end);
        pause_locked();
    }
    mutex_unlock(&address_space_mutex);
    return error;
}

void address_space_set_stack_limit(uint64_t bytes)
{
    write_once(stack_limit, bytes);
    uintptr_t lowest = process_layout.stack_top - min_of(align_down(bytes, PAGE_SIZE), USER_STACK_MOST);
    mutex_lock(&address_space_mutex);
    struct area *area = area_first_after(lowest);
    if (area && area->flags & AREA_STACK && area->start > lowest &&
        mapping_may_grow(area->start - lowest, area->flags, area->protection))
        area_set_start(area, lowest); /* otherwise the stack ends where it did, at a fault */
    mutex_unlock(&address_space_mutex);
}

bool mapping_is_covered(uintptr_t start, uintptr_t end)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_find(start);
    unsigned steps = 0;
    while (area && area->end < end) {
        struct area *next = area_next(area);
        if (!next || next->start != area->end)
            return false;
        area = next;
        mapping_step_locked(&steps);
    }
    return area;
}

/* The start of what is left. */
static uintptr_t discard_some(uintptr_t at, uintptr_t end)
{
    struct area *area = area_find(at), *next = area_first_after(at);
    if (area && area->flags & AREA_KEPT)
        return min_of(area->end, end);
    if (!area)
        return next ? min_of(next->start, end) : end;
    return area_release_some(at, min_of(area->end, end), PIECE_PAGES);
}

int address_space_discard(uintptr_t start, size_t length)
{
    length = align_up(length, PAGE_SIZE);
    if (!mapping_range_valid(start, length))
        return -EINVAL;
    mutex_lock(&address_space_mutex);
    bool covered = mapping_is_covered(start, start + length);
    for (uintptr_t at = start; at < start + length;) {
        at = discard_some(at, start + length);
        pause_locked();
    }
    mutex_unlock(&address_space_mutex);
    return covered ? 0 : -ENOMEM;
}

uintptr_t address_space_break(uintptr_t wanted)
{
    mutex_lock(&address_space_mutex);
    uintptr_t old_end = align_up(break_now, PAGE_SIZE), new_end = align_up(wanted, PAGE_SIZE);
    if (wanted < break_start || !user_address_ok(wanted))
        goto out;
    if (new_end > old_end) {
        struct map_request request = { .where = old_end,
                                       .length = new_end - old_end,
                                       .fixed = true,
                                       .no_replace = true,
                                       .protection = MMU_READ | MMU_WRITE,
                                       .name = "[heap]" };
        if (map_locked(&request) < 0)
            goto out;
    } else if (new_end < old_end && mapping_unmap_locked(new_end, old_end)) {
        goto out;
    }
    break_now = wanted;
out:
    wanted = break_now;
    mutex_unlock(&address_space_mutex);
    return wanted;
}

void address_space_set_break(uintptr_t start) { break_start = break_now = start; }

int address_space_check(uintptr_t start, size_t length)
{
    length = align_up(length, PAGE_SIZE);
    mutex_lock(&address_space_mutex);
    bool covered = !length || (mapping_range_valid(start, length) && mapping_is_covered(start, start + length));
    mutex_unlock(&address_space_mutex);
    return covered ? 0 : -ENOMEM;
}

int address_space_check_private(uintptr_t start, size_t length)
{
    size_t whole = align_up(length, PAGE_SIZE);
    bool private = true;
    unsigned steps = 0;
    mutex_lock(&address_space_mutex);
    for (struct area *area = area_first_after(start); area && area->start < start + whole; area = area_next(area)) {
        private = private && mapping_is_private(area);
        mapping_step_locked(&steps);
    }
    mutex_unlock(&address_space_mutex);
    return private ? address_space_check(start, length) : -EINVAL;
}

struct mappable *address_space_shared_object(uintptr_t *at, uintptr_t end)
{
    struct mappable *found = NULL;
    mutex_lock(&address_space_mutex);
    for (struct area *area = area_find(*at); !found && area && area->start < end; area = area_next(area)) {
        *at = area->end;
        if (area->object && area->flags & AREA_SHARED)
            found = mappable_get(area->object);
        give_way();
    }
    mutex_unlock(&address_space_mutex);
    return found;
}

int address_space_residency(uintptr_t start, size_t pages, uint8_t *out)
{
    mutex_lock(&address_space_mutex);
    bool covered = mapping_is_covered(start, start + pages * PAGE_SIZE);
    struct mmu_entry entry;
    for (size_t i = 0; covered && i < pages; i++)
        out[i] = mmu_query(start + i * PAGE_SIZE, &entry);
    mutex_unlock(&address_space_mutex);
    return covered ? 0 : -ENOMEM;
}

void address_space_for_each(void (*visit)(const struct area *, void *), void *context)
{
    unsigned steps = 0;
    mutex_lock(&address_space_mutex);
    for (struct area *area = area_first(); area; area = area_next(area)) {
        visit(area, context);
        mapping_step_locked(&steps);
    }
    mutex_unlock(&address_space_mutex);
}

void address_space_usage(struct address_space_usage *usage)
{
    mutex_lock(&address_space_mutex);
    *usage = (struct address_space_usage){ .reserved_bytes = reserved_bytes,
                                           .resident_pages = resident_pages,
                                           .break_start = break_start,
                                           .break_now = break_now };
    for (struct area *area = area_first(); area; area = area_next(area)) {
        if (!usage->code_start && (area->protection & MMU_EXECUTE))
            usage->code_start = area->start;
        if (area->flags & AREA_STACK)
            usage->stack_start = area->end;
    }
    mutex_unlock(&address_space_mutex);
}
