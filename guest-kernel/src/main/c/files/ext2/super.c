/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting: the superblock is checked as a whole before anything else is read. The numbers that are needed of it are
 * copied into struct ext2 and do not change afterwards, so they need no lock. The rest of ext2/ relies on what is
 * checked here: blocks of 1, 2 or 4 KiB, all of them on the device; an inode size that is a power of two and no more
 * than a block; group sizes that are not 0 and agree with the number of inodes.
 *
 * ext2_open() is called by files_init() in the boot thread and sleeps for the disk. If it fails, nothing of the device
 * stays in the page cache.
 */
#include "core/heap.h"
#include "core/log.h"
#include "files/ext2/ext2.h"
#include "files/ext2/internal.h"
#include "lib/errno.h"

int ext2_read_superblock(struct block_device *device, struct ext2_superblock *out)
{
    struct block_cache cache;
    if (device->sectors * SECTOR_SIZE < EXT2_SUPERBLOCK_OFFSET + sizeof(*out))
        return -ENOENT;
    block_cache_init(&cache, device);
    int error = block_cache_read(&cache, EXT2_SUPERBLOCK_OFFSET, out, sizeof(*out));
    page_cache_drop(&cache.pages, 0, PAGE_CACHE_END);
    return !error && out->magic != EXT2_MAGIC ? -ENOENT : error;
}

static void ext2_statistics(struct file_system *fs, struct file_system_statistics *out)
{
    struct ext2 *ext2 = container_of(fs, struct ext2, fs);
    *out = (struct file_system_statistics){
        .type = EXT2_MAGIC,
        .block_size = ext2->block_size,
        .blocks = ext2->blocks_count,
        .blocks_free = ext2->free_blocks,
        .files = ext2->inodes_count,
        .files_free = ext2->free_inodes,
    };
}

/* What is wrong with the superblock, or NULL. */
static const char *check(const struct ext2_superblock *super, const struct block_device *device)
{
    if (super->magic != EXT2_MAGIC)
        return "there is no ext2 file system on it";
    if (super->log_block_size > 2)
        return "its block size is more than 4096 bytes";
    uint32_t block_size = EXT2_MIN_BLOCK_SIZE << super->log_block_size;
    if (block_size < device->block_size)
        return "its blocks are smaller than those of the disk; make it with blocks of 4096 bytes (mke2fs -b 4096)";
    if (super->revision > EXT2_REVISION_DYNAMIC)
        return "its revision is not known";
    if (super->revision == EXT2_REVISION_DYNAMIC) {
        if (super->incompatible & ~EXT2_INCOMPAT_FILETYPE)
            return "it has features of ext3 or ext4 that are not supported; make it with: mke2fs -t ext2";
        if (super->inode_size < EXT2_REVISION_0_INODE_SIZE || super->inode_size > block_size ||
            super->inode_size & (super->inode_size - 1))
            return "its inode size is wrong";
    }
    if (super->first_data_block != (block_size == EXT2_MIN_BLOCK_SIZE ? 1 : 0))
        return "its first data block is wrong";
    if (super->blocks_count <= super->first_data_block ||
        (uint64_t)super->blocks_count * block_size > device->sectors * SECTOR_SIZE)
        return "it is larger than the device";
    if (super->blocks_per_group == 0 || super->blocks_per_group > 8 * block_size || super->inodes_per_group == 0 ||
        super->inodes_per_group > 8 * block_size)
        return "its group sizes are wrong";
    return NULL;
}

/* What keeps the file system from being written, or NULL. */
static const char *check_writable(const struct ext2_superblock *super, const struct block_device *device)
{
    const uint32_t known = EXT2_RO_COMPAT_SPARSE_SUPER | EXT2_RO_COMPAT_LARGE_FILE;
    if (device->read_only)
        return "the disk is read-only; attach it for writing, or mount it read-only";
    if (super->revision != EXT2_REVISION_DYNAMIC)
        return "its revision is 0, which can only be read; make it with: mke2fs -t ext2";
    if (super->compatible & EXT2_COMPAT_HAS_JOURNAL)
        return "it has a journal (ext3); remove it with: tune2fs -O ^has_journal";
    if (super->read_only_compatible & ~known)
        return "it has features of ext4 that can only be read; make it with: mke2fs -t ext2";
    return NULL;
}

static const char *fill_in(struct ext2 *ext2, const struct ext2_superblock *super)
{
    bool dynamic = super->revision == EXT2_REVISION_DYNAMIC;
    ext2->inodes_count = super->inodes_count;
    ext2->blocks_count = super->blocks_count;
    ext2->first_data_block = super->first_data_block;
    ext2->inodes_per_group = super->inodes_per_group;
    ext2->blocks_per_group = super->blocks_per_group;
    ext2->first_inode = dynamic ? super->first_inode : EXT2_REVISION_0_FIRST_INODE;
    ext2->inode_size = dynamic ? super->inode_size : EXT2_REVISION_0_INODE_SIZE;
    ext2->types = dynamic && super->incompatible & EXT2_INCOMPAT_FILETYPE;
    ext2->sparse_copies = dynamic && super->read_only_compatible & EXT2_RO_COMPAT_SPARSE_SUPER;
    ext2->block_shift = 10 + super->log_block_size;
    ext2->block_size = 1u << ext2->block_shift;
    ext2->free_blocks = super->free_blocks;
    ext2->free_inodes = super->free_inodes;
    ext2->group_table = (uint64_t)(super->first_data_block + 1) << ext2->block_shift;
    uint32_t blocks = super->blocks_count - super->first_data_block;
    ext2->group_count = (blocks + super->blocks_per_group - 1) / super->blocks_per_group;
    if ((uint64_t)ext2->group_count * super->inodes_per_group != super->inodes_count)
        return "its number of inodes is wrong";
    return NULL;
}

static int load(struct ext2 *ext2, struct block_device *device, bool writable)
{
    struct ext2_superblock super;
    block_cache_init(&ext2->cache, device);
    int error = block_cache_read(&ext2->cache, EXT2_SUPERBLOCK_OFFSET, &super, sizeof(super));
    if (error) {
        log_error("cannot read the superblock of %s: %s", device->name, errno_name(error));
        return error;
    }
    const char *wrong = check(&super, device);
    if (!wrong && writable)
        wrong = check_writable(&super, device);
    if (!wrong)
        wrong = fill_in(ext2, &super);
    if (wrong) {
        log_error("cannot mount %s: %s", device->name, wrong);
        return -EINVAL;
    }
    ext2->fs = (struct file_system){
        .name = "ext2",
        .device = device_number(device->major, device->minor),
        .read_only = !writable,
        .statistics = ext2_statistics,
        .sync = writable ? ext2_sync_all : NULL,
        .end = writable ? ext2_end : NULL,
    };
    ext2->writable = writable;
    error = writable ? ext2_start_writing(ext2, super.state == EXT2_STATE_CLEAN) : 0;
    if (error)
        return error;
    error = ext2_get_inode(ext2, EXT2_ROOT_INODE, &ext2->fs.root);
    if (error) {
        log_error("cannot read the root directory of %s: %s", device->name, errno_name(error));
        return error;
    }
    if (is_type(ext2->fs.root, S_IFDIR))
        return 0;
    log_error("cannot mount %s: its root is not a directory", device->name);
    inode_put(ext2->fs.root);
    return -EINVAL;
}

int ext2_open(struct block_device *device, bool writable, struct file_system **out)
{
    struct ext2 *ext2 = heap_allocate_zeroed(sizeof(*ext2));
    if (!ext2)
        return -ENOMEM;
    int error = load(ext2, device, writable);
    if (error) {
        ext2_stop_writing(ext2);
        page_cache_drop(&ext2->cache.pages, 0, PAGE_CACHE_END);
        heap_free(ext2);
        return error;
    }
    if (writable)
        ext2_start_commits(ext2);
    *out = &ext2->fs;
    return 0;
}
