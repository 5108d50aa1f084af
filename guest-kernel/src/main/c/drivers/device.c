/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of devices, and the check in front of every block request.
 *
 * Drivers announce devices while they are started; a device stays in its list, so what block_device_at() and
 * network_device_at() find can be used without a lock. Spinlock "devices" guards the two lists. A block request reaches
 * its driver only if its segments and its range of sectors are valid and the disk may be written.
 *
 * Called by drivers, by files/ and main.c for disks and by net/ for network devices. network_device_interrupt() runs
 * in interrupt context.
 */
#include "drivers/device.h"

#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"

#define REPORTS_MAX 8

static struct spinlock devices_lock = SPINLOCK(LOCK_DEVICES);
static struct list block_devices = LIST_INIT(block_devices);
static struct list network_devices = LIST_INIT(network_devices);
static struct channel_device *channel_device; /* devices_lock */

static void announce(struct list *devices, struct list *link)
{
    spin_lock(&devices_lock);
    list_push_back(devices, link);
    spin_unlock(&devices_lock);
}

static struct list *device_at(struct list *devices, unsigned index)
{
    struct list *found = NULL;
    spin_lock(&devices_lock);
    list_for_each (link, devices) {
        if (index-- == 0) {
            found = link;
            break;
        }
    }
    spin_unlock(&devices_lock);
    return found;
}

void block_device_add(struct block_device *device) { announce(&block_devices, &device->link); }
void network_device_add(struct network_device *device) { announce(&network_devices, &device->link); }

void channel_device_add(struct channel_device *device)
{
    spin_lock(&devices_lock);
    channel_device = channel_device ? channel_device : device;
    spin_unlock(&devices_lock);
}

struct channel_device *channel_device_find(void)
{
    spin_lock(&devices_lock);
    struct channel_device *found = channel_device;
    spin_unlock(&devices_lock);
    return found;
}

struct block_device *block_device_at(unsigned index)
{
    struct list *link = device_at(&block_devices, index);
    return link ? list_entry(link, struct block_device, link) : NULL;
}

void network_device_interrupt(struct network_device *device)
{
    if (device->polled)
        return;
    while (device->crowded || device->receive_round(device)) {
        if (device->receive_more) {
            device->receive_more(device);
            return;
        }
    }
}

bool network_device_round(struct network_device *device, unsigned count, unsigned *turn,
                          unsigned (*serve)(struct network_device *device, unsigned queue, unsigned most, bool *ready))
{
    unsigned received = 0, first = *turn;
    bool ready = false;
    for (unsigned i = 0; i < count && received < NETWORK_ROUND; i++) {
        unsigned queue = (first + i) % count, packets = serve(device, queue, NETWORK_ROUND - received, &ready);
        if (packets > 0)
            *turn = (queue + 1) % count;
        received += packets;
    }
    if (received > 0 && device->receive_done)
        device->receive_done(device);
    if (ready && device->transmit_ready)
        device->transmit_ready(device);
    return received == NETWORK_ROUND;
}

void network_device_received(struct network_device *device, struct packet *packet)
{
    if (!device->receive) {
        device->dropped++;
        packet_free(packet);
        return;
    }
    device->received_packets++;
    device->received_bytes += packet->length;
    device->receive(device, packet);
}

struct network_device *network_device_at(unsigned index)
{
    struct list *link = device_at(&network_devices, index);
    return link ? list_entry(link, struct network_device, link) : NULL;
}

static bool segment_valid(const struct block_segment *segment, uint64_t block_size)
{
    return segment->length > 0 && segment->length % block_size == 0 && segment->address % SECTOR_SIZE == 0 &&
           (segment->address & PAGE_MASK) + segment->length <= PAGE_SIZE;
}

static uint64_t request_bytes(const struct block_request *request)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < request->segment_count; i++)
        bytes += request->segments[i].length;
    return bytes;
}

static void count_request(struct block_device *device, const struct block_request *request)
{
    *(request->write ? &device->writes : &device->reads) += 1;
    *(request->write ? &device->written_bytes : &device->read_bytes) += request_bytes(request);
}

static int request_check(const struct block_device *device, const struct block_request *request)
{
    uint64_t block_size = max_of(device->block_size, (uint32_t)SECTOR_SIZE);
    if (request->segment_count < 1 || request->segment_count > BLOCK_MAX_SEGMENTS)
        return -EINVAL;
    for (unsigned i = 0; i < request->segment_count; i++)
        if (!segment_valid(&request->segments[i], block_size))
            return -EINVAL;
    if (request->sector % (block_size / SECTOR_SIZE) != 0)
        return -EINVAL;
    uint64_t sectors = request_bytes(request) / SECTOR_SIZE;
    if (request->sector > device->sectors || sectors > device->sectors - request->sector)
        return -EINVAL;
    return request->write && device->read_only ? -EROFS : 0;
}

void block_submit(struct block_device *device, struct block_request *request)
{
    int error = request->flush ? 0 : request_check(device, request);
    request->device = device;
    if (error != 0 || (request->flush && !device->flushes)) {
        request->done(request, error);
        return;
    }
    count_request(device, request);
    device->submit(device, request);
}

void block_report(const struct block_request *request, uint64_t sector, const char *status)
{
    struct block_device *device = request->device;
    if (__atomic_load_n(&device->reported, __ATOMIC_RELAXED) >= REPORTS_MAX)
        return;
    unsigned reported = __atomic_add_fetch(&device->reported, 1, __ATOMIC_RELAXED);
    log_error("%s: I/O error: the %s of sector %lu ends with %s%s", device->name,
              request->flush   ? "flush"
              : request->write ? "write"
                               : "read",
              sector, status, reported >= REPORTS_MAX ? "; further errors are not logged" : "");
}

struct page *device_page(void)
{
    struct page *page = page_allocate_at(PAGES_RESERVED);
    if (page)
        memset(page_data(page), 0, PAGE_SIZE);
    return page;
}

bool device_pages(struct page **pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pages[i] = device_page();
        if (pages[i])
            continue;
        while (i-- > 0)
            page_put(pages[i]);
        return false;
    }
    return true;
}
