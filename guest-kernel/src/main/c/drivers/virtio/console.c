/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's channel: port 0 of a virtio console (VIRTIO 1.1, 5.3), without its further ports. Queue 0 brings bytes,
 * queue 1 takes them, both by pages that belong to the port for ever.
 *
 * A page is either with the device, or in `received` with bytes that were not taken yet, or in `unused`, or nowhere
 * because the queue is broken. The device may claim to have written what it likes; pages are cleared at the start, and
 * hold nothing but what went through the port. Spinlock "channel" guards the port and its queues; `changed` of the
 * channel is called without it.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/queue.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PAGES_EACH_WAY 8u /* a power of two: as many descriptors */

struct filled {
    struct page *page;
    uint32_t length, taken; /* bytes */
};

struct port {
    struct channel_device channel;
    struct virtio_device *device;
    struct spinlock lock;
    struct virtqueue receive, transmit;
    struct filled received[PAGES_EACH_WAY]; /* a ring in order of arrival */
    unsigned first_received, received_count;
    struct page *unused[PAGES_EACH_WAY]; /* for what is sent */
    unsigned unused_count;
};

static struct port *port_of(struct channel_device *channel) { return container_of(channel, struct port, channel); }

/* Under the lock. There is room in the queue: it has as many descriptors as there are pages. */
static void offer(struct port *port, struct page *page)
{
    must_hold(&port->lock);
    struct virtqueue_segment segment = { page_address(page), PAGE_SIZE, true };
    if (!virtqueue_add(&port->receive, &segment, 1, page))
        page_put(page);
}

/* Under the lock. True if something came. */
static bool take_received(struct port *port)
{
    must_hold(&port->lock);
    bool any = false;
    do {
        uint32_t written;
        struct page *page = virtqueue_take(&port->receive, &written);
        if (!page)
            continue;
        unsigned at = (port->first_received + port->received_count++) % PAGES_EACH_WAY;
        port->received[at] = (struct filled){ page, min_of(written, (uint32_t)PAGE_SIZE), 0 };
        virtio_progress(port->device);
        any = true;
    } while (virtqueue_enable_interrupt(&port->receive));
    return any;
}

/* Under the lock. True if there is room again. */
static bool take_sent(struct port *port)
{
    must_hold(&port->lock);
    bool any = false;
    do {
        uint32_t written;
        struct page *page = virtqueue_take(&port->transmit, &written);
        if (!page)
            continue;
        port->unused[port->unused_count++] = page;
        virtio_progress(port->device);
        any = true;
    } while (virtqueue_enable_interrupt(&port->transmit));
    return any;
}

static void handle_used(struct virtqueue *queue)
{
    struct port *port = queue->context;
    spin_lock(&port->lock);
    bool any = take_received(port);
    any |= take_sent(port);
    spin_unlock(&port->lock);
    if (any && port->channel.changed)
        port->channel.changed(&port->channel);
}

static size_t port_receive(struct channel_device *channel, void *to, size_t room)
{
    struct port *port = port_of(channel);
    size_t done = 0;
    spin_lock(&port->lock);
    while (done < room && port->received_count > 0) {
        struct filled *filled = &port->received[port->first_received];
        size_t length = min_of(room - done, (size_t)(filled->length - filled->taken));
        memcpy((uint8_t *)to + done, (const uint8_t *)page_data(filled->page) + filled->taken, length);
        filled->taken += (uint32_t)length;
        done += length;
        if (filled->taken < filled->length)
            break;
        offer(port, filled->page);
        port->first_received = (port->first_received + 1) % PAGES_EACH_WAY;
        port->received_count--;
    }
    virtqueue_flush(&port->receive);
    spin_unlock(&port->lock);
    return done;
}

/* Under the lock. False: the queue is broken. */
static bool send_page(struct port *port, struct page *page, const void *data, size_t length)
{
    must_hold(&port->lock);
    struct virtqueue_segment segment = { page_address(page), (uint32_t)length, false };
    memcpy(page_data(page), data, length);
    return virtqueue_add(&port->transmit, &segment, 1, page);
}

static size_t port_send(struct channel_device *channel, const void *data, size_t length)
{
    struct port *port = port_of(channel);
    size_t done = 0;
    spin_lock(&port->lock);
    while (done < length && port->unused_count > 0) {
        size_t piece = min_of(length - done, PAGE_SIZE);
        if (!send_page(port, port->unused[port->unused_count - 1], (const uint8_t *)data + done, piece))
            break;
        port->unused_count--;
        done += piece;
    }
    virtqueue_flush(&port->transmit);
    spin_unlock(&port->lock);
    return done;
}

/* Under the lock. Pages for both directions, as many as the queues take. */
static int fill(struct port *port)
{
    must_hold(&port->lock);
    for (unsigned i = 0; i < port->receive.size; i++) {
        struct page *page = device_page();
        if (!page)
            return -ENOMEM;
        offer(port, page);
    }
    while (port->unused_count < port->transmit.size) {
        struct page *page = device_page();
        if (!page)
            return -ENOMEM;
        port->unused[port->unused_count++] = page;
    }
    (void)take_received(port);
    (void)take_sent(port);
    virtqueue_flush(&port->receive);
    return 0;
}

/* What was under way is lost, which the host notices as an answer that does not come. */
static int restart(struct virtio_device *device)
{
    struct port *port = device->driver;
    must_hold(&port->lock);
    int error = virtio_restart(device);
    struct page *offered[PAGES_EACH_WAY];
    unsigned count = 0;
    for (unsigned slot = 0; slot < port->receive.size; slot++) {
        struct page *page = virtqueue_forget(&port->receive, slot);
        if (page)
            offered[count++] = page;
    }
    for (unsigned slot = 0; slot < port->transmit.size; slot++) {
        struct page *page = virtqueue_forget(&port->transmit, slot);
        if (page)
            port->unused[port->unused_count++] = page;
    }
    if (error == 0)
        error = virtqueue_restart(&port->receive);
    if (error == 0)
        error = virtqueue_restart(&port->transmit);
    if (error != 0)
        return error;
    virtio_ready(device);
    while (count > 0)
        offer(port, offered[--count]);
    (void)take_received(port);
    (void)take_sent(port);
    virtqueue_flush(&port->receive);
    return 0;
}

static void changed(struct virtio_device *device)
{
    struct port *port = device->driver;
    spin_lock(&port->lock);
    if (!virtio_check(device, restart))
        port->receive.broken = port->transmit.broken = true;
    spin_unlock(&port->lock);
    if (port->channel.changed)
        port->channel.changed(&port->channel);
}

static int start_port(struct port *port)
{
    int error = virtqueue_init(&port->receive, port->device, 0, PAGES_EACH_WAY, handle_used, port);
    if (error == 0)
        error = virtqueue_init(&port->transmit, port->device, 1, PAGES_EACH_WAY, handle_used, port);
    if (error != 0)
        return error;
    port->device->driver = port;
    port->device->changed = changed;
    virtio_ready(port->device);
    spin_lock(&port->lock);
    error = fill(port);
    spin_unlock(&port->lock);
    return error;
}

int virtio_console_start(struct virtio_device *device)
{
    int error = virtio_negotiate(device, 0);
    if (error != 0)
        return error;
    struct port *port = heap_allocate_zeroed(sizeof(*port));
    if (!port)
        return -ENOMEM;
    *port = (struct port){ .channel = { .send = port_send, .receive = port_receive },
                           .device = device,
                           .lock = SPINLOCK(LOCK_CHANNEL) };
    error = start_port(port);
    if (error == 0)
        channel_device_add(&port->channel);
    return error;
}
