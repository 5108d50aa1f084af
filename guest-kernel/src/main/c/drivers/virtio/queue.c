/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split virtqueues: rings of descriptors in memory that the device writes to as well.
 *
 * The device is not trusted: an index or id that it writes is read once and compared with `slots`, which it cannot see;
 * one that cannot be breaks the queue. Each descriptor is in one chain or in the list of free ones. No lock: the driver
 * serialises the calls for one queue. Barriers order accesses with respect to the device only.
 */
#include "drivers/virtio/queue.h"

#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"

/* 2.6.5, 2.6.6, 2.6.8. All fields little-endian. */
struct virtq_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2

struct virtq_available {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[]; /* size entries, then used_event */
};
#define AVAILABLE_NO_INTERRUPT 1

struct virtq_used_element {
    uint32_t id;
    uint32_t length;
};
struct virtq_used {
    uint16_t flags;
    uint16_t index;
    struct virtq_used_element ring[]; /* size entries, then avail_event */
};
#define USED_NO_NOTIFY 1

/* The descriptors then fill a page, and both rings fit another. */
#define MAX_SIZE 256
#define USED_RING_OFFSET 1024

static uint16_t *used_event(struct virtqueue *queue) { return &queue->available->ring[queue->size]; }

static uint16_t *available_event(struct virtqueue *queue) { return (uint16_t *)&queue->used->ring[queue->size]; }

/* Later loads may not overtake earlier stores: the one reordering x86 does. Not a locked instruction, which QEMU before
 * and after 8.1 translates into an ordinary one when it emulates a machine of one CPU (lab/README.md). */
static void full_barrier(void) { __asm__ volatile("mfence" : : : "memory"); }

static void *zeroed_page(void)
{
    struct page *page = page_allocate_zeroed();
    return page ? page_data(page) : NULL;
}

static void release(struct virtqueue *queue)
{
    if (queue->descriptors)
        page_put(page_of(virt_to_phys(queue->descriptors)));
    if (queue->available)
        page_put(page_of(virt_to_phys(queue->available)));
    heap_free(queue->slots);
}

static void free_all_slots(struct virtqueue *queue)
{
    for (uint16_t i = 0; i < queue->size; i++)
        queue->slots[i] = (struct virtqueue_slot){ .next = i + 1 };
    queue->first_free = 0;
    queue->free_count = queue->size;
}

static uint16_t size_within(unsigned limit)
{
    uint16_t size = 1;
    while (size * 2u <= limit && size < MAX_SIZE)
        size *= 2;
    return size;
}

/* What `queue` says of its device, interrupt and handler stays. */
static int create(struct virtqueue *queue, unsigned limit)
{
    const struct virtio_transport *transport = queue->device->transport;
    unsigned offered = transport->queue_limit(queue->device, queue->index);
    if (offered == 0)
        return -ENODEV;
    queue->size = size_within(min_of(offered, limit));
    queue->event_index = queue->device->features & VIRTIO_FEATURE_EVENT_INDEX;
    queue->descriptors = zeroed_page();
    queue->available = zeroed_page();
    queue->used = (void *)((uint8_t *)queue->available + USED_RING_OFFSET);
    queue->slots = heap_allocate_zeroed(queue->size * sizeof(*queue->slots));
    if (!queue->descriptors || !queue->available || !queue->slots) {
        release(queue);
        return -ENOMEM;
    }
    free_all_slots(queue);
    virtqueue_disable_interrupt(queue);
    int error = transport->queue_enable(queue->device, queue);
    if (error != 0)
        release(queue);
    return error;
}

int virtqueue_init(struct virtqueue *queue, struct virtio_device *device, unsigned index, unsigned limit,
                   virtqueue_handler *handler, void *context)
{
    *queue = (struct virtqueue){ .device = device, .index = index, .handler = handler, .context = context };
    return create(queue, limit);
}

int virtqueue_init_beside(struct virtqueue *queue, const struct virtqueue *other, unsigned index, unsigned limit)
{
    *queue = (struct virtqueue){
        .device = other->device,
        .index = index,
        .handler = other->handler,
        .context = other->context,
        .connected = other->connected,
        .interrupt = other->interrupt,
    };
    return create(queue, limit);
}

void *virtqueue_forget(struct virtqueue *queue, unsigned slot)
{
    void *token = queue->slots[slot].token;
    queue->slots[slot].token = NULL;
    return token;
}

int virtqueue_restart(struct virtqueue *queue)
{
    const struct virtio_transport *transport = queue->device->transport;
    memset(queue->descriptors, 0, PAGE_SIZE);
    memset(queue->available, 0, PAGE_SIZE);
    free_all_slots(queue);
    queue->next_available = queue->notified = queue->next_used = 0;
    virtqueue_disable_interrupt(queue);
    bool fits = transport->queue_limit(queue->device, queue->index) >= queue->size;
    int error = fits ? transport->queue_enable(queue->device, queue) : -EIO;
    queue->broken = error != 0;
    return error;
}

bool virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned count, void *token)
{
    if (queue->broken || count > queue->free_count)
        return false;
    uint16_t head = queue->first_free;
    uint16_t at = head;
    for (unsigned i = 0; i < count; i++) {
        uint16_t next = queue->slots[at].next;
        queue->descriptors[at] = (struct virtq_descriptor){
            .address = segments[i].address,
            .length = segments[i].length,
            .flags = (segments[i].device_writes ? DESCRIPTOR_WRITE : 0) | (i + 1 < count ? DESCRIPTOR_NEXT : 0),
            .next = i + 1 < count ? next : 0,
        };
        at = next;
    }
    queue->first_free = at;
    queue->free_count -= (uint16_t)count;
    queue->slots[head].token = token;
    queue->slots[head].count = (uint16_t)count;

    write_once(queue->available->ring[queue->next_available % queue->size], head);
    queue->next_available++;
    __atomic_store_n(&queue->available->index, queue->next_available, __ATOMIC_RELEASE);
    return true;
}

static bool device_wants_to_know(struct virtqueue *queue)
{
    if (!queue->event_index)
        return !(read_once(queue->used->flags) & USED_NO_NOTIFY);
    /* 2.6.7.2: did next_available pass the event since the last notification? */
    uint16_t event = read_once(*available_event(queue));
    return (uint16_t)(queue->next_available - event - 1) < (uint16_t)(queue->next_available - queue->notified);
}

void virtqueue_flush(struct virtqueue *queue)
{
    if (queue->notified == queue->next_available || queue->broken)
        return;
    full_barrier();
    bool wanted = device_wants_to_know(queue);
    queue->notified = queue->next_available;
    if (!wanted)
        return;
    if (queue->notify_wide)
        *(volatile uint32_t *)queue->notify = queue->notify_value;
    else
        *(volatile uint16_t *)queue->notify = (uint16_t)queue->notify_value;
}

static void *give_up(struct virtqueue *queue, const char *why)
{
    log_error("virtio device %s queue %u: the device is broken: %s", queue->device->place, queue->index, why);
    queue->broken = true;
    return NULL;
}

/* By how much the device's index runs ahead of ours: what it has used. */
static uint16_t used_count(const struct virtqueue *queue)
{
    return (uint16_t)(__atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) - queue->next_used);
}

static void free_chain(struct virtqueue *queue, uint16_t head)
{
    uint16_t last = head;
    for (uint16_t i = 1; i < queue->slots[head].count; i++)
        last = queue->slots[last].next;
    queue->slots[last].next = queue->first_free;
    queue->first_free = head;
    queue->free_count += queue->slots[head].count;
    queue->slots[head].token = NULL;
}

void *virtqueue_take(struct virtqueue *queue, uint32_t *written)
{
    uint16_t count = queue->broken ? 0 : used_count(queue);
    if (count == 0)
        return NULL;
    if (count > queue->size - queue->free_count)
        return give_up(queue, "it returned more buffers than it was given");
    struct virtq_used_element *element = &queue->used->ring[queue->next_used % queue->size];
    uint32_t id = read_once(element->id);
    *written = read_once(element->length);
    if (id >= queue->size || !queue->slots[id].token)
        return give_up(queue, "it returned a buffer it was not given");
    void *token = queue->slots[id].token;
    free_chain(queue, (uint16_t)id);
    queue->next_used++;
    return token;
}

bool virtqueue_enable_interrupt(struct virtqueue *queue)
{
    if (queue->event_index)
        write_once(*used_event(queue), queue->next_used);
    else
        write_once(queue->available->flags, 0);
    full_barrier();
    return !queue->broken && used_count(queue) != 0;
}

void virtqueue_disable_interrupt(struct virtqueue *queue)
{
    /* With the event index: an event that has just passed comes again after 65535 buffers. */
    if (queue->event_index)
        write_once(*used_event(queue), queue->next_used - 1);
    else
        write_once(queue->available->flags, AVAILABLE_NO_INTERRUPT);
}
