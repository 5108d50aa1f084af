/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A paravirtual disk (blkfront.h): its connection, by the operations of frontend.c, and its requests.
 *
 * A request waits in `waiting` or has a flight; its pages are granted as long as it has one. When the backend goes,
 * all of them wait again for the next. The backend sees whole pages, so they hold nothing but data of the disk
 * (drivers/device.h).
 *
 * drivers/device.c hands over requests, in any context; the backend's event, in interrupt context, completes them.
 * Lock "disk", of each disk, guards its ring, flights and waiting requests; done() is called without it.
 */
#include "drivers/xen/blkfront.h"

#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/numbers.h"
#include "drivers/xen/frontend.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/ring.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/events.h"

/* xen/io/blkif.h */
#define OPERATION_READ 0
#define OPERATION_WRITE 1
#define OPERATION_FLUSH 3 /* BLKIF_OP_FLUSH_DISKCACHE, with feature-flush-cache */
#define RESPONSE_OKAY 0
#define INFO_READ_ONLY 4U
#define NUMBER_EXTENDED (1U << 28)

struct ring_segment {
    uint32_t grant;
    uint8_t first_sector, last_sector; /* of the page, both included */
};

struct ring_request {
    uint8_t operation;
    uint8_t segment_count;
    uint16_t handle;
    uint64_t id;
    uint64_t sector;
    struct ring_segment segments[BLOCK_MAX_SEGMENTS];
};

struct ring_response {
    uint64_t id;
    uint8_t operation;
    int16_t status;
};

#define SLOTS 32U /* what fits a page: (4096 - 64) / sizeof(struct ring_request) */
_Static_assert(sizeof(struct ring_request) == 112, "blkif request layout");
_Static_assert(sizeof(struct ring_response) == 16, "blkif response layout");

/* A request under way; its index is the id on the ring. */
struct flight {
    struct block_request *request; /* NULL: free */
    grant_reference grants[BLOCK_MAX_SEGMENTS];
    bool kept; /* ground_all(): the backend still uses a page */
};

struct disk {
    struct block_device device;
    struct frontend frontend;
    struct spinlock lock; /* guards what follows */
    uint32_t port;
    uint16_t handle;
    bool connected; /* there is a ring to put requests on */
    bool dead;      /* the backend broke the protocol, or was taken away: requests fail */
    struct ring ring;
    struct granted_page ring_page;
    struct flight flights[SLOTS];
    struct list flying;  /* block requests that have a flight, in the order of their submission */
    struct list waiting; /* block requests that did not get a slot */
};

static struct flight *free_flight(struct disk *disk)
{
    must_hold(&disk->lock);
    for (unsigned i = 0; i < SLOTS; i++)
        if (!disk->flights[i].request)
            return &disk->flights[i];
    return NULL;
}

static struct flight *flight_of(struct disk *disk, const struct block_request *request)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (disk->flights[i].request == request)
            return &disk->flights[i];
    panic("a block request is under way without a flight");
}

/* Requests that ended under the lock, to be reported when it is released. */
struct ended {
    struct list well, badly;
};

static struct page *page_of_segment(const struct block_request *request, unsigned segment)
{
    return page_of(align_down(request->segments[segment].address, PAGE_SIZE));
}

/* Takes the pages of the first `count` segments back. False if the backend still uses one. */
static bool revoke(struct flight *flight, const struct block_request *request, unsigned count)
{
    bool all = true;
    for (unsigned i = 0; i < count; i++)
        all &= grant_revoke(flight->grants[i], page_of_segment(request, i));
    return all;
}

static bool grant_all(struct disk *disk, struct flight *flight, const struct block_request *request)
{
    for (unsigned i = 0; i < request->segment_count; i++) {
        flight->grants[i] = grant_page(disk->frontend.backend_domain, page_of_segment(request, i), request->write);
        if (flight->grants[i] != GRANT_NONE)
            continue;
        (void)revoke(flight, request, i);
        return false;
    }
    return true;
}

/* Puts a request on the ring. False: no slot or no grants now. */
static bool launch(struct disk *disk, struct block_request *request)
{
    must_hold(&disk->lock);
    struct flight *flight = free_flight(disk);
    if (!flight || ring_free(&disk->ring) == 0 || !grant_all(disk, flight, request))
        return false;
    flight->request = request;
    list_push_back(&disk->flying, &request->link);
    struct ring_request wire = {
        .operation = request->flush   ? OPERATION_FLUSH
                     : request->write ? OPERATION_WRITE
                                      : OPERATION_READ,
        .segment_count = (uint8_t)request->segment_count,
        .handle = disk->handle,
        .id = (uint64_t)(flight - disk->flights),
        .sector = request->sector,
    };
    for (unsigned i = 0; i < request->segment_count; i++) {
        uint64_t offset = request->segments[i].address & PAGE_MASK;
        wire.segments[i] = (struct ring_segment){
            .grant = flight->grants[i],
            .first_sector = (uint8_t)(offset / SECTOR_SIZE),
            .last_sector = (uint8_t)((offset + request->segments[i].length) / SECTOR_SIZE - 1),
        };
    }
    ring_put(&disk->ring, &wire, sizeof(wire));
    return true;
}

static void launch_waiting(struct disk *disk)
{
    must_hold(&disk->lock);
    bool launched = false;
    while (disk->connected && !list_empty(&disk->waiting)) {
        struct block_request *request = list_entry(disk->waiting.next, struct block_request, link);
        list_remove(&request->link);
        if (!launch(disk, request)) {
            list_push_front(&disk->waiting, &request->link);
            break;
        }
        launched = true;
    }
    if (launched && ring_push(&disk->ring))
        event_notify(disk->port);
}

static void blkfront_submit(struct block_device *device, struct block_request *request)
{
    struct disk *disk = container_of(device, struct disk, device);
    spin_lock(&disk->lock);
    bool dead = disk->dead;
    if (!dead) {
        list_push_back(&disk->waiting, &request->link);
        launch_waiting(disk);
    }
    spin_unlock(&disk->lock);
    if (dead)
        request->done(request, -EIO);
}

static void end_requests(struct list *requests, int error)
{
    struct list *link;
    while ((link = list_pop_front(requests))) {
        struct block_request *request = list_entry(link, struct block_request, link);
        request->done(request, error);
    }
}

/* Takes the flight of a request back. False if the backend still uses a page: then the request is to fail, since what
 * the page holds is not certain. */
static bool ground(struct flight *flight)
{
    struct block_request *request = flight->request;
    flight->request = NULL;
    list_remove(&request->link);
    return revoke(flight, request, request->segment_count);
}

/* Requests under way wait again, in front of those that do, in the order of their submission. */
static void ground_all(struct disk *disk, struct ended *ended)
{
    must_hold(&disk->lock);
    struct list order, *link;
    list_init(&order);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct flight *flight = &disk->flights[i];
        if (flight->request)
            flight->kept = !revoke(flight, flight->request, flight->request->segment_count);
    }
    while ((link = list_pop_front(&disk->flying))) {
        struct flight *flight = flight_of(disk, list_entry(link, struct block_request, link));
        list_push_back(flight->kept ? &ended->badly : &order, link);
        flight->request = NULL;
    }
    while ((link = list_pop_front(&disk->waiting)))
        list_push_back(&order, link);
    while ((link = list_pop_front(&order)))
        list_push_back(&disk->waiting, link);
}

/* The backend cannot be trusted with another request. Pages that it does not give back stay out of use (grant.h). */
static void disk_died(struct disk *disk, struct ended *ended, const char *why)
{
    must_hold(&disk->lock);
    log_error("disk %s: %s; reads and writes fail until its backend is connected again", disk->device.name, why);
    disk->dead = true;
    ground_all(disk, ended);
    struct list *link;
    while ((link = list_pop_front(&disk->waiting)))
        list_push_back(&ended->badly, link);
}

static bool take_response(struct disk *disk, struct ended *ended)
{
    must_hold(&disk->lock);
    struct ring_response response;
    ring_take(&disk->ring, &response, sizeof(response));
    if (response.id >= SLOTS || !disk->flights[response.id].request) {
        disk_died(disk, ended, "the backend answered a request that was not made");
        return false;
    }
    struct flight *flight = &disk->flights[response.id];
    struct block_request *request = flight->request;
    if (!ground(flight)) {
        list_push_back(&ended->badly, &request->link);
        disk_died(disk, ended, "the backend keeps pages of a finished request");
        return false;
    }
    if (response.status == RESPONSE_OKAY) {
        list_push_back(&ended->well, &request->link);
        return true;
    }
    char status[16];
    format(status, sizeof(status), "status %d", response.status);
    block_report(request, request->sector, status);
    list_push_back(&ended->badly, &request->link);
    return true;
}

static void take_responses(struct disk *disk, struct ended *ended)
{
    must_hold(&disk->lock);
    do {
        int pending = ring_pending(&disk->ring);
        if (pending < 0) {
            disk_died(disk, ended, "the backend's ring index is wrong");
            return;
        }
        while (pending-- > 0)
            if (!take_response(disk, ended))
                return;
    } while (ring_wait_for(&disk->ring, 1));
}

static void handle_event(uint32_t port, void *context)
{
    struct disk *disk = context;
    struct ended ended;
    (void)port;
    list_init(&ended.well);
    list_init(&ended.badly);
    spin_lock(&disk->lock);
    if (!disk->dead && disk->connected)
        take_responses(disk, &ended);
    if (!disk->dead)
        launch_waiting(disk);
    spin_unlock(&disk->lock);
    end_requests(&ended.well, 0);
    end_requests(&ended.badly, -EIO);
}

/* ---- Connecting -------------------------------------------------------------------------------- */

static struct disk *disk_of(struct frontend *frontend) { return container_of(frontend, struct disk, frontend); }

static void disconnected(struct frontend *frontend)
{
    struct disk *disk = disk_of(frontend);
    struct ended ended;
    list_init(&ended.well);
    list_init(&ended.badly);
    spin_lock(&disk->lock);
    disk->connected = false;
    if (disk->port != 0)
        event_close(disk->port);
    disk->port = 0;
    ground_all(disk, &ended);
    frontend_unshare_page(&disk->ring_page);
    spin_unlock(&disk->lock);
    end_requests(&ended.badly, -EIO);
}

static int offer(struct frontend *frontend, struct frontend_setting *settings, unsigned *count)
{
    struct disk *disk = disk_of(frontend);
    if (!frontend_share_page(frontend, &disk->ring_page))
        return -ENOMEM;
    ring_init(&disk->ring, page_data(disk->ring_page.page), sizeof(struct ring_request));
    int port = frontend_event_channel(frontend, handle_event, disk);
    if (port < 0)
        return port;
    disk->port = (uint32_t)port;
    settings[0] = (struct frontend_setting){ "ring-ref", disk->ring_page.grant, NULL };
    settings[1] = (struct frontend_setting){ "event-channel", disk->port, NULL };
    /* Without the protocol's name backends take a PVH guest for a 32-bit one. */
    settings[2] = (struct frontend_setting){ "protocol", 0, "x86_64-abi" };
    *count = 3;
    return 0;
}

static const char *const nodes[] = { "sectors", "mode", "info", "dev", "feature-flush-cache", NULL };

/* The size and the name are there once the backend is connected. A disk that shrank is another disk. */
static int read_geometry(struct disk *disk)
{
    const struct xenbus_node *mode = frontend_node(&disk->frontend, 1), *name = frontend_node(&disk->frontend, 3);
    uint64_t sectors = xenbus_number(frontend_node(&disk->frontend, 0), 0);
    if (sectors == 0 || sectors > UINT64_MAX / SECTOR_SIZE || sectors < disk->device.sectors)
        return -ENXIO;
    disk->device.flushes = xenbus_number(frontend_node(&disk->frontend, 4), 0) == 1;
    if (disk->device.sectors != 0)
        return 0;
    disk->device.sectors = sectors;
    disk->device.read_only = mode->value[0] == 'r' ||
                             (xenbus_number(frontend_node(&disk->frontend, 2), 0) & INFO_READ_ONLY);
    if (name->result > 0)
        string_copy(disk->device.name, name->value, sizeof(disk->device.name));
    else
        format(disk->device.name, sizeof(disk->device.name), "vbd%u", (unsigned)disk->handle);
    return 0;
}

static int connected(struct frontend *frontend)
{
    struct disk *disk = disk_of(frontend);
    bool again = disk->device.sectors != 0;
    int result = read_geometry(disk);
    if (result != 0)
        return result;
    spin_lock(&disk->lock);
    disk->connected = true;
    disk->dead = false;
    if (again)
        log_info("disk %s: connected again", disk->device.name);
    launch_waiting(disk);
    spin_unlock(&disk->lock);
    return 0;
}

static void lost(struct frontend *frontend)
{
    struct disk *disk = disk_of(frontend);
    struct ended ended;
    list_init(&ended.well);
    list_init(&ended.badly);
    spin_lock(&disk->lock);
    disk_died(disk, &ended, "its backend is gone");
    spin_unlock(&disk->lock);
    end_requests(&ended.badly, -EIO);
}

static const struct frontend_operations operations = {
    .nodes = nodes,
    .offered = STATE_INITIALISED,
    .offer = offer,
    .connected = connected,
    .disconnected = disconnected,
    .lost = lost,
};

/* A backend's number of a disk (xen-vbd-interface(7)) has a major in its second byte and a minor in its first, or, with
 * bit 28, a minor of Xen's major in all others. As in Linux, the major is Xen's for all of them, and a disk with the
 * number of a partition has no partitions. */
static void set_number(struct block_device *device, uint64_t number)
{
    device->major = MAJOR_XEN_DISK;
    device->minor = number & NUMBER_EXTENDED ? (uint32_t)number & (NUMBER_EXTENDED - 1) : number & 0xff;
    device->minors = device->minor % MINORS_OF_DISK == 0 ? MINORS_OF_DISK : 1;
}

int blkfront_start(const char *path, uint64_t number)
{
    struct disk *disk = heap_allocate_zeroed(sizeof(*disk));
    if (!disk)
        return -ENOMEM;
    spinlock_init(&disk->lock, LOCK_DISK);
    list_init(&disk->waiting);
    list_init(&disk->flying);
    disk->handle = (uint16_t)number;
    disk->device.submit = blkfront_submit;
    set_number(&disk->device, number);
    format(disk->device.name, sizeof(disk->device.name), "vbd%u", (unsigned)disk->handle);
    /* On failure the memory stays: the watch and perhaps the backend refer to it. */
    int result = frontend_connect(&disk->frontend, path, &operations);
    if (result != 0)
        return result;
    block_device_add(&disk->device);
    log_info("disk %s: %lu sectors%s", disk->device.name, (unsigned long)disk->device.sectors,
             disk->device.read_only ? ", read-only" : "");
    return 0;
}
