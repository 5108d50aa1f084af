/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each size class is a list of pages ("slabs"); a slab begins with its header and threads its free
 * blocks into a list. A slab with no used block goes back to the page allocator, except that each class
 * keeps one. Larger blocks are page runs; struct page.index of the first frame holds the
 * order, and its `source` marks which kind a page is.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/list.h"
#include "lib/string.h"

#define LARGE ((struct page_source *)2)
#define SLAB ((struct page_source *)3)

struct slab {
    struct list link; /* in its class's list while it has free blocks */
    void *free;       /* first free block; each begins with the next one's address */
    uint16_t used, capacity;
    uint32_t class;
};

static const uint16_t sizes[] = { 16, 32, 48, 64, 96, 128, 192, 256, 336, 448, 576, 800, 1008, 1344, 2016 };
#define CLASSES array_size(sizes)
#define LARGEST_CLASS 2016

static struct spinlock lock = SPINLOCK(LOCK_HEAP);
static struct list partial[CLASSES]; /* lock: slabs with free blocks */

/* The class of every multiple of 16 up to the largest class; made from sizes[], so that no search is needed. */
static const uint8_t classes[] = {
    [0 ... 1] = 0,    [2] = 1,          [3] = 2,          [4] = 3,          [5 ... 6] = 4,
    [7 ... 8] = 5,    [9 ... 12] = 6,   [13 ... 16] = 7,  [17 ... 21] = 8,  [22 ... 28] = 9,
    [29 ... 36] = 10, [37 ... 50] = 11, [51 ... 63] = 12, [64 ... 84] = 13, [85 ... 126] = 14,
};
_Static_assert(sizeof(classes) == LARGEST_CLASS / 16 + 1, "every size has its class");

static unsigned class_of(size_t size)
{
    unsigned class = classes[(size + 15) / 16];
    assert(sizes[class] >= size);
    return class;
}

static struct slab *slab_create(unsigned class, enum pages_level level)
{
    struct page *page = page_allocate_at(level);
    if (!page)
        return NULL;
    page->source = SLAB;
    struct slab *slab = page_data(page);
    size_t first = align_up(sizeof(*slab), 16);
    *slab = (struct slab){ .class = class, .capacity = (uint16_t)((PAGE_SIZE - first) / sizes[class]) };
    for (unsigned i = slab->capacity; i-- > 0;) {
        void **block = (void **)((char *)slab + first + i * sizes[class]);
        *block = slab->free;
        slab->free = block;
    }
    return slab;
}

static void *slab_take(struct slab *slab)
{
    void **block = slab->free;
    slab->free = *block;
    slab->used++;
    if (!slab->free)
        list_remove(&slab->link);
    return block;
}

/* Under the lock, which is given back meanwhile. False: no memory. Not inlined: few allocations come here. */
static __attribute__((noinline)) bool add_slab(unsigned class, enum pages_level level)
{
    must_hold(&lock);
    if (!partial[class].next)
        list_init(&partial[class]);
    spin_unlock(&lock);
    struct slab *slab = slab_create(class, level);
    spin_lock(&lock);
    if (slab)
        list_push_front(&partial[class], &slab->link);
    return slab;
}

static void *allocate_small(unsigned class, enum pages_level level)
{
    spin_lock(&lock);
    bool any = partial[class].next && !list_empty(&partial[class]);
    if (unlikely(!any) && !add_slab(class, level)) {
        spin_unlock(&lock);
        return NULL;
    }
    void *block = slab_take(list_entry(partial[class].next, struct slab, link));
    spin_unlock(&lock);
    return block;
}

static void *allocate_large(size_t size, enum pages_level level)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < size)
        if (++order > PAGES_MAX_ORDER)
            return NULL;
    struct page *page = pages_allocate_at(order, level);
    if (!page)
        return NULL;
    page->source = LARGE;
    page->index = order;
    return page_data(page);
}

static void *allocate(size_t size, enum pages_level level)
{
    return size <= LARGEST_CLASS ? allocate_small(class_of(size), level) : allocate_large(size, level);
}

static void release(void *block);

#ifdef KERNEL_DEBUG
/*
 * Each block lies between a header, whose first bytes are the free list's, and a red zone. What a freed block of a slab
 * consisted of is checked when it is given out again.
 */
struct guard {
    uint64_t free_list;
    uint32_t size; /* of the block, as asked for */
    uint32_t mark;
};
#define MARK_USED 0x75736564u
#define MARK_FREE 0x66726565u
#define RED_ZONE 16u

void *heap_allocate_at(size_t size, enum pages_level level)
{
    if (size > HEAP_BLOCK_MAX || fails_by_order())
        return NULL;
    struct guard *guard = allocate(sizeof(*guard) + size + RED_ZONE, level);
    if (!guard)
        return NULL;
    uint8_t *block = (uint8_t *)(guard + 1);
    if (guard->mark == MARK_FREE)
        check_poison(block, guard->size, "a block of the heap");
    guard->mark = MARK_USED;
    guard->size = (uint32_t)size;
    memset(block, POISON_NEW, size);
    memset(block + size, POISON_END, RED_ZONE);
    return block;
}

void heap_free(void *block)
{
    if (!block)
        return;
    struct guard *guard = (struct guard *)block - 1;
    const uint8_t *end = (uint8_t *)block + guard->size;
    if (guard->mark != MARK_USED)
        panic("heap block %p: %s", block, guard->mark == MARK_FREE ? "freed twice" : "what lies before it is damaged");
    for (unsigned i = 0; i < RED_ZONE; i++)
        if (end[i] != POISON_END)
            panic("heap block %p of %u bytes: written to beyond its end", block, guard->size);
    memset(block, POISON_FREE, guard->size);
    guard->mark = MARK_FREE;
    release(guard);
}
#else
void *heap_allocate_at(size_t size, enum pages_level level) { return allocate(size, level); }

void heap_free(void *block)
{
    if (block)
        release(block);
}
#endif

void *heap_allocate_zeroed_at(size_t size, enum pages_level level)
{
    void *block = heap_allocate_at(size, level);
    if (block)
        memset(block, 0, size);
    return block;
}

void *heap_allocate(size_t size) { return heap_allocate_at(size, PAGES_KEPT); }
void *heap_allocate_zeroed(size_t size) { return heap_allocate_zeroed_at(size, PAGES_KEPT); }

static void free_small(struct page *page, void *block)
{
    struct slab *slab = (void *)((uintptr_t)block & ~PAGE_MASK);
    spin_lock(&lock);
    assert(slab->used > 0);
    bool was_full = !slab->free;
    *(void **)block = slab->free;
    slab->free = block;
    slab->used--;
    struct list *list = &partial[slab->class];
    if (was_full)
        list_push_front(list, &slab->link);
    bool last = list->next == &slab->link && list->prev == &slab->link;
    bool release = slab->used == 0 && !last;
    if (release)
        list_remove(&slab->link);
    spin_unlock(&lock);
    if (release) {
        page->source = NULL;
        page_put(page);
    }
}

static void release(void *block)
{
    struct page *page = page_of(virt_to_phys(block) & ~PAGE_MASK);
    if (page->source == LARGE) {
        unsigned order = page->index;
        page->source = NULL;
        pages_free(page, order);
        return;
    }
    assert(page->source == SLAB);
    free_small(page, block);
}
