/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file system: its inodes and files, the budget they take from, seals, and memory files. On a scratch disk
 * (`scratch`) pages come and go, and count by what they take of the disk; all the rest is the same.
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
#include "files/scratch/scratch.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/writeback.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define TMPFS_MAGIC 0x01021994 /* linux/magic.h */
#define LARGEST_FILE (1UL << 40)
#define NODE_BYTES 1024  /* what an inode or a further name takes of the common budget; as on Linux */
#define SHARE 2          /* all memory file systems together: one part in this many of memory */
#define PAGES_AT_ONCE 16 /* between points where others may run */
#define NO_LIMIT INT64_MAX
/* New files over the image get numbers that no file of the image has. */
#define FIRST_NEW_NUMBER (1UL << 32)

struct tmpfs {
    struct file_system fs;
    int64_t limit, used;       /* pages; atomic */
    bool program_memory;       /* its pages count like memory without a file, not in the common budget */
    int64_t node_limit, nodes; /* inodes and their names but the first; atomic */
    uint64_t next_number;      /* atomic */
    struct scratch *scratch;   /* NULL: pages stay in memory */
};
struct tmpfs_inode {
    struct inode inode;
    struct scratch_file stored; /* where pages are on the scratch disk, if there is one */
    char *target;               /* of symbolic links */
    bool kept;                  /* has a reference of its own */
};

static struct tmpfs *tmpfs_of(struct inode *inode) { return container_of(inode->fs, struct tmpfs, fs); }
static struct tmpfs_inode *node_of(struct inode *inode) { return container_of(inode, struct tmpfs_inode, inode); }
/* NULL: its pages are in memory only. */
static struct scratch_file *stored_of(struct inode *inode)
{
    return tmpfs_of(inode)->scratch ? &node_of(inode)->stored : NULL;
}

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

/* Pages, of the file system and of the common budget. */
static int take_pages(struct tmpfs *tmpfs, int64_t count)
{
    return take(&tmpfs->used, count, tmpfs->limit, tmpfs->program_memory ? 0 : PAGE_SIZE);
}

static void give_pages(struct tmpfs *tmpfs, int64_t count)
{
    give(&tmpfs->used, count, tmpfs->program_memory ? 0 : PAGE_SIZE);
}

static int take_node(struct tmpfs *tmpfs) { return take(&tmpfs->nodes, 1, tmpfs->node_limit, NODE_BYTES); }
static void give_node(struct tmpfs *tmpfs) { give(&tmpfs->nodes, 1, NODE_BYTES); }

/* ---- Pages ---- */

/* One page, which is zeros. Nothing sleeps once it is counted: a thread that drops it meanwhile gives back what it
 * took. */
static int tmpfs_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    struct inode *inode = container_of(source, struct inode, pages);
    int error;
    assert(count == 1);
    struct page *below = layer_page(inode, index, &error);
    if (!error)
        error = take_pages(tmpfs_of(inode), 1);
    if (!error && below)
        layer_copy(inode, pages[0], below);
    if (below)
        page_put(below);
    return error;
}

static const struct page_source_operations tmpfs_pages = { .fill = tmpfs_fill };

static struct scratch_file *stored_in(struct page_source *source)
{
    return &node_of(container_of(source, struct inode, pages))->stored;
}
static bool stored_has(struct page_source *source, uint32_t index) { return scratch_stored(stored_in(source), index); }
static int stored_reserve(struct page_source *source, uint32_t index)
{
    return scratch_reserve(stored_in(source), index);
}
static int stored_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    return scratch_read(stored_in(source), index, pages, count);
}
static void stored_write(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    scratch_write(stored_in(source), index, pages, count);
}

static const struct page_source_operations scratch_pages = {
    .fill = stored_fill,
    .write = stored_write,
    .reserve = stored_reserve,
    .stored = stored_has,
};

/* All from `first` to `end`, which is where the file ends or after it, as page indices. */
static void drop_pages(struct inode *inode, uint64_t first, uint64_t end)
{
    uint64_t dropped = page_cache_drop(&inode->pages, first, end);
    struct scratch_file *stored = stored_of(inode);
    if (stored)
        scratch_cut(stored, first);
    else
        give_pages(tmpfs_of(inode), (int64_t)dropped);
}

/* Before the page is changed. 0 or -errno. */
static int reserve_page(struct inode *inode, uint32_t index)
{
    struct scratch_file *stored = stored_of(inode);
    return stored ? scratch_reserve(stored, index) : 0;
}

/* Zeroes [from, to) where there are pages. */
static void clear_range(struct inode *inode, uint64_t from, uint64_t to)
{
    struct page_walk walk;
    struct page *page;
    if (from >= to)
        return;
    page_walk_init(&walk, &inode->pages, from >> PAGE_SHIFT, align_up(to, PAGE_SIZE) >> PAGE_SHIFT);
    while ((page = page_walk_next(&walk))) {
        uint64_t start = (uint64_t)page->index << PAGE_SHIFT;
        uint64_t first = max_of(from, start), end = min_of(to, start + PAGE_SIZE);
        memset((char *)page_data(page) + (first - start), 0, end - first);
        page_cache_dirty(page);
        page_put(page);
    }
}

/* Under inode->lock, as all that follows up to the operations. The new size comes first: pages that others still reach
 * through mappings while they are being dropped lie beyond it already. */
static void cut(struct inode *inode, uint64_t size)
{
    must_hold_mutex(&inode->lock);
    uint64_t end = align_up(size, PAGE_SIZE), old_size = inode->size;
    inode_set_size(inode, size);
    write_once(inode->below_size, min_of(inode->below_size, size));
    clear_range(inode, size, min_of(end, old_size));
    drop_pages(inode, end >> PAGE_SHIFT, align_up(old_size, PAGE_SIZE) >> PAGE_SHIFT);
}

static void changed(struct inode *inode) { inode->modified = inode->changed = clock_wall(); }

#define SEALS_OF_WRITING (SEAL_WRITE | SEAL_FUTURE_WRITE)

/* What a file may grow to. */
static uint64_t largest(void) { return min_of(LARGEST_FILE, read_once(file_size_limit)); }

/* What will be the file's last page, in part: a scratch disk's is brought in, so that cut() can clear the rest of it.
 * With a reference; NULL with *error 0: that is not needed. */
static struct page *bring_in_last(struct inode *inode, uint64_t size, int *error)
{
    struct scratch_file *stored = stored_of(inode);
    uint32_t index = (uint32_t)(size >> PAGE_SHIFT);
    *error = 0;
    if (!stored || !(size & PAGE_MASK) || !scratch_stored(stored, index))
        return NULL;
    return page_cache_get(&inode->pages, index, error);
}

static int shrink(struct inode *inode, uint64_t size)
{
    int error;
    struct page *last = bring_in_last(inode, size, &error);
    if (error)
        return error;
    cut(inode, size);
    if (last)
        page_put(last);
    return 0;
}

static int tmpfs_resize(struct inode *inode, uint64_t size)
{
    int error = 0;
    if ((size < inode->size && inode->seals & SEAL_SHRINK) || (size > inode->size && inode->seals & SEAL_GROW))
        return -EPERM;
    if (size > inode->size && size > largest())
        return -EFBIG;
    if (size < inode->size)
        error = shrink(inode, size);
    else
        inode_set_size(inode, size);
    if (error)
        return error;
    changed(inode);
    inotify_file(inode, NULL, IN_MODIFY);
    return 0;
}

static int reserve(struct inode *inode, uint64_t offset, uint64_t end)
{
    for (uint64_t at = align_down(offset, PAGE_SIZE); at < end; at += PAGE_SIZE) {
        int error;
        struct page *page = page_cache_get(&inode->pages, (uint32_t)(at >> PAGE_SHIFT), &error);
        if (!page)
            return error;
        error = reserve_page(inode, (uint32_t)(at >> PAGE_SHIFT));
        bool throttled = !error && page_cache_dirty(page);
        page_put(page);
        if (error)
            return error;
        if (throttled)
            writeback_throttle();
        if ((at >> PAGE_SHIFT) % PAGES_AT_ONCE == 0)
            give_way();
    }
    return 0;
}

/* Zeroes [from, to) for good. What the image has there needs pages that hide it, unless it is all the rest of that. */
static int punch(struct inode *inode, uint64_t from, uint64_t to)
{
    int error = 0;
    if (to >= inode->below_size)
        write_once(inode->below_size, min_of(inode->below_size, from));
    else
        error = reserve(inode, from, to);
    if (!error)
        clear_range(inode, from, to);
    return error;
}

static int tmpfs_allocate(struct inode *inode, uint64_t offset, uint64_t length, bool keep_size, bool hole)
{
    uint64_t end = offset + length, old_size = inode->size;
    if (hole && stored_of(inode))
        return -EOPNOTSUPP;
    if (end > largest() && !hole)
        return -EFBIG;
    if (inode->seals & (hole ? SEALS_OF_WRITING : !keep_size && end > old_size ? SEAL_GROW : 0))
        return -EPERM;
    changed(inode);
    if (hole)
        return punch(inode, offset, min_of(end, old_size));
    /* Reserving beyond the end keeps no page: only what lies inside the size can be found and freed again. */
    uint64_t new_size = keep_size ? old_size : max_of(end, old_size);
    inode_set_size(inode, new_size);
    int error = reserve(inode, offset, min_of(end, new_size));
    if (error && new_size > old_size)
        cut(inode, old_size);
    return error;
}

/* Writes into one page, which lies inside the file. */
static ssize_type change_page(struct inode *inode, struct transfer *transfer, uint64_t offset, size_t n)
{
    uint32_t index = (uint32_t)(offset >> PAGE_SHIFT);
    int error;
    struct page *page = page_cache_get(&inode->pages, index, &error);
    if (!page)
        return error;
    error = reserve_page(inode, index);
    ssize_type moved = error ? error : transfer_in(transfer, (char *)page_data(page) + (offset & PAGE_MASK), n);
    bool throttled = !error && page_cache_dirty(page);
    page_put(page);
    if (throttled)
        writeback_throttle();
    return moved;
}

/* Writes into one page, extending the file first so that the new page lies inside it. */
static ssize_type write_page(struct inode *inode, struct transfer *transfer, uint64_t offset, size_t n)
{
    uint64_t old_size = inode->size;
    if (offset + n > old_size)
        inode_set_size(inode, offset + n);
    ssize_type moved = change_page(inode, transfer, offset, n);
    uint64_t end = max_of(old_size, offset + (uint64_t)max_of(moved, 0L));
    if (moved < 0)
        end = old_size;
    if (end < inode->size)
        cut(inode, end);
    return moved;
}

static ssize_type write_locked(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    must_hold_mutex(&file->inode->lock);
    struct inode *inode = file->inode;
    ssize_type total = 0;
    if (read_once(file->flags) & O_APPEND)
        *offset = inode->size;
    uint64_t end = inode->seals & SEAL_GROW ? min_of(largest(), inode->size) : largest();
    if (inode->seals & SEALS_OF_WRITING)
        return -EPERM;
    if (*offset >= end && transfer->remaining && inode->seals & SEAL_GROW)
        return -EPERM;
    if (*offset >= end && transfer->remaining)
        return -EFBIG;
    while (transfer->remaining && *offset < end) {
        size_t n = min_of(transfer->remaining, PAGE_SIZE - (*offset & PAGE_MASK));
        n = min_of(n, end - *offset);
        ssize_type moved = write_page(inode, transfer, *offset, n);
        if (moved < 0)
            return total ? total : moved;
        *offset += (uint64_t)moved;
        total += moved;
    }
    return total;
}

static ssize_type tmpfs_write(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    mutex_lock(&file->inode->lock);
    ssize_type n = write_locked(file, transfer, offset);
    changed(file->inode);
    mutex_unlock(&file->inode->lock);
    if (n > 0)
        inotify_file(file->inode, file->dentry, IN_MODIFY);
    return n;
}

static void tmpfs_close(struct file *file)
{
    bool wrote = file_is_writable(file);
    inotify_file(file->inode, file->dentry, wrote ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}

static const struct file_operations tmpfs_file_operations = {
    .read = paged_read,
    .write = tmpfs_write,
    .seek = paged_seek,
    .pages = paged_pages,
    .release = tmpfs_close,
};

/* ---- Inodes ---- */

static void tmpfs_release(struct inode *inode)
{
    if (is_type(inode, S_IFREG))
        drop_pages(inode, 0, PAGE_CACHE_END);
    if (node_of(inode)->target)
        count_down(&all_used, (int64_t)inode->size);
    if (!inode->below || inode->links == 0)
        give_node(tmpfs_of(inode));
    if (inode->below)
        inode_put(inode->below);
    heap_free(node_of(inode)->target);
    heap_free(node_of(inode));
}

static ssize_type tmpfs_read_link(struct inode *inode, char *to, size_t size)
{
    if (inode->below)
        return inode->below->operations->read_link(inode->below, to, size);
    const char *target = node_of(inode)->target;
    size_t n = min_of(strlen(target), size);
    memcpy(to, target, n);
    return (ssize_type)n;
}

int tmpfs_set_link(struct inode *inode, const char *target)
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
    node_of(inode)->target = copy;
    inode->size = length;
    return 0;
}

static int tmpfs_open(struct inode *inode, struct file *file)
{
    inotify_file(inode, file->dentry, IN_OPEN);
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

static const struct inode_operations tmpfs_inode_operations = {
    .lookup = layer_lookup,
    .list = layer_list,
    .settle = layer_settle,
    .read_link = tmpfs_read_link,
    .open = tmpfs_open,
    .make = tmpfs_make,
    .add_name = tmpfs_add_name,
    .remove_name = tmpfs_remove_name,
    .resize = tmpfs_resize,
    .allocate = tmpfs_allocate,
    .pages = tmpfs_pages_of,
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
    page_source_init(&inode->pages, tmpfs->scratch ? &scratch_pages : &tmpfs_pages, 0, tmpfs->scratch);
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
    struct tmpfs_inode *node = node_of(inode);
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
    int64_t memory_free = (int64_t)(pages_free_at(PAGES_KEPT) + page_cache_evictable());
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
