/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the check that looks at names: entries whose inode is not in use are removed, a directory keeps one name,
 * and inodes get the number of links that there are. Inodes without a name are removed: they were made or removed in
 * the last commit.
 *
 * Names are counted for one window of inodes at a time, so that memory is bounded; each window takes a look at every
 * directory. Under ext2->lock, as check.c.
 */
#include "core/heap.h"
#include "core/pages.h"
#include "files/ext2/check.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define NAMED 0x8000u /* of a directory: a name has been seen; the other bits count */
#define WINDOW_LEAST (1u << 16)
#define WINDOW_SHARE 512 /* one part in so many of memory */

struct window {
    uint16_t *counts; /* names of a file; NAMED and the number of its directories of a directory */
    uint32_t first, size;
    bool counting; /* else names that cannot stay are removed */
};

static uint16_t *count_of(struct window *window, uint32_t number)
{
    return number - window->first < window->size ? &window->counts[number - window->first] : NULL;
}

/* Gives the entry at a place of a directory another inode, 0: none. */
static int set_entry(struct ext2_check *check, struct ext2_inode *node, uint64_t offset, uint32_t number)
{
    struct ext2 *ext2 = check->ext2;
    uint32_t block;
    int found = ext2_map(node, offset >> ext2->block_shift, &block, 1);
    int error = found < 0 ? found : block == 0 ? -EIO : 0;
    char *bytes = error ? NULL : ext2_change(ext2, block, &error);
    if (bytes)
        ((struct ext2_entry *)(bytes + (offset & (ext2->block_size - 1))))->inode = number;
    check->repairs++;
    return error;
}

/* The second entry of a directory is "..". */
static int set_parent(struct ext2_check *check, const struct ext2_disk_inode *directory, uint32_t parent)
{
    struct ext2_inode node;
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    uint64_t offset = 0, place;
    ext2_check_node(check, directory, &node);
    int error = ext2_next_entry(&node.inode, &offset, &entry, name);
    place = offset;
    if (!error)
        error = ext2_next_entry(&node.inode, &offset, &entry, name);
    if (error || entry.name_length != 2 || memcmp(name, "..", 2))
        return ext2_check_stop(check, "a directory does not begin with . and ..");
    return entry.inode == parent ? 0 : set_entry(check, &node, place, parent);
}

/* An entry, and the directory that it is in. */
struct place {
    uint32_t number;
    struct ext2_inode *node;
    uint64_t offset;
};

static int check_subdirectory(struct ext2_check *check, struct window *window, const struct place *place,
                              uint32_t number, const struct ext2_disk_inode *inode)
{
    uint16_t *count = count_of(window, number), *parent = count_of(window, place->number);
    bool again = count && *count & NAMED;
    if (count)
        *count |= NAMED;
    if (window->counting) {
        if (parent)
            ++*parent;
        return 0;
    }
    if (again)
        return set_entry(check, place->node, place->offset, 0);
    return count ? set_parent(check, inode, place->number) : 0;
}

static int check_entry(struct ext2_check *check, struct window *window, const struct place *place, uint32_t number)
{
    struct ext2 *ext2 = check->ext2;
    struct ext2_disk_inode inode;
    int error = 0;
    bool used = number >= ext2->first_inode && number <= ext2->inodes_count &&
                ext2_check_is_used(check, number, &error);
    if (error)
        return error;
    if (!used)
        return window->counting ? 0 : set_entry(check, place->node, place->offset, 0);
    error = ext2_check_read(check, number, &inode);
    if (error)
        return error;
    if ((inode.mode & S_IFMT) == S_IFDIR)
        return check_subdirectory(check, window, place, number, &inode);
    uint16_t *count = count_of(window, number);
    if (count && window->counting)
        ++*count;
    return 0;
}

static int check_directory(struct ext2_check *check, uint32_t number, void *context)
{
    struct ext2_disk_inode inode;
    int error = ext2_check_read(check, number, &inode);
    if (error || (inode.mode & S_IFMT) != S_IFDIR)
        return error;
    struct ext2_inode node;
    struct place place = { .number = number, .node = &node };
    uint64_t next = 0;
    ext2_check_node(check, &inode, &node);
    while (!error) {
        struct ext2_entry entry;
        char name[NAME_LIMIT];
        place.offset = next;
        error = ext2_next_entry(&node.inode, &next, &entry, name);
        if (error == -EIO)
            ext2_check_stop(check, "a directory cannot be read");
        if (!error && entry.inode && !name_is_dots(name, entry.name_length))
            error = check_entry(check, context, &place, entry.inode);
        if ((next & PAGE_MASK) < place.offset % PAGE_SIZE)
            give_way();
    }
    return error == -ENOENT ? 0 : error;
}

/* What the inode's links should be. */
static uint32_t links_of(const struct ext2_disk_inode *inode, uint32_t number, uint16_t count)
{
    if ((inode->mode & S_IFMT) != S_IFDIR)
        return count;
    return number == EXT2_ROOT_INODE || count & NAMED ? 2u + (count & ~NAMED) : 0;
}

static int set_links(struct ext2_check *check, uint32_t number, void *context)
{
    const uint16_t *count = count_of(context, number);
    struct ext2_disk_inode inode;
    int error = count ? ext2_check_read(check, number, &inode) : 0;
    if (error || !count)
        return error;
    uint32_t links = links_of(&inode, number, *count);
    if (inode.links == links)
        return 0;
    inode.links = (uint16_t)links;
    if (!links) {
        inode.delete_time = (uint32_t)(clock_wall() / NS_PER_SECOND);
        check->removed++;
    }
    return ext2_check_write(check, number, &inode);
}

static int check_windows(struct ext2_check *check, struct window *window, bool counting)
{
    uint32_t count = check->ext2->inodes_count;
    int error = 0;
    window->counting = counting;
    for (window->first = 1; !error && window->first <= count; window->first += window->size) {
        memset(window->counts, 0, window->size * sizeof(*window->counts));
        error = ext2_check_each(check, check_directory, window);
        if (!error && counting)
            error = ext2_check_each(check, set_links, window);
        if (count - window->first < window->size)
            break;
    }
    return error;
}

int ext2_check_names(struct ext2_check *check)
{
    uint64_t share = pages_total_count() * PAGE_SIZE / WINDOW_SHARE / sizeof(uint16_t);
    uint64_t most = HEAP_BLOCK_MAX / 2 / sizeof(uint16_t);
    struct window window = { .size = (uint32_t)min_of(max_of(share, (uint64_t)WINDOW_LEAST), most) };
    window.size = min_of(window.size, check->ext2->inodes_count);
    window.counts = heap_allocate_at(window.size * sizeof(*window.counts), PAGES_NEEDED);
    if (!window.counts)
        return -ENOMEM;
    int error = check_windows(check, &window, false);
    if (!error)
        error = check_windows(check, &window, true);
    heap_free(window.counts);
    return error;
}
