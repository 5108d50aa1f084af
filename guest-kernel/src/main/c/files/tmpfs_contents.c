/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in the files of a memory file system: where their pages come from, and how they grow, shrink and are written.
 * On a scratch disk (`scratch`) pages come and go, and count by what they take of the disk; all the rest is the same.
 *
 * A page lies inside its file's size, so that it is found and given back with the file; it was counted when the page
 * cache filled it. Mutex inode->lock guards size, contents and seals. The operations of files are entered without it,
 * those of inodes with it, and those of page sources by the page cache, with or without it.
 */
#include "core/debug.h"
#include "files/inotify.h"
#include "files/layer.h"
#include "files/tmpfs_private.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/writeback.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define LARGEST_FILE (1UL << 40)
#define PAGES_AT_ONCE 16 /* between points where others may run */

/* One page, which is zeros. Nothing sleeps once it is counted: a thread that drops it meanwhile gives back what it
 * took. */
static int tmpfs_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    struct inode *inode = container_of(source, struct inode, pages);
    int error;
    assert(count == 1);
    struct page *below = layer_page(inode, index, &error);
    if (!error)
        error = tmpfs_take_pages(tmpfs_of(inode), 1);
    if (!error && below)
        layer_copy(inode, pages[0], below);
    if (below)
        page_put(below);
    return error;
}

const struct page_source_operations tmpfs_memory_pages = { .fill = tmpfs_fill };

static struct scratch_file *stored_in(struct page_source *source)
{
    return &tmpfs_node_of(container_of(source, struct inode, pages))->stored;
}
static bool stored_has(struct page_source *source, uint32_t index) { return scratch_stored(stored_in(source), index); }
static int stored_reserve(struct page_source *source, uint32_t index)
{
    return scratch_reserve(stored_in(source), index);
}
static int stored_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    return scratch_read(stored_in(source), index, pages, count);
}
static void stored_write(struct page_source *source, struct page **pages, unsigned count)
{
    scratch_write(stored_in(source), pages, count);
}

const struct page_source_operations tmpfs_scratch_pages = {
    .fill = stored_fill,
    .write = stored_write,
    .reserve = stored_reserve,
    .stored = stored_has,
};

void tmpfs_drop_pages(struct inode *inode, uint64_t first, uint64_t end)
{
    uint64_t dropped = page_cache_drop(&inode->pages, first, end);
    struct scratch_file *stored = tmpfs_stored_of(inode);
    if (stored)
        scratch_cut(stored, first);
    else
        tmpfs_give_pages(tmpfs_of(inode), (int64_t)dropped);
}

/* Before the page is changed. 0 or -errno. */
static int reserve_page(struct inode *inode, uint32_t index)
{
    struct scratch_file *stored = tmpfs_stored_of(inode);
    return stored ? scratch_reserve(stored, index) : 0;
}

/* Under inode->lock, as all that follows up to the operations. The new size comes first: pages that others still reach
 * through mappings while they are being dropped lie beyond it already. */
static void cut(struct inode *inode, uint64_t size)
{
    must_hold_mutex(&inode->lock);
    uint64_t end = align_up(size, PAGE_SIZE), old_size = inode->size;
    inode_set_size(inode, size);
    write_once(inode->below_size, min_of(inode->below_size, size));
    paged_clear(inode, size, min_of(end, old_size));
    tmpfs_drop_pages(inode, end >> PAGE_SHIFT, align_up(old_size, PAGE_SIZE) >> PAGE_SHIFT);
}

static void changed(struct inode *inode) { inode->modified = inode->changed = clock_wall(); }

#define SEALS_OF_WRITING (SEAL_WRITE | SEAL_FUTURE_WRITE)

/* What a file may grow to. */
static uint64_t largest(void) { return min_of(LARGEST_FILE, read_once(file_size_limit)); }

/* What will be the file's last page, in part: a scratch disk's is brought in, so that cut() can clear the rest of it.
 * With a reference; NULL with *error 0: that is not needed. */
static struct page *bring_in_last(struct inode *inode, uint64_t size, int *error)
{
    struct scratch_file *stored = tmpfs_stored_of(inode);
    uint32_t index = (uint32_t)(size >> PAGE_SHIFT);
    *error = 0;
    if (!stored || !(size & PAGE_MASK) || !scratch_stored(stored, index))
        return NULL;
    return page_cache_get(&inode->pages, index, error);
}

static int shrink(struct inode *inode, uint64_t size)
{
    int error;
    struct page *last = bring_in_last(inode, size, &error);
    if (error)
        return error;
    cut(inode, size);
    if (last)
        page_put(last);
    return 0;
}

int tmpfs_resize(struct inode *inode, uint64_t size)
{
    int error = 0;
    if ((size < inode->size && inode->seals & SEAL_SHRINK) || (size > inode->size && inode->seals & SEAL_GROW))
        return -EPERM;
    if (size > inode->size && size > largest())
        return -EFBIG;
    if (size < inode->size)
        error = shrink(inode, size);
    else
        inode_set_size(inode, size);
    if (error)
        return error;
    changed(inode);
    inotify_file(inode, NULL, IN_MODIFY);
    return 0;
}

static int reserve(struct inode *inode, uint64_t offset, uint64_t end)
{
    for (uint64_t at = align_down(offset, PAGE_SIZE); at < end; at += PAGE_SIZE) {
        int error;
        struct page *page = page_cache_get(&inode->pages, (uint32_t)(at >> PAGE_SHIFT), &error);
        if (!page)
            return error;
        error = reserve_page(inode, (uint32_t)(at >> PAGE_SHIFT));
        bool throttled = !error && page_cache_dirty(page);
        page_put(page);
        if (error)
            return error;
        if (throttled)
            writeback_throttle();
        if ((at >> PAGE_SHIFT) % PAGES_AT_ONCE == 0)
            give_way();
    }
    return 0;
}

/* Zeroes [from, to) for good. What the image has there needs pages that hide it, unless it is all the rest of that. */
static int punch(struct inode *inode, uint64_t from, uint64_t to)
{
    int error = 0;
    if (to >= inode->below_size)
        write_once(inode->below_size, min_of(inode->below_size, from));
    else
        error = reserve(inode, from, to);
    if (!error)
        paged_clear(inode, from, to);
    return error;
}

int tmpfs_allocate(struct inode *inode, uint64_t offset, uint64_t length, bool keep_size, bool hole)
{
    uint64_t end = offset + length, old_size = inode->size;
    if (hole && tmpfs_stored_of(inode))
        return -EOPNOTSUPP;
    if (end > largest() && !hole)
        return -EFBIG;
    if (inode->seals & (hole ? SEALS_OF_WRITING : !keep_size && end > old_size ? SEAL_GROW : 0))
        return -EPERM;
    changed(inode);
    if (hole)
        return punch(inode, offset, min_of(end, old_size));
    /* Reserving beyond the end keeps no page: only what lies inside the size can be found and freed again. */
    uint64_t new_size = keep_size ? old_size : max_of(end, old_size);
    inode_set_size(inode, new_size);
    int error = reserve(inode, offset, min_of(end, new_size));
    if (error && new_size > old_size)
        cut(inode, old_size);
    return error;
}

static ssize_type write_locked(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    must_hold_mutex(&file->inode->lock);
    struct inode *inode = file->inode;
    if (read_once(file->flags) & O_APPEND)
        *offset = inode->size;
    uint64_t end = inode->seals & SEAL_GROW ? min_of(largest(), inode->size) : largest();
    if (inode->seals & SEALS_OF_WRITING)
        return -EPERM;
    if (*offset >= end && transfer->remaining && inode->seals & SEAL_GROW)
        return -EPERM;
    if (*offset >= end && transfer->remaining)
        return -EFBIG;
    return paged_write(inode, transfer, offset, end, cut);
}

static ssize_type tmpfs_write(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    mutex_lock(&file->inode->lock);
    ssize_type n = write_locked(file, transfer, offset);
    changed(file->inode);
    mutex_unlock(&file->inode->lock);
    if (n > 0)
        inotify_file(file->inode, file->dentry, IN_MODIFY);
    return n;
}

const struct file_operations tmpfs_file_operations = {
    .read = paged_read,
    .write = tmpfs_write,
    .seek = paged_seek,
    .pages = paged_pages,
    .release = paged_close,
};
