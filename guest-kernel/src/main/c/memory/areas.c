/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The areas of the program's memory, in a tree by start; no two overlap. Each knows the gap between itself and the area
 * below it, and the largest gap in its subtree, so that a free range is found in O(log n). Each change of a boundary
 * measures the gap above it again, and keeps reserved_bytes and data_bytes true.
 *
 * An area of a file is linked to its source's mappings and, where the pages can be dropped, to reclaimable_areas: a
 * ring around which the hand of a clock goes. `hand` is an address in the ring's first area; if it lies outside, the
 * search goes on at that area's start.
 *
 * Called by fault.c and mappings.c, which hold mutex "address_space" for the whole call, even where a loop gives way.
 * Spinlock "page_cache" is taken inside.
 */
#include "core/debug.h"
#include "core/dump.h"
#include "core/heap.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "memory/areas.h"
#include "memory/page_cache.h"
#include "threads/thread.h"

struct mutex address_space_mutex;
uint64_t resident_pages;
uint64_t reserved_bytes, data_bytes;
static size_t area_count;
static struct list reclaimable_areas = LIST_INIT(reclaimable_areas); /* of evictable sources; the hand's area is
                                                                         first */
static size_t reclaimable_count;                                     /* areas in that list */
static uintptr_t hand; /* where in its area the search goes on; outside of it: at its start */

static struct area *area_of(struct tree_node *node) { return node ? tree_entry(node, struct area, node) : NULL; }

static bool area_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct area, node)->start < tree_entry(b, struct area, node)->start;
}

static size_t largest_gap(struct tree_node *node) { return node ? area_of(node)->largest_gap : 0; }

static void update_largest_gap(struct tree_node *node)
{
    struct area *area = area_of(node);
    area->largest_gap = max_of(area->gap, max_of(largest_gap(node->left), largest_gap(node->right)));
}

static struct tree areas = { .before = area_before, .update = update_largest_gap };

DUMP_ADDRESS("areas", areas);
DUMP_OFFSET(tree, root);
DUMP_OFFSET(tree_node, left);
DUMP_OFFSET(tree_node, right);
DUMP_OFFSET(area, node);
DUMP_OFFSET(area, start);
DUMP_OFFSET(area, end);
DUMP_OFFSET(area, protection);
DUMP_OFFSET(area, flags);
DUMP_OFFSET(area, object);
DUMP_OFFSET(area, offset);
DUMP_OFFSET(area, name);
DUMP_OFFSET(area, fixed_pages);

struct area *area_first(void)
{
    must_hold_mutex(&address_space_mutex);
    return area_of(tree_first(&areas));
}
struct area *area_next(const struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    return area_of(tree_next(&area->node));
}
struct area *area_previous(const struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    return area_of(tree_previous(&area->node));
}

struct area *area_first_after(uintptr_t address)
{
    must_hold_mutex(&address_space_mutex);
    struct tree_node *node = areas.root;
    struct area *best = NULL;
    while (node) {
        struct area *area = area_of(node);
        if (area->end > address) {
            best = area;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

struct area *area_find(uintptr_t address)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_first_after(address);
    return area && area->start <= address ? area : NULL;
}

static struct area *area_last(void)
{
    struct tree_node *node = areas.root;
    while (node && node->right)
        node = node->right;
    return area_of(node);
}

/* After a change of where the area starts or the one below it ends. */
static void measure_gap(struct area *area)
{
    if (!area)
        return;
    const struct area *below = area_previous(area);
    area->gap = area->start - (below ? below->end : USER_LOWEST);
    tree_changed(&areas, &area->node);
}

struct area *area_create(void)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_count < AREAS_MAX ? heap_allocate_zeroed(sizeof(*area)) : NULL;
    area_count += area != NULL;
    return area;
}

void area_discard(struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    heap_free(area);
    area_count--;
}

static void link_to_source(struct area *area, struct page_source *source)
{
    list_push_back(&source->mappings, &area->source_link);
    if (source->evictable) {
        list_push_back(&reclaimable_areas, &area->reclaim_link);
        reclaimable_count++;
    }
}

/* By the area's own link, since its object may have the pages of another source by now. */
static void unlink_from_source(struct area *area)
{
    list_remove(&area->source_link);
    if (!list_empty(&area->reclaim_link)) {
        list_remove(&area->reclaim_link);
        reclaimable_count--;
    }
}

void area_change_source(struct area *area, struct page_source *to)
{
    must_hold_mutex(&address_space_mutex);
    unlink_from_source(area);
    link_to_source(area, to);
}

static void count_bytes(const struct area *area, uint64_t bytes)
{
    reserved_bytes += bytes;
    if (is_data(area->flags, area->protection))
        data_bytes += bytes;
}

void area_insert(struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    area->gap = 0;
    tree_insert(&areas, &area->node);
    measure_gap(area);
    measure_gap(area_next(area));
    count_bytes(area, area->end - area->start);
    list_init(&area->source_link);
    list_init(&area->reclaim_link);
    if (area->object)
        link_to_source(area, mappable_pages(area->object));
}

void area_remove(struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    struct area *next = area_next(area);
    tree_remove(&areas, &area->node);
    measure_gap(next);
    count_bytes(area, area->start - area->end);
    if (area->object) {
        unlink_from_source(area);
        mappable_put(area->object);
    }
    area_discard(area);
}

void area_set_end(struct area *area, uintptr_t end)
{
    must_hold_mutex(&address_space_mutex);
    count_bytes(area, end - area->end);
    area->end = end;
    measure_gap(area_next(area));
}

void area_set_start(struct area *area, uintptr_t start)
{
    must_hold_mutex(&address_space_mutex);
    count_bytes(area, area->start - start);
    area->start = start;
    measure_gap(area);
}

void area_set_protection(struct area *area, unsigned protection)
{
    must_hold_mutex(&address_space_mutex);
    count_bytes(area, area->start - area->end);
    area->protection = protection;
    count_bytes(area, area->end - area->start);
}

bool area_allows(const struct area *area, uint64_t error)
{
    must_hold_mutex(&address_space_mutex);
    if (error & FAULT_WRITE)
        return area->protection & MMU_WRITE;
    if (error & FAULT_FETCH)
        return area->protection & MMU_EXECUTE;
    return area->protection != 0;
}

/* Cuts the area in two; the new one begins at `at`. */
static int area_split(struct area *area, uintptr_t at)
{
    struct area *rest = area_create();
    if (!rest)
        return -ENOMEM;
    *rest = *area;
    rest->start = at;
    if (area->object) {
        rest->offset += at - area->start;
        mappable_get(area->object);
    }
    if (area->fixed_pages)
        rest->fixed_pages += (at - area->start) >> PAGE_SHIFT;
    area_set_end(area, at);
    area_insert(rest);
    return 0;
}

int area_split_at(uintptr_t at)
{
    must_hold_mutex(&address_space_mutex);
    struct area *area = area_find(at);
    return area && area->start < at ? area_split(area, at) : 0;
}

int area_split_around(uintptr_t start, uintptr_t end)
{
    must_hold_mutex(&address_space_mutex);
    int error = area_split_at(start);
    if (error)
        return error;
    error = area_split_at(end);
    struct area *area = error ? area_find(start) : NULL;
    if (area)
        area_merge_around(area);
    return error;
}

static bool can_merge(const struct area *a, const struct area *b)
{
    return a->end == b->start && !a->object && !b->object && !a->fixed_pages && !b->fixed_pages &&
           a->protection == b->protection && a->flags == b->flags && a->name == b->name;
}

static void merge(struct area *area, struct area *next)
{
    uintptr_t end = next->end;
    area_remove(next);
    area_set_end(area, end);
}

void area_merge_around(struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    struct area *previous = area_previous(area);
    if (previous && can_merge(previous, area)) {
        merge(previous, area);
        area = previous;
    }
    struct area *next = area_next(area);
    if (next && can_merge(area, next))
        merge(area, next);
}

/* The highest area that starts below an address and has a gap of `length` below it. */
static struct area *highest_with_gap(struct tree_node *node, size_t length, uintptr_t below)
{
    if (largest_gap(node) < length)
        return NULL;
    struct area *area = area_of(node);
    if (area->start >= below)
        return highest_with_gap(node->left, length, below);
    struct area *found = highest_with_gap(node->right, length, below);
    if (found || area->gap >= length)
        return found ? found : area;
    return highest_with_gap(node->left, length, below);
}

uintptr_t areas_highest_gap(size_t length, uintptr_t limit)
{
    must_hold_mutex(&address_space_mutex);
    struct area *above = area_first_after(limit);
    struct area *below = above ? area_previous(above) : area_last();
    uintptr_t top = above ? min_of(above->start, limit) : limit;
    uintptr_t bottom = below ? below->end : USER_LOWEST;
    if (top - bottom >= length)
        return top - length;
    struct area *area = highest_with_gap(areas.root, length, bottom);
    return area ? area->start - length : 0;
}

void area_page_mapped(phys_t physical)
{
    must_hold_mutex(&address_space_mutex);
    page_cache_mapped(page_of(physical));
    resident_pages++;
}

void area_page_unmapped(phys_t physical)
{
    must_hold_mutex(&address_space_mutex);
    struct page *page = page_of(physical);
    page_cache_unmapped(page);
    page_put(page);
    resident_pages--;
}

/* Of the page, or of all of a large page; how many. */
static size_t unmapped(const struct mmu_entry *entry)
{
    size_t bytes = entry->large ? LARGE_PAGE_SIZE : PAGE_SIZE;
    for (size_t at = 0; at < bytes; at += PAGE_SIZE)
        area_page_unmapped(entry->physical + at);
    return bytes >> PAGE_SHIFT;
}

uintptr_t area_release_some(uintptr_t start, uintptr_t end, size_t limit)
{
    must_hold_mutex(&address_space_mutex);
    struct mmu_entry entries[UNMAP_BATCH];
    size_t released = 0;
    while (start < end && released < limit) {
        size_t count = mmu_unmap(&start, end, entries, UNMAP_BATCH);
        for (size_t i = 0; i < count; i++)
            released += unmapped(&entries[i]);
        give_way();
    }
    return start;
}

void area_release_pages(uintptr_t start, uintptr_t end)
{
    must_hold_mutex(&address_space_mutex);
    (void)area_release_some(start, end, SIZE_MAX);
}

struct area_pages area_count_pages(const struct area *area)
{
    must_hold_mutex(&address_space_mutex);
    struct mmu_entry entries[UNMAP_BATCH];
    struct area_pages pages = { 0 };
    for (uintptr_t at = area->start; at < area->end;) {
        size_t count = mmu_find(&at, area->end, entries, UNMAP_BATCH);
        for (size_t i = 0; i < count; i++)
            pages.large += entries[i].large;
        pages.resident += count;
        give_way();
    }
    return pages;
}

/* ---- Reclaim: a clock whose hand goes round the areas ------------------------------------------------ */

static void next_area(void)
{
    struct list *first = list_pop_front(&reclaimable_areas);
    list_push_back(&reclaimable_areas, first);
    hand = 0;
}

/* Unmaps a page of an evictable source that was not used since the last look, or any such page with `used_too`. */
static bool reclaim_page(const struct mmu_entry *found, bool used_too)
{
    struct page *page = page_of(found->physical);
    if (!page->source || !page->source->evictable)
        return false;
    if (found->accessed && mmu_test_clear_accessed(found->virtual) && !used_too)
        return false;
    struct mmu_entry entry;
    uintptr_t at = found->virtual;
    if (!mmu_unmap(&at, at + PAGE_SIZE, &entry, 1))
        return false;
    area_page_unmapped(entry.physical);
    return true;
}

/* Moves the hand over up to `limit` pages before `end`, or to the next area. Returns how many pages it unmapped. */
static unsigned move_hand(uintptr_t end, size_t limit, bool used_too, unsigned *looks)
{
    struct mmu_entry entries[UNMAP_BATCH];
    const struct area *area = list_entry(reclaimable_areas.next, struct area, reclaim_link);
    if (hand < area->start || hand >= area->end)
        hand = area->start;
    size_t count = mmu_find(&hand, max_of(hand, min_of(area->end, end)), entries, limit);
    unsigned unmapped = 0;
    for (size_t i = 0; i < count; i++)
        unmapped += reclaim_page(&entries[i], used_too);
    *looks += (unsigned)count + 1;
    if (hand >= area->end)
        next_area();
    return unmapped;
}

uint64_t areas_reclaim(uint64_t wanted, bool used_too)
{
    must_hold_mutex(&address_space_mutex);
    uintptr_t start = hand;
    size_t areas_left = reclaimable_count + (start != 0); /* the first one's beginning comes last */
    uint64_t unmapped = 0;
    for (unsigned looks = 0; areas_left && reclaimable_count && unmapped < wanted;) {
        bool last = areas_left == 1 && start != 0;
        if ((last && hand >= start) || (looks >= RECLAIM_LOOKS && !used_too))
            break;
        size_t limit = min_of(wanted - unmapped, (uint64_t)UNMAP_BATCH);
        unmapped += move_hand(last ? start : UINTPTR_MAX, limit, used_too, &looks);
        areas_left -= hand == 0;
        give_way();
    }
    return unmapped && pages_reclaim ? pages_reclaim(unmapped, PAGES_NEEDED) : 0;
}

/* ---- One page, wherever it is mapped ---- */

static void unmap_page_of(const struct area *area, const struct page_source *source, uint32_t index)
{
    uint64_t offset = (uint64_t)index << PAGE_SHIFT;
    if (offset < area->offset || offset - area->offset >= area->end - area->start)
        return;
    uintptr_t at = area->start + (offset - area->offset);
    struct mmu_entry entry;
    if (!mmu_query(at, &entry) || page_of(entry.physical)->source != source)
        return;
    if (mmu_unmap(&at, at + PAGE_SIZE, &entry, 1))
        area_page_unmapped(entry.physical);
}

void areas_unmap_page(struct page_source *source, uint32_t index)
{
    must_hold_mutex(&address_space_mutex);
    list_for_each (link, &source->mappings)
        unmap_page_of(list_entry(link, struct area, source_link), source, index);
}
