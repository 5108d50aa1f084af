/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See requests.h. A request that has ended twice is counted as such and found by count_ended(). One thread, so no
 * locks.
 */
#include "drivers/disk/requests.h"

#include <limits.h>
#include <string.h>

#include "core/pages.h"
#include "host/host.h"

struct block_device *disk;
struct block_request requests[REQUESTS];
unsigned ended[REQUESTS];
int results[REQUESTS];

unsigned disks_found(void)
{
    unsigned count = 0;
    while (block_device_at(count) != NULL)
        count++;
    return count;
}

bool start_disk(void)
{
    unsigned disks = disks_found();
    memset(ended, 0, sizeof(ended));
    if (!fake_disk.find() || !fake_disk.keeps_rules())
        return false;
    disk = block_device_at(disks);
    return disk != NULL;
}

static void done(struct block_request *request, int error)
{
    ended[request - requests]++;
    results[request - requests] = error;
}

/* Nothing in a request has a value that a driver could rely on, but what the submitter sets. */
static struct block_request *new_request(unsigned number, bool write, uint64_t sector)
{
    struct block_request *request = &requests[number];
    memset(request, 0xa5, sizeof(*request));
    request->write = write;
    request->sector = sector;
    request->flush = false;
    request->segment_count = 0;
    request->done = done;
    return request;
}

void submit_flush(unsigned number)
{
    struct block_request *request = new_request(number, true, 0);
    request->flush = true;
    block_submit(disk, request);
}

void submit_run(unsigned number, bool write, uint64_t sector, uint32_t offset, uint32_t length)
{
    struct block_request *request = new_request(number, write, sector);
    for (uint32_t at = 0; at < length; offset = 0) {
        uint32_t part = (uint32_t)min_of(PAGE_SIZE - offset, (uint64_t)length - at);
        request->segments[request->segment_count++] =
            (struct block_segment){ page_address(page_allocate_zeroed()) + offset, part };
        at += part;
    }
    if (write)
        for (uint32_t i = 0; i < length; i++)
            *byte_of(number, i) = (uint8_t)(number * 3 + i / 512 + i);
    block_submit(disk, request);
}

uint8_t *byte_of(unsigned number, uint32_t at)
{
    const struct block_segment *segment = requests[number].segments;
    while (at >= segment->length)
        at -= (segment++)->length;
    return (uint8_t *)phys_to_virt(segment->address) + at;
}

bool equals(unsigned number, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (*byte_of(number, i) != bytes[i])
            return false;
    return true;
}

bool holds(unsigned number, uint64_t sector, uint32_t length)
{
    return equals(number, fake_disk.data() + sector * SECTOR_SIZE, length);
}

void free_run(unsigned number)
{
    for (unsigned i = 0; i < requests[number].segment_count; i++)
        page_put(page_of(align_down(requests[number].segments[i].address, PAGE_SIZE)));
}

unsigned count_ended(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < REQUESTS; i++) {
        if (ended[i] > 1)
            return UINT_MAX;
        count += ended[i];
    }
    return count;
}

void transfers_what_was_asked_for(void)
{
    static const uint32_t offsets[] = { 0, 512, 3584 };
    static const uint32_t lengths[] = { 512, 1024, 4096, 4608, 8192, 12288, LARGEST - 4096, LARGEST };
    fake_disk.init();
    CHECK(start_disk());
    uint64_t pages = host_pages_in_use();
    for (unsigned i = 0; i < 2 * array_size(offsets) * array_size(lengths); i++) {
        uint32_t offset = offsets[i / 2 % array_size(offsets)], length = lengths[i / 2 / array_size(offsets)];
        if (offset != 0 && length == LARGEST)
            continue; /* would be a segment too many */
        memset(ended, 0, sizeof(ended));
        submit_run(0, i % 2, i * 3, offset, length);
        CHECK_EQUAL(count_ended(), 0);
        CHECK_EQUAL(fake_disk.serve(), 1);
        CHECK(fake_disk.keeps_rules());
        CHECK_EQUAL(ended[0], 1);
        CHECK_EQUAL(results[0], 0);
        CHECK(holds(0, i * 3, length));
        free_run(0);
    }
    CHECK_EQUAL(host_pages_in_use(), pages);
}
