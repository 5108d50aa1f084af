/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device of fake_device.h: its registers are a structure, and it takes and returns chains only when a test says so,
 * by the addresses in the queue's memory, as a device would. Interrupts are calls of the driver's handlers, in the
 * test. The used index can be made to jump and chains be returned wrongly: what drivers must survive.
 */
#include "drivers/virtio/fake_device.h"

#include <string.h>

#include "core/pages.h"
#include "host/host.h"

static struct fake_device *fake_of(struct virtio_device *device)
{
    return container_of(device, struct fake_device, device);
}

static uint64_t read_features(struct virtio_device *device) { return fake_of(device)->offered; }
static void write_features(struct virtio_device *device, uint64_t features) { fake_of(device)->accepted = features; }
/* The one command there is on the control queue (VIRTIO 1.1, 5.1.6.5.5): as many pairs are used from now on. Anything
 * else is a fault of the driver's. */
static void obey(struct fake_device *fake, const struct fake_chain *chain)
{
    uint8_t command[4] = { 0 };
    uint16_t pairs = 0;
    bool whole = chain->count == 3 && fake_read(chain, 0, command, sizeof(command)) == sizeof(command);
    memcpy(&pairs, command + 2, sizeof(pairs));
    CHECK(whole && command[0] == 4 && command[1] == 0 && pairs >= 1 && pairs <= FAKE_PAIRS);
    CHECK(fake->status & VIRTIO_DRIVER_OK);
    if (fake->answer == 0)
        fake->pairs = pairs;
    fake_write(chain, 0, &fake->answer, 1);
}

static unsigned control_queue(const struct fake_device *fake)
{
    uint16_t pairs;
    memcpy(&pairs, fake->config + 8, sizeof(pairs));
    return 2u * pairs;
}

/* A driver that waits looks at the status: commands are obeyed then, and time passes. */
static void serve_control(struct fake_device *fake)
{
    unsigned control = control_queue(fake);
    struct fake_chain chain;
    host_advance(NS_PER_MS);
    if (fake->silent || control >= FAKE_QUEUES || !fake->queues[control].queue || !fake_notified(fake, control))
        return;
    while (fake_take(fake, control, &chain)) {
        obey(fake, &chain);
        fake_return_quietly(fake, control, chain.head, 1);
    }
}

static uint8_t read_status(struct virtio_device *device)
{
    if (fake_of(device)->accepted & FAKE_PAIRS_FEATURES)
        serve_control(fake_of(device));
    return fake_of(device)->gone ? VIRTIO_GONE : fake_of(device)->status;
}

/* A reset forgets the queues. */
static void write_status(struct virtio_device *device, uint8_t status)
{
    struct fake_device *fake = fake_of(device);
    fake->status = status;
    if (status == 0)
        fake->pairs = 1;
    for (unsigned i = 0; i < FAKE_QUEUES && status == 0; i++)
        fake->queues[i] = (struct fake_queue){ .interrupts = fake->queues[i].interrupts };
}

static void read_config(struct virtio_device *device, unsigned offset, void *to, unsigned length)
{
    memcpy(to, fake_of(device)->config + offset, length);
}

static unsigned queue_limit(struct virtio_device *device, unsigned index)
{
    return index < fake_of(device)->queue_count ? fake_of(device)->queue_size : 0;
}

static int queue_enable(struct virtio_device *device, struct virtqueue *queue)
{
    struct fake_queue *fake = &fake_of(device)->queues[queue->index];
    fake->queue = queue;
    fake->notification = 0xffff;
    queue->notify = &fake->notification;
    queue->notify_value = queue->index;
    return 0;
}

static unsigned interrupt_limit(struct virtio_device *device) { return fake_of(device)->interrupts; }

static void spread(struct virtio_device *device, const struct virtqueue *first, unsigned count)
{
    fake_of(device)->spread_first = first->index;
    fake_of(device)->spread_count = count;
}

static const struct virtio_transport transport = {
    .read_features = read_features,
    .write_features = write_features,
    .read_status = read_status,
    .write_status = write_status,
    .read_config = read_config,
    .queue_limit = queue_limit,
    .queue_enable = queue_enable,
    .interrupt_limit = interrupt_limit,
    .spread = spread,
};

void fake_init(struct fake_device *fake, unsigned type, uint64_t features, unsigned queue_size)
{
    *fake = (struct fake_device){
        .device = { .transport = &transport, .type = type, .place = "fake" },
        .offered = features | VIRTIO_FEATURE_VERSION_1,
        .queue_size = queue_size,
        .queue_count = FAKE_QUEUES,
        .pairs = 1,
    };
}

void fake_init_pairs(struct fake_device *fake, uint64_t features, unsigned pairs)
{
    uint16_t offered = (uint16_t)pairs;
    fake_init(fake, VIRTIO_NETWORK, features | FAKE_PAIRS_FEATURES, 64);
    memcpy(fake->config + 8, &offered, sizeof(offered));
    fake->queue_count = 2 * pairs + 1;
    fake->interrupts = FAKE_PAIRS;
}

void fake_changed(struct fake_device *fake) { fake->device.changed(&fake->device); }

void fake_need_reset(struct fake_device *fake)
{
    fake->status |= VIRTIO_NEEDS_RESET;
    fake_changed(fake);
}

static uint16_t *available(struct fake_queue *fake) { return (uint16_t *)fake->queue->available; }
static uint16_t *used(struct fake_queue *fake) { return (uint16_t *)fake->queue->used; }

bool fake_take(struct fake_device *device, unsigned index, struct fake_chain *chain)
{
    struct fake_queue *fake = &device->queues[index];
    uint16_t size = fake->queue->size;
    struct fake_descriptor *table = (struct fake_descriptor *)fake->queue->descriptors;
    if (fake->seen == available(fake)[1])
        return false;
    chain->head = available(fake)[2 + fake->seen++ % size];
    chain->count = 0;
    for (uint16_t at = chain->head;; at = table[at].next) {
        chain->segments[chain->count++] = (struct virtqueue_segment){ table[at].address, table[at].length,
                                                                      table[at].flags & 2 };
        if (!(table[at].flags & 1) || chain->count == FAKE_SEGMENTS)
            break;
    }
    /* Tell the driver when to notify next: at once for the next chain. */
    if (fake->queue->event_index)
        *(uint16_t *)((uint8_t *)used(fake) + 4 + 8 * size) = fake->seen;
    return true;
}

bool fake_notified(struct fake_device *device, unsigned index)
{
    bool notified = device->queues[index].notification == index;
    device->queues[index].notification = 0xffff;
    return notified;
}

bool fake_interrupt_due(struct fake_device *device, unsigned index, uint16_t before)
{
    struct fake_queue *fake = &device->queues[index];
    if (!fake->queue->event_index)
        return !(available(fake)[0] & 1);
    uint16_t event = available(fake)[2 + fake->queue->size];
    return (uint16_t)(fake->used - event - 1) < (uint16_t)(fake->used - before);
}

void fake_return_quietly(struct fake_device *device, unsigned index, uint32_t id, uint32_t written)
{
    struct fake_queue *fake = &device->queues[index];
    uint32_t *element = (uint32_t *)((uint8_t *)used(fake) + 4 + 8 * (fake->used % fake->queue->size));
    element[0] = id;
    element[1] = written;
    used(fake)[1] = ++fake->used;
}

void fake_interrupt(struct fake_device *device, unsigned index)
{
    device->queues[index].interrupts++;
    if (device->queues[index].queue != NULL && device->queues[index].queue->handler != NULL)
        device->queues[index].queue->handler(device->queues[index].queue);
}

void fake_return(struct fake_device *device, unsigned index, uint32_t id, uint32_t written)
{
    struct fake_queue *fake = &device->queues[index];
    uint16_t before = fake->used;
    fake_return_quietly(device, index, id, written);
    if (fake_interrupt_due(device, index, before))
        fake_interrupt(device, index);
}

void fake_jump(struct fake_device *device, unsigned index, uint16_t by)
{
    struct fake_queue *fake = &device->queues[index];
    fake->used += by;
    used(fake)[1] = fake->used;
}

static uint32_t transfer(const struct fake_chain *chain, uint32_t offset, uint8_t *bytes, uint32_t length, bool write)
{
    uint32_t done = 0;
    for (unsigned i = 0; i < chain->count && done < length; i++) {
        const struct virtqueue_segment *segment = &chain->segments[i];
        if (segment->device_writes != write)
            continue;
        if (offset >= segment->length) {
            offset -= segment->length;
            continue;
        }
        uint32_t count = min_of(segment->length - offset, length - done);
        uint8_t *memory = (uint8_t *)phys_to_virt(segment->address) + offset;
        memcpy(write ? memory : bytes + done, write ? bytes + done : memory, count);
        done += count;
        offset = 0;
    }
    return done;
}

uint32_t fake_read(const struct fake_chain *chain, uint32_t offset, void *to, uint32_t length)
{
    return transfer(chain, offset, to, length, false);
}

uint32_t fake_write(const struct fake_chain *chain, uint32_t offset, const void *from, uint32_t length)
{
    return transfer(chain, offset, (uint8_t *)from, length, true);
}
