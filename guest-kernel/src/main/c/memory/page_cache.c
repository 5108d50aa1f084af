/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of files, in a hash by source and index that is chained by frame numbers. The cache holds one reference to
 * each page in it. A page is in one list at most (list_of()). Of an evictable source it is in `lru`, in none while it
 * is mapped; while it is dirty in its source's `dirty`, or in `dirty_mapped`. Of another source it is in the source's
 * own list.
 *
 * A page that is being filled is in the cache already, without PAGE_FILLED, and whoever fills it has a reference of its
 * own. Others wait on `filled`; a truncation may take the page out meanwhile. If filling fails the page is taken out,
 * and each thread that waited tries by itself.
 *
 * A page that is being written is clean again already: a change meanwhile makes it dirty once more. It stays, since who
 * writes it has a reference. Of each source only one thread writes at a time (`writing`), so that an older state of a
 * page never lands after a newer one, and no page of it is cut off for good before the write has ended:
 * page_cache_drop() waits.
 *
 * Called by files/, fault.c and areas.c in threads, which may sleep for a fill. reclaim() is pages_reclaim: any context
 * calls it when memory is short, so "page_cache" comes almost last in the order of locks, and nothing is allocated
 * under it.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "memory/page_cache.h"
#include "memory/writeback.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define PAGE_FILLED 1u                         /* contents are valid */
#define PAGE_CACHED 2u                         /* in the hash; the cache holds one reference */
#define PAGE_DIRTY 4u                          /* changed since it was read or written; only of sources that write */
#define PAGE_MAPPING 8u                        /* the bits from here on count translations; only of evictable pages */
#define WINDOW_RANDOM 4                        /* pages read for a miss out of sequence when memory is short ... */
#define WINDOW_MAX PAGE_CACHE_BATCH            /* ... doubling up to this in sequence */
#define WALK_PIECE 64                          /* steps of a walk between points where others may run */
#define RECLAIM_SCAN 1024                      /* pages in use that a successful reclaim looks at */
#define LEFT_SHARE 16                          /* page_cache_spare(): of memory ... */
#define LEFT_MOST ((32UL << 20) >> PAGE_SHIFT) /* ... at most */

static struct spinlock lock = SPINLOCK(LOCK_PAGE_CACHE);
static uint32_t *buckets; /* lock: frame numbers, 0: empty */
static uint64_t bucket_mask;
static struct list lru = LIST_INIT(lru);     /* lock: evictable pages that are not mapped, least recently used first */
static uint64_t cached;                      /* lock */
static uint64_t evictable_count;             /* lock */
static uint64_t mapped_count;                /* lock: of these, the ones that are mapped */
static struct list dirty = LIST_INIT(dirty); /* lock: sources with dirty pages that are not mapped, in turn */
static struct list dirty_mapped = LIST_INIT(dirty_mapped); /* lock: those with dirty pages that are */
static uint64_t dirty_count;                               /* lock: pages of both */
static uint64_t dirty_mapped_count;                        /* lock: pages */
static uint64_t written_count;                             /* lock: pages, ever */
static struct wait_queue filled;                           /* woken whenever a fill ends */
struct wait_queue page_cache_written;

static struct page *page_at(uint32_t number) { return number ? page_of((phys_t)number << PAGE_SHIFT) : NULL; }
static uint32_t number_of(const struct page *page) { return (uint32_t)(page_address(page) >> PAGE_SHIFT); }

static uint32_t *bucket_of(const struct page_source *source, uint32_t index)
{
    return &buckets[hash_mix((uintptr_t)source + (uint64_t)index * 0x9e3779b97f4a7c15UL) & bucket_mask];
}

static bool is_mapped(const struct page *page) { return page->flags >= PAGE_MAPPING; }
static bool is_dirty(const struct page *page) { return page->flags & PAGE_DIRTY; }

/* The list for a page in this state; NULL: none. */
static struct list *list_of(const struct page *page)
{
    if (!page->source->evictable)
        return &page->source->pages;
    if (is_dirty(page))
        return is_mapped(page) ? &page->source->dirty_mapped.pages : &page->source->dirty.pages;
    return is_mapped(page) ? NULL : &lru;
}

/* Counts a dirty page in (1) or out (-1); its source is in the list of those that have such pages while it has any. */
static void account_dirty(struct page *page, int64_t n)
{
    struct dirty_pages *pages = is_mapped(page) ? &page->source->dirty_mapped : &page->source->dirty;
    bool had_any = pages->count;
    pages->count += (uint64_t)n;
    dirty_count += (uint64_t)n;
    dirty_mapped_count += is_mapped(page) ? (uint64_t)n : 0;
    if (!had_any)
        list_push_back(is_mapped(page) ? &dirty_mapped : &dirty, &pages->link);
    else if (!pages->count)
        list_remove(&pages->link);
}

/* Counts a page of an evictable source in (1) or out (-1). */
static void account(struct page *page, int64_t n)
{
    evictable_count += (uint64_t)n;
    mapped_count += is_mapped(page) ? (uint64_t)n : 0;
    if (is_dirty(page))
        account_dirty(page, n);
}

/* Takes the page out of its list, before its flags change; enter() puts it at the end of the one that is then right. */
static void leave(struct page *page)
{
    if (list_of(page))
        list_remove(&page->link);
    if (page->source->evictable)
        account(page, -1);
}

static void enter(struct page *page)
{
    struct list *list = list_of(page);
    if (list)
        list_push_back(list, &page->link);
    if (page->source->evictable)
        account(page, 1);
}

static void change_flags(struct page *page, uint32_t flags)
{
    leave(page);
    page->flags = flags;
    enter(page);
}

static struct page *lookup(const struct page_source *source, uint32_t index)
{
    struct page *page = page_at(*bucket_of(source, index));
    while (page && (page->source != source || page->index != index))
        page = page_at(page->hash_next);
    return page;
}

static void insert(struct page_source *source, uint32_t index, struct page *page)
{
    uint32_t *bucket = bucket_of(source, index);
    page->source = source;
    page->index = index;
    page->hash_next = *bucket;
    page->flags = PAGE_CACHED;
    *bucket = number_of(page);
    enter(page);
    source->page_count++;
    cached++;
}

/* Takes the page out of the cache; its reference is the caller's now. */
static void detach(struct page *page)
{
    struct page_source *source = page->source;
    uint32_t *link = bucket_of(source, page->index);
    while (*link != number_of(page))
        link = &page_at(*link)->hash_next;
    *link = page->hash_next;
    leave(page);
    page->source = NULL;
    page->flags = 0;
    page->hash_next = 0;
    source->page_count--;
    cached--;
}

static void touch(struct page *page)
{
    if (!page->source->evictable || is_mapped(page) || is_dirty(page))
        return;
    list_remove(&page->link);
    list_push_back(&lru, &page->link);
}

uint64_t page_cache_spare(void)
{
    uint64_t evictable = read_once(evictable_count), dirty_now = read_once(dirty_count);
    uint64_t left = dirty_now + min_of(pages_total_count() / LEFT_SHARE, LEFT_MOST);
    return evictable > left ? evictable - left : 0;
}

/*
 * In any context, so it ends soon after it has found something. Pages in use, of which there are few while none on the
 * list is mapped, come last.
 */
static uint64_t reclaim(uint64_t wanted, enum pages_level level)
{
    uint64_t freed = 0;
    spin_lock(&lock);
    if (level == PAGES_KEPT)
        wanted = min_of(wanted, page_cache_spare());
    uint64_t listed = evictable_count - mapped_count - (dirty_count - dirty_mapped_count);
    for (uint64_t looks = 0; looks < listed && freed < wanted; looks++) {
        if (freed && looks > wanted && looks - wanted > RECLAIM_SCAN)
            break;
        struct page *page = list_entry(lru.next, struct page, link);
        if (page->references != 1 || !(page->flags & PAGE_FILLED)) {
            touch(page);
            continue;
        }
        detach(page);
        page_put(page);
        freed++;
    }
    spin_unlock(&lock);
    return freed;
}

void page_cache_mapped(struct page *page)
{
    if (!read_once(page->source))
        return;
    spin_lock(&lock);
    if (page->source && page->source->evictable) {
        if (is_mapped(page))
            page->flags += PAGE_MAPPING;
        else
            change_flags(page, page->flags + PAGE_MAPPING);
    }
    spin_unlock(&lock);
}

void page_cache_unmapped(struct page *page)
{
    if (!read_once(page->source))
        return;
    spin_lock(&lock);
    if (page->flags >= 2 * PAGE_MAPPING)
        page->flags -= PAGE_MAPPING;
    else if (is_mapped(page))
        change_flags(page, page->flags - PAGE_MAPPING);
    spin_unlock(&lock);
}

void page_cache_init(void)
{
    uint64_t count = 256;
    while (count < pages_total_count() / 4 && 2 * count * sizeof(*buckets) < HEAP_BLOCK_MAX)
        count *= 2;
    buckets = heap_allocate_zeroed(count * sizeof(*buckets));
    if (!buckets)
        panic("no memory for the page cache's hash table");
    bucket_mask = count - 1;
    wait_queue_init(&filled);
    wait_queue_init(&page_cache_written);
    pages_reclaim = reclaim;
}

void page_source_init(struct page_source *source, const struct page_source_operations *operations, uint64_t size,
                      bool evictable)
{
    *source =
        (struct page_source){ .operations = operations, .size = size, .evictable = evictable, .window = WINDOW_RANDOM };
    list_init(&source->mappings);
    list_init(&source->pages);
    list_init(&source->dirty.pages);
    list_init(&source->dirty.link);
    list_init(&source->dirty_mapped.pages);
    list_init(&source->dirty_mapped.link);
}

static bool is_filled(const struct page *page) { return read_once(page->flags) & PAGE_FILLED; }

struct page *page_cache_find(struct page_source *source, uint32_t index)
{
    spin_lock(&lock);
    struct page *page = lookup(source, index);
    if (page && is_filled(page)) {
        page_get(page);
        touch(page);
    } else {
        page = NULL;
    }
    spin_unlock(&lock);
    return page;
}

/* A disk's latency costs far more than its bandwidth: mapped libraries, faulted in anywhere, start three times faster
 * with the whole batch read at once. It is not worth the frames when memory is short, or when the program has said that
 * it reads here and there. */
static uint32_t random_window(const struct page_source *source)
{
    if (read_once(source->random))
        return 1;
    return pages_free_count() > pages_total_count() / 4 ? WINDOW_MAX : WINDOW_RANDOM;
}

/* How many pages to read from `index` on, adjusting the source's window; 0: it lies beyond the end. Under the lock. */
static unsigned read_ahead(struct page_source *source, uint32_t index)
{
    must_hold(&lock);
    bool sequential = index == source->next_index;
    source->window = sequential ? min_of(source->window * 2, (uint32_t)WINDOW_MAX) : random_window(source);
    uint64_t end = align_up(source->size, PAGE_SIZE) >> PAGE_SHIFT;
    unsigned wanted = source->operations->fill && source->evictable ? source->window : 1;
    return (unsigned)min_of((uint64_t)wanted, index < end ? end - index : 0);
}

/*
 * Allocates up to `wanted` frames; only a failure to get the first one is an error, and the first one alone, if it can
 * be dropped again, may come from memory that the program no longer gets. Cleared, although most are to be filled: a
 * disk's backend sees them as they are before it writes (drivers/device.h).
 */
static unsigned allocate_batch(const struct page_source *source, struct page **pages, unsigned wanted)
{
    unsigned count = 0;
    while (count < wanted) {
        struct page *page = page_allocate_at(source->evictable && !count ? PAGES_NEEDED : PAGES_KEPT);
        if (!page)
            break;
        memset(page_data(page), 0, PAGE_SIZE);
        pages[count++] = page;
    }
    return count;
}

/* Enters frames for index.. that are absent, stopping at the first present one. Under the lock. */
static unsigned insert_absent(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    must_hold(&lock);
    unsigned entered = 0;
    while (entered < count && !lookup(source, index + entered)) {
        insert(source, index + entered, pages[entered]);
        page_get(pages[entered]); /* ours, until finish_fill(): a truncation may come meanwhile */
        entered++;
    }
    source->next_index = index + entered;
    return entered;
}

static void finish_fill(struct page **pages, unsigned count, int error)
{
    spin_lock(&lock);
    for (unsigned i = 0; i < count; i++) {
        if (!error) {
            pages[i]->flags |= PAGE_FILLED;
        } else if (pages[i]->flags & PAGE_CACHED) {
            detach(pages[i]);
            page_put(pages[i]);
        }
    }
    spin_unlock(&lock);
    for (unsigned i = 0; i < count; i++)
        page_put(pages[i]);
    wake(&filled, 0);
}

/* Fills from index on; the page itself is then found by the next lookup. */
static int fill(struct page_source *source, uint32_t index)
{
    struct page *pages[PAGE_CACHE_BATCH];
    spin_lock(&lock);
    unsigned wanted = read_ahead(source, index);
    spin_unlock(&lock);
    if (!wanted)
        return -ENXIO;
    unsigned allocated = allocate_batch(source, pages, wanted);
    if (!allocated)
        return source->evictable ? -ENOMEM : -ENOSPC;
    spin_lock(&lock);
    unsigned entered = insert_absent(source, index, pages, allocated);
    spin_unlock(&lock);
    for (unsigned i = entered; i < allocated; i++)
        page_put(pages[i]);
    if (!entered)
        return 0;
    int error = source->operations->fill ? source->operations->fill(source, index, pages, entered) : 0;
    if (error && entered > 1) {
        /* One that has not been asked for yet may be the cause. */
        finish_fill(pages + 1, entered - 1, error);
        entered = 1;
        error = source->operations->fill(source, index, pages, 1);
    }
    finish_fill(pages, entered, error);
    return error;
}

struct page *page_cache_get(struct page_source *source, uint32_t index, int *error)
{
    may_sleep();
    *error = 0;
    for (;;) {
        spin_lock(&lock);
        struct page *page = lookup(source, index);
        if (page)
            page_get(page);
        if (page && is_filled(page))
            touch(page);
        spin_unlock(&lock);
        if (!page) {
            *error = fill(source, index);
            if (*error && !(*error == -ENOMEM && source->operations->write && writeback_make_room()))
                return NULL;
            continue;
        }
        if (is_filled(page))
            return page;
        wait_until(&filled, is_filled(page) || !(read_once(page->flags) & PAGE_CACHED), NO_DEADLINE,
                   SLEEP_UNINTERRUPTIBLE);
        if (is_filled(page))
            return page;
        page_put(page); /* its fill failed: try, and report, ourselves */
    }
}

void page_walk_init(struct page_walk *walk, struct page_source *source, uint64_t first, uint64_t end)
{
    end = min_of(end, (uint64_t)PAGE_CACHE_END);
    first = min_of(first, end);
    *walk = (struct page_walk){ .source = source, .first = first, .end = end, .left = end - first };
    uint64_t pages = read_once(source->page_count);
    walk->by_index = source->evictable || walk->left <= pages;
    if (!walk->by_index)
        walk->left = pages;
}

/* One step of the walk, under the lock. */
static struct page *walk_step(struct page_walk *walk)
{
    must_hold(&lock);
    struct page_source *source = walk->source;
    walk->left--;
    if (!source->page_count) {
        walk->left = 0;
        return NULL;
    }
    if (walk->by_index)
        return lookup(source, (uint32_t)(walk->end - 1 - walk->left));
    /* Moved to the back, so that the next step finds another one at the front. */
    struct page *page = list_entry(list_pop_front(&source->pages), struct page, link);
    list_push_back(&source->pages, &page->link);
    return page->index >= walk->first && page->index < walk->end ? page : NULL;
}

struct page *page_walk_next(struct page_walk *walk)
{
    struct page *page = NULL;
    while (!page && walk->left) {
        spin_lock(&lock);
        page = walk_step(walk);
        if (page)
            page_get(page);
        spin_unlock(&lock);
        if (walk->left % WALK_PIECE == 0)
            give_way();
    }
    return page;
}

/* Waits until no one writes pages of the source. */
static void wait_written(struct page_source *source)
{
    wait_until(&page_cache_written, !read_once(source->writing), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
}

uint64_t page_cache_drop(struct page_source *source, uint64_t first, uint64_t end)
{
    struct page_walk walk;
    struct page *page;
    uint64_t dropped = 0;
    page_walk_init(&walk, source, first, end);
    while ((page = page_walk_next(&walk))) {
        spin_lock(&lock);
        bool cached_still = page->flags & PAGE_CACHED;
        if (cached_still)
            detach(page);
        spin_unlock(&lock);
        if (cached_still) {
            page_put(page);
            dropped++;
        }
        page_put(page);
    }
    if (source->operations->write) {
        wait_written(source);
        wake(&page_cache_written, 0); /* fewer are dirty */
    }
    return dropped;
}

/* ---- Dirty pages ---- */

bool page_cache_dirty(struct page *page)
{
    spin_lock(&lock);
    bool writes = page->source && page->source->operations->write;
    bool changes = writes && !is_dirty(page);
    if (changes)
        change_flags(page, page->flags | PAGE_DIRTY);
    spin_unlock(&lock);
    if (changes)
        writeback_dirtied();
    return writes;
}

static struct page *first_of(const struct dirty_pages *pages)
{
    return list_empty(&pages->pages) ? NULL : list_entry(pages->pages.next, struct page, link);
}

/* Puts the page among those that are taken, in the order of indices. */
static void insert_by_index(struct page **pages, unsigned taken, struct page *page)
{
    while (taken && pages[taken - 1]->index > page->index) {
        pages[taken] = pages[taken - 1];
        taken--;
    }
    pages[taken] = page;
}

/* Takes the pages of the source that have been dirty for longest, each with those that follow it there, which are clean
 * from now on, with a reference for the writer. Under the lock. */
static unsigned take_dirty(struct page_source *source, struct page **pages)
{
    must_hold(&lock);
    struct page *page = NULL;
    unsigned taken = 0;
    while (taken < PAGE_CACHE_BATCH) {
        page = page ? lookup(source, page->index + 1) : NULL;
        if (!page || !is_dirty(page) || is_mapped(page))
            page = first_of(&source->dirty);
        if (!page)
            break;
        change_flags(page, page->flags & ~PAGE_DIRTY);
        page_get(page);
        insert_by_index(pages, taken++, page);
    }
    return taken;
}

/* The same of those that are mapped, which stay dirty: their turn comes after the others'. Under the lock. */
static unsigned take_mapped(struct page_source *source, struct page **pages, uint64_t most)
{
    must_hold(&lock);
    unsigned taken = 0;
    struct page *page;
    most = min_of(most, min_of(source->dirty_mapped.count, (uint64_t)PAGE_CACHE_BATCH));
    while (taken < most && (page = first_of(&source->dirty_mapped))) {
        list_remove(&page->link);
        list_push_back(&source->dirty_mapped.pages, &page->link);
        page_get(page);
        insert_by_index(pages, taken++, page);
    }
    return taken;
}

/* The source among those with dirty pages whose turn it is to be written. Under the lock. */
static struct page_source *next_source(void)
{
    must_hold(&lock);
    list_for_each (link, &dirty) {
        struct page_source *source = list_entry(link, struct page_source, dirty.link);
        if (source->writing)
            continue;
        list_remove(link);
        list_push_back(&dirty, link);
        return source;
    }
    return NULL;
}

/* Writes pages that are the writer's, whose source is marked as being written. */
static void write_taken(struct page_source *source, struct page **pages, unsigned taken)
{
    source->operations->write(source, pages, taken);
    spin_lock(&lock);
    source->writing = false;
    written_count += taken;
    spin_unlock(&lock);
    for (unsigned i = 0; i < taken; i++)
        page_put(pages[i]);
    wake(&page_cache_written, 0);
}

bool page_cache_write_some(void)
{
    struct page *pages[PAGE_CACHE_BATCH];
    spin_lock(&lock);
    struct page_source *source = next_source();
    unsigned taken = source ? take_dirty(source, pages) : 0;
    if (taken)
        source->writing = true;
    spin_unlock(&lock);
    if (taken)
        write_taken(source, pages, taken);
    return taken;
}

/* Writes the pages of the source that have been dirty for longest when no one else writes any. False: there is none. */
static bool write_first(struct page_source *source)
{
    struct page *pages[PAGE_CACHE_BATCH];
    unsigned taken = 0;
    bool busy;
    do {
        wait_written(source);
        spin_lock(&lock);
        busy = source->writing;
        if (!busy && (taken = take_dirty(source, pages)))
            source->writing = true;
        spin_unlock(&lock);
    } while (busy);
    if (taken)
        write_taken(source, pages, taken);
    return taken;
}

/* Each step takes the page that has been dirty for longest, so as many steps as there are pages now are enough. */
void page_cache_write_source(struct page_source *source)
{
    uint64_t left = read_once(source->dirty.count);
    wait_written(source);
    while (left && write_first(source))
        left--;
}

void page_cache_write_mapped(struct page_source *source)
{
    struct page *pages[PAGE_CACHE_BATCH];
    unsigned taken;
    for (uint64_t left = read_once(source->dirty_mapped.count); left; left -= max_of(taken, 1u)) {
        wait_written(source);
        spin_lock(&lock);
        taken = source->writing ? 0 : take_mapped(source, pages, left);
        if (taken)
            source->writing = true;
        spin_unlock(&lock);
        if (taken)
            write_taken(source, pages, taken);
    }
}

uint64_t page_cache_dirty_of(const struct page_source *source)
{
    return read_once(source->dirty.count) + read_once(source->dirty_mapped.count);
}

bool page_cache_dirty_mapped(struct page_source **source, uint32_t *index)
{
    spin_lock(&lock);
    if (!*source && !list_empty(&dirty_mapped))
        *source = list_entry(dirty_mapped.next, struct page_source, dirty_mapped.link);
    const struct page *page = *source ? first_of(&(*source)->dirty_mapped) : NULL;
    if (page)
        *index = page->index;
    spin_unlock(&lock);
    return page;
}

uint64_t page_cache_dirty_count(void) { return read_once(dirty_count); }
uint64_t page_cache_written_count(void) { return read_once(written_count); }

uint64_t page_cache_count(void) { return read_once(cached); }
uint64_t page_cache_evictable(void) { return read_once(evictable_count); }
uint64_t page_cache_mapped_count(void) { return read_once(mapped_count); }
