/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults and the calls that change areas, while memory runs out at every point in turn: what fails leaves
 * everything as it was, and no page is lost or freed while it is mapped. The page tables are a list.
 */
#include "core/pages.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/areas.h"
#include "memory/mappings.h"
#include "memory/page_cache.h"

/* ---- Page tables ---------------------------------------------------------------------------------- */

#define TRANSLATIONS 16384

static struct mmu_entry translations[TRANSLATIONS]; /* ascending */
static size_t translation_count;
static uint64_t looks;        /* translations that were looked at for their accessed bit, or listed */
static unsigned failing_map;  /* the how many-th mmu_map() from now on fails, and ... */
static unsigned failing_maps; /* ... how many do in all */

static size_t position_of(uintptr_t virtual)
{
    size_t i = 0;
    while (i < translation_count && translations[i].virtual < virtual)
        i++;
    return i;
}

static struct mmu_entry *translation_of(uintptr_t virtual)
{
    size_t i = position_of(virtual);
    return i < translation_count && translations[i].virtual == virtual ? &translations[i] : NULL;
}

int mmu_map(const struct mmu_entry *entries, size_t count)
{
    if (failing_maps && (failing_map <= 1 || !--failing_map)) {
        failing_maps--;
        return -ENOMEM;
    }
    for (size_t n = 0; n < count; n++) {
        size_t i = position_of(entries[n].virtual);
        if (!translation_of(entries[n].virtual)) {
            memmove(&translations[i + 1], &translations[i], (translation_count - i) * sizeof(*translations));
            translation_count++;
        }
        translations[i] = entries[n];
        translations[i].accessed = true;
    }
    return 0;
}

size_t mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    size_t count = 0;
    for (size_t i = position_of(*from); i < translation_count && translations[i].virtual < end && count < limit; i++)
        out[count++] = translations[i];
    *from = count == limit ? out[count - 1].virtual + PAGE_SIZE : end;
    return count;
}

size_t mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    size_t i = position_of(*from), count = mmu_find(from, end, out, limit);
    memmove(&translations[i], &translations[i + count], (translation_count - i - count) * sizeof(*translations));
    translation_count -= count;
    return count;
}

void mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    for (size_t i = position_of(from); i < translation_count && translations[i].virtual < end; i++)
        translations[i].protection = protection & (upgrade_write ? ~0u : translations[i].protection | ~MMU_WRITE);
}

bool mmu_query(uintptr_t virtual, struct mmu_entry *out)
{
    const struct mmu_entry *found = translation_of(align_down(virtual, PAGE_SIZE));
    if (found)
        *out = *found;
    return found;
}

bool mmu_test_clear_accessed(uintptr_t virtual)
{
    struct mmu_entry *found = translation_of(virtual);
    bool accessed = found && found->accessed;
    looks++;
    if (found)
        found->accessed = false;
    return accessed;
}

/* ---- A file ---------------------------------------------------------------------------------------- */

#define FILE_PAGES 256
#define WORKING_PAGES 128 /* memory/fault.c */

static struct page_source source;
static int file_references;

static int fill(struct page_source *of, uint32_t index, struct page **pages, unsigned count)
{
    (void)of;
    for (unsigned i = 0; i < count; i++)
        memset(page_data(pages[i]), (int)(index + i + 1), PAGE_SIZE);
    return 0;
}

static const struct page_source_operations source_operations = { .fill = fill };
static struct page_source *pages_of(struct mappable *object)
{
    (void)object;
    return &source;
}
static void get(struct mappable *object)
{
    (void)object;
    file_references++;
}
static void put(struct mappable *object)
{
    (void)object;
    file_references--;
}
static const struct mappable_operations file_operations = { .pages = pages_of, .get = get, .put = put };
static struct mappable file = { .operations = &file_operations };

/* ---- What is compared ------------------------------------------------------------------------------ */

#define BASE 0x10000000UL /* of the areas of these tests */
#define AREAS 64

static uint64_t pages_before;

struct seen {
    struct {
        uintptr_t start, end;
        unsigned protection;
    } areas[AREAS];
    size_t count;
    struct mmu_entry translations[TRANSLATIONS];
    size_t translation_count;
    uint64_t resident, reserved, pages;
};

static void see_area(const struct area *area, void *context)
{
    struct seen *seen = context;
    seen->areas[seen->count].start = area->start;
    seen->areas[seen->count].end = area->end;
    seen->areas[seen->count++].protection = area->protection;
}

static void look(struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    address_space_for_each(see_area, seen);
    memcpy(seen->translations, translations, translation_count * sizeof(*translations));
    seen->translation_count = translation_count;
    seen->resident = resident_pages;
    seen->reserved = reserved_bytes;
    seen->pages = host_pages_in_use();
}

static bool nothing_changed(const struct seen *before)
{
    static struct seen now;
    look(&now);
    return memcmp(&now, before, sizeof(now)) == 0;
}

static void prepare(void)
{
    address_space_init();
    page_source_init(&source, &source_operations, FILE_PAGES * PAGE_SIZE, true);
    translation_count = 0;
    failing_maps = failing_map = 0;
    pages_before = host_pages_in_use();
}

static int64_t map(uintptr_t where, size_t pages, unsigned protection, unsigned flags)
{
    struct map_request request = {
        .where = where, .length = pages * PAGE_SIZE, .protection = protection, .flags = flags, .fixed = true
    };
    return address_space_map(&request);
}

static int64_t map_file(uintptr_t where, unsigned protection)
{
    struct map_request request = {
        .where = where, .length = FILE_PAGES * PAGE_SIZE, .protection = protection, .fixed = true, .object = &file
    };
    return address_space_map(&request);
}

static void touch(uintptr_t where, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        CHECK_EQUAL(address_space_fault(where + i * PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
        memset(page_data(page_of(translation_of(where + i * PAGE_SIZE)->physical)), (int)i, PAGE_SIZE);
    }
}

static bool has_contents(uintptr_t where, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        const struct mmu_entry *found = translation_of(where + i * PAGE_SIZE);
        if (!found || *(uint8_t *)page_data(page_of(found->physical)) != (uint8_t)i)
            return false;
    }
    return true;
}

static void all_gone(void)
{
    CHECK_EQUAL(address_space_unmap(USER_LOWEST, BASE * 2), 0);
    CHECK_EQUAL(page_cache_mapped_count(), 0);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    CHECK_EQUAL(translation_count, 0);
    CHECK_EQUAL(resident_pages, 0);
    CHECK_EQUAL(reserved_bytes, 0);
    CHECK_EQUAL(file_references, 0);
    CHECK_EQUAL(host_pages_in_use(), pages_before);
}

/* ---- Tests ----------------------------------------------------------------------------------------- */

static void test_faults_without_tables(void)
{
    prepare();
    CHECK_EQUAL(map(BASE, 100, MMU_READ | MMU_WRITE, 0), BASE);
    touch(BASE, 10);
    static struct seen before;
    look(&before);
    uintptr_t next = BASE + translation_count * PAGE_SIZE;
    failing_maps = 2; /* for several pages, and for the one */
    CHECK_EQUAL(address_space_fault(next, FAULT_WRITE), FAULT_NO_MEMORY);
    CHECK(nothing_changed(&before));
    failing_maps = 1;
    CHECK_EQUAL(address_space_fault(next, FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(translation_count, before.translation_count + 1);
    CHECK_EQUAL(host_pages_in_use(), before.pages + 1);
    all_gone();
}

static void test_file_faults_without_tables(void)
{
    prepare();
    CHECK_EQUAL(map_file(BASE, MMU_READ), BASE);
    int error;
    for (uint32_t i = 0; i < FILE_PAGES; i++)
        page_put(page_cache_get(&source, i, &error));
    static struct seen before;
    look(&before);
    failing_maps = 2;
    CHECK_EQUAL(address_space_fault(BASE + 5 * PAGE_SIZE, 0), FAULT_NO_MEMORY);
    CHECK(nothing_changed(&before));
    failing_maps = 1;
    CHECK_EQUAL(address_space_fault(BASE + 5 * PAGE_SIZE, 0), FAULT_RESOLVED);
    CHECK_EQUAL(translation_count, 1);
    CHECK_EQUAL(translations[0].virtual, BASE + 5 * PAGE_SIZE);
    CHECK_EQUAL(*(uint8_t *)page_data(page_of(translations[0].physical)), 6);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), FILE_PAGES - 1); /* nothing else refers to the others */
    all_gone();
}

/* Every allocation and every mmu_map() of the move fails once. */
static void test_moving(bool fixed, size_t new_pages)
{
    enum { PAGES = 200 };
    prepare();
    CHECK_EQUAL(map(BASE, PAGES + 2, MMU_READ | MMU_WRITE, 0), BASE);
    touch(BASE + PAGE_SIZE, PAGES);
    uintptr_t to = fixed ? BASE + PAGE_SIZE * 1000 : 0;
    static struct seen before;
    look(&before);
    for (unsigned maps = 0; maps < 2; maps++) {
        bool failed = true;
        for (unsigned n = 1; failed && n < 1000; n++) {
            failing_map = n;
            failing_maps = maps;
            host_fail_allocation(maps ? 0 : n);
            int64_t moved = address_space_remap(BASE + PAGE_SIZE, PAGES * PAGE_SIZE, new_pages * PAGE_SIZE, true, fixed,
                                                to);
            host_fail_allocation(0);
            failing_maps = 0;
            failed = moved == -ENOMEM;
            if (failed) {
                CHECK(nothing_changed(&before));
                continue;
            }
            CHECK(moved > 0);
            CHECK(n > 1);
            size_t kept = min_of((size_t)PAGES, new_pages);
            CHECK(has_contents((uintptr_t)moved, kept));
            CHECK_EQUAL(host_pages_in_use(), before.pages - (translation_count < before.translation_count
                                                                 ? before.translation_count - translation_count
                                                                 : 0));
            CHECK_EQUAL(resident_pages, translation_count);
            CHECK(!translation_of(BASE + PAGE_SIZE));
            CHECK_EQUAL(address_space_unmap((uintptr_t)moved, new_pages * PAGE_SIZE), 0);
        }
        CHECK(!failed);
        CHECK_EQUAL(map(BASE, PAGES + 2, MMU_READ | MMU_WRITE, 0), BASE);
        touch(BASE + PAGE_SIZE, PAGES);
        look(&before);
    }
    all_gone();
}

static void test_moving_and_growing(void) { test_moving(false, 300); }
static void test_moving_to_a_place(void) { test_moving(true, 200); }
static void test_moving_and_shrinking(void) { test_moving(true, 50); }

/* A call that splits areas at two places. */
static void test_splitting(int (*call)(void))
{
    prepare();
    CHECK_EQUAL(map(BASE, 30, MMU_READ | MMU_WRITE, 0), BASE);
    touch(BASE, 30);
    static struct seen before;
    look(&before);
    int error = -ENOMEM;
    unsigned n = 1;
    for (; error == -ENOMEM && n < 100; n++) {
        host_fail_allocation(n);
        error = call();
        host_fail_allocation(0);
        CHECK(error == 0 || nothing_changed(&before));
    }
    CHECK_EQUAL(error, 0);
    CHECK_EQUAL(n, 4); /* two allocations failed, then none did */
    CHECK(!nothing_changed(&before));
    all_gone();
}

static int unmap_middle(void) { return address_space_unmap(BASE + 10 * PAGE_SIZE, 10 * PAGE_SIZE); }
static int protect_middle(void) { return address_space_protect(BASE + 10 * PAGE_SIZE, 10 * PAGE_SIZE, MMU_READ); }
static void test_unmapping(void) { test_splitting(unmap_middle); }
static void test_protecting(void) { test_splitting(protect_middle); }

static void test_replacing(void)
{
    prepare();
    CHECK_EQUAL(map(BASE, 30, MMU_READ | MMU_WRITE, 0), BASE);
    touch(BASE, 30);
    static struct seen before;
    look(&before);
    for (unsigned n = 1; n <= 3; n++) {
        host_fail_allocation(n);
        CHECK_EQUAL(map(BASE + 10 * PAGE_SIZE, 10, MMU_READ, 0), -ENOMEM);
        host_fail_allocation(0);
        CHECK(nothing_changed(&before));
    }
    all_gone();
}

static void test_too_many_areas(void)
{
    prepare();
    for (unsigned i = 0; i < AREAS_MAX; i++)
        CHECK_EQUAL(map(BASE + i * 4 * PAGE_SIZE, 2, MMU_READ, 0), BASE + i * 4 * PAGE_SIZE);
    CHECK_EQUAL(map(BASE - 4 * PAGE_SIZE, 1, MMU_READ, 0), -ENOMEM);
    CHECK_EQUAL(address_space_protect(BASE, PAGE_SIZE, 0), -ENOMEM);
    CHECK_EQUAL(address_space_unmap(BASE, 2 * PAGE_SIZE), 0);
    CHECK_EQUAL(map(BASE - 4 * PAGE_SIZE, 1, MMU_READ, 0), BASE - 4 * PAGE_SIZE);
    CHECK_EQUAL(address_space_unmap(USER_LOWEST, BASE + AREAS_MAX * 4 * PAGE_SIZE), 0);
    CHECK_EQUAL(host_heap_blocks(), 1); /* the page cache's table */
}

static void test_committing(void)
{
    prepare();
    unsigned writable = MMU_READ | MMU_WRITE;
    CHECK_EQUAL(map(BASE, 50, 0, 0), BASE);
    CHECK_EQUAL(map(BASE + 50 * PAGE_SIZE, 50, writable, 0), BASE + 50 * PAGE_SIZE);
    host_pages_withheld = pages_free_at(PAGES_KEPT) - 99;
    CHECK_EQUAL(map(BASE + 100 * PAGE_SIZE, 100, writable, 0), -ENOMEM);
    CHECK_EQUAL(map(BASE + 100 * PAGE_SIZE, 100, writable, AREA_NO_RESERVE), BASE + 100 * PAGE_SIZE);
    CHECK_EQUAL(map(BASE + 200 * PAGE_SIZE, 100, writable, AREA_SHARED), BASE + 200 * PAGE_SIZE);
    CHECK_EQUAL(map(BASE + 300 * PAGE_SIZE, 100, MMU_READ, 0), BASE + 300 * PAGE_SIZE);
    CHECK_EQUAL(address_space_protect(BASE + 300 * PAGE_SIZE, 100 * PAGE_SIZE, writable), -ENOMEM);
    CHECK_EQUAL(address_space_protect(BASE + 300 * PAGE_SIZE, 99 * PAGE_SIZE, writable), 0);
    host_pages_withheld += pages_free_count(); /* what has been promised stays so */
    CHECK_EQUAL(address_space_protect(BASE + 50 * PAGE_SIZE, 50 * PAGE_SIZE, 0), 0);
    CHECK_EQUAL(address_space_protect(BASE + 50 * PAGE_SIZE, 50 * PAGE_SIZE, writable), 0);
    CHECK_EQUAL(address_space_protect(BASE, 50 * PAGE_SIZE, writable), -ENOMEM);
    int64_t grown = address_space_remap(BASE + 50 * PAGE_SIZE, 50 * PAGE_SIZE, 100 * PAGE_SIZE, true, false, 0);
    CHECK_EQUAL(grown, -ENOMEM);
    all_gone();
}

/* glibc reserves an arena with MAP_NORESERVE and makes it accessible step by step; others reserve terabytes. */
static void test_committing_what_was_reserved(void)
{
    prepare();
    unsigned writable = MMU_READ | MMU_WRITE;
    size_t sparse = pages_total_count() + 100;
    CHECK_EQUAL(map(BASE, 200, 0, AREA_NO_RESERVE), BASE);
    CHECK_EQUAL(map(BASE * 4, sparse, 0, AREA_NO_RESERVE), BASE * 4);
    CHECK_EQUAL(map(BASE * 3, 200, writable, AREA_NO_RESERVE), BASE * 3);
    host_pages_withheld = pages_free_at(PAGES_KEPT) - 99;
    CHECK_EQUAL(address_space_protect(BASE, 99 * PAGE_SIZE, writable), 0);
    CHECK_EQUAL(address_space_protect(BASE + 99 * PAGE_SIZE, 100 * PAGE_SIZE, writable), -ENOMEM);
    CHECK_EQUAL(address_space_protect(BASE * 3, 200 * PAGE_SIZE, writable | MMU_EXECUTE), 0);
    CHECK_EQUAL(address_space_protect(BASE * 4, sparse * PAGE_SIZE, writable), 0);
    CHECK_EQUAL(address_space_unmap(BASE * 3, BASE * 4 + sparse * PAGE_SIZE), 0);
    host_pages_withheld = 0;
    all_gone();
}

/* glibc maps a stack with its guard, and makes it accessible, or accessible at once. */
static void test_committing_a_stack(void)
{
    prepare();
    unsigned writable = MMU_READ | MMU_WRITE, promised = STACK_COMMITTED >> PAGE_SHIFT;
    CHECK_EQUAL(map(BASE, 1000, 0, AREA_THREAD_STACK), BASE);
    CHECK_EQUAL(map(BASE * 2, promised - 1, 0, AREA_THREAD_STACK), BASE * 2);
    host_pages_withheld = pages_free_at(PAGES_KEPT) - (promised - 1);
    CHECK_EQUAL(map(BASE * 3, 1000, writable, AREA_THREAD_STACK), -ENOMEM);
    CHECK_EQUAL(address_space_protect(BASE + PAGE_SIZE, 999 * PAGE_SIZE, writable), -ENOMEM);
    CHECK_EQUAL(address_space_protect(BASE * 2, (promised - 1) * PAGE_SIZE, writable), 0);
    host_pages_withheld--;
    CHECK_EQUAL(map(BASE * 3, 1000, writable, AREA_THREAD_STACK), BASE * 3);
    CHECK_EQUAL(map(BASE * 4, 1000, writable, 0), -ENOMEM);
    CHECK_EQUAL(address_space_protect(BASE + PAGE_SIZE, 999 * PAGE_SIZE, writable), 0);
    CHECK_EQUAL(address_space_unmap(BASE, BASE * 3), 0);
    host_pages_withheld = 0;
    all_gone();
}

/* The cache's pages are dropped for a fault, mapped and lately used ones too, before it fails; but not the last
 * ones. */
static void test_dropping_the_cache(void)
{
    prepare();
    CHECK_EQUAL(map_file(BASE, MMU_READ), BASE);
    CHECK_EQUAL(map(BASE + 1000 * PAGE_SIZE, 1000, MMU_READ | MMU_WRITE, 0), BASE + 1000 * PAGE_SIZE);
    for (unsigned i = 0; i < FILE_PAGES; i++)
        CHECK_EQUAL(address_space_fault(BASE + i * PAGE_SIZE, 0), FAULT_RESOLVED);
    CHECK_EQUAL(resident_pages, FILE_PAGES);
    host_pages_withheld = pages_free_at(PAGES_NEEDED);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), 0);
    unsigned served = 0;
    while (page_cache_mapped_count() > WORKING_PAGES) {
        for (size_t i = 0; i < translation_count; i++)
            translations[i].accessed = true;
        CHECK_EQUAL(address_space_fault(BASE + (1000 + served++) * PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
    }
    CHECK(served >= (FILE_PAGES - WORKING_PAGES) / 4 - 1);
    host_pages_withheld = 0;
    host_pages_withheld = pages_free_at(PAGES_NEEDED);
    for (size_t i = 0; i < translation_count; i++)
        translations[i].accessed = true;
    (void)address_space_fault(BASE + (1000 + served) * PAGE_SIZE, FAULT_WRITE);
    CHECK(page_cache_count() >= WORKING_PAGES - 4);
    host_pages_withheld = 0;
    all_gone();
}

/*
 * File pages are most likely the program's code, mapped or not: some of them are neither promised nor given to what
 * system calls make, and no fault unmaps them for that, used or not.
 */
static void test_code_is_not_given_away(void)
{
    enum { LEFT = 100 };
    prepare();
    host_pages_total = 16 * LEFT;
    CHECK_EQUAL(map_file(BASE, MMU_READ), BASE);
    int error;
    for (uint32_t i = 0; i < FILE_PAGES; i++)
        page_put(page_cache_get(&source, i, &error));
    host_pages_withheld = pages_free_at(PAGES_KEPT);
    CHECK_EQUAL(address_space_available(), FILE_PAGES - LEFT);
    unsigned writable = MMU_READ | MMU_WRITE;
    CHECK_EQUAL(map(BASE + 1000 * PAGE_SIZE, FILE_PAGES - LEFT + 1, writable, 0), -ENOMEM);
    CHECK_EQUAL(map(BASE + 1000 * PAGE_SIZE, FILE_PAGES - LEFT, writable, 0), BASE + 1000 * PAGE_SIZE);
    host_pages_withheld = 0;
    for (unsigned i = 0; i < FILE_PAGES; i++)
        CHECK_EQUAL(address_space_fault(BASE + i * PAGE_SIZE, 0), FAULT_RESOLVED);
    host_pages_withheld = pages_free_at(PAGES_KEPT);
    CHECK_EQUAL(address_space_available(), FILE_PAGES - LEFT);
    for (unsigned i = 0; i < 100; i++) { /* all idle, and what each fault frees is taken by system calls */
        touch(BASE + (1000 + i) * PAGE_SIZE, 1);
        (void)pages_reclaim(UINT64_MAX, PAGES_KEPT);
        host_pages_withheld += pages_free_at(PAGES_KEPT);
        for (size_t j = 0; j < translation_count; j++)
            translations[j].accessed = false;
    }
    CHECK_EQUAL(page_cache_evictable(), LEFT);
    CHECK_EQUAL(page_cache_spare(), 0);
    host_pages_withheld = 0;
    all_gone();
}

/*
 * Many mappings, all of whose pages are in use: a fault looks at a few of them, the next one goes on there, and pages
 * not used when the search comes by again are dropped, wherever they lie.
 */
static void test_reclaim_goes_on_where_it_stopped(void)
{
    enum { MAPPINGS = 400 };
    prepare();
    host_pages_total = 0; /* so that the cache has all of them to spare */
    for (unsigned i = 0; i < MAPPINGS; i++) {
        uintptr_t at = BASE + (1000 + i * 300) * PAGE_SIZE;
        CHECK_EQUAL(map_file(at, MMU_READ), at);
        CHECK_EQUAL(address_space_fault(at, 0), FAULT_RESOLVED);
    }
    CHECK_EQUAL(map(BASE, 500, MMU_READ | MMU_WRITE, 0), BASE);
    host_pages_withheld = pages_free_at(PAGES_KEPT);
    uint64_t resident = resident_pages, most = (resident + MAPPINGS) / RECLAIM_LOOKS - 1;
    for (uint64_t i = 0; i < most; i++) {
        looks = 0;
        CHECK_EQUAL(address_space_fault(BASE + i * PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
        CHECK(looks > 0);
        CHECK(looks <= RECLAIM_LOOKS + UNMAP_BATCH);
    }
    uint64_t unused = 0;
    for (size_t i = 0; i < translation_count; i++)
        unused += !translations[i].accessed;
    CHECK(unused >= resident * 8 / 10);
    CHECK_EQUAL(resident_pages, resident + most); /* each fault's one page, and none dropped yet */
    for (uint64_t i = 2; i < 6; i++)              /* the rest of the lap, and the beginning of the next one */
        CHECK_EQUAL(address_space_fault(BASE + i * most * PAGE_SIZE, FAULT_WRITE), FAULT_RESOLVED);
    CHECK(resident_pages < resident + most);
    CHECK_EQUAL(address_space_unmap(USER_LOWEST, BASE * 8), 0);
    host_pages_withheld = 0;
    all_gone();
}

/* What a system call makes cannot drop mapped file pages itself: faults do, before it has to fail for want of
 * memory. */
static void test_idle_file_pages_make_room(void)
{
    prepare();
    host_pages_total = 0; /* so that the cache has all of them to spare */
    CHECK_EQUAL(map_file(BASE, MMU_READ), BASE);
    CHECK_EQUAL(map(BASE + 1000 * PAGE_SIZE, 100, MMU_READ | MMU_WRITE, 0), BASE + 1000 * PAGE_SIZE);
    for (unsigned i = 0; i < FILE_PAGES; i++)
        CHECK_EQUAL(address_space_fault(BASE + i * PAGE_SIZE, 0), FAULT_RESOLVED);
    host_pages_withheld = pages_free_at(PAGES_KEPT);
    CHECK(pages_free_at(PAGES_NEEDED) > 8);
    touch(BASE + 1000 * PAGE_SIZE, 1); /* sees that the file's pages were used */
    CHECK_EQUAL(page_cache_count(), FILE_PAGES);
    touch(BASE + 1001 * PAGE_SIZE, 1); /* and this one that they were not since then: enough of them go */
    CHECK_EQUAL(page_cache_count(), FILE_PAGES - 64);
    host_pages_withheld = 0;
    all_gone();
}

/* A file below a writable layer is written to: its mappings show the copy, and the cache may drop the original. */
static void test_moving_to_another_source(void)
{
    prepare();
    static struct page_source copy;
    page_source_init(&copy, &source_operations, FILE_PAGES * PAGE_SIZE, false);
    CHECK_EQUAL(map_file(BASE, MMU_READ), BASE);
    for (unsigned i = 0; i < FILE_PAGES; i++)
        CHECK_EQUAL(address_space_fault(BASE + i * PAGE_SIZE, 0), FAULT_RESOLVED);
    CHECK_EQUAL(page_cache_mapped_count(), FILE_PAGES);
    bool moved = false;
    address_space_move_source(&source, &copy, &moved);
    CHECK(moved);
    CHECK_EQUAL(translation_count, 0);
    CHECK_EQUAL(resident_pages, 0);
    CHECK_EQUAL(page_cache_mapped_count(), 0);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), FILE_PAGES);
    all_gone();
}

int main(void)
{
    host_init();
    page_cache_init();
    host_test("faults: without memory for tables no page is lost", test_faults_without_tables);
    host_test("faults: without memory for tables no file page is lost", test_file_faults_without_tables);
    host_test("mremap that moves and grows fails as a whole", test_moving_and_growing);
    host_test("mremap to a place fails as a whole", test_moving_to_a_place);
    host_test("mremap that moves and shrinks fails as a whole", test_moving_and_shrinking);
    host_test("munmap fails as a whole", test_unmapping);
    host_test("mprotect fails as a whole", test_protecting);
    host_test("mmap in place of another mapping fails as a whole", test_replacing);
    host_test("areas have a limit", test_too_many_areas);
    host_test("more than there is is not promised", test_committing);
    host_test("what was reserved is promised when it becomes accessible", test_committing_what_was_reserved);
    host_test("of a thread's stack only a part is promised", test_committing_a_stack);
    host_test("the code of the program is not given away", test_code_is_not_given_away);
    host_test("a fault looks at few mappings and goes on where the last one stopped",
              test_reclaim_goes_on_where_it_stopped);
    host_test("a fault drops the page cache before it fails", test_dropping_the_cache);
    host_test("a fault drops idle file pages before a system call fails", test_idle_file_pages_make_room);
    host_test("pages of a file that moves to another source are idle again", test_moving_to_another_source);
    return host_result();
}
