/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading files whose contents are pages of the page cache. Pages of a memory file system that were never written are
 * read from the file of the image below; if there is none they are holes, which read as zeros. No page is allocated for
 * either. Pages that a scratch disk has are read from there.
 */
#include "files/layer.h"
#include "files/vfs.h"
#include "lib/errno.h"

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

static int64_t place(uint64_t base, int64_t offset)
{
    int64_t result;
    if (__builtin_add_overflow((int64_t)base, offset, &result))
        return -EOVERFLOW;
    return result < 0 ? -EINVAL : result;
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
