/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a disk that was not left clean. Inodes and directories say what is in use; bitmaps, counts of blocks,
 * inodes and links are made anew from them. By the order of writes (commit.c) a loss of power leaves nothing else wrong
 * but: numbers of blocks behind the end of a file, directories that are longer than their blocks, names of inodes that
 * are not in use, inodes without a name, and a directory that was moved with both names. Those are repaired. A block
 * that belongs to two files, or a directory that cannot be read, is none of these: then the disk is not mounted, and
 * e2fsck has to decide.
 *
 * The bitmaps on the disk are the only place where the check keeps what it finds, and changes are written whenever
 * there are many, so memory is bounded. The disk counts as not clean until the end, so a check that is cut off is done
 * again.
 *
 * Under ext2->lock, before anything is mounted.
 */
#include "files/ext2/check.h"

#include "core/debug.h"
#include "core/log.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define INODES_AT_ONCE 64u /* between points where others may run */
#define GROUPS_TOLD 256u   /* of this many there is a line that tells how far the check is */
#define ROUNDS_MOST 64u /* a loss of power leaves no deeper tree of directories without a name than one commit makes */

int ext2_check_stop(struct ext2_check *check, const char *problem)
{
    check->problem = problem;
    return -EIO;
}

int ext2_check_relieve(struct ext2_check *check)
{
    struct ext2 *ext2 = check->ext2;
    if (ext2->changed_count <= EXT2_CHANGES_MOST)
        return 0;
    int error = ext2_write_changes(ext2, false);
    ext2_forget_changes(ext2);
    return error;
}

int ext2_check_read(struct ext2_check *check, uint32_t number, struct ext2_disk_inode *out)
{
    uint64_t offset;
    uint32_t group = (number - 1) / check->ext2->inodes_per_group;
    struct ext2_group descriptor;
    int error = block_cache_read(&check->ext2->cache, check->ext2->group_table + group * sizeof(descriptor),
                                 &descriptor, sizeof(descriptor));
    offset = ((uint64_t)descriptor.inode_table << check->ext2->block_shift) +
             (uint64_t)((number - 1) % check->ext2->inodes_per_group) * check->ext2->inode_size;
    return error ? error : block_cache_read(&check->ext2->cache, offset, out, sizeof(*out));
}

int ext2_check_write(struct ext2_check *check, uint32_t number, const struct ext2_disk_inode *inode)
{
    uint64_t offset;
    int error = ext2_locate_inode(check->ext2, number, &offset);
    void *disk = error ? NULL : ext2_change_at(check->ext2, offset, &error);
    if (disk)
        memcpy(disk, inode, sizeof(*inode));
    check->repairs++;
    return error;
}

void ext2_check_node(struct ext2_check *check, const struct ext2_disk_inode *inode, struct ext2_inode *node)
{
    memset(node, 0, sizeof(*node));
    node->inode.fs = &check->ext2->fs;
    node->inode.size = inode->size;
    memcpy(node->blocks, inode->blocks, sizeof(node->blocks));
}

/* ---- Bitmaps ---- */

static int read_group(struct ext2_check *check, uint32_t group, struct ext2_group *out)
{
    return block_cache_read(&check->ext2->cache, check->ext2->group_table + (uint64_t)group * sizeof(*out), out,
                            sizeof(*out));
}

static uint32_t first_block(const struct ext2 *ext2, uint32_t group)
{
    return ext2->first_data_block + group * ext2->blocks_per_group;
}

static uint32_t blocks_in(const struct ext2 *ext2, uint32_t group)
{
    return min_of(ext2->blocks_per_group, ext2->blocks_count - first_block(ext2, group));
}

static bool test_and_set(uint8_t *bits, uint32_t bit)
{
    bool was = bits[bit / 8] & 1u << bit % 8;
    bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    return was;
}

/* The block is in use; *twice: it was before. */
static int mark(struct ext2_check *check, uint32_t block, bool *twice)
{
    struct ext2 *ext2 = check->ext2;
    if (block < ext2->first_data_block || block >= ext2->blocks_count)
        return ext2_check_stop(check, "an inode refers to a block that is not on the disk");
    uint32_t group = (block - ext2->first_data_block) / ext2->blocks_per_group;
    struct ext2_group descriptor;
    int error = read_group(check, group, &descriptor);
    uint8_t *bits = error ? NULL : ext2_change(ext2, descriptor.block_bitmap, &error);
    if (bits)
        *twice = test_and_set(bits, block - first_block(ext2, group));
    return error;
}

static int mark_once(struct ext2_check *check, uint32_t block)
{
    bool twice = false;
    int error = mark(check, block, &twice);
    return !error && twice ? ext2_check_stop(check, "a block belongs to two files") : error;
}

static bool is_power(uint32_t n, uint32_t base)
{
    while (n > 1 && n % base == 0)
        n /= base;
    return n == 1;
}

/* Whether the group has a copy of superblock and descriptors. */
static bool has_copy(const struct ext2 *ext2, uint32_t group)
{
    return !ext2->sparse_copies || group <= 1 || is_power(group, 3) || is_power(group, 5) || is_power(group, 7);
}

/* A bitmap without a bit set but those behind `end`. */
static uint8_t *clear_bitmap(struct ext2 *ext2, uint32_t block, uint32_t end, int *error)
{
    uint8_t *bits = ext2_outside(ext2, block) ? NULL : ext2_change(ext2, block, error);
    if (!bits) {
        *error = *error ? *error : -EIO;
        return NULL;
    }
    memset(bits, 0, ext2->block_size);
    for (uint32_t bit = end; bit < 8 * ext2->block_size; bit++)
        test_and_set(bits, bit);
    return bits;
}

static int mark_all(struct ext2_check *check, uint32_t first, uint32_t count)
{
    int error = 0;
    for (uint32_t i = 0; !error && i < count; i++)
        error = mark_once(check, first + i);
    return error;
}

/* What a group has besides files and directories. */
static int reset_group(struct ext2_check *check, uint32_t group)
{
    struct ext2 *ext2 = check->ext2;
    struct ext2_group descriptor;
    int error = ext2_check_relieve(check);
    if (!error)
        error = read_group(check, group, &descriptor);
    uint32_t first = first_block(ext2, group);
    uint32_t table = (ext2->inodes_per_group * ext2->inode_size + ext2->block_size - 1) / ext2->block_size;
    uint32_t copies = has_copy(ext2, group)
                          ? 1 + (uint32_t)((ext2->group_count * sizeof(descriptor) + ext2->block_size - 1) /
                                           ext2->block_size)
                          : 0;
    if (!error && !clear_bitmap(ext2, descriptor.block_bitmap, blocks_in(ext2, group), &error))
        return error;
    if (!error && !clear_bitmap(ext2, descriptor.inode_bitmap, ext2->inodes_per_group, &error))
        return error;
    if (!error)
        error = mark_all(check, first, copies);
    if (!error)
        error = mark_all(check, descriptor.block_bitmap, 1);
    if (!error)
        error = mark_all(check, descriptor.inode_bitmap, 1);
    return error ? error : mark_all(check, descriptor.inode_table, table);
}

/* ---- Inodes ---- */

/* One walk over the blocks of an inode. */
struct block_walk {
    struct ext2_check *check;
    uint64_t end;    /* blocks from here on are cut off, counted from the file's start */
    uint32_t blocks; /* found, tables among them */
    bool cut;
};

static uint64_t span(const struct ext2 *ext2, int depth) { return 1UL << ((ext2->block_shift - 2) * (unsigned)depth); }

static int walk_number(struct block_walk *walk, uint32_t number, int depth, uint64_t start);

static int walk_table(struct block_walk *walk, uint32_t table, int depth, uint64_t start)
{
    struct ext2 *ext2 = walk->check->ext2;
    uint64_t offset = (uint64_t)table << ext2->block_shift;
    int error;
    struct page *page = page_cache_get(&ext2->cache.pages, (uint32_t)(offset >> PAGE_SHIFT), &error);
    if (!page)
        return error;
    const uint32_t *numbers = (uint32_t *)((char *)page_data(page) + (offset & PAGE_MASK));
    for (uint32_t i = 0; !error && i < ext2->block_size / 4; i++) {
        uint64_t at = start + i * span(ext2, depth - 1);
        if (numbers[i] && at >= walk->end) {
            uint32_t *changed = ext2_change(ext2, table, &error);
            if (changed)
                changed[i] = 0;
            walk->check->repairs++;
        } else if (numbers[i]) {
            error = walk_number(walk, numbers[i], depth - 1, at);
        }
    }
    page_put(page);
    give_way();
    return error;
}

static int walk_number(struct block_walk *walk, uint32_t number, int depth, uint64_t start)
{
    int error = mark_once(walk->check, number);
    walk->blocks++;
    return !error && depth ? walk_table(walk, number, depth, start) : error;
}

static int walk_blocks(struct block_walk *walk, struct ext2_disk_inode *inode)
{
    const struct ext2 *ext2 = walk->check->ext2;
    uint64_t start = 0;
    int error = 0;
    for (int i = 0; !error && i < EXT2_BLOCK_POINTERS; i++) {
        int depth = max_of(i - EXT2_DIRECT_BLOCKS + 1, 0);
        if (inode->blocks[i] && start >= walk->end) {
            inode->blocks[i] = 0;
            walk->cut = true;
        } else if (inode->blocks[i]) {
            error = walk_number(walk, inode->blocks[i], depth, start);
        }
        start += span(ext2, depth);
    }
    return error;
}

/* A directory ends before the first block that it does not have. */
static int cut_directory(struct ext2_check *check, struct ext2_disk_inode *inode, bool *changed)
{
    struct ext2_inode node;
    ext2_check_node(check, inode, &node);
    uint32_t blocks = inode->size >> check->ext2->block_shift, logical = 0;
    for (; logical < blocks; logical++) {
        uint32_t block;
        int found = ext2_map(&node, logical, &block, 1);
        if (found < 0)
            return found;
        if (!block)
            break;
    }
    uint32_t size = logical << check->ext2->block_shift;
    *changed |= size != inode->size;
    inode->size = size;
    return size ? 0 : ext2_check_stop(check, "a directory has no contents");
}

static uint64_t size_of(const struct ext2_disk_inode *inode)
{
    bool regular = (inode->mode & S_IFMT) == S_IFREG;
    return inode->size | (regular ? (uint64_t)inode->size_high << 32 : 0);
}

static bool has_blocks(const struct ext2_disk_inode *inode)
{
    uint32_t type = inode->mode & S_IFMT;
    return type == S_IFREG || type == S_IFDIR || (type == S_IFLNK && inode->sectors);
}

static int mark_attributes(struct ext2_check *check, uint32_t block)
{
    bool shared;
    return block ? mark(check, block, &shared) : 0;
}

static int check_used(struct ext2_check *check, uint32_t number, struct ext2_disk_inode *inode)
{
    struct ext2 *ext2 = check->ext2;
    bool changed = false;
    struct block_walk walk = { .check = check };
    int error = (inode->mode & S_IFMT) == S_IFDIR ? cut_directory(check, inode, &changed) : 0;
    walk.end = (size_of(inode) + ext2->block_size - 1) >> ext2->block_shift;
    if (!error && has_blocks(inode))
        error = walk_blocks(&walk, inode);
    if (!error)
        error = mark_attributes(check, inode->file_acl);
    uint32_t sectors = (walk.blocks + (inode->file_acl ? 1 : 0)) * (ext2->block_size / SECTOR_SIZE);
    changed |= walk.cut || sectors != inode->sectors || inode->delete_time;
    inode->sectors = sectors;
    inode->delete_time = 0;
    return error || !changed ? error : ext2_check_write(check, number, inode);
}

/* Those with a fixed meaning: their blocks are in use, whatever it is. */
static int check_reserved(struct ext2_check *check, struct ext2_disk_inode *inode)
{
    struct block_walk walk = { .check = check, .end = UINT64_MAX };
    return walk_blocks(&walk, inode);
}

static int check_inode(struct ext2_check *check, uint32_t number, bool *used, bool *directory)
{
    struct ext2_disk_inode inode;
    bool reserved = number < check->ext2->first_inode && number != EXT2_ROOT_INODE;
    int error = ext2_check_read(check, number, &inode);
    if (error)
        return error;
    *used = reserved || (inode.mode && inode.links);
    *directory = !reserved && *used && (inode.mode & S_IFMT) == S_IFDIR;
    if (reserved)
        return check_reserved(check, &inode);
    if (*used)
        return check_used(check, number, &inode);
    bool wrong = inode.links || (inode.mode && !inode.delete_time);
    inode.links = 0;
    inode.delete_time = (uint32_t)(clock_wall() / NS_PER_SECOND);
    return wrong ? ext2_check_write(check, number, &inode) : 0;
}

static int check_group(struct ext2_check *check, uint32_t group)
{
    struct ext2 *ext2 = check->ext2;
    uint32_t used_count = 0, directories = 0;
    struct ext2_group descriptor;
    int error = read_group(check, group, &descriptor);
    for (uint32_t i = 0; !error && i < ext2->inodes_per_group; i++) {
        bool used = false, directory = false;
        error = check_inode(check, group * ext2->inodes_per_group + i + 1, &used, &directory);
        uint8_t *bits = !error && used ? ext2_change(ext2, descriptor.inode_bitmap, &error) : NULL;
        if (bits)
            test_and_set(bits, i);
        used_count += used;
        directories += directory;
        if (!error)
            error = ext2_check_relieve(check);
        if (i % INODES_AT_ONCE == 0)
            give_way();
    }
    struct ext2_group *changed = error ? NULL
                                       : ext2_change_at(ext2, ext2->group_table + group * sizeof(*changed), &error);
    if (changed) {
        changed->free_inodes = (uint16_t)(ext2->inodes_per_group - used_count);
        changed->directories = (uint16_t)directories;
        ext2->free_inodes += changed->free_inodes;
    }
    return error;
}

static int count_free_blocks(struct ext2_check *check, uint32_t group)
{
    struct ext2 *ext2 = check->ext2;
    int error;
    struct ext2_group *descriptor = ext2_change_at(ext2, ext2->group_table + group * sizeof(*descriptor), &error);
    const uint64_t *words = descriptor ? ext2_change(ext2, descriptor->block_bitmap, &error) : NULL;
    uint32_t used = 0;
    for (uint32_t i = 0; words && i < ext2->block_size / sizeof(*words); i++)
        for (uint64_t word = words[i]; word; word &= word - 1)
            used++;
    if (!words)
        return error;
    descriptor->free_blocks = (uint16_t)(8 * ext2->block_size - used);
    ext2->free_blocks += descriptor->free_blocks;
    return ext2_check_relieve(check);
}

bool ext2_check_is_used(struct ext2_check *check, uint32_t number, int *error)
{
    struct ext2 *ext2 = check->ext2;
    struct ext2_group descriptor;
    uint32_t group = (number - 1) / ext2->inodes_per_group, bit = (number - 1) % ext2->inodes_per_group;
    uint8_t byte = 0;
    *error = read_group(check, group, &descriptor);
    if (!*error)
        *error = block_cache_read(&ext2->cache, ((uint64_t)descriptor.inode_bitmap << ext2->block_shift) + bit / 8,
                                  &byte, 1);
    return byte & 1u << bit % 8;
}

int ext2_check_each(struct ext2_check *check, int (*visit)(struct ext2_check *check, uint32_t number, void *context),
                    void *context)
{
    int error = 0;
    for (uint32_t number = 1; !error && number <= check->ext2->inodes_count; number++) {
        bool counts = number >= check->ext2->first_inode || number == EXT2_ROOT_INODE;
        if (counts && ext2_check_is_used(check, number, &error) && !error)
            error = visit(check, number, context);
        if (!error)
            error = ext2_check_relieve(check);
        if (number % INODES_AT_ONCE == 0)
            give_way();
    }
    return error;
}

/* ---- All of it ---- */

static void tell(const struct ext2 *ext2, uint32_t group)
{
    if (group % GROUPS_TOLD == GROUPS_TOLD - 1)
        log_info("disk %s: %u of %u groups checked", ext2->cache.device->name, group + 1, ext2->group_count);
}

static int check_once(struct ext2_check *check)
{
    struct ext2 *ext2 = check->ext2;
    int error = 0;
    ext2->free_inodes = ext2->free_blocks = 0;
    check->removed = 0;
    for (uint32_t group = 0; !error && group < ext2->group_count; group++)
        error = reset_group(check, group);
    for (uint32_t group = 0; !error && group < ext2->group_count; group++) {
        error = check_group(check, group);
        tell(ext2, group);
    }
    if (!error)
        error = ext2_check_names(check);
    for (uint32_t group = 0; !error && group < ext2->group_count; group++)
        error = count_free_blocks(check, group);
    return error;
}

int ext2_check(struct ext2 *ext2)
{
    struct ext2_check check = { .ext2 = ext2 };
    must_hold_mutex(&ext2->lock);
    const char *name = ext2->cache.device->name;
    log_info("disk %s was not left clean: it is checked", name);
    unsigned rounds = 0;
    int error;
    do
        error = check_once(&check);
    while (!error && check.removed && ++rounds < ROUNDS_MOST);
    if (!error && check.removed)
        error = ext2_check_stop(&check, "directories without a name lie too deep in each other");
    if (error)
        log_error("disk %s is damaged beyond what a loss of power does (%s); repair it with: e2fsck -f", name,
                  check.problem ? check.problem : errno_name(error));
    else
        log_info("disk %s is in order: %u repairs", name, check.repairs);
    return error;
}
