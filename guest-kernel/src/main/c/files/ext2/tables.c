/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file's block numbers, of which twelve lie in the inode and the others in tables, up to three deep: entering a block
 * where there is none, and taking blocks away from the end.
 *
 * A table that is new is zeros on the disk before anything refers to it (changes.c), and so is a directory's block. A
 * file's block is on the disk before its number is, because a commit writes the pages of `fresh` inodes first.
 *
 * Mutex "ext2" guards all of it. ext2_truncate() takes it, since it may need several commits; the inode's size says
 * already that the blocks are no part of the file, so a loss of power in between is repaired by the check.
 */
#include "core/debug.h"
#include "files/ext2/internal.h"
#include "lib/string.h"
#include "threads/thread.h"

#define DEPTH_MOST 3

/* Which number of which table leads to a block: indices[0] is of the inode. */
struct way {
    int depth; /* tables */
    uint32_t indices[DEPTH_MOST + 1];
};

static int find_way(const struct ext2 *ext2, uint64_t logical, struct way *way)
{
    unsigned bits = ext2->block_shift - 2;
    if (logical < EXT2_DIRECT_BLOCKS) {
        *way = (struct way){ .indices = { (uint32_t)logical } };
        return 0;
    }
    way->depth = ext2_depth(ext2, &logical);
    if (way->depth < 0)
        return -EFBIG;
    way->indices[0] = EXT2_DIRECT_BLOCKS + (uint32_t)way->depth - 1;
    for (int i = 1; i <= way->depth; i++)
        way->indices[i] = (uint32_t)(logical >> (bits * (unsigned)(way->depth - i)) & ((1u << bits) - 1));
    return 0;
}

/* Where the number at one step of the way stands: to be read, or (`change`) to be written. */
static uint32_t *slot_of(struct ext2_inode *node, uint32_t table, uint32_t index, int *error)
{
    *error = 0;
    if (table == 0)
        return &node->blocks[index];
    uint32_t *numbers = ext2_change(ext2_of(&node->inode), table, error);
    return numbers ? &numbers[index] : NULL;
}

static int read_number(struct ext2_inode *node, uint32_t table, uint32_t index, uint32_t *number)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    int error = 0;
    if (table == 0)
        *number = node->blocks[index];
    else
        error = block_cache_read(&ext2->cache, ((uint64_t)table << ext2->block_shift) + index * sizeof(*number), number,
                                 sizeof(*number));
    return !error && *number && ext2_outside(ext2, *number) ? -EIO : error;
}

static void count_sectors(struct ext2_inode *node, int n)
{
    node->sectors += (uint32_t)(n * (int)(ext2_of(&node->inode)->block_size / SECTOR_SIZE));
}

/* Allocates the block whose number stands at this step. It is entered last, so that a failure changes nothing. */
static int enter_block(struct ext2_inode *node, uint32_t table, uint32_t index, bool metadata, uint32_t goal,
                       uint32_t *number)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    int error;
    uint32_t *slot = slot_of(node, table, index, &error);
    if (!slot)
        return error;
    if (!ext2_pending_room(ext2, 1))
        return -EAGAIN;
    *number = ext2_allocate_block(ext2, goal, &error);
    if (!*number)
        return error;
    if (metadata && !ext2_change_new(ext2, *number, &error)) {
        ext2_free_block(ext2, *number);
        return error;
    }
    write_once(*slot, *number);
    count_sectors(node, 1);
    node->resized = true;
    node->fresh |= !metadata;
    return 0;
}

/* Near what lies before it in the file, or near the inode. */
static uint32_t find_goal(struct ext2_inode *node, uint64_t logical)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint32_t before = 0;
    if (logical > 0 && ext2_map(node, logical - 1, &before, 1) > 0 && before)
        return before + 1;
    uint32_t group = (uint32_t)(node->inode.number - 1) / ext2->inodes_per_group;
    return ext2->first_data_block + group * ext2->blocks_per_group + 1;
}

int ext2_allocate_at(struct ext2_inode *node, uint64_t logical, bool metadata, uint32_t *block)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    must_hold_mutex(&ext2->lock);
    struct way way;
    int error = find_way(ext2, logical, &way);
    uint32_t table = 0, goal = 0;
    for (int i = 0; !error && i <= way.depth; i++) {
        error = read_number(node, table, way.indices[i], block);
        if (!error && *block == 0) {
            goal = goal ? goal + 1 : find_goal(node, logical);
            error = enter_block(node, table, way.indices[i], metadata || i < way.depth, goal, block);
            goal = *block;
        }
        table = *block;
    }
    return error;
}

/* ---- Taking away ---- */

struct cutting {
    struct ext2_inode *node;
    uint64_t first; /* of the blocks to be given back */
    bool more;      /* a commit has to come before the rest */
};

static int free_at(struct ext2_inode *node, uint32_t *slot)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint32_t block = *slot;
    write_once(*slot, 0);
    if (ext2_outside(ext2, block))
        return -EIO;
    ext2_free_block(ext2, block);
    count_sectors(node, -1);
    return 0;
}

/* Blocks below one number at this depth. */
static uint64_t span(const struct ext2 *ext2, int depth) { return 1UL << ((ext2->block_shift - 2) * (unsigned)depth); }

static int cut_slot(struct cutting *cutting, uint32_t *slot, int depth, uint64_t start);

/* Cuts a table, of which each number leads to span(depth - 1) blocks, from the end. */
static int cut_table(struct cutting *cutting, uint32_t table, int depth, uint64_t start)
{
    struct ext2 *ext2 = ext2_of(&cutting->node->inode);
    uint64_t each = span(ext2, depth - 1);
    uint32_t from = cutting->first > start ? (uint32_t)((cutting->first - start) / each) : 0;
    int error = ext2_outside(ext2, table) ? -EIO : 0;
    uint32_t *numbers = error ? NULL : ext2_change(ext2, table, &error);
    for (uint32_t i = ext2->block_size / 4; !error && !cutting->more && numbers && i > from; i--)
        if (numbers[i - 1])
            error = cut_slot(cutting, &numbers[i - 1], depth - 1, start + (i - 1) * each);
    return error;
}

static int cut_slot(struct cutting *cutting, uint32_t *slot, int depth, uint64_t start)
{
    struct ext2 *ext2 = ext2_of(&cutting->node->inode);
    int error = depth ? cut_table(cutting, *slot, depth, start) : 0;
    give_way();
    cutting->more |= !ext2_pending_room(ext2, 1) || ext2->changed_count > EXT2_CHANGES_MOST;
    if (error || cutting->more || start < cutting->first)
        return error;
    return free_at(cutting->node, slot);
}

/* Some of the way, from the end. */
static int cut_some(struct cutting *cutting)
{
    struct ext2_inode *node = cutting->node;
    struct ext2 *ext2 = ext2_of(&node->inode);
    must_hold_mutex(&ext2->lock);
    uint64_t start[EXT2_BLOCK_POINTERS];
    for (unsigned i = 0; i < EXT2_BLOCK_POINTERS; i++)
        start[i] = i <= EXT2_DIRECT_BLOCKS ? i : start[i - 1] + span(ext2, (int)(i - EXT2_DIRECT_BLOCKS));
    int error = 0;
    cutting->more = false;
    for (int i = EXT2_BLOCK_POINTERS - 1; i >= 0 && !error && !cutting->more; i--) {
        int depth = max_of(i - EXT2_DIRECT_BLOCKS + 1, 0);
        bool cut = node->blocks[i] && start[i] + span(ext2, depth) > cutting->first;
        if (cut)
            error = cut_slot(cutting, &node->blocks[i], depth, start[i]);
    }
    node->resized = true;
    return error;
}

int ext2_truncate(struct ext2_inode *node, uint64_t first)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    struct cutting cutting = { .node = node, .first = first };
    int error;
    do {
        mutex_lock(&ext2->lock);
        error = cut_some(&cutting);
        mutex_unlock(&ext2->lock);
        if (!error && cutting.more)
            error = ext2_commit(ext2);
    } while (!error && cutting.more);
    return error;
}
