/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio NIC with several pairs of queues, whose device does what the input says, and also asks for resets, in which
 * it gives whatever answer to the command on its control queue. Each step is one thing that a device or the network
 * stack may do; what the driver reports to the stack is checked as it comes, and after the last step every page and
 * packet is accounted for. One thread, so no locks; entered through fuzz_driver.
 */
#include "core/pages.h"
#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/packets.h"
#include "drivers/virtio/network.h"
#include "host/host.h"
#include "platform/platform.h"
#include "drivers/virtio/fuzz/device.h"

#define MERGEABLE (1UL << 15)
#define PAIRS 2u

static struct fake_device fake;
static struct network_device *device;

static void receive(struct network_device *from, struct packet *packet)
{
    (void)from;
    if (packet->flags & PACKET_CHECKSUM_PARTIAL)
        FUZZ_CHECK(packet->checksum_start + (uint32_t)packet->checksum_offset + 2 <= packet->length);
    fuzz_packet(packet);
}

/* The next buffer with a header of the input's, and its length. */
static void fill_buffer(struct fuzz_input *input, unsigned queue)
{
    struct virtio_net_header header;
    struct fake_chain chain;
    (void)fuzz_bytes(input, &header, sizeof(header));
    if (header.buffers >= 512)
        header.buffers &= 31; /* the rest is all the same */
    /* Not into one that was returned out of turn, and is somebody else's memory by now. */
    if (!fake_take(&fake, queue, &chain) || fake.queues[queue].queue->slots[chain.head].token == NULL)
        return;
    fake_write(&chain, 0, &header, sizeof(header));
    fake_return_quietly(&fake, queue, chain.head, fuzz_16(input));
}

/* Its answer to how many pairs are used may be any, or none. The device that is lost stays so for this input. */
static void ask_for_reset(uint8_t what)
{
    fake.answer = what >> 5;
    fake.silent = what & 16;
    fake_need_reset(&fake);
}

/* It has none after a reset in vain. */
static bool has_queues(void) { return fake.queues[0].queue != NULL && fake.queues[2 * PAIRS].queue != NULL; }

static void act(struct fuzz_input *input)
{
    struct fake_chain chain;
    uint8_t what = fuzz_8(input);
    unsigned pair = what >> 3 & 1;
    if (!has_queues()) {
        fuzz_transmit(device, input);
        return;
    }
    switch (what & 7) {
    case 0:
        fuzz_queue(&fake, what >> 3 & 3, input);
        break;
    case 1:
        if (fuzz_8(input) < 16)
            ask_for_reset(what);
        else
            fuzz_queue(&fake, 2 * PAIRS, input);
        break;
    case 2:
        fuzz_transmit(device, input);
        break;
    case 3:
        if (fake_take(&fake, 2 * pair + 1, &chain))
            fake_return(&fake, 2 * pair + 1, chain.head, 0);
        break;
    case 4:
        host_fail_allocation(what >> 3);
        break;
    case 5:
        fake_interrupt(&fake, what >> 3 & 3);
        break;
    default:
        fill_buffer(input, 2 * pair);
        break;
    }
}

static void start(void)
{
    fake_init_pairs(&fake, MERGEABLE | VIRTIO_FEATURE_EVENT_INDEX, PAIRS);
    platform.cpus = PAIRS;
    FUZZ_CHECK(virtio_network_start(&fake.device) == 0 && fake.pairs == PAIRS);
    device = network_device_at(0);
    device->receive = receive;
}

static void drop_page(void *token) { page_put(token); }
static void drop_packet(void *token) { packet_free(token); }
static void drop_command(void *token) { (void)token; }

/* All queues and what the driver keeps of them as after its start. */
static void reset(void)
{
    struct virtio_nic *nic = container_of(device, struct virtio_nic, network);
    for (unsigned i = 0; i < PAIRS; i++) {
        struct virtio_pair *pair = &nic->pairs[i];
        fuzz_queue_reset(&fake, 2 * i, drop_page);
        fuzz_queue_reset(&fake, 2 * i + 1, drop_packet);
        pair->full = pair->due = false;
        pair->bytes_in_flight = 0;
        FUZZ_CHECK(virtio_net_receive_init(pair) == 0);
        virtqueue_enable_interrupt(&pair->receive);
    }
    fuzz_queue_reset(&fake, 2 * PAIRS, drop_command);
}

/* A device that was lost, or was reset in vain, has forgotten its queues. */
static void recover(void)
{
    struct virtio_nic *nic = container_of(device, struct virtio_nic, network);
    fake.device.lost = false;
    fake.device.restarts = 0;
    fake.answer = 0;
    fake.silent = false;
    for (unsigned i = 0; i < PAIRS; i++) {
        fake.queues[2 * i].queue = &nic->pairs[i].receive;
        fake.queues[2 * i + 1].queue = &nic->pairs[i].transmit;
    }
    fake.queues[2 * PAIRS].queue = &nic->control;
}

static void end(void)
{
    host_fail_allocation(0);
    recover();
    fake_interrupt(&fake, 0);
    reset();
}

const struct fuzz_driver fuzz_driver = { start, NULL, act, end };
