/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block driver against a fake device: what requests become, what a ring without room does, errors and a device that
 * breaks. serve() is the device; it fills what is read with the number of the sector. Called by test_virtio.c; run by
 * make test-virtio.
 */
#include <stdio.h>
#include <string.h>

#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/virtio.h"
#include "host/host.h"
#include "lib/errno.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"

#define SEGMENTS_MAX (1UL << 2)
#define READ_ONLY (1UL << 5)
#define FLUSH (1UL << 9)
#define REQUESTS 60

static struct fake_device fake;
static struct block_device *disk;
static unsigned disks;

static struct block_request requests[REQUESTS];
static int results[REQUESTS];
static unsigned completed;

static void done(struct block_request *request, int error)
{
    results[request - requests] = error;
    completed++;
}

static bool start(uint64_t features, uint32_t segments_max)
{
    completed = 0;
    fake_init(&fake, VIRTIO_BLOCK, features | VIRTIO_FEATURE_EVENT_INDEX, 128);
    uint64_t sectors = 1000000;
    memcpy(fake.config, &sectors, sizeof(sectors));
    memcpy(fake.config + 12, &segments_max, sizeof(segments_max));
    if (virtio_block_start(&fake.device) != 0)
        return false;
    disk = block_device_at(disks++);
    return disk != NULL;
}

static void prepare(unsigned number, unsigned segments, bool write)
{
    struct block_request *request = &requests[number];
    memset(request, 0, sizeof(*request));
    request->write = write;
    request->sector = number * 100;
    request->segment_count = segments;
    request->done = done;
    for (unsigned i = 0; i < segments; i++) {
        request->segments[i].address = page_address(page_allocate());
        request->segments[i].length = PAGE_SIZE;
    }
}

static void free_pages(unsigned number)
{
    for (unsigned i = 0; i < requests[number].segment_count; i++)
        page_put(page_of(requests[number].segments[i].address));
}

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

/* Serves one virtio request: reads give the sector number in each byte. */
static bool serve(uint8_t status, struct header *header, unsigned *segments)
{
    struct fake_chain chain;
    if (!fake_take(&fake, 0, &chain))
        return false;
    fake_read(&chain, 0, header, sizeof(*header));
    *segments = chain.count - 2;
    uint32_t data = 0;
    for (unsigned i = 1; i + 1 < chain.count; i++) {
        if (header->type == 0)
            memset(phys_to_virt(chain.segments[i].address), (int)(header->sector + data / SECTOR_SIZE), PAGE_SIZE);
        data += chain.segments[i].length;
    }
    fake_write(&chain, header->type == 0 ? data : 0, &status, 1);
    fake_return(&fake, 0, chain.head, data + 1);
    return true;
}

static void reads_what_the_device_has(void)
{
    CHECK(start(SEGMENTS_MAX, 126));
    CHECK_EQUAL(disk->sectors, 1000000);
    CHECK(strcmp(disk->name, "vda") == 0 && disk->major == 254 && disk->minor == 0 && disk->minors == 16);
    prepare(1, 11, false);
    block_submit(disk, &requests[1]);
    CHECK(fake_notified(&fake, 0));
    struct header header;
    unsigned segments;
    CHECK(serve(0, &header, &segments));
    CHECK_EQUAL(header.sector, 100);
    CHECK_EQUAL(segments, 11);
    CHECK_EQUAL(completed, 1);
    CHECK_EQUAL(results[1], 0);
    CHECK_EQUAL(*(uint8_t *)phys_to_virt(requests[1].segments[2].address), 116);
    free_pages(1);
}

static void splits_for_small_devices(void)
{
    CHECK(start(0, 0));
    prepare(2, 5, true);
    block_submit(disk, &requests[2]);
    struct header header;
    unsigned segments;
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQUAL(completed, 0);
        CHECK(serve(0, &header, &segments));
        CHECK_EQUAL(segments, 1);
        CHECK_EQUAL(header.type, 1);
        CHECK_EQUAL(header.sector, 200 + 8 * i);
    }
    CHECK_EQUAL(completed, 1);
    CHECK_EQUAL(results[2], 0);
    free_pages(2);
}

static void reports_errors_of_any_part(void)
{
    CHECK(start(0, 0));
    prepare(3, 3, false);
    block_submit(disk, &requests[3]);
    struct header header;
    unsigned segments;
    (void)host_log();
    CHECK(serve(0, &header, &segments) && serve(1, &header, &segments) && serve(0, &header, &segments));
    CHECK_EQUAL(completed, 1);
    CHECK_EQUAL(results[3], -EIO);
    char line[100];
    snprintf(line, sizeof(line), "%s: I/O error: the read of sector 308 ends with status 1\n", disk->name);
    CHECK(strstr(host_log(), line));
    free_pages(3);
}

/* Writes are only asked to stay when they are to: a device that is never asked makes each write stay by itself. */
static void flushes_when_it_is_asked_to(void)
{
    struct header header;
    unsigned segments;
    for (unsigned i = 0; i < 2; i++) {
        CHECK(start(i ? FLUSH | SEGMENTS_MAX : SEGMENTS_MAX, 11));
        CHECK_EQUAL(disk->flushes, i);
        prepare(0, 2, true);
        block_submit(disk, &requests[0]);
        CHECK(serve(0, &header, &segments) && !serve(0, &header, &segments));
        prepare(5, 0, true);
        requests[5].sector = 0;
        requests[5].flush = true;
        block_submit(disk, &requests[5]);
        CHECK_EQUAL(serve(0, &header, &segments), i);
        CHECK_EQUAL(completed, 2);
        CHECK_EQUAL(results[5], 0);
        free_pages(0);
    }
    CHECK(header.type == 4 && header.sector == 0 && segments == 0);
    block_submit(disk, &requests[5]);
    (void)host_log();
    CHECK(serve(1, &header, &segments));
    CHECK_EQUAL(results[5], -EIO);
    CHECK_EQUAL(completed, 3);
    CHECK(strstr(host_log(), "I/O error: the flush of sector 0 ends with status 1\n"));
}

static void queues_more_than_the_ring_takes(void)
{
    uint64_t pages = host_pages_in_use();
    CHECK(start(SEGMENTS_MAX, 4));
    pages = host_pages_in_use();
    for (unsigned i = 0; i < REQUESTS; i++) {
        prepare(i, 11, false);
        block_submit(disk, &requests[i]);
    }
    struct header header;
    unsigned segments;
    while (serve(0, &header, &segments))
        CHECK(segments <= 4);
    CHECK_EQUAL(completed, REQUESTS);
    for (unsigned i = 0; i < REQUESTS; i++) {
        CHECK_EQUAL(results[i], 0);
        CHECK_EQUAL(*(uint8_t *)phys_to_virt(requests[i].segments[10].address), (uint8_t)(i * 100 + 80));
        free_pages(i);
    }
    CHECK_EQUAL(host_pages_in_use(), pages);
}

static void refuses_writes_to_read_only_disks(void)
{
    CHECK(start(READ_ONLY, 0));
    CHECK(disk->read_only);
    prepare(4, 1, true);
    block_submit(disk, &requests[4]);
    CHECK_EQUAL(results[4], -EROFS);
    free_pages(4);
}

static void a_broken_device_fails_everything(void)
{
    CHECK(start(SEGMENTS_MAX, 11));
    for (unsigned i = 0; i < REQUESTS; i++) {
        prepare(i, 11, false);
        block_submit(disk, &requests[i]);
    }
    fake_return_quietly(&fake, 0, 77777, 1);
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(completed, REQUESTS);
    for (unsigned i = 0; i < REQUESTS; i++)
        CHECK_EQUAL(results[i], -EIO);
    CHECK_EQUAL(fake.status, VIRTIO_FAILED);
    completed = 0;
    block_submit(disk, &requests[0]);
    CHECK_EQUAL(completed, 1);
    for (unsigned i = 0; i < REQUESTS; i++)
        free_pages(i);
}

void test_blocks(void)
{
    host_test("block: reads what the device has", reads_what_the_device_has);
    host_test("block: splits for devices that take one segment", splits_for_small_devices);
    host_test("block: an error in any part", reports_errors_of_any_part);
    host_test("block: flushes when it is asked to", flushes_when_it_is_asked_to);
    host_test("block: more requests than the ring takes", queues_more_than_the_ring_takes);
    host_test("block: read-only", refuses_writes_to_read_only_disks);
    host_test("block: a broken device", a_broken_device_fails_everything);
}
