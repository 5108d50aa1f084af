/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When and in which order a file system that is written gets to the disk (docs/data-disks.md).
 *
 * A commit writes in two steps, with a flush of the disk after each. First what is new: the pages of files that have
 * got blocks, and new blocks of metadata; nothing on the disk refers to these places yet. Then all other metadata, in
 * any order: it refers only to what the first step, or an earlier commit, has put on the disk. Blocks and inodes that
 * were given back are free for others only after that. A file whose name another file has got is removed only after the
 * commit that has written the name (ext2_remove_inode()). So a loss of power leaves at worst what the check repairs
 * (check.c): counts, bitmaps, names without an inode, inodes without a name.
 *
 * A thread commits some seconds after the first change. An inode that has changed is in the list of changed ones, and
 * one that has dirty pages but is committed in that of unsaved ones, which only a full sync goes through, so that an
 * fsync(2) does not have to.
 *
 * Mutex "ext2" is held during a commit, so metadata does not change meanwhile. Inodes are put without it, since the
 * last reference gives back blocks. Spinlock "ext2 inodes" guards the lists.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/log.h"
#include "files/ext2/internal.h"
#include "lib/string.h"
#include "memory/writeback.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define COMMIT_AFTER (5 * NS_PER_SECOND) /* as Linux' ext4: commit=5 */

static struct ext2_inode *node_in(struct list *link) { return list_entry(link, struct ext2_inode, link); }

int ext2_fail(struct ext2 *ext2, int error)
{
    if (!ext2->failed) {
        ext2->failed = -EIO;
        log_error("data disk %s failed (%s): nothing more is written to it, and its files give EIO",
                  ext2->cache.device->name, errno_name(error));
    }
    return -EIO;
}

/* ---- The lists of inodes ---- */

/* Takes the inode out of its list; true: that list had a reference, which is the caller's now. */
static bool unlist(struct ext2 *ext2, struct ext2_inode *node)
{
    must_hold(&ext2->inodes_lock);
    bool referred = node->listed == EXT2_CHANGED || node->listed == EXT2_UNSAVED;
    ext2->unsaved_count -= node->listed == EXT2_UNSAVED;
    list_remove(&node->link);
    node->listed = EXT2_UNLISTED;
    return referred;
}

void ext2_inode_changed(struct inode *inode)
{
    struct ext2 *ext2 = ext2_of(inode);
    struct ext2_inode *node = ext2_inode_of(inode);
    bool put = false;
    spin_lock(&ext2->inodes_lock);
    bool nameless = inode->links == 0, listed = node->listed == (nameless ? EXT2_NAMELESS : EXT2_CHANGED);
    if (!listed) {
        put = unlist(ext2, node);
        node->listed = nameless ? EXT2_NAMELESS : EXT2_CHANGED;
        list_push_back(nameless ? &ext2->nameless_inodes : &ext2->changed_inodes, &node->link);
        if (!nameless && !put)
            inode_get(inode);
        put = put && nameless;
    }
    spin_unlock(&ext2->inodes_lock);
    if (put)
        inode_put(inode);
    if (!listed)
        wake(&ext2->wanted, 0);
}

void ext2_unlist(struct ext2_inode *node)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    spin_lock(&ext2->inodes_lock);
    bool referred = unlist(ext2, node);
    spin_unlock(&ext2->inodes_lock);
    assert(!referred);
    (void)referred;
}

/* The next inode of a list with the list's reference, or NULL. */
static struct ext2_inode *take(struct ext2 *ext2, struct list *list)
{
    spin_lock(&ext2->inodes_lock);
    struct ext2_inode *node = list_empty(list) ? NULL : node_in(list->next);
    if (node)
        unlist(ext2, node);
    spin_unlock(&ext2->inodes_lock);
    return node;
}

/* Puts an inode whose commit has ended where it belongs; false: the caller has its reference. */
static bool keep_unsaved(struct ext2 *ext2, struct ext2_inode *node)
{
    spin_lock(&ext2->inodes_lock);
    bool keep = node->listed == EXT2_UNLISTED && page_cache_dirty_of(&node->inode.pages);
    if (keep) {
        node->listed = EXT2_UNSAVED;
        list_push_back(&ext2->unsaved_inodes, &node->link);
        ext2->unsaved_count++;
    }
    spin_unlock(&ext2->inodes_lock);
    return keep;
}

/* ---- Committing: under ext2->lock ---- */

static int store_superblock(struct ext2 *ext2, bool clean)
{
    must_hold_mutex(&ext2->lock);
    int error;
    struct ext2_superblock *super = ext2_change_at(ext2, EXT2_SUPERBLOCK_OFFSET, &error);
    if (!super)
        return error;
    super->free_blocks = ext2->free_blocks;
    super->free_inodes = ext2->free_inodes;
    super->write_time = (uint32_t)(clock_wall() / NS_PER_SECOND);
    super->state = clean ? EXT2_STATE_CLEAN : 0;
    super->read_only_compatible |= EXT2_RO_COMPAT_LARGE_FILE;
    return 0;
}

/* Everything that new numbers of blocks refer to. */
static int write_fresh(struct ext2 *ext2, struct list *committing)
{
    must_hold_mutex(&ext2->lock);
    bool any = ext2_has_fresh_changes(ext2);
    list_for_each (link, committing) {
        struct ext2_inode *node = list_entry(link, struct ext2_inode, committing);
        if (!node->fresh)
            continue;
        any = true;
        page_cache_write_source(&node->inode.pages);
        page_cache_write_mapped(&node->inode.pages);
        node->fresh = false;
    }
    int error = ext2->failed;
    if (!error)
        error = ext2_write_changes(ext2, true);
    return !error && any ? block_flush(ext2->cache.device) : error;
}

static int store_inodes(struct ext2 *ext2, struct list *committing)
{
    must_hold_mutex(&ext2->lock);
    int error = 0;
    list_for_each (link, committing)
        if (!error)
            error = ext2_store_inode(list_entry(link, struct ext2_inode, committing));
    return error ? error : store_superblock(ext2, false);
}

/* Only -ENOMEM leaves the file system usable. */
static int commit_locked(struct ext2 *ext2, struct list *committing)
{
    must_hold_mutex(&ext2->lock);
    struct ext2_inode *node;
    while ((node = take(ext2, &ext2->changed_inodes)))
        list_push_back(committing, &node->committing);
    if (list_empty(committing) && !ext2->changed_count)
        return ext2->failed;
    int error = write_fresh(ext2, committing);
    if (!error)
        error = store_inodes(ext2, committing);
    if (error == -ENOMEM)
        return error;
    if (!error)
        error = ext2_write_changes(ext2, false);
    if (!error)
        error = block_flush(ext2->cache.device);
    ext2_forget_changes(ext2);
    if (!error)
        error = ext2_release_pending(ext2);
    return error && error != -ENOMEM ? ext2_fail(ext2, error) : error;
}

int ext2_commit(struct ext2 *ext2)
{
    struct list committing, *link;
    list_init(&committing);
    mutex_lock(&ext2->lock);
    int error = commit_locked(ext2, &committing);
    mutex_unlock(&ext2->lock);
    while ((link = list_pop_front(&committing))) {
        struct ext2_inode *node = list_entry(link, struct ext2_inode, committing);
        if (error == -ENOMEM)
            ext2_inode_changed(&node->inode);
        if (!keep_unsaved(ext2, node))
            inode_put(&node->inode);
    }
    return error;
}

int ext2_relieve(struct ext2 *ext2)
{
    return ext2->failed ? -EIO : ext2->changed_count > EXT2_CHANGES_MOST ? ext2_commit(ext2) : 0;
}

/* The first commit lets go of files that have no name any more and ends their use of the disk, the second what they
 * gave back then. */
bool ext2_regain(struct ext2 *ext2)
{
    uint32_t before = ext2->free_blocks + ext2->free_inodes;
    bool more = ext2->pending->block_count || ext2->pending->inode_count;
    int error = ext2_commit(ext2);
    if (!error && ext2->pending->block_count)
        error = ext2_commit(ext2);
    return !error && (more || ext2->free_blocks + ext2->free_inodes > before);
}

/* ---- Syncing ---- */

int ext2_sync(struct inode *inode, bool data_only)
{
    struct ext2 *ext2 = ext2_of(inode);
    struct ext2_inode *node = ext2_inode_of(inode);
    if (is_type(inode, S_IFREG))
        writeback_source(&inode->pages);
    mutex_lock(&ext2->lock);
    bool commit = node->resized || (!data_only && (ext2->changed_count || node->listed == EXT2_CHANGED));
    mutex_unlock(&ext2->lock);
    int error = ext2->failed ? -EIO : commit ? ext2_commit(ext2) : block_flush(ext2->cache.device);
    if (error && error != -ENOMEM)
        error = ext2_fail(ext2, error);
    return ext2->failed ? -EIO : error;
}

/* Writes the dirty pages of inodes that are committed. */
static void write_unsaved(struct ext2 *ext2)
{
    struct ext2_inode *node;
    for (uint32_t left = read_once(ext2->unsaved_count); left && (node = take(ext2, &ext2->unsaved_inodes)); left--) {
        writeback_source(&node->inode.pages);
        inode_put(&node->inode);
    }
}

int ext2_sync_all(struct file_system *fs)
{
    struct ext2 *ext2 = container_of(fs, struct ext2, fs);
    int error = ext2_commit(ext2);
    if (error)
        return error;
    write_unsaved(ext2);
    error = ext2->failed ? -EIO : block_flush(ext2->cache.device);
    return error ? ext2_fail(ext2, error) : 0;
}

static bool has_changes(const struct ext2 *ext2)
{
    return !read_once(ext2->failed) && (!list_empty(&ext2->changed_inodes) || read_once(ext2->changed_count));
}

static noreturn void commit_again(void *context)
{
    struct ext2 *ext2 = context;
    for (;;) {
        wait_until(&ext2->wanted, has_changes(ext2), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        wait_until(&ext2->wanted, read_once(ext2->failed), clock_monotonic() + COMMIT_AFTER, SLEEP_UNINTERRUPTIBLE);
        ext2_sync_all(&ext2->fs);
    }
}

static int write_state(struct ext2 *ext2, bool clean)
{
    mutex_lock(&ext2->lock);
    int error = store_superblock(ext2, clean);
    if (!error)
        error = ext2_write_changes(ext2, false);
    ext2_forget_changes(ext2);
    if (!error)
        error = block_flush(ext2->cache.device);
    mutex_unlock(&ext2->lock);
    return error;
}

void ext2_end(struct file_system *fs)
{
    struct ext2 *ext2 = container_of(fs, struct ext2, fs);
    struct ext2_inode *node;
    int error = ext2_sync_all(fs);
    while (!error && (node = take(ext2, &ext2->nameless_inodes))) {
        ext2_remove_inode(node);
        error = ext2->failed;
    }
    do
        error = error ? error : ext2_commit(ext2);
    while (!error && ext2->changed_count);
    if (!error)
        error = write_state(ext2, true);
    if (error)
        log_error("data disk %s was not left clean (%s); it is checked when it is mounted again",
                  ext2->cache.device->name, errno_name(error));
    ext2->failed = -EIO;
}

/* ---- Starting ---- */

static int prepare(struct ext2 *ext2)
{
    mutex_init(&ext2->lock, LOCK_EXT2);
    mutex_init(&ext2->spare_lock, LOCK_EXT2_SPARE);
    spinlock_init(&ext2->inodes_lock, LOCK_EXT2_INODES);
    list_init(&ext2->changed_inodes);
    list_init(&ext2->unsaved_inodes);
    list_init(&ext2->nameless_inodes);
    wait_queue_init(&ext2->wanted);
    ext2->pending = heap_allocate_zeroed(sizeof(*ext2->pending));
    ext2->spare = device_page();
    return ext2->pending && ext2->spare ? 0 : -ENOMEM;
}

int ext2_start_writing(struct ext2 *ext2, bool clean)
{
    int error = prepare(ext2);
    if (!error && !clean) {
        mutex_lock(&ext2->lock);
        error = ext2_check(ext2);
        mutex_unlock(&ext2->lock);
    }
    if (!error)
        error = write_state(ext2, false);
    if (error)
        log_error("cannot write to disk %s: %s", ext2->cache.device->name, errno_name(error));
    return error;
}

void ext2_start_commits(struct ext2 *ext2) { thread_start_kernel("ext2", commit_again, ext2); }

void ext2_stop_writing(struct ext2 *ext2)
{
    if (ext2->spare)
        page_put(ext2->spare);
    heap_free(ext2->pending);
}
