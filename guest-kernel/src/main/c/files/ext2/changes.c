/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of metadata that have changed: they stay in the page cache of the disk, held by a reference, and in a tree
 * by number, so that a commit writes them in the order in which they lie. Where blocks are smaller than pages only the
 * blocks that changed are written: what the page has beside them may be an old state of some file.
 *
 * Mutex "ext2" guards the tree, and each function is called with it.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "files/ext2/internal.h"
#include "lib/string.h"
#include "threads/thread.h"

struct changed_block {
    struct tree_node node;
    uint32_t number;
    bool fresh;   /* nothing on the disk refers to it */
    bool written; /* fresh, and on the disk as it is */
    struct page *page;
};

static struct changed_block *block_of(struct tree_node *node) { return tree_entry(node, struct changed_block, node); }

static bool before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct changed_block, node)->number < tree_entry(b, struct changed_block, node)->number;
}

static struct changed_block *find(struct ext2 *ext2, uint32_t number)
{
    struct tree_node *node = ext2->changed.root;
    while (node && block_of(node)->number != number)
        node = number < block_of(node)->number ? node->left : node->right;
    return node ? block_of(node) : NULL;
}

static void *bytes_of(const struct ext2 *ext2, const struct changed_block *block)
{
    return (char *)page_data(block->page) + ((uint64_t)block->number << ext2->block_shift & PAGE_MASK);
}

static struct changed_block *record(struct ext2 *ext2, uint32_t number, int *error)
{
    must_hold_mutex(&ext2->lock);
    if (!ext2->changed.before)
        tree_init(&ext2->changed, before);
    struct changed_block *block = find(ext2, number);
    *error = ext2->failed;
    if (block || *error)
        return *error ? NULL : block;
    uint64_t offset = (uint64_t)number << ext2->block_shift;
    struct page *page = page_cache_get(&ext2->cache.pages, (uint32_t)(offset >> PAGE_SHIFT), error);
    if (!page)
        return NULL;
    block = heap_allocate_at(sizeof(*block), PAGES_NEEDED);
    if (!block) {
        page_put(page);
        *error = -ENOMEM;
        return NULL;
    }
    *block = (struct changed_block){ .number = number, .page = page };
    tree_insert(&ext2->changed, &block->node);
    ext2->changed_count++;
    return block;
}

void *ext2_change(struct ext2 *ext2, uint32_t number, int *error)
{
    struct changed_block *block = record(ext2, number, error);
    if (!block)
        return NULL;
    block->written = false;
    return bytes_of(ext2, block);
}

void *ext2_change_at(struct ext2 *ext2, uint64_t offset, int *error)
{
    char *bytes = ext2_change(ext2, (uint32_t)(offset >> ext2->block_shift), error);
    return bytes ? bytes + (offset & (ext2->block_size - 1)) : NULL;
}

void *ext2_change_new(struct ext2 *ext2, uint32_t number, int *error)
{
    struct changed_block *block = record(ext2, number, error);
    if (!block)
        return NULL;
    block->fresh = true;
    block->written = false;
    memset(bytes_of(ext2, block), 0, ext2->block_size);
    return bytes_of(ext2, block);
}

static void drop(struct ext2 *ext2, struct changed_block *block)
{
    tree_remove(&ext2->changed, &block->node);
    ext2->changed_count--;
    page_put(block->page);
    heap_free(block);
}

void ext2_forget(struct ext2 *ext2, uint32_t number)
{
    must_hold_mutex(&ext2->lock);
    struct changed_block *block = find(ext2, number);
    if (block)
        drop(ext2, block);
}

bool ext2_has_fresh_changes(struct ext2 *ext2)
{
    must_hold_mutex(&ext2->lock);
    for (struct tree_node *node = tree_first(&ext2->changed); node; node = tree_next(node))
        if (block_of(node)->fresh)
            return true;
    return false;
}

int ext2_write_changes(struct ext2 *ext2, bool fresh)
{
    must_hold_mutex(&ext2->lock);
    struct block_batch batch;
    block_batch_begin(&batch, ext2->cache.device, true);
    for (struct tree_node *node = tree_first(&ext2->changed); node; node = tree_next(node)) {
        struct changed_block *block = block_of(node);
        if (block->fresh != fresh || block->written)
            continue;
        uint64_t offset = (uint64_t)block->number << ext2->block_shift;
        block_batch_add(&batch, offset, page_address(block->page) + (offset & PAGE_MASK), ext2->block_size);
        block->written = fresh;
    }
    return block_batch_end(&batch);
}

void ext2_forget_changes(struct ext2 *ext2)
{
    must_hold_mutex(&ext2->lock);
    struct tree_node *node;
    while ((node = tree_first(&ext2->changed)))
        drop(ext2, block_of(node));
}
