/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio disks (VIRTIO 1.1, 5.2). A block request becomes one virtio request, or several where the device takes fewer
 * segments at a time (Firecracker: one). A device that takes flush requests may keep what was written in a cache until
 * then; of others a completed write is on the disk (5.2.6.2). A device that asks for a reset gets one, and then all
 * requests that were under way again.
 *
 * virtio_start() calls virtio_block_start() at boot; drivers/device.c hands over requests, in any context, and the
 * queue's interrupt completes them. Lock "disk", of each disk, guards its queue, pieces and waiting requests; done()
 * is called without it.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/numbers.h"
#include "drivers/virtio/queue.h"
#include "lib/errno.h"

#define FEATURE_SEGMENTS_MAX (1UL << 2)
#define FEATURE_READ_ONLY (1UL << 5)
#define FEATURE_FLUSH (1UL << 9)

/* struct virtio_blk_config (5.2.4). */
#define CONFIG_CAPACITY 0
#define CONFIG_SEGMENTS_MAX 12

#define QUEUE_SIZE 128
#define MAX_PIECES 32 /* virtio requests under way */

/* struct virtio_blk_req (5.2.6) around the data: the part the device sees, in a page of its own. */
struct piece_frame {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
    uint8_t status; /* the device writes it */
};
#define HEADER_SIZE offsetof(struct piece_frame, status)
#define TYPE_READ 0
#define TYPE_WRITE 1
#define TYPE_FLUSH 4 /* of sector 0, without data */
#define STATUS_OK 0
#define STATUS_NONE 0xff /* before the device writes it */

/* A virtio request: part or all of a block request. Free when request is NULL. */
struct piece {
    uint8_t parent; /* index of the piece that keeps the books of the request */
    /* Of the parent: */
    uint16_t outstanding; /* pieces under way */
    bool all_sent;
    int error;
    struct block_request *request;
};

struct virtio_disk {
    struct block_device block;
    struct virtio_device *device;
    struct spinlock lock; /* guards the rest */
    struct virtqueue queue;
    struct list pending;   /* block requests not yet sent completely */
    unsigned next_segment; /* of the first of them */
    uint64_t next_sector;
    int parent; /* its books, -1: nothing sent yet */
    unsigned segments_max;
    struct piece pieces[MAX_PIECES];
    struct piece_frame *frames; /* one for each piece */
};

static unsigned disks;

static int free_piece(const struct virtio_disk *disk)
{
    for (int i = 0; i < MAX_PIECES; i++) {
        if (!disk->pieces[i].request)
            return i;
    }
    return -1;
}

static uint32_t type_of(const struct block_request *request)
{
    return request->flush ? TYPE_FLUSH : request->write ? TYPE_WRITE : TYPE_READ;
}

/* Sends the next part of a request, or a flush. False if the ring is full. */
static bool send_piece(struct virtio_disk *disk, struct block_request *request)
{
    must_hold(&disk->lock);
    struct virtqueue_segment segments[BLOCK_MAX_SEGMENTS + 2];
    int index = free_piece(disk);
    if (index < 0)
        return false;
    struct piece *piece = &disk->pieces[index];
    struct piece_frame *frame = &disk->frames[index];
    unsigned count = min_of(request->segment_count - disk->next_segment, disk->segments_max);
    uint64_t bytes = 0;

    segments[0] = (struct virtqueue_segment){ virt_to_phys(frame), HEADER_SIZE, false };
    for (unsigned i = 0; i < count; i++) {
        const struct block_segment *from = &request->segments[disk->next_segment + i];
        segments[1 + i] = (struct virtqueue_segment){ from->address, from->length, !request->write };
        bytes += from->length;
    }
    segments[1 + count] = (struct virtqueue_segment){ virt_to_phys(&frame->status), 1, true };
    *frame = (struct piece_frame){ type_of(request), 0, disk->next_sector, STATUS_NONE };
    if (!virtqueue_add(&disk->queue, segments, count + 2, piece))
        return false;

    piece->request = request;
    piece->outstanding = 0;
    piece->error = 0;
    piece->all_sent = false;
    if (disk->parent < 0)
        disk->parent = index;
    piece->parent = (uint8_t)disk->parent;
    disk->pieces[disk->parent].outstanding++;
    disk->next_segment += count;
    disk->next_sector += bytes / SECTOR_SIZE;
    return true;
}

static void send_pending(struct virtio_disk *disk)
{
    must_hold(&disk->lock);
    while (!list_empty(&disk->pending)) {
        struct block_request *request = list_entry(disk->pending.next, struct block_request, link);
        if (disk->parent < 0) {
            disk->next_segment = 0;
            disk->next_sector = request->sector;
        }
        if (!send_piece(disk, request))
            break;
        if (disk->next_segment < request->segment_count)
            continue;
        list_remove(&request->link);
        disk->pieces[disk->parent].all_sent = true;
        disk->parent = -1;
    }
    virtqueue_flush(&disk->queue);
}

/* Moves every request to `requests`, as if none of it had been sent. */
static void take_back(struct virtio_disk *disk, struct list *requests)
{
    must_hold(&disk->lock);
    for (unsigned i = 0; i < MAX_PIECES; i++) {
        struct piece *piece = &disk->pieces[i];
        if (piece->request && piece->parent == i && piece->all_sent)
            list_push_back(requests, &piece->request->link);
        piece->request = NULL;
    }
    for (struct list *node; (node = list_pop_front(&disk->pending));)
        list_push_back(requests, node);
    disk->parent = -1;
}

/* Without a working device nothing would ever complete. */
static void abandon(struct virtio_disk *disk, struct list *failed)
{
    must_hold(&disk->lock);
    take_back(disk, failed);
    disk->device->transport->write_status(disk->device, VIRTIO_FAILED);
}

static void complete_all(struct list *requests, int error)
{
    for (struct list *node; (node = list_pop_front(requests));) {
        struct block_request *request = list_entry(node, struct block_request, link);
        request->done(request, error);
    }
}

static void submit(struct block_device *block, struct block_request *request)
{
    struct virtio_disk *disk = container_of(block, struct virtio_disk, block);
    struct list failed = LIST_INIT(failed);
    spin_lock(&disk->lock);
    list_push_back(&disk->pending, &request->link);
    if (disk->queue.broken)
        abandon(disk, &failed);
    else
        send_pending(disk);
    spin_unlock(&disk->lock);
    complete_all(&failed, -EIO);
}

/* Its size in bytes is a number too, for those who use it. */
static bool read_capacity(struct virtio_device *device, uint64_t *sectors)
{
    device->transport->read_config(device, CONFIG_CAPACITY, sectors, sizeof(*sectors));
    if (*sectors != 0 && *sectors <= UINT64_MAX / SECTOR_SIZE)
        return true;
    log_error("virtio device %s is not usable as a disk: it reports %lu sectors; give the guest another image",
              device->place, *sectors);
    return false;
}

static int restart(struct virtio_device *device)
{
    struct virtio_disk *disk = device->driver;
    uint64_t sectors;
    struct list requests = LIST_INIT(requests);
    take_back(disk, &requests);
    for (struct list *node; (node = list_pop_front(&requests));)
        list_push_back(&disk->pending, node);
    for (unsigned i = 0; i < disk->queue.size; i++)
        (void)virtqueue_forget(&disk->queue, i);
    int error = virtio_restart(device);
    if (error != 0)
        return error;
    if (!read_capacity(device, &sectors) || sectors < disk->block.sectors)
        return -ENXIO;
    error = virtqueue_restart(&disk->queue);
    if (error != 0)
        return error;
    virtqueue_enable_interrupt(&disk->queue);
    virtio_ready(device);
    send_pending(disk);
    return 0;
}

/* Looks whether the device still works, and does what can be done. */
static void check(struct virtio_disk *disk)
{
    struct list failed = LIST_INIT(failed);
    spin_lock(&disk->lock);
    if (!virtio_check(disk->device, restart)) {
        disk->queue.broken = true;
        abandon(disk, &failed);
    }
    spin_unlock(&disk->lock);
    complete_all(&failed, -EIO);
}

static void check_block(struct block_device *block) { check(container_of(block, struct virtio_disk, block)); }

static void changed(struct virtio_device *device) { check(device->driver); }

static void report(const struct block_request *request, uint64_t sector, uint8_t status)
{
    char text[16];
    format(text, sizeof(text), "status %u", status);
    block_report(request, sector, text);
}

/* Takes one used piece; the request if that was its last one, with its error in *error. */
static struct block_request *take_piece(struct virtio_disk *disk, bool *more, int *error)
{
    must_hold(&disk->lock);
    uint32_t written;
    struct piece *piece = virtqueue_take(&disk->queue, &written);
    *more = piece;
    if (!piece)
        return NULL;
    struct piece *parent = &disk->pieces[piece->parent];
    struct block_request *request = piece->request;
    const struct piece_frame *frame = &disk->frames[piece - disk->pieces];
    uint8_t status = read_once(frame->status);
    if (status != STATUS_OK) {
        parent->error = -EIO;
        report(request, read_once(frame->sector), status);
    }
    if (piece != parent)
        piece->request = NULL;
    virtio_progress(disk->device);
    if (--parent->outstanding > 0 || !parent->all_sent)
        return NULL;
    *error = parent->error;
    parent->request = NULL;
    return request;
}

static void handle_used(struct virtqueue *queue)
{
    struct virtio_disk *disk = queue->context;
    struct list failed = LIST_INIT(failed);
    bool more = true;
    spin_lock(&disk->lock);
    while (more || virtqueue_enable_interrupt(queue)) {
        int error = 0;
        struct block_request *request = take_piece(disk, &more, &error);
        if (!request)
            continue;
        spin_unlock(&disk->lock);
        request->done(request, error);
        spin_lock(&disk->lock);
    }
    if (queue->broken)
        abandon(disk, &failed);
    else
        send_pending(disk);
    spin_unlock(&disk->lock);
    complete_all(&failed, -EIO);
}

static uint32_t segments_limit(struct virtio_device *device)
{
    /* A device that names no limit may take but one. */
    uint32_t limit = 1;
    if (device->features & FEATURE_SEGMENTS_MAX)
        device->transport->read_config(device, CONFIG_SEGMENTS_MAX, &limit, sizeof(limit));
    return min_of(max_of(limit, 1u), (uint32_t)BLOCK_MAX_SEGMENTS);
}

/* A disk without its queue. NULL without memory. */
static struct virtio_disk *create(struct virtio_device *device)
{
    struct virtio_disk *disk = heap_allocate_zeroed(sizeof(*disk));
    struct page *frames = disk ? page_allocate_zeroed() : NULL;
    if (!frames) {
        heap_free(disk);
        return NULL;
    }
    disk->frames = page_data(frames);
    spinlock_init(&disk->lock, LOCK_DISK);
    list_init(&disk->pending);
    disk->device = device;
    disk->parent = -1;
    disk->segments_max = segments_limit(device);
    return disk;
}

static void announce(struct virtio_disk *disk)
{
    struct virtio_device *device = disk->device;
    disk->block.read_only = device->features & FEATURE_READ_ONLY;
    disk->block.flushes = device->features & FEATURE_FLUSH;
    disk->block.submit = submit;
    disk->block.check = check_block;
    device->driver = disk;
    device->changed = changed;
    disk->block.major = MAJOR_VIRTIO_DISK;
    disk->block.minor = disks * MINORS_OF_DISK;
    disk->block.minors = MINORS_OF_DISK;
    disk_name(&disk->block, "vd", disks++);
    virtio_ready(device);
    block_device_add(&disk->block);
    log_info("%s: %lu MiB%s", disk->block.name, disk->block.sectors >> 11, disk->block.read_only ? ", read-only" : "");
}

int virtio_block_start(struct virtio_device *device)
{
    int error = virtio_negotiate(device, FEATURE_SEGMENTS_MAX | FEATURE_READ_ONLY | FEATURE_FLUSH);
    if (error != 0)
        return error;
    uint64_t sectors;
    if (!read_capacity(device, &sectors))
        return -ENXIO;
    struct virtio_disk *disk = create(device);
    if (!disk)
        return -ENOMEM;
    disk->block.sectors = sectors;
    error = virtqueue_init(&disk->queue, device, 0, QUEUE_SIZE, handle_used, disk);
    if (error != 0) {
        page_put(page_of(virt_to_phys(disk->frames)));
        heap_free(disk);
        return error;
    }
    virtqueue_enable_interrupt(&disk->queue);
    announce(disk);
    return 0;
}
