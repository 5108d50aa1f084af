/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of reads or writes: extents that follow each other on the device are merged into one request, and up to
 * BLOCK_BATCH_REQUESTS requests are under way at a time.
 *
 * A bit of in_flight is set from the submission of a request to its end, so a batch is over when no bit is set.
 * Spinlock "block batch" guards in_flight and the first error; everything else belongs to the owner.
 */
#include "files/block_io.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"

#define ALL_IN_FLIGHT ((1u << BLOCK_BATCH_REQUESTS) - 1)

void block_batch_begin(struct block_batch *batch, struct block_device *device, bool write)
{
    batch->device = device;
    batch->write = write;
    spinlock_init(&batch->lock, LOCK_BLOCK_BATCH);
    wait_queue_init(&batch->finished);
    batch->error = 0;
    batch->in_flight = 0;
    batch->filling = -1;
}

/* Interrupt context, or from block_submit(). All under the lock: the owner, who reads in_flight under it, may free the
 * batch as soon as the lock is dropped. */
static void request_done(struct block_request *request, int error)
{
    struct block_batch *batch = request->context;
    spin_lock(&batch->lock);
    if (error && !batch->error)
        batch->error = error;
    batch->in_flight &= ~(1u << (request - batch->requests));
    wake(&batch->finished, 0);
    spin_unlock(&batch->lock);
}

static uint32_t in_flight(struct block_batch *batch)
{
    spin_lock(&batch->lock);
    uint32_t result = batch->in_flight;
    spin_unlock(&batch->lock);
    return result;
}

static void submit(struct block_batch *batch)
{
    if (batch->filling < 0)
        return;
    struct block_request *request = &batch->requests[batch->filling];
    batch->filling = -1;
    spin_lock(&batch->lock);
    batch->in_flight |= 1u << (request - batch->requests);
    spin_unlock(&batch->lock);
    block_submit(batch->device, request);
}

/*
 * Uninterruptible: it ends only when one of the requests is not in flight, or, with `all`, none is. A disk may be taken
 * out of the machine without notice, so the driver checks from time to time.
 */
static void wait_for_requests(struct block_batch *batch, bool all)
{
    struct block_device *device = batch->device;
    while (wait_until(&batch->finished, in_flight(batch) == 0 || (!all && in_flight(batch) != ALL_IN_FLIGHT),
                      clock_monotonic() + BLOCK_PATIENCE, SLEEP_UNINTERRUPTIBLE) != 0) {
        if (device->check)
            device->check(device);
    }
}

/* Starts a request, waiting for one of those in flight if all are. */
static struct block_request *start(struct block_batch *batch, uint64_t sector)
{
    wait_for_requests(batch, false);
    batch->filling = __builtin_ctz(~in_flight(batch));
    struct block_request *request = &batch->requests[batch->filling];
    list_init(&request->link);
    request->write = batch->write;
    request->flush = false;
    request->sector = sector;
    request->segment_count = 0;
    request->done = request_done;
    request->context = batch;
    return request;
}

static uint64_t end_sector(const struct block_request *request)
{
    uint64_t end = request->sector;
    for (unsigned i = 0; i < request->segment_count; i++)
        end += request->segments[i].length / SECTOR_SIZE;
    return end;
}

/* Makes the last segment longer if the new one continues it within a page. */
static bool extend_segment(struct block_request *request, phys_t memory, uint32_t length)
{
    struct block_segment *last = &request->segments[request->segment_count - 1];
    if (last->address + last->length != memory || (memory & PAGE_MASK) == 0)
        return false;
    last->length += length;
    return true;
}

void block_batch_add(struct block_batch *batch, uint64_t offset, phys_t memory, uint32_t length)
{
    struct block_request *request = batch->filling >= 0 ? &batch->requests[batch->filling] : NULL;
    uint64_t sector = offset / SECTOR_SIZE;
    if (request && end_sector(request) == sector) {
        if (extend_segment(request, memory, length))
            return;
        if (request->segment_count < BLOCK_MAX_SEGMENTS) {
            request->segments[request->segment_count++] = (struct block_segment){ memory, length };
            return;
        }
    }
    submit(batch);
    request = start(batch, sector);
    request->segments[request->segment_count++] = (struct block_segment){ memory, length };
}

int block_batch_end(struct block_batch *batch)
{
    submit(batch);
    wait_for_requests(batch, true);
    return batch->error;
}

int block_flush(struct block_device *device)
{
    struct block_batch batch;
    block_batch_begin(&batch, device, true);
    start(&batch, 0)->flush = true;
    return block_batch_end(&batch);
}

/* ---- The device as a page source ---- */

static int cache_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count)
{
    struct block_cache *cache = container_of(source, struct block_cache, pages);
    uint64_t end = cache->device->sectors * SECTOR_SIZE;
    struct block_batch batch;
    block_batch_begin(&batch, cache->device, false);
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset = ((uint64_t)index + i) << PAGE_SHIFT;
        uint64_t n = offset < end ? min_of(PAGE_SIZE, end - offset) : 0;
        memset((char *)page_data(pages[i]) + n, 0, PAGE_SIZE - n);
        if (n)
            block_batch_add(&batch, offset, page_address(pages[i]), (uint32_t)n);
    }
    return block_batch_end(&batch);
}

static const struct page_source_operations cache_operations = { .fill = cache_fill };

void block_cache_init(struct block_cache *cache, struct block_device *device)
{
    cache->device = device;
    page_source_init(&cache->pages, &cache_operations, device->sectors * SECTOR_SIZE, true);
}

int block_cache_read(struct block_cache *cache, uint64_t offset, void *to, size_t length)
{
    uint64_t end = cache->device->sectors * SECTOR_SIZE;
    if (offset > end || length > end - offset)
        return -EIO;
    while (length) {
        size_t n = min_of(length, PAGE_SIZE - (offset & PAGE_MASK));
        int error;
        struct page *page = page_cache_get(&cache->pages, (uint32_t)(offset >> PAGE_SHIFT), &error);
        if (!page)
            return error;
        memcpy(to, (char *)page_data(page) + (offset & PAGE_MASK), n);
        page_put(page);
        to = (char *)to + n;
        offset += n;
        length -= n;
    }
    return 0;
}
