/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file system: its inodes, the budget they take from, seals, and memory files. tmpfs_contents.c has what is
 * in files.
 *
 * What an inode, a name or a page was counted as is given back when it is freed. The counters are atomic. Mutex
 * inode->lock guards size, contents and seals of a file, and is taken outside "namespace". Mutex "memory files" guards
 * the creation of the one file system that memory files are in.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "files/inotify.h"
#include "files/layer.h"
#include "files/tmpfs_private.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/writeback.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define TMPFS_MAGIC 0x01021994 /* linux/magic.h */
#define NODE_BYTES 1024        /* what an inode or a further name takes of the common budget; as on Linux */
#define SHARE 2                /* all memory file systems together: one part in this many of memory */
#define NO_LIMIT INT64_MAX
/* New files over the image get numbers that no file of the image has. */
#define FIRST_NEW_NUMBER (1UL << 32)

/* ---- What may be taken ---- */

static int64_t all_used; /* bytes, of all file systems: pages, inodes, names, targets; atomic */

static int64_t budget(void) { return (int64_t)(pages_total_count() / SHARE * PAGE_SIZE); }

/* Adds to the counter unless it would exceed the limit. */
static bool count_up(int64_t *counter, int64_t amount, int64_t limit)
{
    if (__atomic_add_fetch(counter, amount, __ATOMIC_RELAXED) <= limit)
        return true;
    __atomic_sub_fetch(counter, amount, __ATOMIC_RELAXED);
    return false;
}

static void count_down(int64_t *counter, int64_t amount) { __atomic_sub_fetch(counter, amount, __ATOMIC_RELAXED); }

bool tmpfs_take_bytes(size_t bytes) { return count_up(&all_used, (int64_t)bytes, budget()); }
void tmpfs_give_bytes(size_t bytes) { count_down(&all_used, (int64_t)bytes); }

/* `amount` of one file system's counter, each this many bytes of the common budget. 0 or -ENOSPC. */
static int take(int64_t *counter, int64_t amount, int64_t limit, int64_t bytes_each)
{
    if (!count_up(&all_used, amount * bytes_each, budget()))
        return -ENOSPC;
    if (count_up(counter, amount, limit))
        return 0;
    count_down(&all_used, amount * bytes_each);
    return -ENOSPC;
}

static void give(int64_t *counter, int64_t amount, int64_t bytes_each)
{
    count_down(counter, amount);
    count_down(&all_used, amount * bytes_each);
}

int tmpfs_take_pages(struct tmpfs *tmpfs, int64_t count)
{
    return take(&tmpfs->used, count, tmpfs->limit, tmpfs->program_memory ? 0 : PAGE_SIZE);
}

void tmpfs_give_pages(struct tmpfs *tmpfs, int64_t count)
{
    give(&tmpfs->used, count, tmpfs->program_memory ? 0 : PAGE_SIZE);
}

static int take_node(struct tmpfs *tmpfs) { return take(&tmpfs->nodes, 1, tmpfs->node_limit, NODE_BYTES); }
static void give_node(struct tmpfs *tmpfs) { give(&tmpfs->nodes, 1, NODE_BYTES); }

/* ---- Inodes ---- */

static void tmpfs_release(struct inode *inode)
{
    if (is_type(inode, S_IFREG))
        tmpfs_drop_pages(inode, 0, PAGE_CACHE_END);
    if (tmpfs_node_of(inode)->target)
        count_down(&all_used, (int64_t)inode->size);
    if (!inode->below || inode->links == 0)
        give_node(tmpfs_of(inode));
    if (inode->below)
        inode_put(inode->below);
    heap_free(tmpfs_node_of(inode)->target);
    heap_free(tmpfs_node_of(inode));
}

static ssize_type tmpfs_read_link(struct inode *inode, char *to, size_t size)
{
    if (inode->below)
        return inode->below->operations->read_link(inode->below, to, size);
    const char *target = tmpfs_node_of(inode)->target;
    size_t n = min_of(strlen(target), size);
    memcpy(to, target, n);
    return (ssize_type)n;
}

static int tmpfs_set_link(struct inode *inode, const char *target)
{
    size_t length = strlen(target);
    if (!count_up(&all_used, (int64_t)length, budget()))
        return -ENOSPC;
    char *copy = heap_allocate(length + 1);
    if (!copy) {
        count_down(&all_used, (int64_t)length);
        return -ENOSPC;
    }
    memcpy(copy, target, length + 1);
    tmpfs_node_of(inode)->target = copy;
    inode->size = length;
    return 0;
}

static int tmpfs_make(struct inode *directory, uint32_t mode, struct inode **out);
static int tmpfs_add_name(struct inode *inode) { return take_node(tmpfs_of(inode)); }
static void tmpfs_remove_name(struct inode *inode) { give_node(tmpfs_of(inode)); }

static uint64_t tmpfs_pages_of(const struct inode *inode)
{
    const struct tmpfs_inode *node = container_of(inode, const struct tmpfs_inode, inode);
    return node->stored.scratch ? read_once(node->stored.extents.pages) : inode->pages.page_count;
}

static int sync_node(struct inode *inode, bool data_only)
{
    (void)data_only;
    return tmpfs_of(inode)->scratch ? scratch_sync(&tmpfs_node_of(inode)->stored) : 0;
}

static const struct inode_operations tmpfs_inode_operations = {
    .lookup = layer_lookup,
    .list = layer_list,
    .settle = layer_settle,
    .read_link = tmpfs_read_link,
    .open = paged_open,
    .make = tmpfs_make,
    .set_link = tmpfs_set_link,
    .add_name = tmpfs_add_name,
    .remove_name = tmpfs_remove_name,
    .resize = tmpfs_resize,
    .allocate = tmpfs_allocate,
    .pages = tmpfs_pages_of,
    .sync = sync_node,
    .release = tmpfs_release,
};

static struct inode *new_inode(struct tmpfs *tmpfs, uint64_t number, uint32_t mode)
{
    struct tmpfs_inode *node = heap_allocate_zeroed(sizeof(*node));
    if (!node)
        return NULL;
    struct inode *inode = &node->inode;
    inode_init(inode, &tmpfs->fs, number, mode);
    inode->operations = &tmpfs_inode_operations;
    inode->file_operations = &tmpfs_file_operations;
    inode->seals = SEAL_SEAL;
    page_source_init(&inode->pages, tmpfs->scratch ? &tmpfs_scratch_pages : &tmpfs_memory_pages, 0, tmpfs->scratch);
    if (tmpfs->scratch)
        scratch_file_init(&node->stored, tmpfs->scratch, &inode->pages);
    return inode;
}

/* NULL without room for one more. */
static struct inode *make_inode(struct tmpfs *tmpfs, uint32_t mode)
{
    if (take_node(tmpfs))
        return NULL;
    uint64_t number = __atomic_add_fetch(&tmpfs->next_number, 1, __ATOMIC_RELAXED);
    struct inode *inode = new_inode(tmpfs, number, mode);
    if (!inode)
        give_node(tmpfs);
    return inode;
}

struct inode *tmpfs_make_over(struct file_system *fs, struct inode *below)
{
    struct inode *inode = new_inode(container_of(fs, struct tmpfs, fs), below->number, below->mode);
    if (!inode)
        return NULL;
    inode->below = inode_get(below);
    inode->links = below->links;
    inode->uid = below->uid;
    inode->gid = below->gid;
    inode->accessed = below->accessed;
    inode->modified = below->modified;
    inode->changed = below->changed;
    inode->below_size = is_type(inode, S_IFREG) ? below->size : 0;
    inode_set_size(inode, below->size);
    return inode;
}

int tmpfs_keep_name(struct inode *inode)
{
    struct tmpfs_inode *node = tmpfs_node_of(inode);
    int error = take_node(tmpfs_of(inode));
    /* A change made through one name also holds for the names in directories that are still untouched. */
    if (!error && is_type(inode, S_IFREG) && inode->links > 1 && !node->kept) {
        node->kept = true;
        inode_get(inode);
    }
    return error;
}

static int tmpfs_make(struct inode *directory, uint32_t mode, struct inode **out)
{
    *out = make_inode(tmpfs_of(directory), mode);
    return *out ? 0 : -ENOSPC;
}

/* ---- File systems ---- */

/* As on Linux those of the program's memory are zero: no limit. */
static void no_statistics(struct file_system *fs, struct file_system_statistics *out)
{
    (void)fs;
    *out = (struct file_system_statistics){ .type = TMPFS_MAGIC, .block_size = PAGE_SIZE };
}

/* Besides the limits, there is no more than what memory can be had for this moment. */
static void tmpfs_statistics(struct file_system *fs, struct file_system_statistics *out)
{
    struct tmpfs *tmpfs = container_of(fs, struct tmpfs, fs);
    int64_t common = budget(), common_free = common - read_once(all_used);
    int64_t memory_free = (int64_t)address_space_available();
    int64_t free = min_of(memory_free, common_free / (int64_t)PAGE_SIZE);
    free = min_of(free, tmpfs->limit - read_once(tmpfs->used));
    int64_t nodes_free = min_of(tmpfs->node_limit - read_once(tmpfs->nodes), common_free / NODE_BYTES);
    *out = (struct file_system_statistics){
        .type = TMPFS_MAGIC,
        .block_size = PAGE_SIZE,
        .blocks = (uint64_t)min_of(tmpfs->limit, common / (int64_t)PAGE_SIZE),
        .blocks_free = (uint64_t)max_of(free, 0L),
        .files = (uint64_t)tmpfs->node_limit,
        .files_free = (uint64_t)max_of(nodes_free, 0L),
    };
}

static struct tmpfs *new_file_system(uint64_t bytes)
{
    struct tmpfs *tmpfs = heap_allocate_zeroed(sizeof(*tmpfs));
    if (!tmpfs)
        return NULL;
    tmpfs->limit = bytes ? (int64_t)(bytes >> PAGE_SHIFT) : NO_LIMIT;
    tmpfs->node_limit = (int64_t)(pages_total_count() / 2);
    tmpfs->fs = (struct file_system){
        .name = "tmpfs",
        .device = file_system_new_device(),
        .memory = true,
        .statistics = tmpfs_statistics,
    };
    return tmpfs;
}

/* Takes over what may be NULL. */
static struct file_system *with_root(struct tmpfs *tmpfs, uint32_t mode)
{
    if (!tmpfs)
        return NULL;
    tmpfs->fs.root = make_inode(tmpfs, S_IFDIR | mode);
    if (!tmpfs->fs.root) {
        heap_free(tmpfs);
        return NULL;
    }
    tmpfs->fs.root->links = 2;
    return &tmpfs->fs;
}

struct file_system *tmpfs_create(uint64_t bytes, uint32_t mode) { return with_root(new_file_system(bytes), mode); }

static void scratch_statistics(struct file_system *fs, struct file_system_statistics *out)
{
    struct tmpfs *tmpfs = container_of(fs, struct tmpfs, fs);
    tmpfs_statistics(fs, out);
    out->blocks = tmpfs->scratch->space.blocks;
    out->blocks_free = scratch_free(tmpfs->scratch);
}

struct file_system *tmpfs_create_on(struct scratch *scratch, uint32_t mode)
{
    struct tmpfs *tmpfs = new_file_system(0);
    if (!tmpfs)
        return NULL;
    tmpfs->scratch = scratch;
    tmpfs->fs.name = "scratch";
    tmpfs->fs.statistics = scratch_statistics;
    return with_root(tmpfs, mode);
}

struct file_system *tmpfs_create_over(struct inode *below, uint64_t bytes)
{
    struct tmpfs *tmpfs = new_file_system(bytes);
    if (!tmpfs)
        return NULL;
    tmpfs->next_number = FIRST_NEW_NUMBER;
    tmpfs->fs.root = tmpfs_make_over(&tmpfs->fs, below);
    if (!tmpfs->fs.root) {
        heap_free(tmpfs);
        return NULL;
    }
    inode_hash(tmpfs->fs.root);
    return &tmpfs->fs;
}

/* memfd files belong to a file system of their own, which no path leads to. */
static struct tmpfs *memory_files(void)
{
    static struct mutex lock = MUTEX(lock, LOCK_MEMORY_FILES);
    static struct tmpfs *tmpfs;
    mutex_lock(&lock);
    if (!tmpfs && (tmpfs = new_file_system(0))) {
        tmpfs->program_memory = true;
        tmpfs->fs.statistics = no_statistics;
    }
    mutex_unlock(&lock);
    return tmpfs;
}

bool tmpfs_has_seals(const struct inode *inode)
{
    return inode->operations == &tmpfs_inode_operations && is_type(inode, S_IFREG);
}

int tmpfs_add_seals(struct inode *inode, uint32_t seals)
{
    int error = 0;
    mutex_lock(&inode->lock);
    if (inode->seals & SEAL_SEAL)
        error = -EPERM;
    else if (seals & SEAL_WRITE && !(inode->seals & SEAL_WRITE) && address_space_can_write(&inode->pages))
        error = -EBUSY;
    else
        write_once(inode->seals, inode->seals | seals);
    mutex_unlock(&inode->lock);
    return error;
}

struct file *tmpfs_memory_file(uint32_t flags)
{
    struct tmpfs *tmpfs = memory_files();
    struct inode *inode = tmpfs ? make_inode(tmpfs, S_IFREG | 0777) : NULL;
    if (!inode)
        return NULL;
    inode->links = 0;
    struct file *file = file_create(&tmpfs_file_operations, flags, NULL);
    if (!file) {
        inode_put(inode);
        return NULL;
    }
    file->inode = inode;
    return file;
}
