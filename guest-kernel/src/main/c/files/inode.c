/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes: references, and a hash by file system and number, so that one file is one inode.
 *
 * A hashed inode has at least one reference: the last one is dropped and the inode unhashed without giving the lock
 * back in between. Spinlock "inodes" guards both. The inode's operations are called without it.
 */
#include "core/debug.h"
#include "core/lock.h"
#include "core/reference.h"
#include "files/attributes.h"
#include "files/inotify.h"
#include "files/vfs.h"
#include "lib/hash.h"
#include "platform/platform.h"

#define BUCKETS 256

static struct spinlock lock = SPINLOCK(LOCK_INODES);
static struct inode *buckets[BUCKETS]; /* lock */

void inode_init(struct inode *inode, struct file_system *fs, uint64_t number, uint32_t mode)
{
    inode->references = 1;
    inode->fs = fs;
    inode->number = number;
    inode->mode = mode;
    inode->links = 1;
    inode->accessed = inode->modified = inode->changed = clock_wall();
    mutex_init(&inode->lock, LOCK_INODE);
    list_init(&inode->watches);
    list_init(&inode->attributes);
}

static struct inode **bucket_of(const struct file_system *fs, uint64_t number)
{
    return &buckets[hash_mix(number ^ fs->device << 48) % BUCKETS];
}

struct inode *inode_get(struct inode *inode)
{
    spin_lock(&lock);
    reference_get(&inode->references);
    spin_unlock(&lock);
    return inode;
}

static void unhash(struct inode *inode)
{
    struct inode **link = bucket_of(inode->fs, inode->number);
    while (*link != inode)
        link = &(*link)->hash_next;
    *link = inode->hash_next;
    inode->hashed = false;
}

void inode_put(struct inode *inode)
{
    may_sleep();
    spin_lock(&lock);
    bool last = reference_put(&inode->references);
    if (last && inode->hashed)
        unhash(inode);
    spin_unlock(&lock);
    if (!last)
        return;
    inotify_forget(inode);
    attributes_free(inode);
    inode->operations->release(inode);
}

struct inode *inode_find(struct file_system *fs, uint64_t number)
{
    spin_lock(&lock);
    struct inode *inode = *bucket_of(fs, number);
    while (inode && (inode->fs != fs || inode->number != number))
        inode = inode->hash_next;
    if (inode)
        reference_get(&inode->references);
    spin_unlock(&lock);
    return inode;
}

void inode_hash(struct inode *inode)
{
    spin_lock(&lock);
    struct inode **bucket = bucket_of(inode->fs, inode->number);
    inode->hash_next = *bucket;
    *bucket = inode;
    inode->hashed = true;
    spin_unlock(&lock);
}

void inode_status(struct inode *inode, struct file_status *status)
{
    uint64_t pages = (inode->size + PAGE_MASK) >> PAGE_SHIFT;
    if (inode->operations->pages)
        pages = inode->operations->pages(inode);
    else if (inode->fs->memory)
        pages = inode->pages.page_count;
    if (inode->fs->memory)
        pages = max_of(pages, (inode->below_size + PAGE_MASK) >> PAGE_SHIFT);
    *status = (struct file_status){
        .device = inode->fs->device,
        .inode = inode->number,
        .device_number = inode->device_number,
        .mode = inode->mode,
        .links = inode->links,
        .uid = inode->uid,
        .gid = inode->gid,
        .size = inode->size,
        .blocks_512 = is_type(inode, S_IFREG) ? pages * (PAGE_SIZE / 512) : 0,
        .block_size = PAGE_SIZE,
        .accessed = inode->accessed,
        .modified = inode->modified,
        .changed = inode->changed,
    };
}

void inode_set_size(struct inode *inode, uint64_t size)
{
    write_once(inode->size, size);
    write_once(inode->pages.size, size);
}

uint64_t file_system_new_device(void)
{
    static uint32_t last;
    return device_number(0, __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED));
}
