/*
 * Page faults. A fault brings in more than the one page where that is likely to save the next
 * ones: file pages around it that are cached already, and a few pages ahead of a
 * sequential walk through anonymous memory; all of them are one mmu_map().
 */
#include "files/file.h"
#include "lib/errno.h"
#include "lib/pages.h"
#include "lib/string.h"
#include "memory/areas.h"

#define FILE_AROUND 16               /* pages, aligned: mapped with one file fault if cached */
#define ANONYMOUS_AHEAD 8            /* pages served at once in a sequential walk */
#define KERNEL_RESERVE 192           /* frames user faults leave to the kernel */
#define STACK_GROWTH_LIMIT (8UL << 20)
#define RECLAIM_PASSES 2             /* the first may only clear accessed bits */

/* A frame for user memory, or NULL when only the kernel's reserve is left. */
static struct page *allocate_user_page(void)
{
    for (int pass = 0; pages_free_count() < KERNEL_RESERVE && pass < RECLAIM_PASSES; pass++)
        if (pages_reclaim(KERNEL_RESERVE) == 0)
            areas_reclaim();
    return pages_free_count() < KERNEL_RESERVE ? NULL : page_allocate();
}

static void set_entry(struct mmu_entry *entry, uintptr_t address, const struct page *page, unsigned protection)
{
    *entry = (struct mmu_entry){ .virtual = address, .physical = page_address(page), .protection = protection };
}

static enum fault_result map_entries(const struct mmu_entry *entries, size_t count)
{
    if (mmu_map(entries, count) == 0) {
        resident_pages += count;
        return FAULT_SERVED;
    }
    for (size_t i = 0; i < count; i++)
        page_put(page_of(entries[i].physical));
    return FAULT_NO_MEMORY;
}

static unsigned anonymous_batch(const struct area *area, uintptr_t address)
{
    struct mmu_entry entry;
    bool sequential = address > area->start && mmu_query(address - PAGE_SIZE, &entry);
    if (!sequential || pages_free_count() < 8 * KERNEL_RESERVE)
        return 1;
    uint64_t left = (area->end - address) >> PAGE_SHIFT;
    return (unsigned)min_of(left, (uint64_t)ANONYMOUS_AHEAD);
}

static enum fault_result fault_anonymous(const struct area *area, uintptr_t address)
{
    struct mmu_entry entries[ANONYMOUS_AHEAD], present;
    unsigned wanted = anonymous_batch(area, address);
    size_t count = 0;
    for (unsigned i = 0; i < wanted; i++, address += PAGE_SIZE) {
        if (i && mmu_query(address, &present))
            break;
        struct page *page = allocate_user_page();
        if (!page)
            break;
        memset(page_data(page), 0, PAGE_SIZE);
        set_entry(&entries[count++], address, page, area->protection);
    }
    return count ? map_entries(entries, count) : FAULT_NO_MEMORY;
}

/* Gives the private mapping its own copy of `page`, whose reference is the caller's. */
static enum fault_result copy_for_write(const struct area *area, uintptr_t address, const struct page *page,
                                        struct page *replaced)
{
    struct page *copy = allocate_user_page();
    if (!copy)
        return FAULT_NO_MEMORY;
    memcpy(page_data(copy), page_data(page), PAGE_SIZE);
    struct mmu_entry entry;
    set_entry(&entry, address, copy, area->protection);
    enum fault_result result = map_entries(&entry, 1);
    if (result == FAULT_SERVED && replaced) {
        page_put(replaced);
        resident_pages--;
    }
    return result;
}

/* A write to a page that is mapped read-only inside a writable area. */
static enum fault_result fault_write_present(const struct area *area, uintptr_t address,
                                             const struct mmu_entry *present)
{
    struct page *page = page_of(present->physical);
    bool private_file_page = page->source && !(area->flags & AREA_SHARED);
    if (private_file_page)
        return copy_for_write(area, address, page, page);
    struct mmu_entry entry;
    set_entry(&entry, address, page, area->protection);
    return mmu_map(&entry, 1) ? FAULT_NO_MEMORY : FAULT_SERVED;
}

static uint32_t page_index(const struct area *area, uintptr_t address)
{
    return (uint32_t)((area->offset + (address - area->start)) >> PAGE_SHIFT);
}

static unsigned file_protection(const struct area *area)
{
    return area->flags & AREA_SHARED ? area->protection : area->protection & ~MMU_WRITE;
}

/* Maps `page` (its reference passes to the mapping) and cached neighbours. */
static enum fault_result map_around(const struct area *area, struct page_source *source, uintptr_t address,
                                    struct page *page)
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
            set_entry(&entries[count++], at, found, file_protection(area));
    }
    return map_entries(entries, count);
}

/* With the page already cached. NULL page: it is not, read it without the mutex and retry. */
static enum fault_result fault_file(const struct area *area, struct page_source *source, uintptr_t address,
                                    bool write, struct page *page)
{
    if (!write || (area->flags & AREA_SHARED))
        return map_around(area, source, address, page);
    enum fault_result result = copy_for_write(area, address, page, NULL);
    page_put(page);
    return result;
}

static enum fault_result fault_fixed(const struct area *area, uintptr_t address)
{
    struct page *page = page_of(area->fixed_pages[(address - area->start) >> PAGE_SHIFT]);
    struct mmu_entry entry;
    page_get(page);
    set_entry(&entry, address, page, area->protection);
    return map_entries(&entry, 1);
}

static bool allowed(const struct area *area, uint64_t error)
{
    if (error & FAULT_WRITE)
        return area->protection & MMU_WRITE;
    if (error & FAULT_FETCH)
        return area->protection & MMU_EXECUTE;
    return area->protection != 0;
}

/* The initial stack is extended by a touch below it, within its limit. */
static struct area *grow_stack(uintptr_t address)
{
    struct area *area = area_first_after(address);
    if (!area || !(area->flags & AREA_GROWS_DOWN) || area->end - address > STACK_GROWTH_LIMIT)
        return NULL;
    area->start = address;           /* the order of the tree does not change: nothing lay between */
    return area;
}

/* Reads the page in with no lock held; the fault is then tried again. */
static enum fault_result read_in(struct file *file, struct page_source *source, uint32_t index)
{
    int error;
    struct page *page = page_cache_get(source, index, &error);
    if (page)
        page_put(page);
    file_put(file);
    if (page)
        return FAULT_SERVED;
    return error == -ENOMEM ? FAULT_NO_MEMORY : FAULT_IO;
}

enum fault_result address_space_fault(uintptr_t address, uint64_t error)
{
    address = align_down(address, PAGE_SIZE);
    for (;;) {
        enum fault_result result;
        struct mmu_entry present;
        mutex_lock(&address_space_mutex);
        struct area *area = area_find(address);
        if (!area)
            area = grow_stack(address);
        if (!area) {
            result = FAULT_NO_AREA;
        } else if (!allowed(area, error)) {
            result = FAULT_NO_ACCESS;
        } else if (mmu_query(address, &present)) {
            bool needs_write = (error & FAULT_WRITE) && !(present.protection & MMU_WRITE);
            result = needs_write ? fault_write_present(area, address, &present) : FAULT_SERVED;
        } else if (area->fixed_pages) {
            result = fault_fixed(area, address);
        } else if (!area->file) {
            result = fault_anonymous(area, address);
        } else {
            struct page_source *source = area->file->operations->pages(area->file);
            uint32_t index = page_index(area, address);
            if (index >= align_up(source->size, PAGE_SIZE) >> PAGE_SHIFT) {
                result = FAULT_BEYOND_FILE;
            } else {
                struct page *page = page_cache_find(source, index);
                if (!page) {
                    struct file *file = file_get(area->file);
                    mutex_unlock(&address_space_mutex);
                    result = read_in(file, source, index);
                    if (result != FAULT_SERVED)
                        return result;
                    continue;
                }
                result = fault_file(area, source, address, error & FAULT_WRITE, page);
            }
        }
        mutex_unlock(&address_space_mutex);
        return result;
    }
}

int address_space_populate(uintptr_t start, size_t length, bool for_write)
{
    uint64_t error = for_write ? FAULT_WRITE : 0;
    struct mmu_entry present;
    for (uintptr_t at = start; at < start + length; at += PAGE_SIZE) {
        if (mmu_query(at, &present) && (!for_write || (present.protection & MMU_WRITE)))
            continue;
        switch (address_space_fault(at, error)) {
        case FAULT_SERVED:
            break;
        case FAULT_NO_AREA:
        case FAULT_NO_MEMORY:
            return -ENOMEM;
        default:
            return -EFAULT;
        }
    }
    return 0;
}
