/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Linux calls do with the address space: map, unmap, protect, move, and the program break.
 *
 * A call that fails leaves what was mapped as it was, except that a move to a fixed place may have unmapped what was
 * there, and an unmapping a part of its range. Private memory counts as committed when it becomes writable for the
 * first time, and must then fit into what is available (may_commit()).
 *
 * Called by linux/, and by files/ when the pages of a file change and for /proc. Mutex "address_space" is taken here.
 * Long walks give way with it; long unmapping and discarding give it up between pieces (pause_locked()), after which
 * anything may have changed.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "memory/areas.h"
#include "memory/layout.h"
#include "memory/page_cache.h"
#include "memory/user.h"
#include "threads/thread.h"

#define PIECE_PAGES 1024 /* given back before others may have the address space */
#define AREAS_AT_ONCE 64 /* looked at before others may run */
#define CODE_SHARE 16    /* of memory: mapped file pages that are not promised away */
#define CODE_MOST ((32UL << 20) >> PAGE_SHIFT)
#define PROTECT_PIECE (16UL << 20) /* bytes changed before others may run */

uint64_t address_space_limit = UINT64_MAX, data_limit = UINT64_MAX, stack_limit = USER_STACK_SIZE;
static uintptr_t break_start, break_now;

void address_space_init(void)
{
    mutex_init(&address_space_mutex, LOCK_ADDRESS_SPACE);
    process_layout = layout_choose();
}

static bool range_valid(uintptr_t start, size_t length)
{
    return !(start & PAGE_MASK) && length && start >= USER_LOWEST && user_range_ok(start, length);
}

/* Between the pieces of long work: threads that wait for the address space get it. */
static void pause_locked(void)
{
    must_hold_mutex(&address_space_mutex);
    mutex_unlock(&address_space_mutex);
    give_way();
    mutex_lock(&address_space_mutex);
}

/* Between the steps of a walk over areas; they stay as they are, since the mutex is held. */
static void step_locked(unsigned *steps)
{
    must_hold_mutex(&address_space_mutex);
    if (++*steps % AREAS_AT_ONCE == 0)
        give_way();
}

/*
 * What is free or can be made free by dropping cached file pages, but for some of those that are mapped: they are the
 * program's code, which it reads in again at once and cannot run without. Computed as Linux computes MemAvailable,
 * except that Linux leaves half of the whole cache at most.
 */
uint64_t address_space_available(void)
{
    uint64_t mapped = page_cache_mapped_count(), cached = page_cache_evictable() - page_cache_dirty_count();
    uint64_t code = min_of(mapped, min_of(pages_total_count() / CODE_SHARE, CODE_MOST));
    return pages_free_at(PAGES_KEPT) + (cached > code ? cached - code : 0);
}

/*
 * It is better to refuse memory with an error than to promise what is not there: private memory that becomes writable
 * for the first time must fit into what is available. Promises are not added up: a JVM makes more memory accessible
 * than it touches.
 */
static bool may_commit(size_t bytes) { return bytes >> PAGE_SHIFT <= address_space_available(); }

static bool within(uint64_t limit, uint64_t used, size_t bytes)
{
    return limit == UINT64_MAX || bytes == 0 || (used <= limit && bytes <= limit - used);
}

static bool may_grow(size_t bytes, unsigned flags, unsigned protection)
{
    return within(read_once(address_space_limit), reserved_bytes, bytes) &&
           (!is_data(flags, protection) || within(read_once(data_limit), data_bytes, bytes));
}

static bool commits(unsigned flags, unsigned protection)
{
    return (protection & MMU_WRITE) && !(flags & (AREA_SHARED | AREA_NO_RESERVE | AREA_COMMITTED));
}

static int unmap_locked(uintptr_t start, uintptr_t end)
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

static bool is_free(uintptr_t start, size_t length)
{
    struct area *area = area_first_after(start);
    return !area || area->start >= start + length;
}

static int64_t choose_address(const struct map_request *request, size_t length)
{
    uintptr_t hint = align_down(request->where, PAGE_SIZE);
    if (request->fixed) {
        if (!range_valid(request->where, length))
            return user_range_ok(request->where, length) ? -EINVAL : -ENOMEM;
        if (request->no_replace)
            return is_free(hint, length) ? (int64_t)hint : -EEXIST;
        int error = unmap_locked(hint, hint + length);
        return error ? error : (int64_t)hint;
    }
    if (hint && range_valid(hint, length) && is_free(hint, length))
        return (int64_t)hint;
    uintptr_t found = areas_highest_gap(length, process_layout.map_top);
    return found ? (int64_t)found : -ENOMEM;
}

/* Inserts the area; on failure what was there is still there. */
static int64_t insert_area(const struct map_request *request)
{
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
    bool committed = commits(request->flags, request->protection), replaces = request->fixed && !request->no_replace;
    if (!replaces && !may_grow(request->length, request->flags, request->protection))
        return -ENOMEM;
    if (committed && !may_commit(request->length))
        return -ENOMEM;
    int64_t address = insert_area(request);
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
    error = unmap_locked(*at, reached);
    *at = reached;
    return error;
}

int address_space_unmap(uintptr_t start, size_t length)
{
    length = align_up(length, PAGE_SIZE);
    if (!range_valid(start, length))
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
    if (area && area->flags & AREA_STACK && area->start > lowest) {
        struct map_request more = { .where = lowest,
                                    .length = area->start - lowest,
                                    .fixed = true,
                                    .no_replace = true,
                                    .protection = area->protection,
                                    .flags = AREA_STACK | AREA_NO_RESERVE,
                                    .name = "[stack]" };
        (void)map_locked(&more); /* without it the stack ends where it did: at a fault, as where no room is left */
    }
    mutex_unlock(&address_space_mutex);
}

/* All of [start, end) lies in areas. */
static bool is_covered(uintptr_t start, uintptr_t end)
{
    struct area *area = area_find(start);
    unsigned steps = 0;
    while (area && area->end < end) {
        struct area *next = area_next(area);
        if (!next || next->start != area->end)
            return false;
        area = next;
        step_locked(&steps);
    }
    return area;
}

static void merge_range(uintptr_t start, uintptr_t end)
{
    struct area *area = area_first_after(start ? start - 1 : 0);
    unsigned steps = 0;
    while (area && area->start <= end) {
        step_locked(&steps);
        uintptr_t at = area->start;
        area_merge_around(area);
        area = area_first_after(at);
        if (area)
            area = area_next(area);
    }
}

static bool may_become(unsigned protection, uintptr_t start, uintptr_t end)
{
    if (!(protection & MMU_WRITE))
        return true;
    unsigned steps = 0;
    for (struct area *area = area_find(start); area && area->start < end; area = area_next(area)) {
        if (area->flags & AREA_READ_ONLY)
            return false;
        step_locked(&steps);
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
    return !((area->flags & AREA_NO_RESERVE) && sparse) && commits(area->flags & ~AREA_NO_RESERVE, protection);
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
        bytes += commits_later(area, protection, part) ? part : 0;
        step_locked(&steps);
    }
    return bytes;
}

static int protect_locked(uintptr_t start, uintptr_t end, unsigned protection)
{
    must_hold_mutex(&address_space_mutex);
    if (!is_covered(start, end))
        return -ENOMEM;
    if (!may_become(protection, start, end))
        return -EACCES;
    if (!may_commit(bytes_to_commit(protection, start, end)) ||
        !within(read_once(data_limit), data_bytes, bytes_of_data(protection, start, end)))
        return -ENOMEM;
    int error = area_split_around(start, end);
    if (error)
        return error;
    unsigned steps = 0;
    for (struct area *area = area_find(start); area && area->start < end; area = area_next(area)) {
        step_locked(&steps);
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
    merge_range(start, end);
    return 0;
}

int address_space_protect(uintptr_t start, size_t length, unsigned protection)
{
    if (start & PAGE_MASK)
        return -EINVAL;
    if (!length)
        return 0;
    length = align_up(length, PAGE_SIZE);
    if (!range_valid(start, length))
        return -ENOMEM;
    mutex_lock(&address_space_mutex);
    int error = protect_locked(start, start + length, protection);
    mutex_unlock(&address_space_mutex);
    return error;
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
    if (!range_valid(start, length))
        return -EINVAL;
    mutex_lock(&address_space_mutex);
    bool covered = is_covered(start, start + length);
    for (uintptr_t at = start; at < start + length;) {
        at = discard_some(at, start + length);
        pause_locked();
    }
    mutex_unlock(&address_space_mutex);
    return covered ? 0 : -ENOMEM;
}

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
        if ((at >> PAGE_SHIFT) % AREAS_AT_ONCE == 0)
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
    int64_t address = insert_area(&request);
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
    if (!area || start + old_length > area->end || area->fixed_pages)
        return -EFAULT;
    if (fixed) {
        bool overlaps = new_start < start + old_length && start < new_start + new_length;
        return overlaps ? -EINVAL : move_area(start, old_length, new_length, true, new_start);
    }
    if (new_length <= old_length) {
        if (new_length == old_length)
            return (int64_t)start;
        int error = unmap_locked(start + new_length, start + old_length);
        return error ? error : (int64_t)start;
    }
    if (!may_grow(new_length - old_length, area->flags, area->protection))
        return -ENOMEM;
    if ((area->flags & AREA_COMMITTED) && !may_commit(new_length - old_length))
        return -ENOMEM;
    bool at_end = start + old_length == area->end;
    if (at_end && range_valid(start, new_length) && is_free(area->end, new_length - old_length)) {
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
    if (!range_valid(start, old_length))
        return -EFAULT;
    mutex_lock(&address_space_mutex);
    int64_t result = remap_locked(start, old_length, new_length, may_move, fixed, new_start);
    mutex_unlock(&address_space_mutex);
    return result;
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
    } else if (new_end < old_end && unmap_locked(new_end, old_end)) {
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
    bool covered = !length || (range_valid(start, length) && is_covered(start, start + length));
    mutex_unlock(&address_space_mutex);
    return covered ? 0 : -ENOMEM;
}

int address_space_residency(uintptr_t start, size_t pages, uint8_t *out)
{
    mutex_lock(&address_space_mutex);
    bool covered = is_covered(start, start + pages * PAGE_SIZE);
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
        step_locked(&steps);
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
