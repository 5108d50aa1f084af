/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of files: which blocks they are in, and reading them into pages. A file's blocks are found in runs,
 * since each look into an indirect block costs a search of the page cache.
 *
 * All block numbers come from the disk and are checked before they are used. No lock (internal.h): numbers do not
 * change on a file system that is only read, and are single words on one that is written.
 */
#include "files/ext2/internal.h"
#include "lib/string.h"

/* Blocks whose places are read at once. */
#define RUN 32

/* Reads them where there is no memory for a page, which writing dirty pages is to make. A table that has changed is in
 * memory, so this one is on the disk. */
static int read_spare(struct ext2 *ext2, uint32_t table, uint64_t index, uint32_t *pointers, unsigned count)
{
    struct block_batch batch;
    mutex_lock(&ext2->spare_lock);
    block_batch_begin(&batch, ext2->cache.device, false);
    block_batch_add(&batch, (uint64_t)table << ext2->block_shift, page_address(ext2->spare), ext2->block_size);
    int error = block_batch_end(&batch);
    memcpy(pointers, (uint32_t *)page_data(ext2->spare) + index, count * sizeof(*pointers));
    mutex_unlock(&ext2->spare_lock);
    return error;
}

/* Reads pointers of an indirect block from `index` on; those of a hole are 0. */
static int read_pointers(struct ext2 *ext2, uint32_t table, uint64_t index, uint32_t *pointers, unsigned count)
{
    if (table == 0) {
        memset(pointers, 0, count * sizeof(*pointers));
        return 0;
    }
    if (ext2_outside(ext2, table))
        return -EIO;
    uint64_t offset = ((uint64_t)table << ext2->block_shift) + index * sizeof(*pointers);
    int error = block_cache_read(&ext2->cache, offset, pointers, count * sizeof(*pointers));
    return error == -ENOMEM && ext2->writable ? read_spare(ext2, table, index, pointers, count) : error;
}

int ext2_depth(const struct ext2 *ext2, uint64_t *logical)
{
    unsigned bits = ext2->block_shift - 2;
    int depth = 1;
    *logical -= EXT2_DIRECT_BLOCKS;
    while (depth <= 3 && *logical >> (bits * (unsigned)depth))
        *logical -= 1UL << (bits * (unsigned)depth++);
    return depth <= 3 ? depth : -EIO;
}

/* Finds the blocks of a file from `logical` on that are not direct ones, as many of them as one table has. */
static int map_indirect(struct ext2_inode *node, uint64_t logical, uint32_t *blocks, unsigned count)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    unsigned bits = ext2->block_shift - 2; /* of an index into an indirect block */
    uint64_t mask = (1u << bits) - 1;
    int depth = ext2_depth(ext2, &logical);
    if (depth < 0)
        return depth;
    uint32_t table = node->blocks[EXT2_DIRECT_BLOCKS + depth - 1];
    while (--depth > 0) {
        int error = read_pointers(ext2, table, logical >> (bits * (unsigned)depth) & mask, &table, 1);
        if (error)
            return error;
    }
    count = (unsigned)min_of((uint64_t)count, mask + 1 - (logical & mask));
    int error = read_pointers(ext2, table, logical & mask, blocks, count);
    return error ? error : (int)count;
}

int ext2_map(struct ext2_inode *node, uint64_t logical, uint32_t *blocks, unsigned count)
{
    int found;
    if (logical < EXT2_DIRECT_BLOCKS) {
        found = (int)min_of((uint64_t)count, EXT2_DIRECT_BLOCKS - logical);
        memcpy(blocks, &node->blocks[logical], (unsigned)found * sizeof(*blocks));
    } else {
        found = map_indirect(node, logical, blocks, count);
    }
    for (int i = 0; i < found; i++) {
        if (blocks[i] != 0 && ext2_outside(ext2_of(&node->inode), blocks[i]))
            return -EIO;
    }
    return found;
}

/* Queues the read of one block to a place in memory; a hole becomes zeros. */
static void read_block(struct ext2 *ext2, struct block_batch *batch, uint32_t block, struct page *page, uint64_t at)
{
    if (block == 0)
        memset((char *)page_data(page) + at, 0, ext2->block_size);
    else
        block_batch_add(batch, (uint64_t)block << ext2->block_shift, page_address(page) + at, ext2->block_size);
}

/* Queues the reads for pages from `offset` of the file on; what lies beyond its end becomes zeros. */
static int read_pages(struct ext2_inode *node, struct block_batch *batch, uint64_t offset, struct page **pages,
                      unsigned count)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint64_t bytes = (uint64_t)count << PAGE_SHIFT, size = node->inode.size;
    uint32_t blocks[RUN];
    for (uint64_t done = 0; done < bytes;) {
        uint64_t end = min_of(bytes, size > offset ? size - offset : 0);
        int found = 1;
        blocks[0] = 0;
        if (done < end) {
            uint64_t left = (end - done + ext2->block_size - 1) >> ext2->block_shift;
            found = ext2_map(node, (offset + done) >> ext2->block_shift, blocks, (unsigned)min_of(left, (uint64_t)RUN));
        }
        if (found < 0)
            return found;
        for (int i = 0; i < found; i++, done += ext2->block_size)
            read_block(ext2, batch, blocks[i], pages[done >> PAGE_SHIFT], done & PAGE_MASK);
    }
    return 0;
}

int ext2_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    struct ext2_inode *node = container_of(source, struct ext2_inode, inode.pages);
    struct block_batch batch;
    block_batch_begin(&batch, ext2_of(&node->inode)->cache.device, false);
    int error = read_pages(node, &batch, (uint64_t)index << PAGE_SHIFT, pages, count);
    int read_error = block_batch_end(&batch);
    if (error || read_error)
        return error ? error : read_error;
    /* What a block holds beyond the end of the file is not shown to the program. */
    uint64_t size = node->inode.size, last = size >> PAGE_SHIFT;
    if (size & PAGE_MASK && last >= index && last - index < count)
        memset((char *)page_data(pages[last - index]) + (size & PAGE_MASK), 0, PAGE_SIZE - (size & PAGE_MASK));
    return 0;
}

const struct page_source_operations ext2_page_operations = { .fill = ext2_fill };
