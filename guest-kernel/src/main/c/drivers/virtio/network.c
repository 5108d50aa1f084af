/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio network device's start, interrupts and restart; network_receive.c and network_transmit.c move the packets,
 * network_pairs.c makes the queues.
 *
 * Its features never change once they are agreed on, so the stack may rely on them. virtio_start() calls
 * virtio_network_start() at boot; the rest is called by the stack and by the queues' interrupts. The lock of a pair is
 * taken here for what network.h says it guards, and released before a callback of the stack is called; those of all
 * pairs are taken for a restart, which touches every queue.
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

#define ETHERNET_MTU 1500
#define LARGEST_MTU (65535 - 18) /* a whole IP packet's size, less an Ethernet header with a VLAN tag */
#define SMALLEST_MTU 68          /* 5.1.4.1, and of IPv4 */
#define LOCALLY_ADMINISTERED 2

static unsigned nics;

/* The device's other half fills buffers while we empty them, so this ends by counting, and those dropped count too. */
static unsigned receive_some(struct virtio_pair *pair, unsigned most)
{
    must_hold(&pair->lock);
    unsigned received = 0;
    struct packet *packet;
    while (received < most && virtio_net_receive(pair, &packet)) {
        received++;
        if (!packet)
            continue;
        spin_unlock(&pair->lock);
        network_device_received(&pair->nic->network, packet);
        spin_lock(&pair->lock);
    }
    virtqueue_flush(&pair->receive);
    return received;
}

static unsigned serve(struct network_device *network, unsigned number, unsigned most, bool *ready)
{
    struct virtio_pair *pair = &container_of(network, struct virtio_nic, network)->pairs[number];
    unsigned received = 0;
    (void)ready; /* the interrupt handler sees to what was sent */
    if (!pair->due)
        return 0;
    spin_lock(&pair->lock);
    virtqueue_disable_interrupt(&pair->receive);
    do {
        received += receive_some(pair, most - received);
        pair->due = received == most;
    } while (!pair->due && virtqueue_enable_interrupt(&pair->receive));
    spin_unlock(&pair->lock);
    return received;
}

static bool receive_round(struct network_device *network)
{
    struct virtio_nic *nic = container_of(network, struct virtio_nic, network);
    return network_device_round(network, nic->pair_count, &nic->turn, serve);
}

static void handle_interrupt(struct virtqueue *queue)
{
    struct virtio_pair *pair = queue->context;
    struct network_device *network = &pair->nic->network;

    if (!network->running)
        return; /* it did not start, and has perhaps no second queue */
    spin_lock(&pair->lock);
    virtqueue_disable_interrupt(&pair->receive);
    pair->due = true;
    bool ready = virtio_net_reclaim(pair);
    spin_unlock(&pair->lock);
    network_device_interrupt(network);
    if (ready && network->transmit_ready)
        network->transmit_ready(network);
}

/* ---- Restart ---- */

static void forget_buffers(struct virtio_pair *pair)
{
    virtio_net_transmit_forget(pair);
    for (unsigned i = 0; i < pair->receive.size; i++) {
        struct page *page = virtqueue_forget(&pair->receive, i);
        if (page)
            page_put(page);
    }
}

static int restart_pair(struct virtio_pair *pair)
{
    forget_buffers(pair);
    int error = virtqueue_restart(&pair->receive);
    if (error == 0)
        error = virtqueue_restart(&pair->transmit);
    if (error == 0)
        error = virtio_net_receive_init(pair);
    if (error == 0)
        virtqueue_enable_interrupt(&pair->receive);
    return error;
}

static int restart_pairs(struct virtio_nic *nic)
{
    for (unsigned i = 0; i < nic->pair_count; i++) {
        int error = restart_pair(&nic->pairs[i]);
        if (error != 0)
            return error;
    }
    return nic->pair_count > 1 ? virtqueue_restart(&nic->control) : 0;
}

static void start_receiving(struct virtio_nic *nic)
{
    for (unsigned i = 0; i < nic->pair_count; i++)
        virtqueue_flush(&nic->pairs[i].receive);
}

/* What was on its way is lost, as packets may be. Until the reset the device may still write to its buffers. */
static int restart(struct virtio_device *device)
{
    struct virtio_nic *nic = device->driver;
    int error = virtio_restart(device);
    if (error == 0)
        error = restart_pairs(nic);
    if (error != 0)
        return error;
    virtio_ready(device);
    start_receiving(nic);
    return nic->pairs_used > 1 ? virtio_net_pairs_use(nic, VIRTIO_RESTART_TIME) : 0;
}

static void give_up(struct virtio_nic *nic)
{
    for (unsigned i = 0; i < nic->pair_count; i++)
        nic->pairs[i].receive.broken = nic->pairs[i].transmit.broken = true;
}

void virtio_net_check(struct virtio_nic *nic)
{
    virtio_net_lock_all(nic);
    if (!virtio_check(nic->device, restart))
        give_up(nic);
    virtio_net_unlock_all(nic);
}

static void changed(struct virtio_device *device)
{
    struct virtio_nic *nic = device->driver;
    bool ready = false;
    virtio_net_check(nic);
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct virtio_pair *pair = &nic->pairs[i];
        spin_lock(&pair->lock);
        ready |= virtio_net_reclaim(pair);
        spin_unlock(&pair->lock);
    }
    if (ready && nic->network.transmit_ready)
        nic->network.transmit_ready(&nic->network);
}

/* ---- Start ---- */

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
    return virtio_negotiate(device, wanted | virtio_net_pairs_features(device));
}

/* Without an answer, or when it refuses, the first pair does all: a device that uses the others is served all the
 * same. */
static void use_pairs(struct virtio_nic *nic)
{
    if (nic->pair_count == 1)
        return;
    int error = virtio_net_pairs_use(nic, VIRTIO_RESET_TIME);
    if (error == 0) {
        nic->pairs_used = nic->pair_count;
        log_info("%s: pairs of queues: %u", nic->network.name, nic->pair_count);
        return;
    }
    log_error("%s: the device does not use more than one pair of queues (%s); see the host's log", nic->network.name,
              errno_name(error));
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
    nic->device = device;
    device->driver = nic;
    error = virtio_net_pairs_init(nic, handle_interrupt);
    if (error != 0)
        return error;
    describe(nic);
    for (unsigned i = 0; i < nic->pair_count; i++)
        virtqueue_enable_interrupt(&nic->pairs[i].receive);
    network_device_add(&nic->network);
    device->changed = changed;
    virtio_ready(device);
    start_receiving(nic);
    const uint8_t *mac = nic->network.mac;
    log_info("%s: %02x:%02x:%02x:%02x:%02x:%02x", nic->network.name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    use_pairs(nic);
    return 0;
}
