/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending. The device's header lies in packet.layer, which is the driver's until the packet is freed. Sent packets are
 * freed at the next interrupt or transmit; an interrupt of their own is asked for only when many packets wait, since
 * acknowledgements and answers bring one anyway.
 *
 * The stack calls virtio_net_transmit(), in any context, which takes lock "nic"; network.c calls the rest under it.
 */
#include "core/debug.h"
#include "drivers/virtio/network.h"

#include "lib/string.h"

/* Header, linear part and fragments. */
#define MAX_SEGMENTS (2 + PACKET_MAX_FRAGMENTS)
/* A queue that was full wakes the stack once it has room for a few packets; a shorter one, once it is empty. */
#define READY_ROOM (4 * MAX_SEGMENTS)
#define MANY_BYTES (256U << 10)

static void free_sent(struct virtio_nic *nic)
{
    uint32_t written;
    for (struct packet *packet; (packet = virtqueue_take(&nic->transmit, &written));) {
        nic->bytes_in_flight -= packet->length;
        packet_free(packet);
        virtio_progress(nic->device);
    }
}

void virtio_net_transmit_forget(struct virtio_nic *nic)
{
    must_hold(&nic->lock);
    for (unsigned i = 0; i < nic->transmit.size; i++) {
        struct packet *packet = virtqueue_forget(&nic->transmit, i);
        if (packet)
            packet_free(packet);
    }
    nic->bytes_in_flight = 0;
}

static bool much_waits(const struct virtio_nic *nic)
{
    return nic->full || nic->bytes_in_flight > MANY_BYTES || nic->transmit.free_count < nic->transmit.size / 2;
}

/* From now on the next packet sent raises an interrupt. */
static void ask_for_interrupt(struct virtio_nic *nic)
{
    must_hold(&nic->lock);
    while (virtqueue_enable_interrupt(&nic->transmit))
        free_sent(nic);
}

bool virtio_net_reclaim(struct virtio_nic *nic)
{
    must_hold(&nic->lock);
    free_sent(nic);
    if (much_waits(nic))
        ask_for_interrupt(nic);
    else
        virtqueue_disable_interrupt(&nic->transmit);
    unsigned enough = min_of((unsigned)READY_ROOM, (unsigned)nic->transmit.size);
    if (!nic->full || (nic->transmit.free_count < enough && !nic->transmit.broken))
        return false;
    nic->full = false;
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

static bool enqueue(struct virtio_nic *nic, struct packet *packet)
{
    must_hold(&nic->lock);
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
    return virtqueue_add(&nic->transmit, segments, count, packet);
}

/* Never calls the stack back: it may hold locks of its own. */
bool virtio_net_transmit(struct network_device *network, struct packet *packet)
{
    struct virtio_nic *nic = container_of(network, struct virtio_nic, network);
    spin_lock(&nic->lock);
    free_sent(nic);
    /* If this fills the queue, its being sent must raise the interrupt that ends the stack's waiting; so
     * it is asked for before the device can see the packet. */
    if (nic->transmit.free_count < 2 * MAX_SEGMENTS)
        ask_for_interrupt(nic);
    if (enqueue(nic, packet)) {
        network->sent_packets++;
        network->sent_bytes += packet->length;
        nic->bytes_in_flight += packet->length;
    } else {
        network->dropped++;
        packet_free(packet);
    }
    /* A device that has gone does not say so. */
    if (nic->transmit.free_count < MAX_SEGMENTS)
        virtio_net_check(nic);
    /* What is sent to a broken device is dropped: nothing waits for it. */
    bool room = nic->transmit.broken || nic->transmit.free_count >= MAX_SEGMENTS;
    if (!room)
        nic->full = true;
    spin_unlock(&nic->lock);
    return room;
}

void virtio_net_flush(struct network_device *network)
{
    struct virtio_nic *nic = container_of(network, struct virtio_nic, network);
    spin_lock(&nic->lock);
    virtqueue_flush(&nic->transmit);
    if (much_waits(nic))
        ask_for_interrupt(nic);
    spin_unlock(&nic->lock);
}
