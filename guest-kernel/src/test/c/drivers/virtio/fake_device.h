/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of virtio, for tests: a transport whose registers are this structure, and functions that
 * take chains from a queue and return them, rightly or wrongly.
 */
#pragma once

#include "drivers/virtio/queue.h"
#include "drivers/virtio/virtio.h"

#define FAKE_PAIRS 8
#define FAKE_QUEUES (2 * FAKE_PAIRS + 1)
#define FAKE_SEGMENTS 32
/* A control queue, and several pairs of queues (VIRTIO 1.1, 5.1.3). */
#define FAKE_PAIRS_FEATURES (1UL << 17 | 1UL << 22)

struct fake_queue {
    struct virtqueue *queue;
    uint16_t seen; /* available index up to which chains were taken */
    uint16_t used;
    uint16_t notification; /* the driver writes here */
    unsigned interrupts;
};

struct fake_device {
    struct virtio_device device;
    uint64_t offered, accepted;
    uint8_t status;
    bool gone; /* taken out of the machine: reads give all ones */
    unsigned queue_size;
    unsigned queue_count; /* that there are; FAKE_QUEUES unless a test says otherwise */
    uint8_t config[64];
    /* Of a NIC with several pairs of queues: how many it was last told to use, and how it answers commands on the last
     * of its queues: 0, done; or not at all. */
    unsigned pairs;
    uint8_t answer;
    bool silent;
    /* Interrupts of queues that it has, beside one for the configuration; 0: all queues share one. What the driver has
     * spread over CPUs. */
    unsigned interrupts, spread_first, spread_count;
    struct fake_queue queues[FAKE_QUEUES];
};

struct fake_chain {
    uint16_t head;
    unsigned count;
    struct virtqueue_segment segments[FAKE_SEGMENTS];
};

void fake_init(struct fake_device *fake, unsigned type, uint64_t features, unsigned queue_size);
/* A NIC with so many pairs of queues, of which it says so in its configuration, and an interrupt for each. */
void fake_init_pairs(struct fake_device *fake, uint64_t features, unsigned pairs);
/* Asks for a reset (VIRTIO 1.1, 2.1.1), or just has its status looked at, by the configuration's interrupt. */
void fake_need_reset(struct fake_device *fake);
void fake_changed(struct fake_device *fake);
/* The next chain the driver made available; false if there is none. */
bool fake_take(struct fake_device *fake, unsigned queue, struct fake_chain *chain);
/* True, once, if the driver notified the queue since the last call. */
bool fake_notified(struct fake_device *fake, unsigned queue);
/* Returns a chain and raises the interrupt if the driver asked for it. */
void fake_return(struct fake_device *fake, unsigned queue, uint32_t id, uint32_t written);
/* As fake_return(), but without an interrupt. */
void fake_return_quietly(struct fake_device *fake, unsigned queue, uint32_t id, uint32_t written);
/* Whether what was returned since the used index was `before` raises an interrupt. */
bool fake_interrupt_due(struct fake_device *fake, unsigned queue, uint16_t before);
void fake_interrupt(struct fake_device *fake, unsigned queue);
/* Moves the used index on without having written entries. */
void fake_jump(struct fake_device *fake, unsigned queue, uint16_t by);
/* The chain's segments of one direction as one run of bytes. */
uint32_t fake_read(const struct fake_chain *chain, uint32_t offset, void *to, uint32_t length);
uint32_t fake_write(const struct fake_chain *chain, uint32_t offset, const void *from, uint32_t length);

/* Where the queue's memory is: rings by VIRTIO 1.1, 2.6. */
struct fake_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};
