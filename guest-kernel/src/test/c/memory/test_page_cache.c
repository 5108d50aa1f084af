/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory/page_cache.c: identity, read-ahead, errors, truncation, reclaim.
 *
 * The kernel's own page cache over the frames of the host shim. There is one source, whose pages say by their contents
 * which they are. Run by make test-memory.
 */
#include "core/pages.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/page_cache.h"

static unsigned fills, filled_pages;
static int fill_error;
static uint32_t bad_page = UINT32_MAX; /* whatever has it in it fails */

/* Every byte of page i is i + 1. */
static int fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    (void)source;
    fills++;
    filled_pages += count;
    if (fill_error)
        return fill_error;
    if (bad_page >= index && bad_page < index + count)
        return -EIO;
    for (unsigned i = 0; i < count; i++)
        memset(page_data(pages[i]), (int)(index + i + 1), PAGE_SIZE);
    return 0;
}

static const struct page_source_operations operations = { .fill = fill };
static struct page_source source;

static void start(bool evictable, uint64_t pages)
{
    page_source_init(&source, &operations, pages * PAGE_SIZE, evictable);
    fills = filled_pages = 0;
    fill_error = 0;
}

static bool read_page(uint32_t index)
{
    int error;
    struct page *page = page_cache_get(&source, index, &error);
    if (!page)
        return false;
    const uint8_t *data = page_data(page);
    bool right = data[0] == (uint8_t)(index + 1) && data[PAGE_SIZE - 1] == (uint8_t)(index + 1);
    page_put(page);
    return right;
}

static void test_sequential(void)
{
    start(true, 100);
    for (uint32_t i = 0; i < 100; i++)
        CHECK(read_page(i));
    CHECK_EQUAL(filled_pages, 100);
    CHECK(fills < 10); /* the window grew */
    CHECK_EQUAL(source.page_count, 100);
    for (uint32_t i = 0; i < 100; i++)
        CHECK(read_page(i));
    CHECK_EQUAL(filled_pages, 100); /* nothing is read twice */
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    CHECK_EQUAL(source.page_count, 0);
}

/* With plenty of memory, a miss out of sequence reads a whole batch otherwise. */
static void test_random(void)
{
    start(true, 1000);
    CHECK(read_page(500));
    CHECK_EQUAL(filled_pages, PAGE_CACHE_BATCH);
    source.random = true;
    for (uint32_t i = 1; i <= 10; i++)
        CHECK(read_page(500 - 40 * i));
    CHECK_EQUAL(filled_pages, PAGE_CACHE_BATCH + 10);
    for (uint32_t i = 0; i < 32; i++) /* a longer read, in sequence */
        CHECK(read_page(700 + i));
    CHECK_EQUAL(fills, 1 + 10 + 6);
    CHECK_EQUAL(filled_pages, PAGE_CACHE_BATCH + 10 + 1 + 2 + 4 + 8 + 16 + PAGE_CACHE_BATCH);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
}

static void test_end_of_file(void)
{
    start(true, 3);
    CHECK(read_page(2));
    CHECK(read_page(0));
    CHECK_EQUAL(source.page_count, 3);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
}

static void test_error(void)
{
    int error;
    uint64_t before = host_pages_in_use();
    start(true, 8);
    fill_error = -EIO;
    CHECK(!page_cache_get(&source, 1, &error));
    CHECK_EQUAL(error, -EIO);
    CHECK_EQUAL(source.page_count, 0);
    CHECK_EQUAL(host_pages_in_use(), before);
    fill_error = 0;
    CHECK(read_page(1));
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    CHECK_EQUAL(host_pages_in_use(), before);
}

static void test_read_ahead_error(void)
{
    uint64_t before = host_pages_in_use();
    for (unsigned backwards = 0; backwards < 2; backwards++) {
        start(true, 60);
        bad_page = 37;
        for (uint32_t i = 0; i < 60; i++) {
            uint32_t index = backwards ? 59 - i : i;
            CHECK_EQUAL(read_page(index), index != bad_page);
        }
        bad_page = UINT32_MAX;
        CHECK_EQUAL(source.page_count, 59);
        page_cache_drop(&source, 0, PAGE_CACHE_END);
        CHECK_EQUAL(host_pages_in_use(), before);
    }
}

static void test_truncate_keeps_references(void)
{
    int error;
    start(false, 4);
    struct page *page = page_cache_get(&source, 3, &error);
    CHECK(page != NULL);
    page_cache_drop(&source, 2, PAGE_CACHE_END);
    CHECK(page_cache_find(&source, 3) == NULL);
    CHECK_EQUAL(*(uint8_t *)page_data(page), 4);
    page_put(page);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
}

static void test_reclaim(void)
{
    int error;
    start(true, 16);
    for (uint32_t i = 0; i < 16; i++)
        CHECK(read_page(i));
    struct page *held = page_cache_get(&source, 5, &error);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), 15);
    CHECK(page_cache_find(&source, 6) == NULL);
    struct page *again = page_cache_find(&source, 5);
    CHECK(again == held);
    page_put(again);
    page_put(held);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), 1);
}

/* What system calls keep does not take the last pages, mapped or not. */
static void test_some_pages_are_left(void)
{
    uint64_t left = pages_total_count() / 16;
    start(true, (uint32_t)left + 20);
    for (uint32_t i = 0; i < left + 20; i++)
        CHECK(read_page(i));
    CHECK_EQUAL(page_cache_evictable(), left + 20);
    CHECK_EQUAL(page_cache_spare(), 20);
    CHECK_EQUAL(pages_reclaim(15, PAGES_KEPT), 15);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_KEPT), 5);
    CHECK_EQUAL(page_cache_spare(), 0);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_KEPT), 0);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), left);
}

/* What is mapped is not dropped, and costs the search for what can be dropped nothing. */
static void test_mapped_pages_are_passed_over(void)
{
    int error;
    start(true, 8);
    struct page *mapped = page_cache_get(&source, 5, &error);
    page_cache_mapped(mapped);
    page_cache_mapped(mapped); /* at two places */
    for (uint32_t i = 0; i < 8; i++)
        CHECK(read_page(i));
    CHECK_EQUAL(page_cache_evictable(), 8);
    CHECK_EQUAL(page_cache_mapped_count(), 1);
    page_cache_unmapped(mapped);
    page_put(mapped); /* the mapping that is left needs none here: the cache's list does without
                                            it */
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), 7);
    CHECK(page_cache_find(&source, 5) == mapped);
    page_put(mapped);
    page_cache_unmapped(mapped);
    CHECK_EQUAL(page_cache_mapped_count(), 0);
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), 1);
    CHECK_EQUAL(page_cache_evictable(), 0);
}

static void drop_nothing(void) { (void)pages_reclaim(1, PAGES_NEEDED); }

static uint64_t steps_with_mapped(uint32_t count)
{
    int error;
    start(true, count);
    for (uint32_t i = 0; i < count; i++)
        page_cache_mapped(page_cache_get(&source, i, &error));
    uint64_t steps = host_steps(drop_nothing);
    for (uint32_t i = 0; i < count; i++) {
        struct page *page = page_cache_find(&source, i);
        page_cache_unmapped(page);
        page_put(page);
        page_put(page);
    }
    page_cache_drop(&source, 0, PAGE_CACHE_END);
    return steps;
}

static void test_search_is_short(void) { CHECK(steps_with_mapped(4000) < steps_with_mapped(40) * 2); }

static void test_memory_files_stay(void)
{
    start(false, 4);
    CHECK(read_page(0));
    CHECK_EQUAL(pages_reclaim(UINT64_MAX, PAGES_NEEDED), 0);
    struct page *page = page_cache_find(&source, 0);
    CHECK(page != NULL);
    page_put(page);
    page_cache_drop(&source, 0, PAGE_CACHE_END);
}

int main(void)
{
    host_init();
    page_cache_init();
    host_test("sequential reads fill in growing batches", test_sequential);
    host_test("random reads take their pages only", test_random);
    host_test("no page beyond the end is read ahead", test_end_of_file);
    host_test("a failed fill leaves nothing behind", test_error);
    host_test("a page that cannot be read ahead leaves others readable", test_read_ahead_error);
    host_test("truncation keeps referenced pages alive", test_truncate_keeps_references);
    host_test("reclaim frees clean unreferenced pages", test_reclaim);
    host_test("some pages are left by what system calls keep", test_some_pages_are_left);
    host_test("mapped pages are not dropped", test_mapped_pages_are_passed_over);
    host_test("the search for a page to drop does not pass mapped ones", test_search_is_short);
    host_test("memory files are not reclaimed", test_memory_files_stay);
    return host_result();
}
