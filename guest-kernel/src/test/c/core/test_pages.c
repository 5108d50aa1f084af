/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/: the page and heap allocators themselves, over memory at the direct map's place.
 *
 * So the shim's allocators are not linked (lib/tests.mk), and host_memory_init() is here. Run by make test-core.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "core/debug.h"
#include "core/heap.h"
#include "core/pages.h"
#include "core/reference.h"
#include "host/host.h"
#include "host/internal.h"
#include "lib/hash.h"
#include "lib/string.h"

#define FRAMES 6000UL
#define GIB_FRAMES (1UL << 18)
#define MANY_FRAMES (GIB_FRAMES + 150000)

static struct page descriptors[MANY_FRAMES];

/* In place of the shim's memory, which stands in for what is tested here. */
void host_memory_init(void)
{
    void *arena = mmap((void *)DIRECT_MAP, MANY_FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (arena != (void *)DIRECT_MAP)
        abort();
}

/* Nothing to reset between tests. */
void (*host_user_access)(void);
void host_fail_allocation(uint64_t n) { (void)n; }
uint64_t host_pages_withheld, host_pages_total;
void host_fault_range(uintptr_t start, uintptr_t end) { (void)start, (void)end; }

static void add(uint64_t first, uint64_t end) { pages_add_free(first << PAGE_SHIFT, end << PAGE_SHIFT); }

/* Ranges with ragged ends, as firmware leaves them: every frame of theirs is handed out once, no other is. */
static void test_ragged_ranges(void)
{
    static const struct {
        uint64_t first, end;
    } ranges[] = { { 0, 3 }, { 5, 1500 }, { 1501, 1502 }, { 2047, 5999 } };
    static bool taken[FRAMES];
    uint64_t expected = 0;
    pages_init(descriptors, FRAMES);
    CHECK(page_allocate_at(PAGES_RESERVED) == NULL);
    for (unsigned i = 0; i < array_size(ranges); i++) {
        add(ranges[i].first, ranges[i].end);
        expected += ranges[i].end - ranges[i].first - (ranges[i].first == 0);
    }
    CHECK_EQUAL(pages_total_count(), expected);
    CHECK_EQUAL(pages_free_count(), expected);
    for (uint64_t n = 0; n < expected; n++) {
        struct page *page = page_allocate_at(PAGES_RESERVED);
        CHECK(page != NULL);
        uint64_t frame = page_address(page) >> PAGE_SHIFT;
        bool offered = false;
        for (unsigned i = 0; i < array_size(ranges); i++)
            offered |= frame >= max_of(ranges[i].first, 1UL) && frame < ranges[i].end;
        CHECK(offered && !taken[frame]);
        taken[frame] = true;
    }
    CHECK(page_allocate_at(PAGES_RESERVED) == NULL);
    CHECK_EQUAL(pages_free_count(), 0);
    for (uint64_t frame = 0; frame < FRAMES; frame++) {
        if (taken[frame])
            page_put(&descriptors[frame]);
    }
    CHECK_EQUAL(pages_free_count(), expected);
}

/* After any order of freeing, neighbours are one again: as many of the largest blocks as at first. */
static void test_blocks_join(void)
{
    struct page *large[FRAMES >> PAGES_MAX_ORDER];
    unsigned before = 0, after = 0;
    while ((large[before] = pages_allocate_at(PAGES_MAX_ORDER, PAGES_RESERVED)) != NULL) {
        CHECK_EQUAL(page_address(large[before]) & ((PAGE_SIZE << PAGES_MAX_ORDER) - 1), 0);
        before++;
    }
    CHECK_EQUAL(before, 3); /* 2048..5119 of the ranges above */
    for (unsigned i = 0; i < before; i++)
        pages_free(large[i], PAGES_MAX_ORDER);

    static struct {
        struct page *page;
        unsigned order;
    } small[FRAMES];
    unsigned count = 0;
    for (;; count++) {
        small[count].order = hash_mix(count) % 4;
        small[count].page = pages_allocate_at(small[count].order, PAGES_RESERVED);
        if (small[count].page == NULL)
            break;
    }
    CHECK(count > 1000);
    for (unsigned step = 0; step < 7; step++) {
        for (unsigned i = step; i < count; i += 7)
            pages_free(small[i].page, small[i].order);
    }
    while (pages_allocate_at(PAGES_MAX_ORDER, PAGES_RESERVED) != NULL)
        after++;
    CHECK_EQUAL(after, before);
}

static uint64_t reclaim_one(uint64_t wanted, enum pages_level level)
{
    static unsigned calls;
    if (level != PAGES_RESERVED || wanted < 2 || calls++ > 0)
        return 0;
    add(1024, 1026);
    return 2;
}

static void test_reclaim_is_asked(void)
{
    pages_init(descriptors, FRAMES);
    pages_reclaim = reclaim_one;
    struct page *pair = pages_allocate_at(1, PAGES_RESERVED);
    CHECK(pair == &descriptors[1024]);
    CHECK(pages_allocate_at(1, PAGES_RESERVED) == NULL);
    pages_reclaim = NULL;
}

/* True if every frame of [first, end) is handed out, once, and no other. */
static bool hands_out(uint64_t first, uint64_t end)
{
    static bool taken[MANY_FRAMES];
    memset(taken, 0, sizeof(taken));
    for (uint64_t n = first; n < end; n++) {
        struct page *page = page_allocate_at(PAGES_RESERVED);
        uint64_t frame = page == NULL ? 0 : page_address(page) >> PAGE_SHIFT;
        if (frame < first || frame >= end || taken[frame] || page->references != 1 || page->source != NULL)
            return false;
        taken[frame] = true;
    }
    return page_allocate_at(PAGES_RESERVED) == NULL && pages_free_count() == 0;
}

static bool written(uint64_t frame) { return descriptors[frame].references != 0xa5a5a5a5; }

/* Descriptors of memory beyond 1 GiB, which hold anything at first, are written when they are needed, in parts. The
 * memory counts as free all the time. */
static void test_much_memory(void)
{
    memset(descriptors, 0xa5, sizeof(descriptors));
    pages_init(descriptors, MANY_FRAMES);
    uint64_t first = GIB_FRAMES - 100, end = GIB_FRAMES + 19 * 1024;
    add(first, end + 300);
    CHECK_EQUAL(pages_total_count(), end - first);
    CHECK_EQUAL(pages_free_count(), end - first);
    for (unsigned i = 0; i < 100; i++)
        CHECK(page_address(page_allocate_at(PAGES_RESERVED)) >> PAGE_SHIFT < GIB_FRAMES);
    CHECK(!written(GIB_FRAMES));
    CHECK_EQUAL(pages_free_count(), end - GIB_FRAMES);
    struct page *large = pages_allocate_at(PAGES_MAX_ORDER, PAGES_RESERVED);
    CHECK(large != NULL && large >= &descriptors[GIB_FRAMES]);
    CHECK(written(GIB_FRAMES) && !written(GIB_FRAMES + 8 * 1024));
    CHECK_EQUAL(pages_free_count(), end - GIB_FRAMES - 1024);
    pages_free(large, PAGES_MAX_ORDER);
    CHECK(hands_out(GIB_FRAMES, end));
    CHECK(!written(end));
}

/* More stretches than are kept for later. */
static void test_many_stretches(void)
{
    uint64_t count = 70;
    memset(descriptors, 0xa5, sizeof(descriptors));
    pages_init(descriptors, MANY_FRAMES);
    for (uint64_t i = 0; i < count; i++)
        add(GIB_FRAMES + 2048 * i, GIB_FRAMES + 2048 * i + 1024);
    CHECK_EQUAL(pages_total_count(), count * 1024);
    for (uint64_t i = 0; i < count; i++) {
        struct page *page = pages_allocate_at(PAGES_MAX_ORDER, PAGES_RESERVED);
        CHECK(page != NULL && (uint64_t)(page - descriptors - GIB_FRAMES) % 2048 == 0);
    }
    CHECK(page_allocate_at(PAGES_RESERVED) == NULL);
    CHECK_EQUAL(pages_free_count(), 0);
}

static uint64_t frames_at(enum pages_level level)
{
    uint64_t count = 0;
    while (page_allocate_at(level) != NULL)
        count++;
    return count;
}

/* What the program keeps ends first, then what it needs, and some are left for the kernel. */
static void test_levels(void)
{
    pages_init(descriptors, FRAMES);
    add(1, FRAMES);
    uint64_t free = pages_free_count(), margin = pages_margin();
    CHECK(margin > PAGES_RESERVE && margin < free / 8);
    CHECK_EQUAL(pages_free_at(PAGES_KEPT), free - margin);
    CHECK_EQUAL(frames_at(PAGES_KEPT), free - margin);
    CHECK(heap_allocate(20000) == NULL);
    CHECK_EQUAL(pages_free_at(PAGES_KEPT), 0);
    CHECK_EQUAL(pages_free_at(PAGES_NEEDED), margin - PAGES_RESERVE);
    CHECK_EQUAL(frames_at(PAGES_NEEDED), margin - PAGES_RESERVE);
    CHECK(heap_allocate_at(20000, PAGES_NEEDED) == NULL);
    CHECK(pages_allocate_at(3, PAGES_RESERVED) != NULL);
    CHECK_EQUAL(pages_free_at(PAGES_NEEDED), 0);
    CHECK_EQUAL(frames_at(PAGES_RESERVED), PAGES_RESERVE - 8);
    CHECK_EQUAL(pages_free_count(), 0);
}

#define BLOCKS 2000

/* Blocks of all sizes keep their contents beside each other, and all memory comes back. */
static unsigned reclaims;
static uint64_t count_reclaims(uint64_t wanted, enum pages_level level)
{
    (void)wanted, (void)level;
    reclaims++;
    return 0;
}

/* A block for which nothing is dropped, and only while enough stays free. */
static void test_leaving(void)
{
    pages_init(descriptors, FRAMES);
    add(1, FRAMES);
    pages_reclaim = count_reclaims;
    uint64_t free = pages_free_count();
    CHECK(pages_allocate_leaving(9, free - 511) == NULL);
    struct page *block = pages_allocate_leaving(9, free - 512);
    CHECK(block != NULL && page_address(block) % (512 * PAGE_SIZE) == 0);
    CHECK_EQUAL(pages_free_count(), free - 512);
    for (unsigned i = 0; i < 512; i++)
        page_put(block + i);
    CHECK_EQUAL(pages_free_count(), free);
    while (pages_allocate_leaving(9, 0))
        ;
    CHECK_EQUAL(reclaims, 0);
    pages_reclaim = NULL;
}

static void test_heap_contents(void)
{
    static struct {
        uint8_t *data;
        size_t size;
    } blocks[BLOCKS];
    pages_init(descriptors, FRAMES);
    add(1, FRAMES);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < BLOCKS; i++) {
            blocks[i].size = 1 + hash_mix(i * 3 + round) % (i % 50 == 0 ? 20000 : 900);
            blocks[i].data = heap_allocate(blocks[i].size);
            CHECK(blocks[i].data != NULL);
            memset(blocks[i].data, (int)(i & 0xff), blocks[i].size);
        }
        for (unsigned i = 0; i < BLOCKS; i++) {
            for (size_t at = 0; at < blocks[i].size; at++)
                CHECK_EQUAL(blocks[i].data[at], i & 0xff);
            heap_free(blocks[i].data);
        }
    }
    uint8_t *zeroed = heap_allocate_zeroed(5000);
    for (unsigned i = 0; i < 5000; i++)
        CHECK_EQUAL(zeroed[i], 0);
    heap_free(zeroed);
    CHECK(pages_free_count() > FRAMES - 1 - 64); /* the heap keeps a few pages for each size */
}

/* ---- What a kernel built for tests notices (core/debug.h, core/reference.h) ------------------------------------- */

static void write_beyond_the_end(void)
{
    char *volatile block = heap_allocate(40);
    block[40] = 1;
    heap_free(block);
}

static void write_before_the_start(void)
{
    char *volatile block = heap_allocate(40);
    block[-1] = 1;
    heap_free(block);
}

static void free_twice(void)
{
    void *block = heap_allocate(40), *other = heap_allocate(40);
    heap_free(block);
    heap_free(block);
    heap_free(other);
}

static void write_to_a_freed_block(void)
{
    char *volatile block = heap_allocate(40), *volatile other = heap_allocate(40);
    heap_free(block);
    block[39] = 1;
    for (unsigned i = 0; i < 200; i++)
        (void)heap_allocate(40);
    heap_free(other);
}

static void write_to_a_freed_page(void)
{
    struct page *page = page_allocate();
    page_put(page);
    *(volatile char *)page_data(page) = 1;
    while (page_allocate())
        ;
}

static void drop_a_reference_too_many(void)
{
    struct page *page = page_allocate();
    page_put(page);
    page_put(page);
}

static void count_too_far(void)
{
    uint32_t count = REFERENCES_MOST + 1;
    reference_get(&count);
}

static void test_damage_is_noticed(void)
{
    CHECK(host_panics(write_beyond_the_end, "written to beyond its end"));
    CHECK(host_panics(write_before_the_start, "what lies before it is damaged"));
    CHECK(host_panics(free_twice, "freed twice"));
    CHECK(host_panics(write_to_a_freed_block, "was written to after it was freed"));
    CHECK(host_panics(write_to_a_freed_page, "was written to after it was freed"));
    CHECK(host_panics(drop_a_reference_too_many, ""));
    CHECK(host_panics(count_too_far, ""));
}

static void test_blocks_begin_poisoned(void)
{
    uint8_t *block = heap_allocate(100);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQUAL(block[i], POISON_NEW);
    heap_free(block);
    CHECK(heap_allocate(SIZE_MAX) == NULL);
    CHECK(heap_allocate((PAGE_SIZE << PAGES_MAX_ORDER) + 1) == NULL);
}

int main(void)
{
    host_init();
    host_test("pages: ragged ranges", test_ragged_ranges);
    host_test("pages: freed blocks join", test_blocks_join);
    host_test("pages: reclaim is asked when there are none", test_reclaim_is_asked);
    host_test("pages: who gets the last ones", test_levels);
    host_test("pages: a block is taken only while enough stays free", test_leaving);
    host_test("pages: much memory", test_much_memory);
    host_test("pages: many stretches", test_many_stretches);
    host_test("heap: contents and return", test_heap_contents);
    host_test("damage is noticed", test_damage_is_noticed);
    host_test("blocks begin poisoned", test_blocks_begin_poisoned);
    return host_result();
}
