/*
 * A request waits in `waiting` or has a flight; its pages are granted as long as it has one. The backend sees whole
 * pages, so they hold nothing but data of the disk (drivers/device.h).
 */
#include "drivers/xen/blkfront.h"

#include "drivers/device.h"
#include "drivers/xen/frontend.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/ring.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/lock.h"
#include "lib/pages.h"
#include "lib/print.h"
#include "lib/string.h"
#include "platform/xenpv/events.h"

/* xen/io/blkif.h */
#define OPERATION_READ 0
#define OPERATION_WRITE 1
#define RESPONSE_OKAY 0
#define INFO_READ_ONLY 4U

struct ring_segment {
    uint32_t grant;
    uint8_t first_sector, last_sector;   /* of the page, both included */
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

#define SLOTS 32U                    /* what fits a page: (4096 - 64) / sizeof(struct ring_request) */
_Static_assert(sizeof(struct ring_request) == 112, "blkif request layout");
_Static_assert(sizeof(struct ring_response) == 16, "blkif response layout");

/* A request under way; its index is the id on the ring. */
struct flight {
    struct block_request *request;   /* NULL: free */
    grant_reference grants[BLOCK_MAX_SEGMENTS];
};

struct disk {
    struct block_device device;
    struct frontend frontend;
    struct spinlock lock;            /* guards what follows */
    uint32_t port;
    uint16_t handle;
    bool dead;                       /* the backend broke the protocol */
    struct ring ring;
    struct flight flights[SLOTS];
    struct list waiting;             /* block requests that did not get a slot */
};

static struct flight *free_flight(struct disk *disk)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (disk->flights[i].request == NULL)
            return &disk->flights[i];
    return NULL;
}

/* Requests that ended under the lock, to be told when it is released. */
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
    struct flight *flight = free_flight(disk);
    if (flight == NULL || ring_free(&disk->ring) == 0 || !grant_all(disk, flight, request))
        return false;
    flight->request = request;
    struct ring_request wire = {
        .operation = request->write ? OPERATION_WRITE : OPERATION_READ,
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
    bool launched = false;
    while (!list_empty(&disk->waiting)) {
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

static void tell(struct list *requests, int error)
{
    struct list *link;
    while ((link = list_pop_front(requests)) != NULL) {
        struct block_request *request = list_entry(link, struct block_request, link);
        request->done(request, error);
    }
}

/* The backend cannot be trusted with another request. Pages that it does not give back stay out of use (grant.h). */
static void disk_died(struct disk *disk, struct ended *ended, const char *why)
{
    log_error("disk %s: %s; it is not used any more", disk->device.name, why);
    disk->dead = true;
    struct list *link;
    while ((link = list_pop_front(&disk->waiting)) != NULL)
        list_push_back(&ended->badly, link);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct flight *flight = &disk->flights[i];
        if (flight->request == NULL)
            continue;
        (void)revoke(flight, flight->request, flight->request->segment_count);
        list_push_back(&ended->badly, &flight->request->link);
        flight->request = NULL;
    }
}

static bool take_response(struct disk *disk, struct ended *ended)
{
    struct ring_response response;
    ring_take(&disk->ring, &response, sizeof(response));
    if (response.id >= SLOTS || disk->flights[response.id].request == NULL) {
        disk_died(disk, ended, "the backend answered a request that was not made");
        return false;
    }
    struct flight *flight = &disk->flights[response.id];
    struct block_request *request = flight->request;
    flight->request = NULL;
    if (!revoke(flight, request, request->segment_count)) {
        list_push_back(&ended->badly, &request->link);
        disk_died(disk, ended, "the backend keeps pages of a finished request");
        return false;
    }
    if (response.status == RESPONSE_OKAY) {
        list_push_back(&ended->well, &request->link);
        return true;
    }
    log_error("disk %s: %s of sector %lu failed with status %d", disk->device.name,
              request->write ? "write" : "read", (unsigned long)request->sector, response.status);
    list_push_back(&ended->badly, &request->link);
    return true;
}

static void take_responses(struct disk *disk, struct ended *ended)
{
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
    if (!disk->dead)
        take_responses(disk, &ended);
    if (!disk->dead)
        launch_waiting(disk);
    spin_unlock(&disk->lock);
    tell(&ended.well, 0);
    tell(&ended.badly, -EIO);
}

/* ---- Connecting -------------------------------------------------------------------------------- */

static int offer_ring(struct disk *disk)
{
    struct frontend *frontend = &disk->frontend;
    void *page;
    grant_reference reference = frontend_share_page(frontend, &page);
    if (reference == GRANT_NONE)
        return -ENOMEM;
    ring_init(&disk->ring, page, sizeof(struct ring_request));
    int port = frontend_event_channel(frontend, handle_event, disk);
    if (port < 0)
        return port;
    disk->port = (uint32_t)port;
    /* Without the protocol's name backends take a PVH guest for a 32-bit one. */
    const struct frontend_setting settings[] = {
        { "ring-ref", reference, NULL }, { "event-channel", disk->port, NULL }, { "protocol", 0, "x86_64-abi" },
    };
    return frontend_offer(frontend, settings, array_size(settings), STATE_INITIALISED);
}

/* The size and the name are there once the backend is connected. */
static int read_geometry(struct disk *disk, uint64_t number)
{
    struct xenbus_node nodes[] = { { .name = "sectors" }, { .name = "mode" }, { .name = "info" }, { .name = "dev" } };
    int result = xenbus_read_nodes(disk->frontend.backend, nodes, array_size(nodes));
    if (result != 0)
        return result;
    disk->device.sectors = xenbus_number(&nodes[0], 0);
    disk->device.read_only = nodes[1].value[0] == 'r' || (xenbus_number(&nodes[2], 0) & INFO_READ_ONLY);
    if (nodes[3].result > 0)
        string_copy(disk->device.name, nodes[3].value, sizeof(disk->device.name));
    else
        format(disk->device.name, sizeof(disk->device.name), "vbd%lu", (unsigned long)number);
    return disk->device.sectors == 0 ? -ENXIO : 0;
}

static int connect(struct disk *disk, const char *path, uint64_t number)
{
    int result = frontend_open(&disk->frontend, path);
    if (result == 0)
        result = frontend_reset(&disk->frontend);
    if (result == 0)
        result = offer_ring(disk);
    if (result == 0)
        result = frontend_wait(&disk->frontend, 1u << STATE_CONNECTED);
    if (result == 0)
        result = read_geometry(disk, number);
    if (result == 0)
        result = frontend_set_state(&disk->frontend, STATE_CONNECTED);
    return result;
}

int blkfront_start(const char *path, uint64_t number)
{
    struct disk *disk = heap_allocate_zeroed(sizeof(*disk));
    if (disk == NULL)
        return -ENOMEM;
    spinlock_init(&disk->lock, "blkfront");
    list_init(&disk->waiting);
    disk->handle = (uint16_t)number;
    disk->device.submit = blkfront_submit;
    /* On failure the memory stays: the watch and perhaps the backend refer to it. */
    int result = connect(disk, path, number);
    if (result != 0)
        return result;
    block_device_add(&disk->device);
    log_info("disk %s: %lu sectors%s", disk->device.name, (unsigned long)disk->device.sectors,
             disk->device.read_only ? ", read-only" : "");
    return 0;
}
