/* SPDX-License-Identifier: Apache-2.0 */
#include "files/ext2/internal.h"
#include "lib/string.h"

/* Follows one pointer in an indirect block; 0 stays 0. */
static int follow(struct ext2 *ext2, uint32_t *block, uint64_t index)
{
    if (*block == 0)
        return 0;
    if (*block <= ext2->first_data_block || *block >= ext2->blocks_count)
        return -EIO;
    uint64_t offset = ((uint64_t)*block << ext2->block_shift) + index * sizeof(uint32_t);
    return block_cache_read(&ext2->cache, offset, block, sizeof(*block));
}

int ext2_map(struct ext2_inode *node, uint64_t logical, uint32_t *physical)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    unsigned bits = ext2->block_shift - 2; /* of an index into an indirect block */
    uint64_t mask = (1u << bits) - 1;
    uint32_t block;
    if (logical < EXT2_DIRECT_BLOCKS) {
        block = node->blocks[logical];
    } else {
        logical -= EXT2_DIRECT_BLOCKS;
        unsigned depth = 1;
        while (depth <= 3 && logical >> (bits * depth))
            logical -= 1UL << (bits * depth++);
        if (depth > 3)
            return -EIO;
        block = node->blocks[EXT2_DIRECT_BLOCKS + depth - 1];
        while (depth > 0) {
            depth--;
            int error = follow(ext2, &block, logical >> (bits * depth) & mask);
            if (error)
                return error;
        }
    }
    if (block != 0 && (block <= ext2->first_data_block || block >= ext2->blocks_count))
        return -EIO;
    *physical = block;
    return 0;
}

/* Queues the reads for one page; holes and what lies beyond the end become zeros. */
static int read_page(struct ext2_inode *node, struct block_batch *batch, uint64_t offset, struct page *page)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    for (uint64_t done = 0; done < PAGE_SIZE; done += ext2->block_size) {
        uint32_t block = 0;
        uint64_t at = offset + done;
        if (at < node->inode.size) {
            int error = ext2_map(node, at >> ext2->block_shift, &block);
            if (error)
                return error;
        }
        if (block == 0)
            memset((char *)page_data(page) + done, 0, ext2->block_size);
        else
            block_batch_add(batch, (uint64_t)block << ext2->block_shift, page_address(page) + done, ext2->block_size);
    }
    return 0;
}

static int fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    struct ext2_inode *node = container_of(source, struct ext2_inode, inode.pages);
    struct block_batch batch;
    int error = 0;
    block_batch_begin(&batch, ext2_of(&node->inode)->cache.device, false);
    for (unsigned i = 0; i < count && !error; i++)
        error = read_page(node, &batch, ((uint64_t)index + i) << PAGE_SHIFT, pages[i]);
    int read_error = block_batch_end(&batch);
    if (error || read_error)
        return error ? error : read_error;
    /* What a block holds beyond the end of the file is not shown to the program. */
    uint64_t size = node->inode.size, last = size >> PAGE_SHIFT;
    if (size & PAGE_MASK && last >= index && last - index < count)
        memset((char *)page_data(pages[last - index]) + (size & PAGE_MASK), 0, PAGE_SIZE - (size & PAGE_MASK));
    return 0;
}

const struct page_source_operations ext2_page_operations = { .fill = fill };
