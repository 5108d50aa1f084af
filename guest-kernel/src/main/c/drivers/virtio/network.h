/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio network devices (VIRTIO 1.1, 5.1): what network.c (start-up and interrupts), network_pairs.c (several queues),
 * network_receive.c and network_transmit.c share. Packets move under the lock of their pair of queues, of class "nic";
 * a restart of the device takes those of all pairs, in order. The stack's callbacks are called without any.
 */
#pragma once

#include "core/lock.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/queue.h"
#include "lib/hash.h"

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

/* Pairs of queues: one for each CPU, as far as the device and the memory go, and so many at most. */
#define VIRTIO_PAIRS 8u

struct virtio_nic;
struct virtio_pair {
    struct virtio_nic *nic;
    struct spinlock lock; /* guards the rest */
    struct virtqueue receive, transmit;
    bool due;                 /* its interrupt came, and has not been asked for again */
    bool full;                /* transmit() said false: the stack waits for notice */
    uint64_t bytes_in_flight; /* given to the transmit queue */
};

/* What a command on the control queue is made of (5.1.6.5): the device reads all but the answer. */
struct virtio_net_command {
    uint8_t class, code;
    uint16_t pairs;
    uint8_t answer; /* 0: done */
};
_Static_assert(offsetof(struct virtio_net_command, answer) == 4, "5.1.6.5.5");

struct virtio_nic {
    struct network_device network;
    struct virtio_device *device;
    unsigned pair_count;      /* that are made and served */
    unsigned pairs_used;      /* that packets are sent by: all, or the first where the device has refused the others */
    unsigned turn;            /* the pair that is looked at first */
    struct hash_key key;      /* by which flows are spread */
    struct virtqueue control; /* with several pairs; used while the device is started, under all locks */
    struct virtio_net_command command; /* the same */
    struct virtio_pair pairs[VIRTIO_PAIRS];
};

/* ---- network_pairs.c ---- */

/* Before features are agreed on: those that several pairs need, if they would be of use; else 0. */
uint64_t virtio_net_pairs_features(struct virtio_device *device);
/* Makes the queues of as many pairs as there is use and memory for, and fills them. 0 or a negative errno with none. */
must_check int virtio_net_pairs_init(struct virtio_nic *nic, virtqueue_handler *handler);
/* Once the device runs, under all locks or while it is started: has it use all pairs. 0, -EIO if it refuses, or
 * -ETIMEDOUT if it does not answer within `time`. */
must_check int virtio_net_pairs_use(struct virtio_nic *nic, nanoseconds time);
/* Through which pair a packet is sent: the same for all packets of a flow, which then come by it, too (5.1.6.5.5). */
struct virtio_pair *virtio_net_pair_for(struct virtio_nic *nic, const struct packet *packet);
void virtio_net_lock_all(struct virtio_nic *nic);
void virtio_net_unlock_all(struct virtio_nic *nic);

/* ---- network_receive.c ---- */

/* Fills the receive queue. 0, or -ENOMEM with not one buffer in it. */
must_check int virtio_net_receive_init(struct virtio_pair *pair);
/* With the lock: the next packet; NULL if it was dropped, and counted. False: there is none. */
must_check bool virtio_net_receive(struct virtio_pair *pair, struct packet **packet);

/* ---- network.c ---- */

/* Without locks: sees whether the device still works, and starts it again or gives it up. */
void virtio_net_check(struct virtio_nic *nic);

/* ---- network_transmit.c ---- */

/* network_device.transmit and .flush. */
bool virtio_net_transmit(struct network_device *network, struct packet *packet);
void virtio_net_flush(struct network_device *network);
/* With the lock, after a reset: drops what was given to the device. */
void virtio_net_transmit_forget(struct virtio_pair *pair);
/* With the lock: frees what was sent, and asks for an interrupt if much is left. True if the stack must be notified
 * that it may go on. */
must_check bool virtio_net_reclaim(struct virtio_pair *pair);
