/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split virtqueues (VIRTIO 1.1, 2.6) with event-index suppression. The driver serialises the calls for
 * one queue with a lock of its own. What the device writes is checked: an index or id that
 * cannot be breaks the queue, which then never returns anything.
 */
#pragma once

#include "drivers/virtio/virtio.h"
#include "lib/types.h"

struct virtqueue_segment {
    phys_t address;
    uint32_t length;
    bool device_writes; /* all such segments after all others */
};

/* What a descriptor stands for on our side; the device cannot change it. */
struct virtqueue_slot {
    void *token;    /* first of a chain: the driver's; NULL: not in use */
    uint16_t next;  /* in the chain, or in the list of free ones */
    uint16_t count; /* first of a chain: its length */
};

struct virtqueue {
    struct virtio_device *device;
    unsigned index; /* of the device's queues */
    uint16_t size;  /* descriptors, a power of two */
    virtqueue_handler *handler;
    void *context; /* the driver's */

    struct virtq_descriptor *descriptors;
    struct virtq_available *available;
    struct virtq_used *used;
    struct virtqueue_slot *slots;
    uint16_t first_free, free_count;
    uint16_t next_available; /* ring position of the next chain to be made available */
    uint16_t notified;       /* next_available at the last virtqueue_flush() */
    uint16_t next_used;      /* ring position of the next used entry to be looked at */
    bool event_index, broken;
    bool connected;     /* transport's: it has an interrupt, ... */
    unsigned interrupt; /* ... this one of the device's */

    volatile void *notify; /* transport's: where to write `notify_value` */
    uint32_t notify_value;
    bool notify_wide; /* 32 bits, else 16 */
};

/* Creates queue `index` with at most `limit` descriptors (rounded down to a power of two).
 * Interrupts are off. `handler` NULL: it never has any. 0, -ENODEV, -ENOMEM or the transport's error. */
must_check int virtqueue_init(struct virtqueue *queue, struct virtio_device *device, unsigned index, unsigned limit,
                              virtqueue_handler *handler, void *context);
/* The same with the interrupt of `other`, a queue of the device with a handler, which handles both. */
must_check int virtqueue_init_beside(struct virtqueue *queue, const struct virtqueue *other, unsigned index,
                                     unsigned limit);
/* After a reset of the device: what chain `slot` (0..size - 1) was added with, which the device does not have any more;
 * NULL: no chain begins there. */
void *virtqueue_forget(struct virtqueue *queue, unsigned slot);
/* After that: as virtqueue_init() left it, not broken, in the same memory. 0, or a negative errno with the queue
 * broken. */
must_check int virtqueue_restart(struct virtqueue *queue);
/* Adds a chain; the device sees it at once but is notified only by virtqueue_flush(). False if there are not enough
 * free descriptors. token is not NULL. */
must_check bool virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned count,
                              void *token);
/* Tells the device about what was added since, if it wants to know. */
void virtqueue_flush(struct virtqueue *queue);
/* The token of a chain the device has used, and the bytes it says it wrote; NULL: no more. */
void *virtqueue_take(struct virtqueue *queue, uint32_t *written);
/* Asks for an interrupt as soon as a further chain is used. True: one already was, take it. */
bool virtqueue_enable_interrupt(struct virtqueue *queue);
void virtqueue_disable_interrupt(struct virtqueue *queue);
