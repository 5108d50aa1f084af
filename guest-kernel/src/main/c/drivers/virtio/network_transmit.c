/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending. The device's header lies in packet.layer, which is the driver's until the packet is freed. Sent packets are
 * freed at the next interrupt or transmit; an interrupt of their own is asked for only when many packets wait, since
 * acknowledgements and answers bring one anyway.
 *
 * The stack calls virtio_net_transmit(), in any context, which takes the lock of the packet's pair of queues; network.c
 * calls the rest under it.
 */
#include "core/debug.h"
#include "drivers/virtio/network.h"

#include "lib/string.h"

/* Header, linear part and fragments. */
#define MAX_SEGMENTS (2 + PACKET_MAX_FRAGMENTS)
/* A queue that was full wakes the stack once it has room for a few packets; a shorter one, once it is empty. */
#define READY_ROOM (4 * MAX_SEGMENTS)
#define MANY_BYTES (256U << 10)

static void free_sent(struct virtio_pair *pair)
{
    uint32_t written;
    for (struct packet *packet; (packet = virtqueue_take(&pair->transmit, &written));) {
        pair->bytes_in_flight -= packet->length;
        packet_free(packet);
        virtio_progress(pair->nic->device);
    }
}

void virtio_net_transmit_forget(struct virtio_pair *pair)
{
    must_hold(&pair->lock);
    for (unsigned i = 0; i < pair->transmit.size; i++) {
        struct packet *packet = virtqueue_forget(&pair->transmit, i);
        if (packet)
            packet_free(packet);
    }
    pair->bytes_in_flight = 0;
}

static bool much_waits(const struct virtio_pair *pair)
{
    return pair->full || pair->bytes_in_flight > MANY_BYTES || pair->transmit.free_count < pair->transmit.size / 2;
}

/* From now on the next packet sent raises an interrupt. */
static void ask_for_interrupt(struct virtio_pair *pair)
{
    must_hold(&pair->lock);
    while (virtqueue_enable_interrupt(&pair->transmit))
        free_sent(pair);
}

bool virtio_net_reclaim(struct virtio_pair *pair)
{
    must_hold(&pair->lock);
    free_sent(pair);
    if (much_waits(pair))
        ask_for_interrupt(pair);
    else
        virtqueue_disable_interrupt(&pair->transmit);
    unsigned enough = min_of((unsigned)READY_ROOM, (unsigned)pair->transmit.size);
    if (!pair->full || (pair->transmit.free_count < enough && !pair->transmit.broken))
        return false;
    pair->full = false;
    return true;
}

/* A packet to be segmented has its Ethernet header in its linear area, as the stack writes it. */
static bool is_ipv6(const struct packet *packet)
{
    const uint8_t *type = packet_data(packet) + 12;
    return type[0] == 0x86 && type[1] == 0xdd;
}

static void write_header(const struct packet *packet, struct virtio_net_header *header)
{
    *header = (struct virtio_net_header){ .segmentation = SEGMENTATION_NONE };
    if (packet->flags & PACKET_CHECKSUM_PARTIAL) {
        header->flags = HEADER_NEEDS_CHECKSUM;
        header->checksum_start = packet->checksum_start;
        header->checksum_offset = packet->checksum_offset;
    }
    if (packet->segment_size != 0) {
        header->segmentation = is_ipv6(packet) ? SEGMENTATION_TCP6 : SEGMENTATION_TCP4;
        header->segment_size = packet->segment_size;
        header->header_length = packet->header_length;
    }
}

static bool enqueue(struct virtio_pair *pair, struct packet *packet)
{
    must_hold(&pair->lock);
    struct virtqueue_segment segments[MAX_SEGMENTS];
    unsigned count = 0;
    struct virtio_net_header *header = (struct virtio_net_header *)packet->layer;
    write_header(packet, header);
    segments[count++] = (struct virtqueue_segment){ virt_to_phys(header), sizeof(*header), false };
    if (packet->linear > 0)
        segments[count++] = (struct virtqueue_segment){ virt_to_phys(packet->head + packet->start), packet->linear,
                                                        false };
    for (unsigned i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        segments[count++] = (struct virtqueue_segment){ page_address(fragment->page) + fragment->offset,
                                                        fragment->length, false };
    }
    return virtqueue_add(&pair->transmit, segments, count, packet);
}

/* With the lock: nothing waits for a broken device, to which all is dropped. */
static bool has_room(const struct virtio_pair *pair)
{
    must_hold(&pair->lock);
    return pair->transmit.broken || pair->transmit.free_count >= MAX_SEGMENTS;
}

static bool send(struct virtio_pair *pair, struct packet *packet)
{
    must_hold(&pair->lock);
    struct network_device *network = &pair->nic->network;
    free_sent(pair);
    /* If this fills the queue, its being sent must raise the interrupt that ends the stack's waiting; so
     * it is asked for before the device can see the packet. */
    if (pair->transmit.free_count < 2 * MAX_SEGMENTS)
        ask_for_interrupt(pair);
    uint32_t length = packet->length;
    if (enqueue(pair, packet)) {
        network->sent_packets++;
        network->sent_bytes += length;
        pair->bytes_in_flight += length;
    } else {
        network->dropped++;
        packet_free(packet);
    }
    return has_room(pair);
}

/* Never calls the stack back: it may hold locks of its own. */
bool virtio_net_transmit(struct network_device *network, struct packet *packet)
{
    struct virtio_nic *nic = container_of(network, struct virtio_nic, network);
    struct virtio_pair *pair = virtio_net_pair_for(nic, packet);
    spin_lock(&pair->lock);
    bool room = send(pair, packet);
    spin_unlock(&pair->lock);
    if (likely(room))
        return true;
    virtio_net_check(nic); /* a device that has gone does not say so */
    spin_lock(&pair->lock);
    room = has_room(pair);
    pair->full = !room;
    spin_unlock(&pair->lock);
    return room;
}

void virtio_net_flush(struct network_device *network)
{
    struct virtio_nic *nic = container_of(network, struct virtio_nic, network);
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct virtio_pair *pair = &nic->pairs[i];
        spin_lock(&pair->lock);
        virtqueue_flush(&pair->transmit);
        if (much_waits(pair))
            ask_for_interrupt(pair);
        spin_unlock(&pair->lock);
    }
}
