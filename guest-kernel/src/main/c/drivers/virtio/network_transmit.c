/*
 * Sending. The device's header lies in packet.layer, which is the driver's until the packet is freed.
 * Sent packets are freed at the next interrupt or transmit; an interrupt of their own is asked
 * for only when much waits, since acknowledgements and answers bring one anyway.
 */
#include "drivers/virtio/network.h"

#include "lib/string.h"

/* Header, linear part and fragments. */
#define MAX_SEGMENTS (2 + PACKET_MAX_FRAGMENTS)
/* Having been full, room for a few packets before the stack is told. */
#define READY_ROOM (4 * MAX_SEGMENTS)
#define MANY_BYTES (256U << 10)

bool virtio_net_reclaim(struct virtio_card *card)
{
    uint32_t written;
    for (struct packet *packet; (packet = virtqueue_take(&card->transmit, &written)) != NULL;) {
        card->bytes_under_way -= packet->length;
        packet_free(packet);
    }
    if (!card->full || card->transmit.free_count < READY_ROOM)
        return false;
    card->full = false;
    return true;
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
        header->segmentation = SEGMENTATION_TCP4;
        header->segment_size = packet->segment_size;
        header->header_length = packet->header_length;
    }
}

static bool enqueue(struct virtio_card *card, struct packet *packet)
{
    struct virtqueue_segment segments[MAX_SEGMENTS];
    unsigned count = 0;
    struct virtio_net_header *header = (struct virtio_net_header *)packet->layer;
    write_header(packet, header);
    segments[count++] = (struct virtqueue_segment){ virt_to_phys(header), sizeof(*header), false };
    if (packet->linear > 0)
        segments[count++] = (struct virtqueue_segment){
            virt_to_phys(packet->head + packet->start), packet->linear, false };
    for (unsigned i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        segments[count++] = (struct virtqueue_segment){
            page_address(fragment->page) + fragment->offset, fragment->length, false };
    }
    return virtqueue_add(&card->transmit, segments, count, packet);
}

bool virtio_net_transmit(struct network_device *network, struct packet *packet)
{
    struct virtio_card *card = container_of(network, struct virtio_card, network);
    spin_lock(&card->lock);
    /* A stack that sends although it was told to wait still waits to be called back. */
    if (virtio_net_reclaim(card))
        card->full = true;
    if (enqueue(card, packet)) {
        network->sent_packets++;
        network->sent_bytes += packet->length;
        card->bytes_under_way += packet->length;
    } else {
        network->dropped++;
        packet_free(packet);
    }
    bool room = card->transmit.free_count >= MAX_SEGMENTS;
    if (!room)
        card->full = true;
    spin_unlock(&card->lock);
    return room;
}

void virtio_net_flush(struct network_device *network)
{
    struct virtio_card *card = container_of(network, struct virtio_card, network);
    bool ready = false;
    spin_lock(&card->lock);
    virtqueue_flush(&card->transmit);
    bool much = card->full || card->bytes_under_way > MANY_BYTES || card->transmit.free_count < card->transmit.size / 2;
    if (!much)
        virtqueue_disable_interrupt(&card->transmit);
    else if (virtqueue_enable_interrupt(&card->transmit))
        ready = virtio_net_reclaim(card);
    spin_unlock(&card->lock);
    if (ready)
        network->transmit_ready(network);
}
