/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scratch disk: choosing and marking it, and moving pages of files to and from it.
 *
 * A page has a block from the first change on (scratch_reserve()), so writing it later needs neither memory nor room.
 * Its block is given back only after it has left the page cache, which waits for a write of the file that goes on
 * (page_cache_drop()): no late write meets a block that is another file's. A read may; what it brings is of a page that
 * has been cut off, and who reads while another cuts may see anything.
 *
 * Spinlock "scratch" guards the free blocks, the extents of all files and `failed`. It is taken under any mutex.
 */
#include "files/scratch/scratch.h"

#include "core/debug.h"
#include "core/heap.h"
#include "core/log.h"
#include "drivers/partition.h"
#include "files/block_io.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

static const char mark[] = "unikernel scratch disk, version 1\n";
#define SMALLEST (1UL << 20) /* bytes */

/* ---- The disk ---- */

static bool is_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i])
            return false;
    return true;
}

static int move_mark(struct block_device *device, struct page *page, bool write)
{
    struct block_batch batch;
    block_batch_begin(&batch, device, write);
    block_batch_add(&batch, 0, page_address(page), PAGE_SIZE);
    return block_batch_end(&batch);
}

/* Why the disk is not used, or NULL: it is marked now. `page` is for its first page. */
static const char *take_disk(struct block_device *device, struct page *page)
{
    char *bytes = page_data(page);
    if (device->read_only)
        return "it cannot be written";
    if (device->sectors * SECTOR_SIZE < SMALLEST)
        return "it is smaller than 1 MiB";
    if (move_mark(device, page, false))
        return "it cannot be read";
    if (!memcmp(bytes, mark, sizeof(mark)))
        return NULL;
    if (!is_zero(bytes, PAGE_SIZE))
        return "it holds data; to use it as a scratch disk, overwrite its first 4096 bytes with zeros";
    memcpy(bytes, mark, sizeof(mark));
    return move_mark(device, page, true) ? "it could not be marked: a write failed" : NULL;
}

static struct block_device *find_disk(const struct block_device *root, struct page *page)
{
    struct block_device *device;
    for (unsigned i = 0; (device = block_device_at(i)); i++) {
        if (device == partition_disk(root))
            continue;
        memset(page_data(page), 0, PAGE_SIZE);
        const char *problem = take_disk(device, page);
        if (!problem)
            return device;
        log_error("disk %s is not used as scratch disk: %s", device->name, problem);
    }
    log_error("there is no scratch disk; give the machine a second, empty disk of 1 MiB or more");
    return NULL;
}

/* The first block is the mark's. */
static struct scratch *create(struct block_device *device)
{
    struct scratch *scratch = heap_allocate_zeroed(sizeof(*scratch));
    if (!scratch)
        return NULL;
    spinlock_init(&scratch->lock, LOCK_SCRATCH);
    scratch->device = device;
    uint64_t blocks = min_of(device->sectors * SECTOR_SIZE / PAGE_SIZE, SPACE_BLOCKS_MAX);
    if (space_init(&scratch->space, blocks) || space_take(&scratch->space, SPACE_NONE) != 0) {
        space_release(&scratch->space);
        heap_free(scratch);
        return NULL;
    }
    return scratch;
}

struct scratch *scratch_open(const struct block_device *root)
{
    struct page *page = device_page();
    struct block_device *device = page ? find_disk(root, page) : NULL;
    struct scratch *scratch = device ? create(device) : NULL;
    if (page)
        page_put(page);
    if (scratch)
        log_info("disk %s, %lu MiB, is the scratch disk", device->name, device->sectors * SECTOR_SIZE >> 20);
    else if (!page || device)
        log_error("there is no memory for the scratch disk's tables; give the machine more memory");
    return scratch;
}

uint64_t scratch_free(struct scratch *scratch)
{
    spin_lock(&scratch->lock);
    uint64_t result = scratch->failed ? 0 : scratch->space.free;
    spin_unlock(&scratch->lock);
    return result;
}

static void fail(struct scratch *scratch, int error)
{
    spin_lock(&scratch->lock);
    bool first = !scratch->failed;
    scratch->failed = true;
    spin_unlock(&scratch->lock);
    if (first)
        log_error("scratch disk %s cannot be written (%s): its files give EIO from now on", scratch->device->name,
                  errno_name(error));
}

/* ---- Files ---- */

void scratch_file_init(struct scratch_file *file, struct scratch *scratch, struct page_source *pages)
{
    file->scratch = scratch;
    file->pages = pages;
    extents_init(&file->extents);
}

static uint32_t find(struct scratch_file *file, uint32_t index)
{
    spin_lock(&file->scratch->lock);
    uint32_t block = extents_find(&file->extents, index);
    spin_unlock(&file->scratch->lock);
    return block;
}

bool scratch_stored(struct scratch_file *file, uint32_t index) { return find(file, index) != SPACE_NONE; }

static int reserve_locked(struct scratch_file *file, uint32_t index)
{
    struct scratch *scratch = file->scratch;
    must_hold(&scratch->lock);
    if (scratch->failed)
        return -EIO;
    if (index >= align_up(read_once(file->pages->size), PAGE_SIZE) >> PAGE_SHIFT)
        return -ENXIO;
    if (extents_find(&file->extents, index) != SPACE_NONE)
        return 0;
    uint32_t block = space_take(&scratch->space, extents_before(&file->extents, index));
    if (block == SPACE_NONE)
        return -ENOSPC;
    int error = extents_add(&file->extents, index, block);
    if (error)
        space_give(&scratch->space, block, 1);
    return error;
}

int scratch_reserve(struct scratch_file *file, uint32_t index)
{
    spin_lock(&file->scratch->lock);
    int error = reserve_locked(file, index);
    spin_unlock(&file->scratch->lock);
    return error;
}

/* Those pages that have a block; the others are zeros. */
static void move(struct scratch_file *file, struct block_batch *batch, uint32_t index, const struct page *page)
{
    uint32_t block = find(file, index);
    if (block != SPACE_NONE)
        block_batch_add(batch, (uint64_t)block * PAGE_SIZE, page_address(page), PAGE_SIZE);
}

int scratch_read(struct scratch_file *file, uint32_t index, struct page **pages, unsigned count)
{
    struct block_batch batch;
    block_batch_begin(&batch, file->scratch->device, false);
    for (unsigned i = 0; i < count; i++)
        move(file, &batch, index + i, pages[i]);
    int error = block_batch_end(&batch);
    return read_once(file->scratch->failed) ? -EIO : error;
}

void scratch_write(struct scratch_file *file, struct page **pages, unsigned count)
{
    struct block_batch batch;
    block_batch_begin(&batch, file->scratch->device, true);
    for (unsigned i = 0; i < count; i++)
        move(file, &batch, pages[i]->index, pages[i]);
    int error = block_batch_end(&batch);
    if (error)
        fail(file->scratch, error);
}

int scratch_sync(const struct scratch_file *file) { return read_once(file->scratch->failed) ? -EIO : 0; }

void scratch_cut(struct scratch_file *file, uint64_t first)
{
    bool more;
    do {
        spin_lock(&file->scratch->lock);
        more = extents_cut_some(&file->extents, first, &file->scratch->space);
        spin_unlock(&file->scratch->lock);
        give_way();
    } while (more);
}
