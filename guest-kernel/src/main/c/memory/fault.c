/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults. A fault brings in more than the one page where that is likely to save the next
 * ones: file pages around it that are cached already, and a few pages ahead of a
 * sequential walk through anonymous memory; all of them are one mmu_map().
 *
 * All of it under the address_space mutex but read_in(), which sleeps for the disk and so keeps only a reference to the
 * file: after it the fault is served from the start, with a reference to the page, which would otherwise be dropped
 * again when memory is short. make_room() takes clean file pages out of any mapping, so it comes before anything is
 * looked up.
 *
 * With several CPUs a fault comes without the kernel lock. One that gives the program memory of its own, touched for
 * the first time and with enough of it free, is served under the mutex alone, by fault_apart(); any other takes the
 * kernel lock first.
 */
#include "core/debug.h"
#include "core/kernel_lock.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/areas.h"
#include "memory/large.h"
#include "memory/layout.h"
#include "memory/page_cache.h"
#include "memory/user.h"
#include "memory/writeback.h"
#include "threads/thread.h"

#define FILE_AROUND 16      /* pages, aligned: mapped with one file fault if cached */
#define ANONYMOUS_AHEAD 8   /* pages served at once in a sequential walk */
#define FAULT_FRAMES 4      /* what one fault needs at most: a page and the tables that lead to it */
#define KEPT_FRAMES 64      /* what is to be had at PAGES_KEPT while there are idle file pages: some threads */
#define WORKING_PAGES 128   /* file pages that stay mapped, used or not */
#define POPULATED_AT_ONCE 8 /* pages between points where others may run */

struct memory_events memory_events;

/* Only within this file: nothing is mapped yet; the fault has to be served from the start. */
#define FAULT_RETRY ((enum fault_result)(FAULT_IO + 1))

/*
 * Drops file pages: those that are not mapped, otherwise idle ones. Pages in use go last, for a fault that would find
 * no frame at all, and only few of them, each time others. The last WORKING_PAGES stay mapped: a program that lost each
 * page before it got the next one would never run another instruction; without a frame it ends.
 *
 * System calls cannot drop what is mapped, and need more frames left than faults do. So one batch goes for KEPT_FRAMES
 * as well: otherwise faults alone would keep free memory so low that no thread can be made, however large the cache.
 * It ends where the cache has none to spare, or what system calls keep would take the program's code page by page.
 */
static void make_room(void)
{
    if (pages_free_at(PAGES_KEPT) >= KEPT_FRAMES)
        return;
    uint64_t spare = page_cache_spare();
    if (spare && pages_reclaim(KEPT_FRAMES, PAGES_KEPT) == 0)
        areas_reclaim(min_of(spare, (uint64_t)KEPT_FRAMES), false);
    if (pages_free_at(PAGES_NEEDED) > 0 || pages_reclaim(FAULT_FRAMES, PAGES_NEEDED) > 0)
        return;
    if (page_cache_mapped_count() > WORKING_PAGES && areas_reclaim(FAULT_FRAMES, false) == 0)
        areas_reclaim(FAULT_FRAMES, true);
}

static void set_entry(struct mmu_entry *entry, uintptr_t address, const struct page *page, unsigned protection)
{
    *entry = (struct mmu_entry){ .virtual = address, .physical = page_address(page), .protection = protection };
}

static void drop(const struct mmu_entry *entry) { page_put(page_of(entry->physical)); }

/* Takes over the references. If there is no memory for the tables of all pages, there may be enough for that of
 * `address`. */
static enum fault_result map_entries(const struct mmu_entry *entries, size_t count, uintptr_t address)
{
    if (mmu_map(entries, count) == 0) {
        for (size_t i = 0; i < count; i++)
            area_page_mapped(entries[i].physical);
        return FAULT_RESOLVED;
    }
    const struct mmu_entry *needed = NULL;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].virtual == address)
            needed = &entries[i];
        else
            drop(&entries[i]);
    }
    if (count > 1)
        return map_entries(needed, 1, address);
    drop(needed);
    return FAULT_NO_MEMORY;
}

static unsigned anonymous_batch(const struct area *area, uintptr_t address)
{
    struct mmu_entry entry;
    bool sequential = address > area->start && mmu_query(address - PAGE_SIZE, &entry);
    if (!sequential || pages_free_count() < 8 * PAGES_RESERVE)
        return 1;
    /* Not into what may become a large page. */
    uintptr_t end = area->flags & AREA_LARGE ? align_up(address + 1, LARGE_PAGE_SIZE) : area->end;
    uint64_t left = (min_of(end, area->end) - address) >> PAGE_SHIFT;
    return (unsigned)min_of(left, (uint64_t)ANONYMOUS_AHEAD);
}

static enum fault_result fault_anonymous(const struct area *area, uintptr_t address)
{
    struct mmu_entry entries[ANONYMOUS_AHEAD], present;
    unsigned wanted = anonymous_batch(area, address);
    size_t count = 0;
    for (uintptr_t at = address; count < wanted; at += PAGE_SIZE) {
        if (count && mmu_query(at, &present))
            break;
        struct page *page = page_allocate_at(PAGES_NEEDED);
        if (!page)
            break;
        memset(page_data(page), 0, PAGE_SIZE);
        set_entry(&entries[count++], at, page, area->protection);
    }
    return count ? map_entries(entries, count, address) : FAULT_NO_MEMORY;
}

/* Gives the private mapping its own copy of `page`, to which the caller holds a reference. */
static enum fault_result copy_for_write(const struct area *area, uintptr_t address, const struct page *page)
{
    struct page *copy = page_allocate_at(PAGES_NEEDED);
    if (!copy)
        return FAULT_NO_MEMORY;
    memcpy(page_data(copy), page_data(page), PAGE_SIZE);
    struct mmu_entry entry, replaced;
    bool replaces = mmu_query(address, &replaced);
    set_entry(&entry, address, copy, area->protection);
    enum fault_result result = map_entries(&entry, 1, address);
    if (result == FAULT_RESOLVED && replaces)
        area_page_unmapped(replaced.physical);
    return result;
}

static uint64_t page_index(const struct area *area, uintptr_t address)
{
    return (area->offset + (address - area->start)) >> PAGE_SHIFT;
}

/* What is to be done without the mutex. */
struct need {
    /* In: the page for which room has been reserved, or NULL. While it is cached, the room is there. */
    const struct page *reserved;
    /* With FAULT_RETRY: a file page that must be read before the fault can be served. */
    struct mappable *object; /* one reference */
    struct page_source *source;
    uint32_t index;
    bool room;      /* and room for it must be reserved */
    bool throttled; /* with FAULT_RESOLVED: a page was made dirty that will be written */
};

/* Before a shared mapping makes the page writable: whether room for what will be written is there, where its source
 * needs any. */
static bool has_room(const struct area *area, uintptr_t address, const struct page *page, struct need *need)
{
    bool shared = area->object && area->flags & AREA_SHARED;
    struct page_source *source = shared ? mappable_pages(area->object) : NULL;
    if (!source || !source->operations->reserve || page == need->reserved)
        return true;
    *need = (struct need){ .object = mappable_get(area->object),
                           .source = source,
                           .index = (uint32_t)page_index(area, address),
                           .room = true };
    return false;
}

/* A write to a page that is mapped read-only inside a writable area. */
static enum fault_result fault_write_present(const struct area *area, uintptr_t address,
                                             const struct mmu_entry *present, struct need *need)
{
    struct page *page = page_of(present->physical);
    bool private_file_page = page->source && !(area->flags & AREA_SHARED);
    if (private_file_page) {
        page_get(page);
        enum fault_result result = copy_for_write(area, address, page);
        page_put(page);
        return result;
    }
    struct mmu_entry entry;
    if (!has_room(area, address, page, need))
        return FAULT_RETRY;
    set_entry(&entry, address, page, area->protection);
    if (mmu_map(&entry, 1))
        return FAULT_NO_MEMORY;
    need->throttled = page_cache_dirty(page);
    return FAULT_RESOLVED;
}

/* Of pages that are not being written: the first write to a page that has to be marked dirty for it must fault, as it
 * must for a private copy. */
static unsigned file_protection(const struct area *area, const struct page_source *source)
{
    bool tracked = !(area->flags & AREA_SHARED) || source->operations->write;
    return tracked ? area->protection & ~MMU_WRITE : area->protection;
}

/* Maps `page`, with this protection (its reference passes to the mapping), and cached neighbours. */
static enum fault_result map_around(const struct area *area, struct page_source *source, uintptr_t address,
                                    struct page *page, unsigned protection)
{
    struct mmu_entry entries[FILE_AROUND], present;
    size_t count = 0;
    uintptr_t from = max_of(align_down(address, FILE_AROUND * PAGE_SIZE), area->start);
    uintptr_t to = min_of(align_down(address, FILE_AROUND * PAGE_SIZE) + FILE_AROUND * PAGE_SIZE, area->end);
    for (uintptr_t at = from; at < to; at += PAGE_SIZE) {
        struct page *found = page;
        if (at != address) {
            if (mmu_query(at, &present))
                continue;
            found = page_cache_find(source, page_index(area, at));
        }
        if (found)
            set_entry(&entries[count++], at, found, at == address ? protection : file_protection(area, source));
    }
    return map_entries(entries, count, address);
}

/* The same for a write through a shared mapping. Dirty comes last: only a page that is mapped stays so. */
static enum fault_result map_to_write(const struct area *area, struct page_source *source, uintptr_t address,
                                      struct page *page, struct need *need)
{
    if (!has_room(area, address, page, need)) {
        page_put(page);
        return FAULT_RETRY;
    }
    enum fault_result result = map_around(area, source, address, page, area->protection);
    if (result == FAULT_RESOLVED)
        need->throttled = page_cache_dirty(page);
    return result;
}

static enum fault_result fault_fixed(const struct area *area, uintptr_t address)
{
    struct page *page = page_of(area->fixed_pages[(address - area->start) >> PAGE_SHIFT]);
    struct mmu_entry entry;
    page_get(page);
    set_entry(&entry, address, page, area->protection);
    return map_entries(&entry, 1, address);
}

/* Reads it in with no lock held, and reserves room. FAULT_RETRY, with a reference to the page in *read unless it was
 * cut off. */
static enum fault_result read_in(const struct need *need, struct page **read)
{
    int error;
    *read = page_cache_get(need->source, need->index, &error);
    if (*read && need->room && (error = need->source->operations->reserve(need->source, need->index))) {
        page_put(*read);
        *read = NULL;
    }
    mappable_put(need->object);
    switch (error) {
    case 0:
    case -ENXIO: /* cut off meanwhile: the next try notices */
        return FAULT_RETRY;
    case -ENOMEM:
        return FAULT_NO_MEMORY;
    case -ENOSPC: /* as Linux: SIGBUS with BUS_ADRERR */
        return need->room ? FAULT_BEYOND_FILE : FAULT_IO;
    default:
        return FAULT_IO;
    }
}

/* Serves from the page cache; FAULT_RETRY means that *need has to be read first. */
static enum fault_result fault_file(const struct area *area, uintptr_t address, bool write, struct need *need)
{
    struct page_source *source = mappable_pages(area->object);
    uint64_t index = page_index(area, address);
    if (index >= align_up(source->size, PAGE_SIZE) >> PAGE_SHIFT)
        return FAULT_BEYOND_FILE;
    struct page *page = page_cache_find(source, (uint32_t)index);
    if (!page) {
        *need = (struct need){ .object = mappable_get(area->object), .source = source, .index = (uint32_t)index };
        return FAULT_RETRY;
    }
    if (!write)
        return map_around(area, source, address, page, file_protection(area, source));
    if (area->flags & AREA_SHARED)
        return map_to_write(area, source, address, page, need);
    enum fault_result result = copy_for_write(area, address, page);
    page_put(page);
    return result;
}

/* FAULT_RETRY as fault_file(). */
static enum fault_result fault_locked(uintptr_t address, uint64_t error, struct need *need)
{
    must_hold_mutex(&address_space_mutex);
    struct mmu_entry present;
    bool write = error & FAULT_WRITE;
    struct area *area = area_find(address);
    if (!area)
        return FAULT_NO_AREA;
    if (!area_allows(area, error))
        return FAULT_NO_ACCESS;
    make_room();
    if (mmu_query(address, &present)) {
        bool upgrade = write && !(present.protection & MMU_WRITE);
        return upgrade ? fault_write_present(area, address, &present, need) : FAULT_RESOLVED;
    }
    if (area->fixed_pages)
        return fault_fixed(area, address);
    if (area->flags & AREA_STACK && process_layout.stack_top - address > read_once(stack_limit))
        return FAULT_NO_AREA;
    return area->object ? fault_file(area, address, write, need) : fault_anonymous(area, address);
}

/* ---- Without the kernel lock ---- */

enum apart { NOT_APART, APART, APART_AND_SERVED };

/* Whether the fault is of the kind that fault_apart() serves; APART_AND_SERVED: another thread has. Under the mutex. */
static enum apart look_at(const struct area *area, uintptr_t address, uint64_t error)
{
    must_hold_mutex(&address_space_mutex);
    struct mmu_entry present;
    if (!area || !area_allows(area, error) || area->object || area->fixed_pages)
        return NOT_APART;
    if (mmu_query(address, &present))
        return !(error & FAULT_WRITE) || present.protection & MMU_WRITE ? APART_AND_SERVED : NOT_APART;
    if (area->flags & AREA_STACK && process_layout.stack_top - address > read_once(stack_limit))
        return NOT_APART;
    if (large_is_wanted(area, address))
        return NOT_APART;
    return pages_free_at(PAGES_KEPT) < KEPT_FRAMES ? NOT_APART : APART;
}

static unsigned allocate_zeroed(struct page **pages, unsigned wanted)
{
    unsigned count = 0;
    struct page *page;
    while (count < wanted && (page = page_allocate_at(PAGES_NEEDED)))
        memset(page_data(pages[count++] = page), 0, PAGE_SIZE);
    return count;
}

/* Maps as many of the pages as there are absent ones from `address` on, and takes over all of them. Under the mutex. */
static bool map_absent(const struct area *area, uintptr_t address, struct page **pages, unsigned count)
{
    must_hold_mutex(&address_space_mutex);
    struct mmu_entry entries[ANONYMOUS_AHEAD], present;
    unsigned used = 0;
    uintptr_t at = address;
    for (; used < count && at < area->end && (!used || !mmu_query(at, &present)); at += PAGE_SIZE, used++)
        set_entry(&entries[used], at, pages[used], area->protection);
    for (unsigned i = used; i < count; i++)
        page_put(pages[i]);
    return used && map_entries(entries, used, address) == FAULT_RESOLVED;
}

/* The pages are allocated and cleared without the mutex, which others want at the same time. False: the fault is of
 * another kind, or there is no memory. */
static bool fault_apart(uintptr_t address, uint64_t error)
{
    struct page *pages[ANONYMOUS_AHEAD];
    mutex_lock(&address_space_mutex);
    const struct area *area = area_find(address);
    enum apart apart = look_at(area, address, error);
    unsigned count = apart == APART ? anonymous_batch(area, address) : 0;
    mutex_unlock(&address_space_mutex);
    if (apart != APART)
        return apart == APART_AND_SERVED;
    count = allocate_zeroed(pages, count);
    mutex_lock(&address_space_mutex);
    area = area_find(address);
    apart = look_at(area, address, error);
    bool served = map_absent(area, address, pages, apart == APART ? count : 0) || apart == APART_AND_SERVED;
    mutex_unlock(&address_space_mutex);
    for (unsigned i = 0; apart != APART && i < count; i++)
        page_put(pages[i]);
    return served;
}

/* ---- With it ---- */

static enum fault_result fault(uintptr_t address, uint64_t error)
{
    struct page *read = NULL;
    bool reserved = false; /* room for that page */
    if (large_fault(address, error))
        return FAULT_RESOLVED;
    for (;;) {
        struct need need = { .reserved = reserved ? read : NULL };
        mutex_lock(&address_space_mutex);
        enum fault_result result = fault_locked(address, error, &need);
        mutex_unlock(&address_space_mutex);
        if (read)
            page_put(read);
        read = NULL;
        if (result == FAULT_RETRY)
            result = read_in(&need, &read);
        reserved = need.room;
        if (result == FAULT_NO_MEMORY && writeback_make_room())
            continue;
        if (result == FAULT_RESOLVED && need.throttled)
            writeback_throttle();
        if (result != FAULT_RETRY)
            return result;
    }
}

enum fault_result address_space_fault(uintptr_t address, uint64_t error)
{
    address = align_down(address, PAGE_SIZE);
    __atomic_fetch_add(&memory_events.faults, 1, __ATOMIC_RELAXED);
    if (likely(kernel_is_held()))
        return fault(address, error);
    if (fault_apart(address, error))
        return FAULT_RESOLVED;
    kernel_enter();
    enum fault_result result = fault(address, error);
    kernel_leave();
    return result;
}

int address_space_populate(uintptr_t start, size_t length, bool for_write)
{
    if (!user_range_ok(start, length))
        return -ENOMEM;
    uint64_t error = for_write ? FAULT_WRITE : 0;
    struct mmu_entry present;
    for (uintptr_t at = start; at < start + length; at += PAGE_SIZE) {
        if ((at >> PAGE_SHIFT) % POPULATED_AT_ONCE == 0)
            give_way();
        if (mmu_query(at, &present) && (!for_write || (present.protection & MMU_WRITE)))
            continue;
        switch (address_space_fault(at, error)) {
        case FAULT_RESOLVED:
            break;
        case FAULT_NO_AREA:
        case FAULT_NO_MEMORY:
            return -ENOMEM;
        case FAULT_NO_ACCESS:
            return -EINVAL;
        default:
            return -EFAULT;
        }
    }
    return 0;
}
