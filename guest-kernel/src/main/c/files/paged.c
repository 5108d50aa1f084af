/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing files whose contents are pages of the page cache. Pages of a memory file system that were never
 * written are read from the file of the image below; if there is none they are holes, which read as zeros. No page is
 * allocated for either. Pages that a scratch disk has are read from there.
 */
#include "core/debug.h"
#include "files/inotify.h"
#include "files/layer.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/writeback.h"
#include "threads/thread.h"

/* The page that holds the byte, with a reference; NULL with *error 0: zeros. May cut *n to what it has of the file. */
static struct page *page_for(struct inode *inode, uint64_t offset, size_t *n, int *error)
{
    uint32_t index = (uint32_t)(offset >> PAGE_SHIFT);
    *error = 0;
    if (!inode->fs->memory)
        return page_cache_get(&inode->pages, index, error);
    struct page *page = page_cache_find(&inode->pages, index);
    if (!page && inode->pages.operations->stored && inode->pages.operations->stored(&inode->pages, index))
        return page_cache_get(&inode->pages, index, error);
    uint64_t below_size = read_once(inode->below_size);
    if (page || offset >= below_size)
        return page;
    *n = min_of(*n, below_size - offset);
    return layer_page(inode, index, error);
}

static ssize_type copy_page(struct inode *inode, struct transfer *transfer, uint64_t offset, size_t n)
{
    int error;
    struct page *page = page_for(inode, offset, &n, &error);
    if (error)
        return error;
    if (!page)
        return transfer_out_zeros(transfer, n);
    ssize_type moved = transfer_out(transfer, (char *)page_data(page) + (offset & PAGE_MASK), n);
    page_put(page);
    return moved;
}

ssize_type paged_read(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct inode *inode = file->inode;
    uint64_t size = read_once(inode->size);
    ssize_type total = 0;
    while (transfer->remaining && *offset < size) {
        size_t n = min_of(transfer->remaining, PAGE_SIZE - (*offset & PAGE_MASK));
        n = min_of(n, size - *offset);
        ssize_type moved = copy_page(inode, transfer, *offset, n);
        if (moved < 0)
            return total ? total : moved;
        *offset += (uint64_t)moved;
        total += moved;
    }
    return total;
}

void paged_clear(struct inode *inode, uint64_t from, uint64_t to)
{
    struct page_walk walk;
    struct page *page;
    if (from >= to)
        return;
    page_walk_init(&walk, &inode->pages, from >> PAGE_SHIFT, align_up(to, PAGE_SIZE) >> PAGE_SHIFT);
    while ((page = page_walk_next(&walk))) {
        uint64_t start = (uint64_t)page->index << PAGE_SHIFT;
        uint64_t first = max_of(from, start), end = min_of(to, start + PAGE_SIZE);
        memset((char *)page_data(page) + (first - start), 0, end - first);
        page_cache_dirty(page);
        page_put(page);
    }
}

/* Before the page, to which the caller has a reference, is changed. 0 or -errno. */
static int reserve(struct inode *inode, uint32_t index)
{
    const struct page_source_operations *operations = inode->pages.operations;
    return operations->reserve ? operations->reserve(&inode->pages, index) : 0;
}

/* Writes into one page, which lies inside the file. */
static ssize_type change_page(struct inode *inode, struct transfer *transfer, uint64_t offset, size_t n)
{
    uint32_t index = (uint32_t)(offset >> PAGE_SHIFT);
    int error;
    struct page *page = page_cache_get(&inode->pages, index, &error);
    if (!page)
        return error;
    error = reserve(inode, index);
    ssize_type moved = error ? error : transfer_in(transfer, (char *)page_data(page) + (offset & PAGE_MASK), n);
    bool throttled = !error && page_cache_dirty(page);
    page_put(page);
    if (throttled)
        writeback_throttle();
    return moved;
}

/* Writes into one page, extending the file first so that the new page lies inside it. */
static ssize_type write_page(struct inode *inode, struct transfer *transfer, uint64_t offset, size_t n,
                             void (*cut)(struct inode *inode, uint64_t size))
{
    uint64_t old_size = inode->size;
    if (offset + n > old_size)
        inode_set_size(inode, offset + n);
    ssize_type moved = change_page(inode, transfer, offset, n);
    uint64_t end = max_of(old_size, offset + (uint64_t)max_of(moved, 0L));
    if (moved < 0)
        end = old_size;
    if (end < inode->size)
        cut(inode, end);
    return moved;
}

ssize_type paged_write(struct inode *inode, struct transfer *transfer, uint64_t *offset, uint64_t end,
                       void (*cut)(struct inode *inode, uint64_t size))
{
    must_hold_mutex(&inode->lock);
    ssize_type total = 0;
    while (transfer->remaining && *offset < end) {
        size_t n = min_of(transfer->remaining, PAGE_SIZE - (*offset & PAGE_MASK));
        n = min_of(n, end - *offset);
        ssize_type moved = write_page(inode, transfer, *offset, n, cut);
        if (moved < 0)
            return total ? total : moved;
        *offset += (uint64_t)moved;
        total += moved;
    }
    return total;
}

int paged_open(struct inode *inode, struct file *file)
{
    inotify_file(inode, file->dentry, IN_OPEN);
    return 0;
}

void paged_close(struct file *file)
{
    bool wrote = file_is_writable(file);
    inotify_file(file->inode, file->dentry, wrote ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}

static int64_t place(uint64_t base, int64_t offset)
{
    int64_t result;
    return __builtin_add_overflow((int64_t)base, offset, &result) || result < 0 ? -EINVAL : result;
}

int64_t paged_seek(struct file *file, int64_t offset, int whence)
{
    uint64_t size = read_once(file->inode->size);
    int64_t result;
    switch (whence) {
    case SEEK_SET:
        result = place(0, offset);
        break;
    case SEEK_CUR:
        result = place(file->offset, offset);
        break;
    case SEEK_END:
        result = place(size, offset);
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        if (offset < 0 || (uint64_t)offset >= size)
            return -ENXIO;
        result = whence == SEEK_DATA ? offset : (int64_t)size;
        break;
    default:
        return -EINVAL;
    }
    if (result >= 0)
        file->offset = (uint64_t)result;
    return result;
}

struct page_source *paged_pages(struct file *file)
{
    struct inode *inode = file->inode;
    return is_untouched(inode) ? &inode->below->pages : &inode->pages;
}

const struct file_operations paged_read_only_operations = {
    .read = paged_read,
    .seek = paged_seek,
    .pages = paged_pages,
};
