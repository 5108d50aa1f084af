/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address space as the Linux calls see it, over page tables that are a list: random calls against a model that
 * keeps one byte for each page.
 */
#include "core/pages.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/areas.h"

/* ---- Page tables: nothing is ever touched, so nothing is ever mapped ----------------------------- */

static uint64_t unmapped_bytes;

int mmu_map(const struct mmu_entry *entries, size_t count) { return entries && count ? -ENOMEM : 0; }
size_t mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    (void)out, (void)limit;
    unmapped_bytes += end - *from;
    *from = end;
    return 0;
}
size_t mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    (void)out, (void)limit;
    *from = end;
    return 0;
}
void mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    (void)from, (void)end, (void)protection, (void)upgrade_write;
}
bool mmu_query(uintptr_t virtual, struct mmu_entry *out)
{
    (void)virtual, (void)out;
    return false;
}
bool mmu_test_clear_accessed(uintptr_t virtual)
{
    (void)virtual;
    return false;
}
int address_space_populate(uintptr_t start, size_t length, bool for_write)
{
    (void)start, (void)length, (void)for_write;
    return 0;
}
struct memory_events memory_events;
void page_cache_mapped(struct page *page) { (void)page; }
void page_cache_unmapped(struct page *page) { (void)page; }
uint64_t page_cache_spare(void) { return 0; }

/* ---- The model ------------------------------------------------------------------------------------ */

#define PAGES 600u
#define FREE 0xff

static uintptr_t arena;      /* the first of the pages the model knows, the top ones of mmap's range */
static uint8_t model[PAGES]; /* protection, or FREE */

static uintptr_t address_of(unsigned page) { return arena + page * PAGE_SIZE; }

static int64_t map(uintptr_t where, unsigned pages, unsigned protection, bool fixed)
{
    struct map_request request = {
        .where = where, .length = pages * PAGE_SIZE, .protection = protection, .fixed = fixed
    };
    return address_space_map(&request);
}

/* Where first fit from the top puts `pages`, in the model; PAGES: not within it. */
static unsigned expected_place(unsigned pages)
{
    for (unsigned end = PAGES, run = 0; end-- > 0;) {
        run = model[end] == FREE ? run + 1 : 0;
        if (run == pages)
            return end;
    }
    return PAGES;
}

static bool agrees;
static uintptr_t visited_end;

static void compare(const struct area *area, void *context)
{
    unsigned *next = context;
    if (area->start < visited_end || area->end <= area->start)
        agrees = false;
    if (visited_end && area->gap != area->start - visited_end)
        agrees = false;
    visited_end = area->end;
    for (uintptr_t at = area->start; at < area->end; at += PAGE_SIZE) {
        if (at < arena)
            continue;
        unsigned page = (unsigned)((at - arena) >> PAGE_SHIFT);
        for (; *next < page; (*next)++)
            agrees &= model[*next] == FREE;
        agrees &= page < PAGES && model[page] == area->protection;
        *next = page + 1;
    }
}

static bool model_agrees(void)
{
    unsigned next = 0;
    agrees = true;
    visited_end = 0;
    address_space_for_each(compare, &next);
    for (; next < PAGES; next++)
        agrees &= model[next] == FREE;
    return agrees;
}

static void prepare(void)
{
    memset(model, FREE, sizeof(model));
    address_space_init();
    int64_t highest = map(0, 1, MMU_READ, false);
    arena = (uintptr_t)highest + PAGE_SIZE - PAGES * PAGE_SIZE;
    model[PAGES - 1] = MMU_READ;
}

static uint64_t choice;
static unsigned choose(unsigned bound) { return (unsigned)(hash_mix(choice++) % bound); }

static void map_anywhere(unsigned pages, unsigned protection)
{
    unsigned place = expected_place(pages);
    int64_t address = map(0, pages, protection, false);
    if (place == PAGES) {
        CHECK(address > 0 && (uintptr_t)address < arena);
        CHECK_EQUAL(address_space_unmap((uintptr_t)address, pages * PAGE_SIZE), 0);
        return;
    }
    CHECK_EQUAL(address, address_of(place));
    memset(&model[place], (int)protection, pages);
}

static void step(void)
{
    unsigned first = choose(PAGES), pages = 1 + choose(choose(10) ? 6 : 60);
    pages = min_of(pages, PAGES - first);
    unsigned protection = choose(3) ? MMU_READ | MMU_WRITE : 0;
    bool covered = memchr(&model[first], FREE, pages) == NULL;
    switch (choose(5)) {
    case 0:
    case 1:
        map_anywhere(pages, protection);
        break;
    case 2:
        CHECK_EQUAL(map(address_of(first), pages, protection, true), address_of(first));
        memset(&model[first], (int)protection, pages);
        break;
    case 3:
        CHECK_EQUAL(address_space_unmap(address_of(first), pages * PAGE_SIZE), 0);
        memset(&model[first], FREE, pages);
        break;
    case 4:
        CHECK_EQUAL(address_space_protect(address_of(first), pages * PAGE_SIZE, protection), covered ? 0 : -ENOMEM);
        if (covered)
            memset(&model[first], (int)protection, pages);
        break;
    }
}

static void test_random_calls(void)
{
    prepare();
    for (unsigned i = 0; i < 20000; i++) {
        step();
        if (i % 16 == 0)
            CHECK(model_agrees());
    }
    CHECK_EQUAL(address_space_unmap(arena, PAGES * PAGE_SIZE), 0);
    memset(model, FREE, sizeof(model));
    CHECK(model_agrees());
    CHECK_EQUAL(host_heap_blocks(), 0);
    CHECK_EQUAL(reserved_bytes, 0);
}

static void test_growing_in_place_and_moving(void)
{
    prepare();
    uintptr_t low = address_of(10);
    CHECK_EQUAL(map(low, 4, MMU_READ, true), low);
    CHECK_EQUAL(map(address_of(20), 1, 0, true), address_of(20));
    CHECK_EQUAL(address_space_remap(low, 4 * PAGE_SIZE, 10 * PAGE_SIZE, false, false, 0), low);
    memset(&model[10], MMU_READ, 10);
    model[20] = 0;
    CHECK(model_agrees());
    CHECK_EQUAL(address_space_remap(low, 10 * PAGE_SIZE, 11 * PAGE_SIZE, false, false, 0), -ENOMEM);
    int64_t moved = address_space_remap(low, 10 * PAGE_SIZE, 11 * PAGE_SIZE, true, false, 0);
    CHECK_EQUAL(moved, address_of(PAGES - 1 - 11));
    memset(&model[10], FREE, 10);
    memset(&model[PAGES - 12], MMU_READ, 11);
    CHECK(model_agrees());
    CHECK_EQUAL(address_space_remap((uintptr_t)moved, 11 * PAGE_SIZE, 2 * PAGE_SIZE, false, false, 0), moved);
    memset(&model[PAGES - 10], FREE, 9);
    CHECK(model_agrees());
    CHECK_EQUAL(address_space_unmap(arena, PAGES * PAGE_SIZE), 0);
}

static void test_no_room(void)
{
    prepare();
    struct map_request request = { .length = USER_LIMIT - PAGE_SIZE, .protection = MMU_READ };
    CHECK_EQUAL(address_space_map(&request), -ENOMEM);
    request.length = 1UL << 46;
    int64_t half = address_space_map(&request);
    CHECK(half >= (int64_t)USER_LOWEST);
    CHECK_EQUAL(address_space_map(&request), -ENOMEM);
    CHECK_EQUAL(address_space_unmap((uintptr_t)half, request.length), 0);
    CHECK_EQUAL(address_space_unmap(arena, PAGES * PAGE_SIZE), 0);
}

int main(void)
{
    host_init();
    host_test("areas: random calls agree with a model", test_random_calls);
    host_test("areas: growing in place and moving", test_growing_in_place_and_moving);
    host_test("areas: no room", test_no_room);
    return host_result();
}
