/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio 1.x (OASIS VIRTIO 1.1; section numbers refer to it). A device is reached through a transport
 * (pci.c, mmio.c), which finds it and hands it to its driver (block.c, network.c, entropy.c) with
 * virtio_start(). Devices are started before threads run; queues (queue.h) are used in
 * any context. Legacy devices are refused.
 */
#pragma once

#include "lib/types.h"

struct virtio_device;
struct virtqueue;

/* Device types (5). */
#define VIRTIO_NETWORK 1
#define VIRTIO_BLOCK 2
#define VIRTIO_CONSOLE 3
#define VIRTIO_ENTROPY 4

/* Feature bits of every device (6). */
#define VIRTIO_FEATURE_EVENT_INDEX (1UL << 29)
#define VIRTIO_FEATURE_VERSION_1 (1UL << 32)

/* Device status (2.1). */
#define VIRTIO_ACKNOWLEDGE 1
#define VIRTIO_DRIVER 2
#define VIRTIO_DRIVER_OK 4
#define VIRTIO_FEATURES_OK 8
#define VIRTIO_NEEDS_RESET 64
#define VIRTIO_FAILED 128
#define VIRTIO_GONE 0xff /* what is read of a device that has been taken out of the machine */

/* Called in interrupt context when the device used buffers. */
typedef void virtqueue_handler(struct virtqueue *queue);

struct virtio_transport {
    uint64_t (*read_features)(struct virtio_device *device);
    void (*write_features)(struct virtio_device *device, uint64_t features);
    uint8_t (*read_status)(struct virtio_device *device);
    void (*write_status)(struct virtio_device *device, uint8_t status);
    /* Little-endian bytes of the device's configuration space. */
    void (*read_config)(struct virtio_device *device, unsigned offset, void *to, unsigned length);
    /* The most descriptors a queue can have, 0: there is no such queue. */
    unsigned (*queue_limit)(struct virtio_device *device, unsigned index);
    /* Tells the device where the queue's memory is, connects its interrupt and enables it.
     * Fills queue->notify. 0 or a negative errno. */
    int (*queue_enable)(struct virtio_device *device, struct virtqueue *queue);
    /* NULL where all queues share one interrupt. Else how many queues can have one of their own, beside that for
     * changes of the configuration. */
    unsigned (*interrupt_limit)(struct virtio_device *device);
    /* NULL where interrupt_limit is. From now on the interrupts of `count` queues, which were enabled one after the
     * other from `first` on, each with one of its own, go to the CPUs with the ids from 0 on, as far as these run. Once
     * for a device. */
    void (*spread)(struct virtio_device *device, const struct virtqueue *first, unsigned count);
    /* After the queues: connects the interrupt for changes of the configuration and status, where there is one to
     * spare.
     * NULL: it is always connected. */
    void (*connect_configuration)(struct virtio_device *device);
};

struct virtio_device {
    const struct virtio_transport *transport;
    unsigned type;     /* VIRTIO_NETWORK, … */
    uint64_t features; /* as negotiated */
    const char *place; /* for messages: "0000:00:03.0", "d0000000" */
    /* The driver's, set once it is started; interrupt context: the status or the configuration may have changed. */
    void (*changed)(struct virtio_device *device);
    void *driver;      /* its own */
    unsigned restarts; /* since the last virtio_progress() */
    bool lost;         /* it is not used any more */
};

/* Hands the device over to the driver of its type, which announces what it offers. A device that does not come up is
 * reported and left alone. `device` stays valid. */
void virtio_start(struct virtio_device *device);

/* For drivers: resets the device and agrees on features, of which `wanted` are optional;
 * version 1 is required. 0, -EOPNOTSUPP, or -ETIMEDOUT when it is not reset within VIRTIO_RESET_TIME. */
#define VIRTIO_RESET_TIME (5 * NS_PER_SECOND)
must_check int virtio_negotiate(struct virtio_device *device, uint64_t wanted);
/* Queues are enabled: the device may start. */
void virtio_ready(struct virtio_device *device);

/*
 * For drivers, under the lock of the device's queues: does what its status asks for. When that has NEEDS_RESET (2.1.1),
 * restart() takes back what the queues hold, calls virtio_restart(), then virtqueue_restart() and virtio_ready(), and
 * gives it to the device again; 0 or a negative errno. False, said once in the log: the device is lost now, because it
 * is gone, does not restart, or has asked VIRTIO_RESTARTS times with nothing done in between. What it was given has
 * failed. Afterwards true, as for one that works.
 */
#define VIRTIO_RESTARTS 8
must_check bool virtio_check(struct virtio_device *device, int (*restart)(struct virtio_device *device));
/* Something that was given to it is done. */
static inline void virtio_progress(struct virtio_device *device) { device->restarts = 0; }
/* Resets the device and agrees on the same features as before. 0 or a negative errno; waits for VIRTIO_RESTART_TIME at
 * most, since it may run in interrupt context. */
#define VIRTIO_RESTART_TIME (10 * NS_PER_MS)
must_check int virtio_restart(struct virtio_device *device);

/* Starts the device if this PCI function is one; false: it is not. */
struct pci_function;
bool virtio_pci_start(const struct pci_function *function);
/* Finds and starts the devices that are named on the command line as
 * virtio_mmio.device=SIZE@ADDRESS:LINE (Linux admin-guide/kernel-parameters). */
void virtio_mmio_find(const char *command_line);

/* For transports: a device keeps changing its configuration; after this many attempts to read it the last bytes are
 * taken, and this says so. Drivers check what they read in any case. */
#define VIRTIO_CONFIG_ATTEMPTS 100
void virtio_config_unsettled(const struct virtio_device *device);

/* Drivers: 0 or a negative errno. */
must_check int virtio_console_start(struct virtio_device *device);
must_check int virtio_block_start(struct virtio_device *device);
must_check int virtio_network_start(struct virtio_device *device);
must_check int virtio_entropy_start(struct virtio_device *device);
