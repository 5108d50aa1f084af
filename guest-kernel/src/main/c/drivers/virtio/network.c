/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio network device's start, interrupts and restart; network_receive.c and network_transmit.c move the packets.
 *
 * Its features never change once they are agreed on, so the stack may rely on them. virtio_start() calls
 * virtio_network_start() at boot; the rest is called by the stack and by the queues' interrupts. Lock "nic" is taken
 * here for what network.h says it guards, and released before a callback of the stack is called.
 */
#include "drivers/virtio/network.h"

#include "core/debug.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "platform/platform.h"

#define FEATURE_CHECKSUM (1UL << 0)
#define FEATURE_GUEST_CHECKSUM (1UL << 1)
#define FEATURE_MTU (1UL << 3)
#define FEATURE_MAC (1UL << 5)
#define FEATURE_GUEST_TSO4 (1UL << 7)
#define FEATURE_HOST_TSO4 (1UL << 11)
#define FEATURE_HOST_TSO6 (1UL << 12)
#define FEATURE_MERGEABLE_BUFFERS (1UL << 15)

/* struct virtio_net_config (5.1.4). */
#define CONFIG_MAC 0
#define CONFIG_MTU 10

#define QUEUE_RECEIVE 0
#define QUEUE_TRANSMIT 1
#define QUEUE_SIZE 256
/* One receive buffer for so much memory: half a percent of it, and a 64 KiB packet in the smallest guest. */
#define MEMORY_PER_BUFFER (1UL << 20)
#define RECEIVE_BUFFERS_MIN 32

#define ETHERNET_MTU 1500
#define LARGEST_MTU (65535 - 18) /* a whole IP packet's size, less an Ethernet header with a VLAN tag */
#define SMALLEST_MTU 68          /* 5.1.4.1, and of IPv4 */
#define LOCALLY_ADMINISTERED 2

static unsigned nics;

/* The device's other half fills buffers while we empty them, so this ends by counting, and those dropped count too. */
static bool receive_round(struct network_device *network)
{
    struct virtio_nic *nic = container_of(network, struct virtio_nic, network);
    struct packet *packet;
    unsigned received = 0;
    spin_lock(&nic->lock);
    virtqueue_disable_interrupt(&nic->receive);
    bool more;
    do {
        while (received < NETWORK_ROUND && virtio_net_receive(nic, &packet)) {
            received++;
            if (!packet)
                continue;
            spin_unlock(&nic->lock);
            network_device_received(network, packet);
            spin_lock(&nic->lock);
        }
        virtqueue_flush(&nic->receive);
        more = received == NETWORK_ROUND;
    } while (!more && virtqueue_enable_interrupt(&nic->receive));
    spin_unlock(&nic->lock);
    if (received > 0 && network->receive_done)
        network->receive_done(network);
    return more;
}

static void handle_interrupt(struct virtqueue *queue)
{
    struct virtio_nic *nic = queue->context;
    struct network_device *network = &nic->network;

    if (!network->running)
        return; /* it did not start, and has perhaps no second queue */
    spin_lock(&nic->lock);
    virtqueue_disable_interrupt(&nic->receive);
    bool ready = virtio_net_reclaim(nic);
    spin_unlock(&nic->lock);
    network_device_interrupt(network);
    if (ready && network->transmit_ready)
        network->transmit_ready(network);
}

static void forget_buffers(struct virtio_nic *nic)
{
    virtio_net_transmit_forget(nic);
    for (unsigned i = 0; i < nic->receive.size; i++) {
        struct page *page = virtqueue_forget(&nic->receive, i);
        if (page)
            page_put(page);
    }
}

/* What was on its way is lost, as packets may be. Until the reset the device may still write to its buffers. */
static int restart(struct virtio_device *device)
{
    struct virtio_nic *nic = device->driver;
    int error = virtio_restart(device);
    if (error != 0)
        return error;
    forget_buffers(nic);
    error = virtqueue_restart(&nic->receive);
    if (error == 0)
        error = virtqueue_restart(&nic->transmit);
    if (error == 0)
        error = virtio_net_receive_init(nic);
    if (error != 0)
        return error;
    virtqueue_enable_interrupt(&nic->receive);
    virtio_ready(device);
    virtqueue_flush(&nic->receive);
    return 0;
}

void virtio_net_check(struct virtio_nic *nic)
{
    must_hold(&nic->lock);
    if (!virtio_check(nic->device, restart))
        nic->receive.broken = nic->transmit.broken = true;
}

static void changed(struct virtio_device *device)
{
    struct virtio_nic *nic = device->driver;
    spin_lock(&nic->lock);
    virtio_net_check(nic);
    bool ready = virtio_net_reclaim(nic);
    spin_unlock(&nic->lock);
    if (ready && nic->network.transmit_ready)
        nic->network.transmit_ready(&nic->network);
}

static void read_address(struct virtio_nic *nic)
{
    if (nic->device->features & FEATURE_MAC) {
        nic->device->transport->read_config(nic->device, CONFIG_MAC, nic->network.mac, sizeof(nic->network.mac));
        return;
    }
    random_bytes(nic->network.mac, sizeof(nic->network.mac));
    nic->network.mac[0] = (uint8_t)((nic->network.mac[0] & ~1) | LOCALLY_ADMINISTERED);
}

/* Larger packets need buffers that can be joined; a device that names its MTU takes no larger (5.1.4.1). */
static void read_mtu(struct virtio_nic *nic)
{
    struct network_device *network = &nic->network;
    network->mtu = ETHERNET_MTU;
    network->max_mtu = nic->device->features & FEATURE_MERGEABLE_BUFFERS ? LARGEST_MTU : ETHERNET_MTU;
    if (!(nic->device->features & FEATURE_MTU))
        return;
    uint16_t mtu;
    nic->device->transport->read_config(nic->device, CONFIG_MTU, &mtu, sizeof(mtu));
    if (mtu < SMALLEST_MTU) {
        log_error("virtio device %s reports an invalid MTU of %u; using %u. Set it on the host", nic->device->place,
                  mtu, ETHERNET_MTU);
        return;
    }
    network->mtu = network->max_mtu = min_of(mtu, network->max_mtu);
}

static void describe(struct virtio_nic *nic)
{
    struct network_device *network = &nic->network;
    uint64_t features = nic->device->features;
    read_address(nic);
    read_mtu(nic);
    network->checksum_offload = features & FEATURE_CHECKSUM;
    network->segmentation_offload = (features & FEATURE_HOST_TSO4) && network->checksum_offload;
    network->checksum_offload_ipv6 = network->checksum_offload;
    network->segmentation_offload_ipv6 = (features & FEATURE_HOST_TSO6) && network->checksum_offload;
    network->running = true;
    network->transmit = virtio_net_transmit;
    network->flush = virtio_net_flush;
    network->receive_round = receive_round;
    format(network->name, sizeof(network->name), "eth%u", nics++);
}

static int negotiate(struct virtio_device *device)
{
    uint64_t wanted = FEATURE_CHECKSUM | FEATURE_GUEST_CHECKSUM | FEATURE_MTU | FEATURE_MAC | FEATURE_HOST_TSO4 |
                      FEATURE_HOST_TSO6 | FEATURE_GUEST_TSO4 | FEATURE_MERGEABLE_BUFFERS;
    /* Large packets need buffers that can be joined (5.1.6.3.1). */
    if (!(device->transport->read_features(device) & FEATURE_MERGEABLE_BUFFERS))
        wanted &= ~FEATURE_GUEST_TSO4;
    return virtio_negotiate(device, wanted);
}

static int init_queues(struct virtio_nic *nic)
{
    uint64_t buffers = max_of(platform.memory_bytes / MEMORY_PER_BUFFER, (uint64_t)RECEIVE_BUFFERS_MIN);
    unsigned size = (unsigned)min_of(buffers, (uint64_t)QUEUE_SIZE);
    int error = virtqueue_init(&nic->receive, nic->device, QUEUE_RECEIVE, size, handle_interrupt, nic);
    if (error == 0)
        error = virtqueue_init(&nic->transmit, nic->device, QUEUE_TRANSMIT, QUEUE_SIZE, handle_interrupt, nic);
    if (error == 0)
        error = virtio_net_receive_init(nic);
    return error;
}

int virtio_network_start(struct virtio_device *device)
{
    int error = negotiate(device);
    if (error != 0)
        return error;
    /* Never freed once a queue knows it. */
    struct virtio_nic *nic = heap_allocate_zeroed(sizeof(*nic));
    if (!nic)
        return -ENOMEM;
    spinlock_init(&nic->lock, LOCK_NIC);
    nic->device = device;
    device->driver = nic;
    error = init_queues(nic);
    if (error != 0)
        return error;
    describe(nic);
    virtqueue_enable_interrupt(&nic->receive);
    network_device_add(&nic->network);
    device->changed = changed;
    virtio_ready(device);
    virtqueue_flush(&nic->receive);
    const uint8_t *mac = nic->network.mac;
    log_info("%s: %02x:%02x:%02x:%02x:%02x:%02x", nic->network.name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return 0;
}
