/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory file system over a directory of the image: its files are all there, and can be changed, in memory. Nothing
 * is copied before it is changed, and then as little as possible.
 *
 * Names. A directory starts untouched: names are looked up and listed in the directory below, and the dentries for them
 * are only cached. Before the first change in it, it is settled: every name below becomes a lasting dentry, and from
 * then on the directory is one of memory like any other, without whiteouts and without anything to be merged. So are
 * all the directories above it, since a directory that holds a change must last as well. A directory that is moved
 * stays what it was. Settling costs as much as there are names; untouched directories beside it cost nothing. If it
 * ends early because memory is short, some of the names are lasting, which does no harm, and the directory still counts
 * as untouched. Names have the places in listings that they have below, so that a listing goes on where it was.
 *
 * Inodes have the numbers of those below, and are found by them, so that there is one for each however it is reached.
 * One that is only cached may be dropped at any time, since the one below says the same.
 *
 * Contents. An untouched file is read and mapped from the pages of the file below, at no cost. Opened for writing, it
 * becomes separate: mappings move over, and pages are copied one at a time as they are written, or mapped. Reading what
 * was never written still reads the pages below, up to `below_size`, which truncation lowers.
 *
 * Locks: vfs.h. `separate` may be read without a lock because it is set last.
 */
#include "core/debug.h"
#include "files/layer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "threads/thread.h"

#define NAMES_AT_ONCE 16 /* between points where others may run */

static bool is_settled(const struct dentry *directory) { return !is_untouched(directory->inode); }

/* ---- Names ---- */

static int find_or_make(struct file_system *fs, struct inode *below, struct inode **out)
{
    *out = inode_find(fs, below->number);
    if (*out)
        return 0;
    *out = tmpfs_make_over(fs, below);
    if (!*out)
        return -ENOMEM;
    inode_hash(*out);
    return 0;
}

int layer_lookup(struct inode *directory, const char *name, size_t length, struct inode **out)
{
    if (!is_untouched(directory))
        return -ENOENT;
    struct inode *below;
    int error = directory->below->operations->lookup(directory->below, name, length, &below);
    if (error)
        return error;
    error = find_or_make(directory->fs, below, out);
    inode_put(below);
    return error;
}

int layer_list(struct inode *directory, uint64_t *cursor, struct listing *listing)
{
    return directory->below->operations->list(directory->below, cursor, listing);
}

struct settling {
    struct listing listing;
    struct dentry *directory;
    unsigned count;
    int error;
};

static int make_lasting(struct dentry *name, uint64_t cookie)
{
    if (!name->inode || name->pinned)
        return 0;
    int error = tmpfs_keep_name(name->inode);
    if (!error)
        dentry_pin(name, cookie);
    return error;
}

static bool settle_name(struct listing *listing, const struct listed_name *listed)
{
    struct settling *settling = container_of(listing, struct settling, listing);
    if (name_is_dots(listed->name, listed->length))
        return true;
    struct dentry *name;
    settling->error = dentry_find_locked(settling->directory, listed->name, listed->length, &name);
    if (settling->error)
        return false;
    /* A listing of the directory below that stopped after this name, at `next`, continues with the name after it. */
    settling->error = make_lasting(name, listed->next - 1);
    dentry_put(name);
    if (++settling->count % NAMES_AT_ONCE == 0)
        give_way();
    return !settling->error;
}

int layer_settle(struct dentry *directory)
{
    struct settling settling = { .listing.take = settle_name, .directory = directory };
    uint64_t cursor = 0;
    int error = layer_list(directory->inode, &cursor, &settling.listing);
    if (!error)
        error = settling.error;
    if (!error)
        write_once(directory->inode->separate, true);
    return error;
}

int directory_settle(struct dentry *directory)
{
    must_hold_mutex(&namespace_lock);
    int error = 0;
    while (!error && !is_settled(directory)) {
        struct dentry *highest = directory;
        while (highest->parent && !is_settled(highest->parent))
            highest = highest->parent;
        error = highest->inode->operations->settle(highest);
    }
    return error;
}

int dentry_settle(struct dentry *dentry)
{
    if (!dentry->inode->below || read_once(dentry->pinned))
        return 0;
    mutex_lock(&namespace_lock);
    int error = dentry->parent ? directory_settle(dentry->parent) : 0;
    mutex_unlock(&namespace_lock);
    return error;
}

/* ---- Contents ---- */

int dentry_prepare_write(struct dentry *dentry)
{
    struct inode *inode = dentry->inode;
    int error = dentry_settle(dentry);
    if (error || !is_untouched(inode) || !is_type(inode, S_IFREG))
        return error;
    mutex_lock(&inode->lock);
    if (is_untouched(inode))
        address_space_move_source(&inode->below->pages, &inode->pages, &inode->separate);
    mutex_unlock(&inode->lock);
    return 0;
}

struct page *layer_page(struct inode *inode, uint32_t index, int *error)
{
    *error = 0;
    if ((uint64_t)index << PAGE_SHIFT >= read_once(inode->below_size))
        return NULL;
    return page_cache_get(&inode->below->pages, index, error);
}

void layer_copy(struct inode *inode, struct page *to, const struct page *from)
{
    memcpy(page_data(to), page_data(from), PAGE_SIZE);
    /* A thread that lowers it meanwhile does so first, and then clears the page (files/tmpfs.c). */
    uint64_t start = (uint64_t)to->index << PAGE_SHIFT, size = read_once(inode->below_size);
    uint64_t kept = size > start ? min_of(size - start, PAGE_SIZE) : 0;
    memset((char *)page_data(to) + kept, 0, PAGE_SIZE - kept);
}
