/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free blocks and inodes: bitmaps and counts of the groups.
 *
 * A block that is given back stays taken until the commit that forgets it has ended (ext2_release_pending()): otherwise
 * a loss of power could leave the old file with the contents of the new one. The same holds for inodes. Of counts, the
 * superblock's are in struct ext2, and each group's in its descriptor.
 *
 * Mutex "ext2" guards all of it, and each function is called with it.
 */
#include "core/debug.h"
#include "files/ext2/internal.h"
#include "lib/string.h"
#include "threads/thread.h"

#define GROUPS_AT_ONCE 64u /* looked at before others may run */
#define NONE UINT32_MAX

static struct ext2_group *change_group(struct ext2 *ext2, uint32_t group, int *error)
{
    return ext2_change_at(ext2, ext2->group_table + (uint64_t)group * sizeof(struct ext2_group), error);
}

static int read_group(struct ext2 *ext2, uint32_t group, struct ext2_group *out)
{
    return block_cache_read(&ext2->cache, ext2->group_table + (uint64_t)group * sizeof(*out), out, sizeof(*out));
}

static bool is_set(const uint8_t *bits, uint32_t bit) { return bits[bit / 8] & 1u << bit % 8; }

/* The first clear bit of [from, end), that of 64 clear ones if there are: files that grow at the same time do not
 * interleave block by block. NONE. */
static uint32_t find_clear(const uint8_t *bits, uint32_t from, uint32_t end)
{
    uint32_t any = NONE;
    for (uint32_t bit = from; bit < end;) {
        if (bit % 64 == 0 && bit + 64 <= end) {
            uint64_t word;
            memcpy(&word, bits + bit / 8, sizeof(word));
            if (word == 0)
                return bit;
            if (any == NONE && ~word)
                any = bit + (uint32_t)__builtin_ctzl(~word);
            bit += 64;
            continue;
        }
        if (any == NONE && !is_set(bits, bit))
            any = bit;
        bit++;
    }
    return any;
}

/* The block is changed only if a bit of it is taken. */
static uint32_t take_bit(struct ext2 *ext2, uint32_t bitmap, uint32_t wish, uint32_t end, int *error)
{
    if (ext2_outside(ext2, bitmap)) {
        *error = -EIO;
        return NONE;
    }
    uint8_t *bits = ext2_change(ext2, bitmap, error);
    if (!bits)
        return NONE;
    uint32_t bit = wish < end && !is_set(bits, wish) ? wish : NONE;
    if (bit == NONE)
        bit = find_clear(bits, min_of(align_up(wish, 64u), end), end);
    if (bit == NONE)
        bit = find_clear(bits, 0, end);
    if (bit != NONE)
        bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    return bit;
}

static uint32_t blocks_in(const struct ext2 *ext2, uint32_t group)
{
    uint32_t first = ext2->first_data_block + group * ext2->blocks_per_group;
    return min_of(ext2->blocks_per_group, ext2->blocks_count - first);
}

/* A block of the group, `wish` (counted from its first) if that is free. 0: none, or *error. */
static uint32_t block_from(struct ext2 *ext2, uint32_t group, uint32_t wish, int *error)
{
    struct ext2_group *descriptor = change_group(ext2, group, error);
    if (!descriptor || descriptor->free_blocks == 0)
        return 0;
    uint32_t bit = take_bit(ext2, descriptor->block_bitmap, wish, blocks_in(ext2, group), error);
    if (bit == NONE)
        return 0;
    descriptor->free_blocks--;
    ext2->free_blocks--;
    return ext2->first_data_block + group * ext2->blocks_per_group + bit;
}

uint32_t ext2_allocate_block(struct ext2 *ext2, uint32_t goal, int *error)
{
    must_hold_mutex(&ext2->lock);
    *error = 0;
    uint32_t home = ext2_outside(ext2, goal) ? ext2->search_group
                                             : (goal - ext2->first_data_block) / ext2->blocks_per_group;
    uint32_t wish = ext2_outside(ext2, goal) ? 0 : (goal - ext2->first_data_block) % ext2->blocks_per_group;
    uint32_t block = ext2->free_blocks ? block_from(ext2, home, wish, error) : 0;
    for (uint32_t i = 0; !block && !*error && ext2->free_blocks && i < ext2->group_count; i++) {
        struct ext2_group descriptor;
        uint32_t group = (ext2->search_group + i) % ext2->group_count;
        *error = read_group(ext2, group, &descriptor);
        if (!*error && descriptor.free_blocks)
            block = block_from(ext2, group, 0, error);
        if (block)
            ext2->search_group = group;
        if (i % GROUPS_AT_ONCE == GROUPS_AT_ONCE - 1)
            give_way();
    }
    if (!block && !*error)
        *error = -ENOSPC;
    return block;
}

bool ext2_pending_room(const struct ext2 *ext2, uint32_t blocks)
{
    const struct ext2_pending *pending = ext2->pending;
    return pending->block_count + blocks <= EXT2_PENDING_BLOCKS && pending->inode_count < EXT2_PENDING_INODES;
}

void ext2_free_block(struct ext2 *ext2, uint32_t block)
{
    must_hold_mutex(&ext2->lock);
    assert(ext2->pending->block_count < EXT2_PENDING_BLOCKS);
    ext2_forget(ext2, block);
    ext2->pending->blocks[ext2->pending->block_count++] = block;
}

static bool take_inode(struct ext2 *ext2, uint32_t group, uint32_t *number, int *error)
{
    struct ext2_group *descriptor = change_group(ext2, group, error);
    if (!descriptor || descriptor->free_inodes == 0)
        return false;
    uint32_t bit = take_bit(ext2, descriptor->inode_bitmap, 0, ext2->inodes_per_group, error);
    if (bit == NONE)
        return false;
    descriptor->free_inodes--;
    ext2->free_inodes--;
    *number = group * ext2->inodes_per_group + bit + 1;
    return true;
}

uint32_t ext2_allocate_inode(struct ext2 *ext2, uint32_t near, bool directory, int *error)
{
    must_hold_mutex(&ext2->lock);
    uint32_t number = 0, home = (near - 1) / ext2->inodes_per_group;
    *error = 0;
    for (uint32_t i = 0; !number && !*error && ext2->free_inodes && i < ext2->group_count; i++) {
        struct ext2_group descriptor;
        uint32_t group = (home + i) % ext2->group_count;
        *error = read_group(ext2, group, &descriptor);
        if (!*error && descriptor.free_inodes)
            take_inode(ext2, group, &number, error);
        if (i % GROUPS_AT_ONCE == GROUPS_AT_ONCE - 1)
            give_way();
    }
    if (number && directory)
        *error = ext2_count_directory(ext2, number, 1);
    if (!number && !*error)
        *error = -ENOSPC;
    return *error ? 0 : number;
}

int ext2_count_directory(struct ext2 *ext2, uint32_t number, int n)
{
    int error;
    struct ext2_group *descriptor = change_group(ext2, (number - 1) / ext2->inodes_per_group, &error);
    if (descriptor)
        descriptor->directories = (uint16_t)(descriptor->directories + n);
    return error;
}

void ext2_free_inode(struct ext2 *ext2, uint32_t number)
{
    must_hold_mutex(&ext2->lock);
    assert(ext2->pending->inode_count < EXT2_PENDING_INODES);
    ext2->pending->inodes[ext2->pending->inode_count++] = number;
}

static int clear_bit(struct ext2 *ext2, uint32_t bitmap, uint32_t bit)
{
    int error;
    uint8_t *bits = ext2_change(ext2, bitmap, &error);
    if (bits)
        bits[bit / 8] &= (uint8_t) ~(1u << bit % 8);
    return error;
}

static int release_block(struct ext2 *ext2, uint32_t block)
{
    int error;
    uint32_t group = (block - ext2->first_data_block) / ext2->blocks_per_group;
    struct ext2_group *descriptor = change_group(ext2, group, &error);
    if (!error)
        error = clear_bit(ext2, descriptor->block_bitmap, (block - ext2->first_data_block) % ext2->blocks_per_group);
    if (error)
        return error;
    descriptor->free_blocks++;
    ext2->free_blocks++;
    return 0;
}

static int release_inode(struct ext2 *ext2, uint32_t number)
{
    int error;
    struct ext2_group *descriptor = change_group(ext2, (number - 1) / ext2->inodes_per_group, &error);
    if (!error)
        error = clear_bit(ext2, descriptor->inode_bitmap, (number - 1) % ext2->inodes_per_group);
    if (error)
        return error;
    descriptor->free_inodes++;
    ext2->free_inodes++;
    return 0;
}

int ext2_release_pending(struct ext2 *ext2)
{
    must_hold_mutex(&ext2->lock);
    struct ext2_pending *pending = ext2->pending;
    int error = 0;
    while (!error && pending->block_count) {
        error = release_block(ext2, pending->blocks[pending->block_count - 1]);
        if (!error && --pending->block_count % 64 == 0)
            give_way();
    }
    while (!error && pending->inode_count) {
        error = release_inode(ext2, pending->inodes[pending->inode_count - 1]);
        if (!error)
            pending->inode_count--;
    }
    return error;
}
