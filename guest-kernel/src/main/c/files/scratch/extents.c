/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extents in a tree. No two overlap, and two that could be one are one, unless they met from the middle: a new page is
 * joined to what ends just before it, and what follows is joined to that.
 */
#include "files/scratch/extents.h"

#include "core/debug.h"
#include "core/heap.h"
#include "files/tmpfs.h"
#include "lib/errno.h"

#define CUT_AT_ONCE 2048 /* pages */

struct extent {
    struct tree_node node;
    uint32_t index, block, count;
};

static struct extent *extent_of(struct tree_node *node) { return node ? tree_entry(node, struct extent, node) : NULL; }
static uint64_t end_of(const struct extent *extent) { return (uint64_t)extent->index + extent->count; }

static bool extent_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct extent, node)->index < tree_entry(b, struct extent, node)->index;
}

void extents_init(struct extents *extents)
{
    tree_init(&extents->tree, extent_before);
    extents->pages = 0;
}

/* The last one that starts at `index` or before, or NULL. */
static struct extent *last_up_to(const struct extents *extents, uint64_t index)
{
    struct tree_node *node = extents->tree.root;
    struct extent *best = NULL;
    while (node) {
        struct extent *extent = extent_of(node);
        if (extent->index <= index)
            best = extent;
        node = extent->index <= index ? node->right : node->left;
    }
    return best;
}

uint32_t extents_find(const struct extents *extents, uint32_t index)
{
    const struct extent *extent = last_up_to(extents, index);
    return extent && index < end_of(extent) ? extent->block + (index - extent->index) : SPACE_NONE;
}

uint32_t extents_before(const struct extents *extents, uint32_t index)
{
    const struct extent *extent = last_up_to(extents, index);
    return extent ? extent->block + extent->count - 1 : SPACE_NONE;
}

static struct extent *create(uint32_t index, uint32_t block, uint32_t count)
{
    if (!tmpfs_take_bytes(sizeof(struct extent)))
        return NULL;
    struct extent *extent = heap_allocate(sizeof(*extent));
    if (extent)
        *extent = (struct extent){ .index = index, .block = block, .count = count };
    else
        tmpfs_give_bytes(sizeof(*extent));
    return extent;
}

static void discard(struct extents *extents, struct extent *extent)
{
    tree_remove(&extents->tree, &extent->node);
    heap_free(extent);
    tmpfs_give_bytes(sizeof(*extent));
}

static bool continues(const struct extent *extent, uint64_t index, uint32_t block)
{
    return extent && end_of(extent) == index && extent->block + extent->count == block;
}

int extents_add(struct extents *extents, uint32_t index, uint32_t block)
{
    struct extent *extent = last_up_to(extents, index);
    assert(!extent || index >= end_of(extent));
    if (continues(extent, index, block)) {
        extent->count++;
    } else {
        extent = create(index, block, 1);
        if (!extent)
            return -ENOSPC;
        tree_insert(&extents->tree, &extent->node);
    }
    extents->pages++;
    struct extent *next = extent_of(tree_next(&extent->node));
    if (next && continues(extent, next->index, next->block)) {
        extent->count += next->count;
        discard(extents, next);
    }
    return 0;
}

bool extents_cut_some(struct extents *extents, uint64_t first, struct space *space)
{
    struct extent *extent = extent_of(tree_last(&extents->tree));
    if (!extent || end_of(extent) <= first)
        return false;
    uint64_t from = max_of((uint64_t)extent->index, first);
    uint32_t count = (uint32_t)min_of(end_of(extent) - from, (uint64_t)CUT_AT_ONCE);
    extent->count -= count;
    extents->pages -= count;
    space_give(space, extent->block + extent->count, count);
    if (!extent->count)
        discard(extents, extent);
    return true;
}
