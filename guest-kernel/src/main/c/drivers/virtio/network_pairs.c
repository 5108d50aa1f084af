/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of queues, one for each CPU (VIRTIO 1.1, 5.1.2 and 5.1.6.5.5). The two queues of a pair have one interrupt,
 * which goes to the pair's CPU. The driver chooses the pair by which a flow is sent, by a keyed hash, so that no peer
 * can direct its connections to one CPU, and the device has the flow's packets come by the same pair.
 *
 * Pairs are made one after the other, and what is missing for one ends it. The control queue, which comes after those
 * of all pairs that the device has, takes one command: how many pairs are used. The driver waits for its answer.
 *
 * network.c calls all of it while the device is started, or under all locks. What virtio_net_pair_for() reads does not
 * change once the device is started.
 */
#include "core/log.h"
#include "core/random.h"
#include "drivers/flow.h"
#include "drivers/virtio/network.h"
#include "lib/errno.h"
#include "platform/platform.h"

#define FEATURE_CONTROL (1UL << 17)
#define FEATURE_PAIRS (1UL << 22)
#define CONFIG_PAIRS 8 /* struct virtio_net_config.max_virtqueue_pairs */
#define PAIRS_LIMIT 0x8000u

#define QUEUE_RECEIVE(pair) (2 * (pair))
#define QUEUE_TRANSMIT(pair) (2 * (pair) + 1)
#define QUEUE_CONTROL(pairs_offered) (2 * (pairs_offered))
#define QUEUE_SIZE 256
#define CONTROL_SIZE 4 /* a command is three descriptors */

#define CLASS_PAIRS 4
#define CODE_PAIRS_SET 0
#define NOT_ANSWERED 0xff

/* One receive buffer of a pair for so much memory: half a percent of it, and a 64 KiB packet in the smallest guest. All
 * pairs together have four times as much at most. */
#define MEMORY_PER_BUFFER (1UL << 20)
#define RECEIVE_BUFFERS_MIN 32
#define PAIRS_WITH_ALL 4u

uint64_t virtio_net_pairs_features(struct virtio_device *device)
{
    const struct virtio_transport *transport = device->transport;
    const uint64_t needed = FEATURE_CONTROL | FEATURE_PAIRS;
    bool useful = platform.cpus > 1 && transport->interrupt_limit && transport->interrupt_limit(device) > 1;
    return useful && (transport->read_features(device) & needed) == needed ? needed : 0;
}

/* As the device says; 1: there is no more than the first pair, and no control queue. */
static unsigned pairs_offered(struct virtio_device *device)
{
    uint16_t pairs;
    if (!(device->features & FEATURE_PAIRS))
        return 1;
    device->transport->read_config(device, CONFIG_PAIRS, &pairs, sizeof(pairs));
    if (pairs >= 1 && pairs <= PAIRS_LIMIT)
        return pairs;
    log_error("virtio device %s reports an invalid number of pairs of queues, %u; using 1. Set it on the host",
              device->place, pairs);
    return 1;
}

static unsigned pairs_wanted(struct virtio_device *device, unsigned offered)
{
    if (offered == 1)
        return 1;
    unsigned interrupts = device->transport->interrupt_limit(device);
    return min_of(min_of(offered, platform.cpus), min_of(interrupts, VIRTIO_PAIRS));
}

static unsigned receive_size(unsigned pairs)
{
    uint64_t buffers = platform.memory_bytes / MEMORY_PER_BUFFER * min_of(pairs, PAIRS_WITH_ALL) / pairs;
    return (unsigned)min_of(max_of(buffers, (uint64_t)RECEIVE_BUFFERS_MIN), (uint64_t)QUEUE_SIZE);
}

static int init_pair(struct virtio_nic *nic, unsigned number, unsigned size, virtqueue_handler *handler)
{
    struct virtio_pair *pair = &nic->pairs[number];
    pair->nic = nic;
    spinlock_init(&pair->lock, LOCK_NIC);
    int error = virtqueue_init(&pair->receive, nic->device, QUEUE_RECEIVE(number), size, handler, pair);
    if (error == 0)
        error = virtqueue_init_beside(&pair->transmit, &pair->receive, QUEUE_TRANSMIT(number), QUEUE_SIZE);
    return error == 0 ? virtio_net_receive_init(pair) : error;
}

int virtio_net_pairs_init(struct virtio_nic *nic, virtqueue_handler *handler)
{
    unsigned offered = pairs_offered(nic->device), wanted = pairs_wanted(nic->device, offered);
    /* Before the pairs: without it there is one of them, since the device has to be asked for more. */
    if (wanted > 1 && virtqueue_init(&nic->control, nic->device, QUEUE_CONTROL(offered), CONTROL_SIZE, NULL, NULL) != 0)
        wanted = 1;
    int error = 0;
    while (error == 0 && nic->pair_count < wanted) {
        error = init_pair(nic, nic->pair_count, receive_size(wanted), handler);
        if (error == 0)
            nic->pair_count++;
    }
    if (nic->pair_count == 0)
        return error;
    if (nic->pair_count > 1)
        nic->device->transport->spread(nic->device, &nic->pairs[0].receive, nic->pair_count);
    random_bytes(&nic->key, sizeof(nic->key));
    nic->pairs_used = 1;
    return 0;
}

/* Reading the status distinguishes a device that has gone from a slow one. */
static int await_answer(struct virtio_nic *nic, nanoseconds time)
{
    nanoseconds limit = clock_monotonic() + time;
    uint32_t written;
    while (!virtqueue_take(&nic->control, &written)) {
        uint8_t status = nic->device->transport->read_status(nic->device);
        if (status == VIRTIO_GONE || (status & VIRTIO_NEEDS_RESET) || nic->control.broken)
            return -EIO;
        if (clock_monotonic() >= limit)
            return -ETIMEDOUT;
        __builtin_ia32_pause();
    }
    return read_once(nic->command.answer) == 0 ? 0 : -EIO;
}

int virtio_net_pairs_use(struct virtio_nic *nic, nanoseconds time)
{
    struct virtio_net_command *command = &nic->command;
    *command = (struct virtio_net_command){ CLASS_PAIRS, CODE_PAIRS_SET, (uint16_t)nic->pair_count, NOT_ANSWERED };
    const struct virtqueue_segment segments[] = {
        { virt_to_phys(&command->class), 2, false },
        { virt_to_phys(&command->pairs), sizeof(command->pairs), false },
        { virt_to_phys(&command->answer), sizeof(command->answer), true },
    };
    if (!virtqueue_add(&nic->control, segments, array_size(segments), command))
        return -EIO;
    virtqueue_flush(&nic->control);
    return await_answer(nic, time);
}

struct virtio_pair *virtio_net_pair_for(struct virtio_nic *nic, const struct packet *packet)
{
    return &nic->pairs[flow_place(&nic->key, packet, nic->pairs_used)];
}

void virtio_net_lock_all(struct virtio_nic *nic)
{
    for (unsigned i = 0; i < nic->pair_count; i++)
        spin_lock(&nic->pairs[i].lock);
}

void virtio_net_unlock_all(struct virtio_nic *nic)
{
    for (unsigned i = nic->pair_count; i-- > 0;)
        spin_unlock(&nic->pairs[i].lock);
}
