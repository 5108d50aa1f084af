/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes of an ext2 image, read from the tables of its block groups and kept while they have references.
 *
 * The image may be damaged: numbers, block groups, types and sizes are checked before an inode is hashed, and nothing
 * of a bad one remains. Mutex "namespace", which the caller holds unless the image is being mounted, makes one inode of
 * one number; there is no lock of its own.
 */
#include "core/heap.h"
#include "core/log.h"
#include "files/ext2/internal.h"
#include "lib/string.h"

static void release(struct inode *inode)
{
    struct ext2_inode *node = ext2_inode_of(inode);
    page_cache_drop(&inode->pages, 0, PAGE_CACHE_END);
    ext2_index_free(node->index);
    heap_free(node);
}

/* Short targets lie where block numbers would be; such a link has no blocks. */
static ssize_type read_link(struct inode *inode, char *to, size_t size)
{
    struct ext2_inode *node = ext2_inode_of(inode);
    size_t n = min_of(inode->size, size);
    if (node->sectors == 0 && inode->size < sizeof(node->blocks)) {
        memcpy(to, node->blocks, n);
    } else {
        if (inode->size >= PATH_LIMIT)
            return -EIO;
        int error;
        struct page *page = page_cache_get(&inode->pages, 0, &error);
        if (!page)
            return error;
        memcpy(to, page_data(page), n);
        page_put(page);
    }
    /* A path cannot contain a NUL; a damaged link ends there. */
    return (ssize_type)strnlen(to, n);
}

static const struct inode_operations directory_inode_operations = {
    .lookup = ext2_lookup,
    .list = ext2_list,
    .release = release,
};
static const struct inode_operations link_inode_operations = { .read_link = read_link, .release = release };
static const struct inode_operations file_inode_operations = { .release = release };

static int locate(struct ext2 *ext2, uint32_t number, uint64_t *offset)
{
    if (number == 0 || number > ext2->inodes_count || (number < ext2->first_inode && number != EXT2_ROOT_INODE))
        return -EIO;
    uint32_t group = (number - 1) / ext2->inodes_per_group;
    struct ext2_group descriptor;
    int error = block_cache_read(&ext2->cache, ext2->group_table + (uint64_t)group * sizeof(descriptor), &descriptor,
                                 sizeof(descriptor));
    if (error)
        return error;
    if (descriptor.inode_table <= ext2->first_data_block || descriptor.inode_table >= ext2->blocks_count)
        return -EIO;
    *offset = ((uint64_t)descriptor.inode_table << ext2->block_shift) +
              (uint64_t)((number - 1) % ext2->inodes_per_group) * ext2->inode_size;
    return 0;
}

static const struct inode_operations *operations_for(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return &file_inode_operations;
    case S_IFDIR:
        return &directory_inode_operations;
    case S_IFLNK:
        return &link_inode_operations;
    default:
        return NULL; /* devices, pipes and sockets mean nothing in an image */
    }
}

/* Seconds since 1970, signed. */
static nanoseconds time_of(uint32_t seconds)
{
    return (nanoseconds)((int64_t)(int32_t)seconds * (int64_t)NS_PER_SECOND);
}

static int fill_in(struct ext2_inode *node, const struct ext2_disk_inode *disk, struct ext2 *ext2, uint32_t number)
{
    struct inode *inode = &node->inode;
    inode_init(inode, &ext2->fs, number, disk->mode);
    inode->operations = operations_for(disk->mode);
    if (!inode->operations || disk->links == 0)
        return -EIO;
    inode->file_operations = &paged_read_only_operations;
    inode->links = disk->links;
    inode->uid = disk->uid | (uint32_t)disk->uid_high << 16;
    inode->gid = disk->gid | (uint32_t)disk->gid_high << 16;
    inode->accessed = time_of(disk->access_time);
    inode->modified = time_of(disk->modify_time);
    inode->changed = time_of(disk->change_time);
    inode->size = disk->size;
    if (is_type(inode, S_IFREG))
        inode->size |= (uint64_t)disk->size_high << 32;
    /* Page indices have 32 bits. */
    if (inode->size >> (32 + PAGE_SHIFT))
        return -EIO;
    memcpy(node->blocks, disk->blocks, sizeof(node->blocks));
    node->sectors = disk->sectors;
    page_source_init(&inode->pages, &ext2_page_operations, inode->size, true);
    return 0;
}

int ext2_get_inode(struct ext2 *ext2, uint32_t number, struct inode **out)
{
    *out = inode_find(&ext2->fs, number);
    if (*out)
        return 0;
    uint64_t offset;
    struct ext2_disk_inode disk;
    int error = locate(ext2, number, &offset);
    if (!error)
        error = block_cache_read(&ext2->cache, offset, &disk, sizeof(disk));
    if (error)
        return error;
    struct ext2_inode *node = heap_allocate_zeroed(sizeof(*node));
    if (!node)
        return -ENOMEM;
    error = fill_in(node, &disk, ext2, number);
    if (error) {
        log_error("inode %u of the root file system is damaged", number);
        heap_free(node);
        return error;
    }
    inode_hash(&node->inode);
    *out = &node->inode;
    return 0;
}
