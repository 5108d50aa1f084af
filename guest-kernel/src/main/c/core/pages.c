/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buddy allocator. A free block of 2^order frames is aligned to its size and is in the list of its order by its first
 * frame, the only one of them with BLOCK_HEAD; two free buddies of one order are always joined, up to PAGES_MAX_ORDER.
 * No frame of a free block has references. Frames that were never given to pages_add_free() keep one, and so are never
 * taken for free.
 *
 * Descriptors of frames from 1 GiB on are written when the lists run out, a part of memory at a time: a boot does not
 * touch the 10 MiB of descriptors of each GiB that it does not use. What waits for that is counted as free. It is whole
 * blocks of the largest order, so no descriptor that has not been written is ever looked at as a buddy.
 *
 * pages_allocate_at() leaves what the level has to leave. When there is not enough it calls pages_reclaim, without the
 * lock, and tries again for as long as that frees something. Any context calls it; pages_init() and pages_add_free()
 * are called by the platforms' boot code.
 *
 * Lock "pages" guards lists, heads of free blocks and free_count, which is read without it for estimates. References of
 * allocated frames are atomic.
 */
#include "core/debug.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "core/reference.h"
#include "lib/string.h"

/* A free block's first frame has references 0, index = order and BLOCK_HEAD set in source. */
#define BLOCK_HEAD ((struct page_source *)1)

#define MARGIN_SHARE 64
#define MARGIN_MAX ((16UL << 20) >> PAGE_SHIFT)
/* Frames: a search through the cache for clean pages is long, so it is done once for several. */
#define RECLAIM_BATCH 32UL

uint64_t (*pages_reclaim)(uint64_t wanted, enum pages_level level);
#ifdef KERNEL_DEBUG
bool (*allocation_fails)(void);
#endif

static struct spinlock lock = SPINLOCK(LOCK_PAGES);
static struct page *frames;
static uint64_t frame_count;
static uint64_t free_count; /* lock */
static uint64_t total_count;
static struct list free_blocks[PAGES_MAX_ORDER + 1]; /* lock */

/* Free frames whose descriptors have not been written; lock. */
#define LATER_FROM ((1UL << 30) >> PAGE_SHIFT)
#define LATER_PART ((32UL << 20) >> PAGE_SHIFT)
#define LATER_RANGES 64
static struct {
    uint64_t next, end;
} later[LATER_RANGES];
static unsigned later_count;

static uint64_t number_of(const struct page *page) { return (uint64_t)(page - frames); }

struct page *page_of(phys_t address)
{
    uint64_t number = address >> PAGE_SHIFT;
    assert(number < frame_count);
    return &frames[number];
}

phys_t page_address(const struct page *page) { return number_of(page) << PAGE_SHIFT; }

void pages_init(struct page *descriptors, uint64_t count)
{
    frames = descriptors;
    frame_count = count;
    free_count = total_count = later_count = 0;
    for (uint64_t i = 0; i < min_of(count, LATER_FROM); i++)
        frames[i] = (struct page){ .references = 1 };
    for (unsigned order = 0; order <= PAGES_MAX_ORDER; order++)
        list_init(&free_blocks[order]);
}

#ifdef KERNEL_DEBUG
#define POISONED 0x80000000u /* of page.flags, while free: others were never in use */

static void poison(struct page *first, unsigned order)
{
    memset(page_data(first), POISON_FREE, PAGE_SIZE << order);
    for (uint64_t i = 0; i < 1UL << order; i++)
        first[i].flags = POISONED;
}

static void unpoison(struct page *first, unsigned order)
{
    for (uint64_t i = 0; i < 1UL << order; i++) {
        if (first[i].flags & POISONED)
            check_poison(page_data(&first[i]), PAGE_SIZE, "a page");
        first[i].flags = 0;
    }
}
#else
static void poison(struct page *first, unsigned order) { (void)first, (void)order; }
static void unpoison(struct page *first, unsigned order) { (void)first, (void)order; }
#endif

static void push_block(struct page *page, unsigned order)
{
    page->index = order;
    page->source = BLOCK_HEAD;
    list_push_front(&free_blocks[order], &page->link);
}

static void unlink_block(struct page *page)
{
    list_remove(&page->link);
    page->source = NULL;
}

static bool is_free_block(uint64_t number, unsigned order)
{
    if (number >= frame_count)
        return false;
    const struct page *page = &frames[number];
    return page->references == 0 && page->source == BLOCK_HEAD && page->index == order;
}

/* Joins the block with its free buddies and lists the result. */
static void release_block(struct page *page, unsigned order)
{
    uint64_t number = number_of(page);
    free_count += 1UL << order;
    while (order < PAGES_MAX_ORDER) {
        uint64_t buddy = number ^ (1UL << order);
        if (!is_free_block(buddy, order))
            break;
        unlink_block(&frames[buddy]);
        number &= ~(1UL << order);
        order++;
    }
    push_block(&frames[number], order);
}

/* The largest block that may start at `number` and ends at `end` or before. */
static unsigned largest_order(uint64_t number, uint64_t end)
{
    unsigned order = 0;
    while (order < PAGES_MAX_ORDER && (number & (1UL << order)) == 0 && number + (2UL << order) <= end)
        order++;
    return order;
}

/* The descriptors have been written. */
static void list_range(uint64_t number, uint64_t end)
{
    while (number < end) {
        unsigned order = largest_order(number, end);
        for (uint64_t i = 0; i < 1UL << order; i++)
            frames[number + i].references = 0;
        release_block(&frames[number], order);
        number += 1UL << order;
    }
}

static void write_and_list(uint64_t number, uint64_t end)
{
    for (uint64_t i = number; i < end; i++)
        frames[i] = (struct page){ 0 };
    list_range(number, end);
}

/* Lists a part of what has been left for later. False: there is no more. */
static bool list_later(void)
{
    if (later_count == 0)
        return false;
    uint64_t next = later[later_count - 1].next, end = later[later_count - 1].end;
    uint64_t part_end = min_of(next + LATER_PART, end);
    if (part_end == end)
        later_count--;
    else
        later[later_count - 1].next = part_end;
    free_count -= part_end - next; /* they are counted again */
    write_and_list(next, part_end);
    return true;
}

static void leave_for_later(uint64_t number, uint64_t end)
{
    if (later_count == LATER_RANGES) {
        write_and_list(number, end);
        return;
    }
    later[later_count].next = number;
    later[later_count++].end = end;
    free_count += end - number;
}

void pages_add_free(phys_t start, phys_t end)
{
    uint64_t number = align_up(start, PAGE_SIZE) >> PAGE_SHIFT;
    uint64_t last = end >> PAGE_SHIFT;
    assert(last <= frame_count);
    number = max_of(number, 1UL);
    spin_lock(&lock);
    uint64_t early_end = min_of(last, LATER_FROM);
    if (number < early_end) {
        list_range(number, early_end);
        total_count += early_end - number;
    }
    number = align_up(max_of(number, LATER_FROM), 1UL << PAGES_MAX_ORDER);
    last = align_down(last, 1UL << PAGES_MAX_ORDER);
    if (number < last) {
        leave_for_later(number, last);
        total_count += last - number;
    }
    spin_unlock(&lock);
}

/* The lowest order from `order` on with a free block; more than PAGES_MAX_ORDER: there is none. */
static unsigned find_order(unsigned order)
{
    while (order <= PAGES_MAX_ORDER && list_empty(&free_blocks[order]))
        order++;
    return order;
}

static struct page *take_block(unsigned order)
{
    unsigned found = find_order(order);
    if (found > PAGES_MAX_ORDER && list_later())
        found = find_order(order);
    if (found > PAGES_MAX_ORDER)
        return NULL;
    struct page *page = list_entry(free_blocks[found].next, struct page, link);
    unlink_block(page);
    while (found > order) {
        found--;
        push_block(page + (1UL << found), found);
    }
    free_count -= 1UL << order;
    for (uint64_t i = 0; i < 1UL << order; i++) {
        page[i].references = 1;
        page[i].source = NULL;
        page[i].index = 0;
    }
    return page;
}

uint64_t pages_margin(void) { return PAGES_RESERVE + min_of(total_count / MARGIN_SHARE, MARGIN_MAX); }

static uint64_t left_by(enum pages_level level)
{
    return level == PAGES_KEPT ? pages_margin() : level == PAGES_NEEDED ? PAGES_RESERVE : 0;
}

static struct page *allocate_leaving(unsigned order, uint64_t left)
{
    spin_lock(&lock);
    struct page *page = free_count >= (1UL << order) + left ? take_block(order) : NULL;
    spin_unlock(&lock);
    if (page)
        unpoison(page, order);
    return page;
}

struct page *pages_allocate_leaving(unsigned order, uint64_t left)
{
    assert(order <= PAGES_MAX_ORDER);
    return fails_by_order() ? NULL : allocate_leaving(order, left);
}

struct page *pages_allocate_at(unsigned order, enum pages_level level)
{
    assert(order <= PAGES_MAX_ORDER);
    uint64_t wanted = max_of(1UL << order, RECLAIM_BATCH);
    if (fails_by_order())
        return NULL;
    struct page *page;
    while (!(page = allocate_leaving(order, left_by(level))) && pages_reclaim && pages_reclaim(wanted, level) > 0)
        ;
    return page;
}

struct page *pages_allocate(unsigned order) { return pages_allocate_at(order, PAGES_KEPT); }
struct page *page_allocate_at(enum pages_level level) { return pages_allocate_at(0, level); }
struct page *page_allocate(void) { return page_allocate_at(PAGES_KEPT); }

struct page *page_allocate_zeroed(void)
{
    struct page *page = page_allocate();
    if (page)
        memset(page_data(page), 0, PAGE_SIZE);
    return page;
}

void pages_free(struct page *first, unsigned order)
{
    poison(first, order);
    spin_lock(&lock);
    for (uint64_t i = 0; i < 1UL << order; i++) {
        assert(first[i].references == 1);
        first[i].references = 0;
    }
    release_block(first, order);
    spin_unlock(&lock);
}

void page_get(struct page *page) { reference_get(&page->references); }

void page_put(struct page *page)
{
    if (!reference_put(&page->references))
        return;
    poison(page, 0);
    spin_lock(&lock);
    release_block(page, 0);
    spin_unlock(&lock);
}

uint64_t pages_free_count(void) { return read_once(free_count); }

uint64_t pages_free_at(enum pages_level level)
{
    uint64_t free = pages_free_count(), left = left_by(level);
    return free > left ? free - left : 0;
}

uint64_t pages_total_count(void) { return total_count; }
