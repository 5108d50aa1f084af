/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes of an ext2 file system, read from the tables of its block groups and kept while they have references.
 *
 * The disk may be damaged: numbers, block groups, types and sizes are checked before an inode is hashed, and nothing
 * of a bad one remains. Mutex "namespace", which the caller holds unless the image is being mounted, makes one inode of
 * one number. On a file system that is written, what the disk has of an inode is older than the inode until a commit
 * stores it; mutex "ext2" guards that.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/log.h"
#include "files/ext2/internal.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

static void release(struct inode *inode)
{
    struct ext2_inode *node = ext2_inode_of(inode);
    page_cache_drop(&inode->pages, 0, PAGE_CACHE_END);
    if (ext2_of(inode)->writable && inode->links == 0)
        ext2_remove_inode(node);
    ext2_index_free(node->index);
    heap_free(node);
}

/* The first bytes of a link's block, which in a file system that is written is metadata. */
static int read_metadata(struct ext2_inode *node, char *to, size_t n)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint32_t block;
    int found = ext2_map(node, 0, &block, 1);
    if (found < 0 || block == 0)
        return found < 0 ? found : -EIO;
    return block_cache_read(&ext2->cache, (uint64_t)block << ext2->block_shift, to,
                            min_of(n, (size_t)ext2->block_size));
}

/* Short targets lie where block numbers would be; such a link has no blocks. */
static ssize_type read_link(struct inode *inode, char *to, size_t size)
{
    struct ext2_inode *node = ext2_inode_of(inode);
    size_t n = min_of(inode->size, size);
    if (node->sectors == 0 && inode->size < sizeof(node->blocks)) {
        memcpy(to, node->blocks, n);
    } else if (inode->size >= PATH_LIMIT) {
        return -EIO;
    } else if (ext2_of(inode)->writable) {
        int error = read_metadata(node, to, n);
        if (error)
            return error;
    } else {
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

static uint64_t pages_of(const struct inode *inode)
{
    const struct ext2_inode *node = container_of(inode, const struct ext2_inode, inode);
    return ((uint64_t)node->sectors * SECTOR_SIZE + PAGE_MASK) >> PAGE_SHIFT;
}

static const struct inode_operations directory_inode_operations = {
    .lookup = ext2_lookup,
    .list = ext2_list,
    .release = release,
};
static const struct inode_operations link_inode_operations = { .read_link = read_link, .release = release };
static const struct inode_operations file_inode_operations = { .release = release };

static const struct inode_operations written_directory_operations = {
    .lookup = ext2_lookup,
    .list = ext2_list,
    .make = ext2_make,
    .link = ext2_link,
    .unlink = ext2_unlink,
    .move = ext2_move,
    .check_empty = ext2_check_empty,
    .changed = ext2_inode_changed,
    .sync = ext2_sync,
    .pages = pages_of,
    .release = release,
};
static const struct inode_operations written_link_operations = {
    .read_link = read_link,
    .set_link = ext2_set_link,
    .changed = ext2_inode_changed,
    .pages = pages_of,
    .release = release,
};
static const struct inode_operations written_file_operations = {
    .open = paged_open,
    .resize = ext2_resize,
    .changed = ext2_inode_changed,
    .sync = ext2_sync,
    .pages = pages_of,
    .release = release,
};

int ext2_locate_inode(struct ext2 *ext2, uint32_t number, uint64_t *offset)
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

static const struct inode_operations *operations_for(const struct ext2 *ext2, uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return ext2->writable ? &written_file_operations : &file_inode_operations;
    case S_IFDIR:
        return ext2->writable ? &written_directory_operations : &directory_inode_operations;
    case S_IFLNK:
        return ext2->writable ? &written_link_operations : &link_inode_operations;
    default:
        return NULL; /* devices, pipes and sockets mean nothing in an image */
    }
}

/* Seconds since 1970, signed. */
static nanoseconds time_of(uint32_t seconds)
{
    return (nanoseconds)((int64_t)(int32_t)seconds * (int64_t)NS_PER_SECOND);
}

/* An inode of a kind that there are operations for. */
static void set_up(struct ext2_inode *node, struct ext2 *ext2, uint32_t number, uint32_t mode)
{
    struct inode *inode = &node->inode;
    inode_init(inode, &ext2->fs, number, mode);
    inode->operations = operations_for(ext2, mode);
    inode->file_operations = ext2->writable ? &ext2_file_operations : &paged_read_only_operations;
    page_source_init(&inode->pages, ext2->writable ? &ext2_written_pages : &ext2_page_operations, 0, true);
    list_init(&node->link);
    list_init(&node->committing);
}

static int fill_in(struct ext2_inode *node, const struct ext2_disk_inode *disk, struct ext2 *ext2, uint32_t number)
{
    struct inode *inode = &node->inode;
    if (!operations_for(ext2, disk->mode) || disk->links == 0)
        return -EIO;
    set_up(node, ext2, number, disk->mode);
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
    node->flags = disk->flags;
    node->file_acl = disk->file_acl;
    inode_set_size(inode, inode->size);
    return 0;
}

int ext2_get_inode(struct ext2 *ext2, uint32_t number, struct inode **out)
{
    *out = inode_find(&ext2->fs, number);
    if (*out)
        return 0;
    uint64_t offset;
    struct ext2_disk_inode disk;
    int error = ext2_locate_inode(ext2, number, &offset);
    if (!error)
        error = block_cache_read(&ext2->cache, offset, &disk, sizeof(disk));
    if (error)
        return error;
    struct ext2_inode *node = heap_allocate_zeroed(sizeof(*node));
    if (!node)
        return -ENOMEM;
    error = fill_in(node, &disk, ext2, number);
    if (error) {
        log_error("inode %u of disk %s is damaged; check it with e2fsck", number, ext2->cache.device->name);
        heap_free(node);
        return error;
    }
    inode_hash(&node->inode);
    *out = &node->inode;
    return 0;
}

/* ---- Changing ---- */

static uint32_t seconds_of(nanoseconds time) { return (uint32_t)((int64_t)time / (int64_t)NS_PER_SECOND); }

int ext2_store_inode(struct ext2_inode *node)
{
    const struct inode *inode = &node->inode;
    struct ext2 *ext2 = ext2_of(inode);
    must_hold_mutex(&ext2->lock);
    uint64_t offset;
    int error = ext2_locate_inode(ext2, (uint32_t)inode->number, &offset);
    struct ext2_disk_inode *disk = error ? NULL : ext2_change_at(ext2, offset, &error);
    if (!disk)
        return error;
    disk->mode = (uint16_t)inode->mode;
    disk->uid = (uint16_t)inode->uid;
    disk->uid_high = (uint16_t)(inode->uid >> 16);
    disk->gid = (uint16_t)inode->gid;
    disk->gid_high = (uint16_t)(inode->gid >> 16);
    disk->size = (uint32_t)inode->size;
    if (is_type(inode, S_IFREG))
        disk->size_high = (uint32_t)(inode->size >> 32);
    disk->access_time = seconds_of(inode->accessed);
    disk->change_time = seconds_of(inode->changed);
    disk->modify_time = seconds_of(inode->modified);
    disk->delete_time = inode->links ? 0 : seconds_of(clock_wall());
    disk->links = (uint16_t)inode->links;
    disk->sectors = node->sectors;
    disk->flags = node->flags;
    disk->file_acl = node->file_acl;
    memcpy(disk->blocks, node->blocks, sizeof(disk->blocks));
    node->resized = false;
    return 0;
}

/* Nothing of what was there before is left. */
static int clear_on_disk(struct ext2 *ext2, uint32_t number)
{
    uint64_t offset;
    int error = ext2_locate_inode(ext2, number, &offset);
    void *disk = error ? NULL : ext2_change_at(ext2, offset, &error);
    if (disk)
        memset(disk, 0, ext2->inode_size);
    return error;
}

/* Under ext2->lock. */
static int make_locked(struct ext2_inode *node, struct inode *directory, uint32_t mode)
{
    struct ext2 *ext2 = ext2_of(directory);
    must_hold_mutex(&ext2->lock);
    int error = ext2_pending_room(ext2, EXT2_DIRECT_BLOCKS) ? 0 : -EAGAIN;
    bool is_directory = (mode & S_IFMT) == S_IFDIR;
    uint32_t number = error ? 0 : ext2_allocate_inode(ext2, (uint32_t)directory->number, is_directory, &error);
    if (!number)
        return error;
    set_up(node, ext2, number, mode);
    node->inode.links = 0;
    node->resized = true;
    error = clear_on_disk(ext2, number);
    if (!error && is_directory)
        error = ext2_make_directory(node, directory->number);
    if (!error)
        return 0;
    if (node->blocks[0])
        ext2_free_block(ext2, node->blocks[0]);
    if (is_directory)
        ext2_count_directory(ext2, number, -1);
    ext2_free_inode(ext2, number);
    memset(node, 0, sizeof(*node));
    return error;
}

static int make_once(struct ext2_inode *node, struct inode *directory, uint32_t mode)
{
    struct ext2 *ext2 = ext2_of(directory);
    int error = ext2_relieve(ext2);
    if (error)
        return error;
    mutex_lock(&ext2->lock);
    error = make_locked(node, directory, mode);
    mutex_unlock(&ext2->lock);
    return error;
}

int ext2_make(struct inode *directory, uint32_t mode, struct inode **out)
{
    struct ext2 *ext2 = ext2_of(directory);
    if (!operations_for(ext2, mode))
        return -EPERM; /* sockets and pipes do not outlive the machine */
    if ((mode & S_IFMT) == S_IFDIR && directory->links >= EXT2_LINK_MOST)
        return -EMLINK;
    struct ext2_inode *node = heap_allocate_zeroed(sizeof(*node));
    if (!node)
        return -ENOMEM;
    int error = make_once(node, directory, mode);
    if ((error == -ENOSPC || error == -EAGAIN) && ext2_regain(ext2))
        error = make_once(node, directory, mode);
    if (error) {
        heap_free(node);
        return error;
    }
    inode_hash(&node->inode);
    ext2_inode_changed(&node->inode);
    *out = &node->inode;
    return 0;
}

/* A target that is too long for the inode lies in a block. */
static int store_target(struct ext2_inode *node, const char *target, size_t length)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    uint32_t block;
    mutex_lock(&ext2->lock);
    int error = ext2_allocate_at(node, 0, true, &block);
    char *bytes = error ? NULL : ext2_change(ext2, block, &error);
    if (bytes)
        memcpy(bytes, target, length);
    mutex_unlock(&ext2->lock);
    return error;
}

int ext2_set_link(struct inode *link, const char *target)
{
    struct ext2_inode *node = ext2_inode_of(link);
    struct ext2 *ext2 = ext2_of(link);
    size_t length = strlen(target);
    int error = 0;
    if (length >= ext2->block_size)
        return -ENAMETOOLONG;
    if (length < sizeof(node->blocks))
        memcpy(node->blocks, target, length);
    else
        error = store_target(node, target, length);
    if ((error == -ENOSPC || error == -EAGAIN) && ext2_regain(ext2))
        error = store_target(node, target, length);
    if (!error)
        inode_set_size(link, length);
    return error;
}

/* The block of attributes, which we do not know, is shared by inodes: it counts them in its second word. */
static int drop_attributes(struct ext2_inode *node)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    must_hold_mutex(&ext2->lock);
    int error = ext2_outside(ext2, node->file_acl) ? -EIO : 0;
    uint32_t *header = error ? NULL : ext2_change(ext2, node->file_acl, &error);
    if (header && header[1] > 1)
        header[1]--;
    else if (header)
        ext2_free_block(ext2, node->file_acl);
    node->file_acl = 0;
    return error;
}

static int remove_locked(struct ext2_inode *node)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    must_hold_mutex(&ext2->lock);
    if (!ext2_pending_room(ext2, 1))
        return -EAGAIN;
    int error = node->file_acl ? drop_attributes(node) : 0;
    if (!error && !is_type(&node->inode, S_IFREG))
        node->inode.size = 0;
    if (!error)
        error = ext2_store_inode(node);
    if (!error && is_type(&node->inode, S_IFDIR))
        error = ext2_count_directory(ext2, (uint32_t)node->inode.number, -1);
    if (!error)
        ext2_free_inode(ext2, (uint32_t)node->inode.number);
    return error;
}

void ext2_remove_inode(struct ext2_inode *node)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    bool short_link = is_type(&node->inode, S_IFLNK) && node->sectors == 0;
    ext2_unlist(node);
    if (is_type(&node->inode, S_IFREG))
        node->inode.size = 0;
    /* As long as the disk has the name for this file, it must have the file. */
    int error = node->replaced ? ext2_commit(ext2) : 0;
    if (!error && !short_link)
        error = ext2_truncate(node, 0);
    while (!error) {
        mutex_lock(&ext2->lock);
        error = remove_locked(node);
        mutex_unlock(&ext2->lock);
        if (error != -EAGAIN)
            break;
        error = ext2_commit(ext2);
    }
    if (error)
        ext2_fail(ext2, error);
}
