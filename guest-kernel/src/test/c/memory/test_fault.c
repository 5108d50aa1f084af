/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults on a mapped file while memory is short or the file shrinks, over page tables that are an array.
 *
 * One mapping of one file, whose pages are made by fill() here, which may cut the file while it reads: what another
 * thread could do then. Run by make test-memory.
 */
#include "core/kernel_lock.h"
#include "core/pages.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/areas.h"
#include "memory/page_cache.h"

#define PAGES 4u
#define RESERVE 192u /* frames that faults leave to the kernel (memory/fault.c) */

/* ---- Page tables of one mapping ---------------------------------------------------------------------- */

static uintptr_t mapped_at;
static struct mmu_entry table[PAGES]; /* physical 0: absent */

static struct mmu_entry *slot(uintptr_t address) { return &table[(address - mapped_at) / PAGE_SIZE % PAGES]; }

int mmu_map(const struct mmu_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *slot(entries[i].virtual) = entries[i];
    return 0;
}

size_t mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    size_t count = 0;
    for (; *from < end && count < limit; *from += PAGE_SIZE) {
        if (!slot(*from)->physical)
            continue;
        out[count++] = *slot(*from);
        slot(*from)->physical = 0;
    }
    return count;
}

void mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    (void)from, (void)end, (void)protection, (void)upgrade_write;
}

bool mmu_query(uintptr_t virtual, struct mmu_entry *out)
{
    *out = *slot(virtual);
    return out->physical != 0;
}

size_t mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    size_t count = 0;
    for (; *from < end && count < limit; *from += PAGE_SIZE)
        if (slot(*from)->physical)
            out[count++] = *slot(*from);
    return count;
}
bool mmu_test_clear_accessed(uintptr_t virtual)
{
    (void)virtual;
    return false;
}

/* ---- The file ------------------------------------------------------------------------------------------ */

static uint64_t cut_while_reading; /* bytes the file has when the next read ends; UINT64_MAX: as many as before */
static struct page_source source;

/* Every byte of page i is i + 1. */
static int fill(struct page_source *from, uint32_t index, struct page **pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        memset(page_data(pages[i]), (int)(index + i + 1), PAGE_SIZE);
    if (cut_while_reading != UINT64_MAX) {
        from->size = cut_while_reading;
        page_cache_drop(from, cut_while_reading >> PAGE_SHIFT, PAGE_CACHE_END);
    }
    return 0;
}

static const struct page_source_operations source_operations = { .fill = fill };

/* The same of a file that is written to a disk, of which only what was written is kept. */
static uint8_t written[PAGES]; /* the first byte of each page */
static int reserve_error;
static unsigned reservations;

static void write_pages(struct page_source *to, struct page **pages, unsigned count)
{
    (void)to;
    for (unsigned i = 0; i < count; i++)
        written[pages[i]->index] = *(uint8_t *)page_data(pages[i]);
}

static int reserve(struct page_source *of, uint32_t index)
{
    (void)of, (void)index;
    reservations++;
    return reserve_error;
}

static const struct page_source_operations written_operations = { .fill = fill,
                                                                  .write = write_pages,
                                                                  .reserve = reserve };
static int references;
static struct page_source *pages_of(struct mappable *object)
{
    (void)object;
    return &source;
}
static void get(struct mappable *object)
{
    (void)object;
    references++;
}
static void put(struct mappable *object)
{
    (void)object;
    references--;
}
static const struct mappable_operations operations = { .pages = pages_of, .get = get, .put = put };
static struct mappable file = { .operations = &operations };

static void map_source(unsigned flags)
{
    cut_while_reading = UINT64_MAX;
    host_pages_withheld = 0;
    memset(table, 0, sizeof(table));
    mapped_at = USER_LOWEST;
    struct map_request request = { .where = mapped_at,
                                   .length = PAGES * PAGE_SIZE,
                                   .fixed = true,
                                   .object = &file,
                                   .flags = flags,
                                   .protection = MMU_READ | MMU_WRITE };
    if (address_space_map(&request) != (int64_t)mapped_at)
        host_fail(__FILE__, __LINE__, "no mapping");
}

static void map_file(bool evictable)
{
    page_source_init(&source, &source_operations, PAGES * PAGE_SIZE, evictable);
    map_source(0);
}

static void map_written_file(void)
{
    page_source_init(&source, &written_operations, PAGES * PAGE_SIZE, true);
    memset(written, 0, sizeof(written));
    reserve_error = 0;
    map_source(AREA_SHARED);
}

static void unmap_file(uint64_t pages_before)
{
    CHECK_EQUAL(address_space_unmap(mapped_at, PAGES * PAGE_SIZE), 0);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    CHECK_EQUAL(resident_pages, 0);
    CHECK_EQUAL(source.page_count, 0);
    CHECK_EQUAL(host_pages_in_use(), pages_before);
    CHECK_EQUAL(references, 0);
}

/* Finding a frame for the copy takes the page to be copied out of its mapping: it must still be there to copy. */
static void written_page_is_reclaimed(void)
{
    uint64_t before = host_pages_in_use();
    host_pages_total = 0; /* so that the cache has all of them to spare */
    map_file(true);
    CHECK_EQUAL(address_space_fault(mapped_at, 0), FAULT_RESOLVED);
    CHECK_EQUAL(resident_pages, PAGES);
    host_pages_withheld = pages_free_count() - (RESERVE - 1);
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_RESOLVED);
    host_pages_withheld = 0;
    struct mmu_entry entry;
    CHECK(mmu_query(mapped_at, &entry));
    struct page *copy = page_of(entry.physical);
    CHECK(copy->source == NULL);
    CHECK_EQUAL(copy->references, 1);
    CHECK(entry.protection & MMU_WRITE);
    const uint8_t *bytes = page_data(copy);
    CHECK(bytes[0] == 1 && bytes[PAGE_SIZE - 1] == 1);
    CHECK_EQUAL(resident_pages, 1);
    unmap_file(before);
}

static void written_page_is_replaced(void)
{
    uint64_t before = host_pages_in_use();
    map_file(true);
    CHECK_EQUAL(address_space_fault(mapped_at, 0), FAULT_RESOLVED);
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(resident_pages, PAGES);
    unmap_file(before);
}

/* The page that was missing is gone from the file when it has been read. */
static void file_is_cut_during_the_fault(void)
{
    uint64_t before = host_pages_in_use();
    map_file(false);
    cut_while_reading = PAGE_SIZE;
    CHECK_EQUAL(address_space_fault(mapped_at + 3 * PAGE_SIZE, 0), FAULT_BEYOND_FILE);
    CHECK_EQUAL(source.page_count, 0);
    unmap_file(before);
}

/* Nobody's size check, made before a sleep, puts a page where truncation will not look for it. */
static void no_page_lies_behind_the_end(void)
{
    int error;
    page_source_init(&source, &source_operations, PAGE_SIZE + 1, false);
    cut_while_reading = UINT64_MAX;
    CHECK(page_cache_get(&source, 2, &error) == NULL);
    CHECK_EQUAL(error, -ENXIO);
    struct page *page = page_cache_get(&source, 1, &error);
    CHECK(page != NULL);
    page_put(page);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    CHECK_EQUAL(source.page_count, 0);
}

static bool is_writable(unsigned page) { return table[page].physical && table[page].protection & MMU_WRITE; }

static void store(unsigned page, uint8_t value) { *(uint8_t *)page_data(page_of(table[page].physical)) = value; }

/* Only the page that is written becomes writable and dirty; it is written once it is unmapped, and the next write
 * faults. */
static void written_page_becomes_dirty(void)
{
    uint64_t before = host_pages_in_use();
    map_written_file();
    CHECK_EQUAL(address_space_fault(mapped_at, 0), FAULT_RESOLVED);
    CHECK_EQUAL(resident_pages, PAGES);
    CHECK(!is_writable(0) && !is_writable(1));
    CHECK_EQUAL(address_space_fault(mapped_at + PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
    CHECK(!is_writable(0) && is_writable(1) && !is_writable(2));
    CHECK_EQUAL(page_cache_dirty_count(), 1);
    CHECK(!page_cache_write_some()); /* mapped */
    store(1, 99);
    struct page_source *found = NULL;
    uint32_t index;
    mutex_lock(&address_space_mutex);
    CHECK(page_cache_dirty_mapped(&found, &index) && found == &source && index == 1);
    areas_unmap_page(found, index);
    found = NULL;
    CHECK(!page_cache_dirty_mapped(&found, &index));
    mutex_unlock(&address_space_mutex);
    CHECK_EQUAL(resident_pages, PAGES - 1);
    CHECK(page_cache_write_some());
    CHECK(written[1] == 99 && written[0] == 0 && written[2] == 0);
    CHECK_EQUAL(page_cache_dirty_count(), 0);
    CHECK_EQUAL(address_space_fault(mapped_at + PAGE_SIZE, 0), FAULT_RESOLVED);
    CHECK(!is_writable(1));
    CHECK_EQUAL(address_space_fault(mapped_at + PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
    CHECK(is_writable(1));
    CHECK_EQUAL(page_cache_dirty_count(), 1);
    CHECK_EQUAL(address_space_unmap(mapped_at, PAGES * PAGE_SIZE), 0);
    CHECK_EQUAL(page_cache_dirty_count(), 1); /* with or without a mapping */
    CHECK(pages_reclaim(PAGES, PAGES_NEEDED) == PAGES - 1);
    CHECK(page_cache_write_some());
    unmap_file(before);
}

/* The first fault is a write. */
static void written_page_was_absent(void)
{
    uint64_t before = host_pages_in_use();
    map_written_file();
    reservations = 0;
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(reservations, 1);
    CHECK(is_writable(0) && !is_writable(1));
    CHECK_EQUAL(page_cache_dirty_count(), 1);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    CHECK_EQUAL(page_cache_dirty_count(), 0);
    CHECK(!page_cache_write_some());
    unmap_file(before);
}

static void no_room_for_what_is_written(void)
{
    uint64_t before = host_pages_in_use();
    map_written_file();
    reserve_error = -ENOSPC;
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_BEYOND_FILE);
    CHECK_EQUAL(address_space_fault(mapped_at, 0), FAULT_RESOLVED);
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_BEYOND_FILE);
    reserve_error = -EIO;
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_IO);
    CHECK(!is_writable(0));
    CHECK_EQUAL(page_cache_dirty_count(), 0);
    unmap_file(before);
}

/* A fault that finds no memory waits for dirty pages to be written. */
static void memory_comes_from_dirty_pages(void)
{
    uint64_t before = host_pages_in_use();
    map_written_file();
    for (unsigned i = 0; i < PAGES - 1; i++)
        CHECK_EQUAL(address_space_fault(mapped_at + i * PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(address_space_unmap(mapped_at, PAGES * PAGE_SIZE), 0);
    CHECK_EQUAL(page_cache_drop(&source, PAGES - 1, PAGES), 1);
    CHECK_EQUAL(page_cache_dirty_count(), PAGES - 1);
    map_source(AREA_SHARED);
    host_fail_one_allocation(1);
    CHECK_EQUAL(address_space_fault(mapped_at + (PAGES - 1) * PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(page_cache_dirty_count(), 1);
    CHECK(written[0] == 1 && written[1] == 2 && written[2] == 3);
    host_fail_allocation(0);
    unmap_file(before);
}

static void map_own_memory(void)
{
    host_pages_withheld = 0;
    memset(table, 0, sizeof(table));
    mapped_at = USER_LOWEST;
    struct map_request request = {
        .where = mapped_at, .length = PAGES * PAGE_SIZE, .fixed = true, .protection = MMU_READ | MMU_WRITE
    };
    CHECK_EQUAL(address_space_map(&request), (int64_t)mapped_at);
}

/* With several CPUs the program's own memory is served without the kernel lock while there is enough, a file's page and
 * what is refused with it. */
static void own_memory_needs_no_kernel_lock(void)
{
    uint64_t before = host_pages_in_use();
    map_own_memory();
    kernel_is_locked = true;
    kernel_leave();
    host_kernel_taken = 0;
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_RESOLVED);
    CHECK(is_writable(0) && !table[1].physical);
    CHECK_EQUAL(*(uint64_t *)page_data(page_of(table[0].physical)), 0);
    CHECK_EQUAL(address_space_fault(mapped_at, FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(resident_pages, 1);
    CHECK_EQUAL(host_kernel_taken, 0);
    host_pages_withheld = pages_free_count() - 2 * RESERVE;
    CHECK_EQUAL(address_space_fault(mapped_at + 2 * PAGE_SIZE, 0), FAULT_RESOLVED);
    host_pages_withheld = 0;
    CHECK_EQUAL(host_kernel_taken, 1);
    CHECK_EQUAL(address_space_fault(mapped_at + 3 * PAGE_SIZE, FAULT_FETCH), FAULT_NO_ACCESS);
    CHECK_EQUAL(host_kernel_taken, 2);
    CHECK(!kernel_is_held());
    kernel_enter();
    CHECK_EQUAL(address_space_unmap(mapped_at, PAGES * PAGE_SIZE), 0);
    host_kernel_taken = 0;
    map_file(true);
    kernel_leave();
    CHECK_EQUAL(address_space_fault(mapped_at, 0), FAULT_RESOLVED);
    CHECK_EQUAL(host_kernel_taken, 1);
    kernel_enter();
    unmap_file(before);
    kernel_is_locked = false;
}

int main(void)
{
    host_init();
    page_cache_init();
    address_space_init();
    host_test("fault: the page to be copied is reclaimed", written_page_is_reclaimed);
    host_test("fault: the page copied is replaced", written_page_is_replaced);
    host_test("fault: the file is cut meanwhile", file_is_cut_during_the_fault);
    host_test("fault: no page lies beyond the end", no_page_lies_behind_the_end);
    host_test("fault: a page that is written becomes dirty", written_page_becomes_dirty);
    host_test("fault: a page that is written was absent", written_page_was_absent);
    host_test("fault: there is no room for what is written", no_room_for_what_is_written);
    host_test("fault: memory comes from dirty pages", memory_comes_from_dirty_pages);
    host_test("fault: the program's own memory needs no kernel lock", own_memory_needs_no_kernel_lock);
    return host_result();
}
