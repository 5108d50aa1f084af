/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio network devices (VIRTIO 1.1, 5.1): what network.c (start-up and interrupts), network_receive.c
 * and network_transmit.c share. Lock "nic" per NIC; the stack's callbacks are called
 * without it.
 */
#pragma once

#include "core/lock.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/queue.h"

/* In front of every packet (5.1.6); version 1 always has num_buffers. */
struct virtio_net_header {
    uint8_t flags;
    uint8_t segmentation;
    uint16_t header_length;
    uint16_t segment_size;
    uint16_t checksum_start, checksum_offset;
    uint16_t buffers;
};
#define HEADER_NEEDS_CHECKSUM 1
#define HEADER_DATA_VALID 2
#define SEGMENTATION_NONE 0
#define SEGMENTATION_TCP4 1
#define SEGMENTATION_TCP6 4
#define SEGMENTATION_ECN 0x80
_Static_assert(sizeof(struct virtio_net_header) == 12, "5.1.6");
_Static_assert(sizeof(struct virtio_net_header) <= sizeof(((struct packet *)0)->layer), "it is kept there");

struct virtio_nic {
    struct network_device network;
    struct virtio_device *device;
    struct spinlock lock; /* guards the rest */
    struct virtqueue receive, transmit;
    bool full;                /* transmit() said false: the stack waits for notice */
    uint64_t bytes_in_flight; /* given to the transmit queue */
};

/* Fills the receive queue. 0, or -ENOMEM with not one buffer in it. */
must_check int virtio_net_receive_init(struct virtio_nic *nic);
/* With the lock: the next packet; NULL if it was dropped, and counted. False: there is none. */
must_check bool virtio_net_receive(struct virtio_nic *nic, struct packet **packet);

/* With the lock: sees whether the device still works, and starts it again or gives it up. */
void virtio_net_check(struct virtio_nic *nic);

/* network_device.transmit and .flush. */
bool virtio_net_transmit(struct network_device *network, struct packet *packet);
void virtio_net_flush(struct network_device *network);
/* With the lock, after a reset: drops what was given to the device. */
void virtio_net_transmit_forget(struct virtio_nic *nic);
/* With the lock: frees what was sent, and asks for an interrupt if much is left. True if the stack must be notified
 * that it may go on. */
must_check bool virtio_net_reclaim(struct virtio_nic *nic);
