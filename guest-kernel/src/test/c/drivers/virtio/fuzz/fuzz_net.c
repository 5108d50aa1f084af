/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio NIC whose device does what the input says. Each step is one thing that a device or the network stack may do;
 * what the driver reports to the stack is checked as it comes, and after the last step every page and packet is
 * accounted for. One thread, so no locks; entered through fuzz_driver.
 */
#include "core/pages.h"
#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/packets.h"
#include "drivers/virtio/network.h"
#include "host/host.h"
#include "drivers/virtio/fuzz/device.h"

#define MERGEABLE (1UL << 15)

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
static void fill_buffer(struct fuzz_input *input)
{
    struct virtio_net_header header;
    struct fake_chain chain;
    (void)fuzz_bytes(input, &header, sizeof(header));
    if (header.buffers >= 512)
        header.buffers &= 31; /* the rest is all the same */
    /* Not into one that was returned out of turn, and is somebody else's memory by now. */
    if (!fake_take(&fake, 0, &chain) || fake.queues[0].queue->slots[chain.head].token == NULL)
        return;
    fake_write(&chain, 0, &header, sizeof(header));
    fake_return_quietly(&fake, 0, chain.head, fuzz_16(input));
}

static void act(struct fuzz_input *input)
{
    struct fake_chain chain;
    uint8_t what = fuzz_8(input);
    switch (what & 7) {
    case 0:
        fuzz_queue(&fake, 0, input);
        break;
    case 1:
        fuzz_queue(&fake, 1, input);
        break;
    case 2:
        fuzz_transmit(device, input);
        break;
    case 3:
        if (fake_take(&fake, 1, &chain))
            fake_return(&fake, 1, chain.head, 0);
        break;
    case 4:
        host_fail_allocation(what >> 3);
        break;
    case 5:
        fake_interrupt(&fake, what >> 3 & 1);
        break;
    default:
        fill_buffer(input);
        break;
    }
}

static void start(void)
{
    fake_init(&fake, VIRTIO_NETWORK, MERGEABLE | VIRTIO_FEATURE_EVENT_INDEX, 256);
    FUZZ_CHECK(virtio_network_start(&fake.device) == 0);
    device = network_device_at(0);
    device->receive = receive;
}

static void drop_page(void *token) { page_put(token); }
static void drop_packet(void *token) { packet_free(token); }

/* Both queues and what the driver keeps of them as after its start. */
static void reset(void)
{
    struct virtio_nic *nic = container_of(device, struct virtio_nic, network);
    fuzz_queue_reset(&fake, 0, drop_page);
    fuzz_queue_reset(&fake, 1, drop_packet);
    nic->full = false;
    nic->bytes_in_flight = 0;
    FUZZ_CHECK(virtio_net_receive_init(nic) == 0);
    virtqueue_enable_interrupt(&nic->receive);
}

static void end(void)
{
    host_fail_allocation(0);
    fake_interrupt(&fake, 0);
    reset();
}

const struct fuzz_driver fuzz_driver = { start, NULL, act, end };
