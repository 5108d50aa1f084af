/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in the files of a file system that is written. Pages are written by memory/writeback.h when memory wants
 * them, by fsync(2), and by a commit that writes numbers of blocks which must not be on the disk before their contents.
 *
 * A page gets its blocks before it is changed, so writing it later needs neither room nor a change of metadata. Blocks
 * are given back after the pages have left the page cache, which waits for a write of the file that goes on.
 *
 * Mutex inode->lock guards size and contents; operations of files are entered without it, those of inodes with it,
 * those of page sources with or without it. "ext2" is taken inside.
 */
#include "core/debug.h"
#include "files/ext2/internal.h"
#include "files/inotify.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define SECTORS_MOST (UINT32_MAX - (1u << 24)) /* the inode counts sectors in 32 bits, those of its tables too */

static uint64_t largest(const struct ext2 *ext2)
{
    uint64_t numbers = ext2->block_size / 4;
    uint64_t blocks = EXT2_DIRECT_BLOCKS + numbers + numbers * numbers + numbers * numbers * numbers;
    uint64_t bytes = min_of(blocks << ext2->block_shift, (uint64_t)SECTORS_MOST * SECTOR_SIZE);
    return min_of(bytes, read_once(file_size_limit));
}

/* ---- Pages ---- */

/* Blocks that are no part of the file yet, behind its end, wait for the write that makes them one. */
static int allocate_page(struct ext2_inode *node, uint32_t index)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint64_t size = read_once(node->inode.size), from = (uint64_t)index << PAGE_SHIFT;
    uint64_t end = min_of(from + PAGE_SIZE, align_up(size, (uint64_t)ext2->block_size));
    int error = from >= size ? -ENXIO : ext2->failed ? -EIO : 0;
    mutex_lock(&ext2->lock);
    for (uint64_t at = from; !error && at < end; at += ext2->block_size) {
        uint32_t block;
        error = ext2_allocate_at(node, at >> ext2->block_shift, false, &block);
    }
    mutex_unlock(&ext2->lock);
    return error;
}

static bool has_blocks(struct ext2_inode *node, uint32_t index)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint32_t blocks[PAGE_SIZE / EXT2_MIN_BLOCK_SIZE];
    unsigned each = (unsigned)(PAGE_SIZE >> ext2->block_shift), done = 0;
    while (done < each) {
        int found = ext2_map(node, (uint64_t)index * each + done, blocks, each - done);
        for (int i = 0; i < found; i++)
            if (!blocks[i])
                return false;
        if (found < 0)
            return false;
        done += (unsigned)found;
    }
    return true;
}

static int reserve(struct page_source *source, uint32_t index)
{
    struct ext2_inode *node = container_of(source, struct ext2_inode, inode.pages);
    struct ext2 *ext2 = ext2_of(&node->inode);
    int error = ext2->failed ? -EIO : 0;
    if (!error && !has_blocks(node, index)) {
        error = ext2_relieve(ext2);
        if (!error)
            error = allocate_page(node, index);
        if ((error == -ENOSPC || error == -EAGAIN) && ext2_regain(ext2))
            error = allocate_page(node, index);
    }
    if (!error) {
        node->inode.modified = node->inode.changed = clock_wall();
        ext2_inode_changed(&node->inode);
    }
    return error;
}

static int write_page(struct ext2_inode *node, struct block_batch *batch, const struct page *page)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint64_t from = (uint64_t)page->index << PAGE_SHIFT;
    uint32_t block;
    for (uint64_t done = 0; done < PAGE_SIZE; done += ext2->block_size) {
        int error = ext2_map(node, (from + done) >> ext2->block_shift, &block, 1);
        if (error < 0)
            return error;
        if (block)
            block_batch_add(batch, (uint64_t)block << ext2->block_shift, page_address(page) + done, ext2->block_size);
    }
    return 0;
}

static void write(struct page_source *source, struct page **pages, unsigned count)
{
    struct ext2_inode *node = container_of(source, struct ext2_inode, inode.pages);
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint64_t size = read_once(node->inode.size);
    struct block_batch batch;
    int error = 0;
    if (ext2->failed)
        return;
    block_batch_begin(&batch, ext2->cache.device, true);
    for (unsigned i = 0; !error && i < count; i++) {
        /* What a mapping has left beyond the end of the file is not kept. */
        if (size & PAGE_MASK && pages[i]->index == size >> PAGE_SHIFT)
            memset((char *)page_data(pages[i]) + (size & PAGE_MASK), 0, PAGE_SIZE - (size & PAGE_MASK));
        error = write_page(node, &batch, pages[i]);
    }
    int write_error = block_batch_end(&batch);
    if (error || write_error)
        ext2_fail(ext2, error ? error : write_error);
}

static int fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    struct ext2_inode *node = container_of(source, struct ext2_inode, inode.pages);
    int error = ext2_fill(source, index, pages, count);
    return ext2_of(&node->inode)->failed ? -EIO : error;
}

const struct page_source_operations ext2_written_pages = { .fill = fill, .write = write, .reserve = reserve };

/* ---- Sizes and writing: under inode->lock ---- */

static void changed(struct inode *inode)
{
    inode->modified = inode->changed = clock_wall();
    ext2_inode_changed(inode);
}

static void set_size(struct inode *inode, uint64_t size)
{
    must_hold_mutex(&inode->lock);
    inode_set_size(inode, size);
    ext2_inode_of(inode)->resized = true;
}

/* The size comes first (tables.c). */
static void cut(struct inode *inode, uint64_t size)
{
    must_hold_mutex(&inode->lock);
    struct ext2 *ext2 = ext2_of(inode);
    uint64_t end = align_up(size, PAGE_SIZE), old_size = inode->size;
    set_size(inode, size);
    ext2_inode_changed(inode);
    paged_clear(inode, size, min_of(end, align_up(old_size, PAGE_SIZE)));
    page_cache_drop(&inode->pages, end >> PAGE_SHIFT, align_up(old_size, PAGE_SIZE) >> PAGE_SHIFT);
    int error = ext2_truncate(ext2_inode_of(inode), (size + ext2->block_size - 1) >> ext2->block_shift);
    if (error)
        ext2_fail(ext2, error);
}

/* What will be the last page, in part: brought in so that the rest of it becomes zeros. */
static int shrink(struct inode *inode, uint64_t size)
{
    int error = 0;
    struct page *last = NULL;
    if (size & PAGE_MASK && !(last = page_cache_get(&inode->pages, (uint32_t)(size >> PAGE_SHIFT), &error)))
        return error;
    cut(inode, size);
    if (last)
        page_put(last);
    return ext2_of(inode)->failed ? -EIO : 0;
}

static void grow(struct inode *inode, uint64_t size)
{
    must_hold_mutex(&inode->lock);
    paged_clear(inode, inode->size, min_of(align_up(inode->size, PAGE_SIZE), size));
    set_size(inode, size);
}

int ext2_resize(struct inode *inode, uint64_t size)
{
    must_hold_mutex(&inode->lock);
    int error = ext2_of(inode)->failed ? -EIO : ext2_relieve(ext2_of(inode));
    if (size > inode->size && size > largest(ext2_of(inode)))
        error = -EFBIG;
    if (!error && size < inode->size)
        error = shrink(inode, size);
    else if (!error && size > inode->size)
        grow(inode, size);
    if (error)
        return error;
    changed(inode);
    inotify_file(inode, NULL, IN_MODIFY);
    return 0;
}

static ssize_type write_locked(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    must_hold_mutex(&file->inode->lock);
    struct inode *inode = file->inode;
    uint64_t end = largest(ext2_of(inode)), before = inode->size;
    if (read_once(file->flags) & O_APPEND)
        *offset = inode->size;
    if (*offset >= end && transfer->remaining)
        return -EFBIG;
    if (*offset > inode->size)
        grow(inode, *offset); /* the hole in between */
    ssize_type n = paged_write(inode, transfer, offset, end, cut);
    if (n <= 0 && inode->size > before)
        cut(inode, before);
    if (inode->size != before)
        ext2_inode_of(inode)->resized = true;
    return n;
}

static ssize_type ext2_write(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    mutex_lock(&file->inode->lock);
    ssize_type n = write_locked(file, transfer, offset);
    changed(file->inode);
    mutex_unlock(&file->inode->lock);
    if (n <= 0)
        return n;
    inotify_file(file->inode, file->dentry, IN_MODIFY);
    uint32_t synchronous = read_once(file->flags) & (O_SYNC | O_DSYNC);
    int error = synchronous ? ext2_sync(file->inode, synchronous == O_DSYNC) : 0;
    return error ? error : n;
}

const struct file_operations ext2_file_operations = {
    .read = paged_read,
    .write = ext2_write,
    .seek = paged_seek,
    .pages = paged_pages,
    .release = paged_close,
};
