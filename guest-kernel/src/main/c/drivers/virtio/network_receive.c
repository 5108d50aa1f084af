/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving. Each buffer is a page; the device joins several for a large packet. A packet goes to the stack only when
 * its pages can be replaced, so the queue never runs dry for want of memory. Buffers are cleared: a device that claims
 * to have written more than it did reveals nothing of what was in them before.
 *
 * Called by network.c under the lock of a pair; packets go to the stack without it.
 */
#include "core/debug.h"
#include "drivers/virtio/network.h"

#include "core/log.h"
#include "lib/errno.h"
#include "lib/string.h"

/* As in drivers/xen/netfront_receive.c: small packets are copied whole, of others the headers. */
#define COPY_WHOLE 1664U
#define COPY_HEADERS 128U
#define MAX_BUFFERS (PACKET_MAX_FRAGMENTS - 1)

/* A packet as the device left it. */
struct gathered {
    struct page *pages[MAX_BUFFERS];
    uint16_t lengths[MAX_BUFFERS]; /* without the header */
    unsigned count;
    uint32_t length;
    struct virtio_net_header header;
};

static uint16_t offset_of(unsigned index) { return index == 0 ? sizeof(struct virtio_net_header) : 0; }

static const uint8_t *data_of(const struct gathered *from, unsigned index)
{
    return (const uint8_t *)page_data(from->pages[index]) + offset_of(index);
}

static void offer(struct virtio_pair *pair, struct page *page)
{
    struct virtqueue_segment segment = { page_address(page), PAGE_SIZE, true };
    /* There is room: as many pages were taken out before. */
    if (!virtqueue_add(&pair->receive, &segment, 1, page))
        page_put(page);
}

static void offer_again(struct virtio_pair *pair, const struct gathered *from)
{
    for (unsigned i = 0; i < from->count; i++)
        offer(pair, from->pages[i]);
}

int virtio_net_receive_init(struct virtio_pair *pair)
{
    for (unsigned i = 0; i < pair->receive.size; i++) {
        struct page *page = device_page();
        if (!page)
            return i > 0 ? 0 : -ENOMEM;
        offer(pair, page);
    }
    return 0;
}

static bool take_buffer(struct virtio_pair *pair, struct gathered *to)
{
    must_hold(&pair->lock);
    uint32_t written;
    struct page *page = virtqueue_take(&pair->receive, &written);
    if (!page)
        return false;
    virtio_progress(pair->nic->device);
    unsigned index = to->count++;
    unsigned offset = offset_of(index);
    to->pages[index] = page;
    to->lengths[index] = (uint16_t)(written >= offset && written <= PAGE_SIZE ? written - offset : 0);
    to->length += to->lengths[index];
    return true;
}

/* Takes all buffers of the next packet. False: there is none. */
static bool gather(struct virtio_pair *pair, struct gathered *to)
{
    must_hold(&pair->lock);
    to->count = 0;
    to->length = 0;
    if (!take_buffer(pair, to))
        return false;
    memcpy(&to->header, page_data(to->pages[0]), sizeof(to->header));
    compiler_barrier(); /* the device may change it: it is read once */
    /* Without mergeable buffers the field is not meaningful in old devices; it is then 0 or 1. */
    unsigned buffers = min_of(to->header.buffers, (uint16_t)MAX_BUFFERS);
    while (to->count < buffers) {
        if (!take_buffer(pair, to)) {
            to->length = 0;
            break;
        }
    }
    if (to->header.buffers > MAX_BUFFERS)
        to->length = 0;
    return true;
}

static bool valid(const struct gathered *from)
{
    const struct virtio_net_header *header = &from->header;
    if (from->length == 0)
        return false;
    return !(header->flags & HEADER_NEEDS_CHECKSUM) ||
           (uint32_t)header->checksum_start + header->checksum_offset + 2 <= from->length;
}

static void copy_meaning(struct packet *packet, const struct virtio_net_header *header)
{
    if (header->flags & HEADER_NEEDS_CHECKSUM) {
        packet->flags = PACKET_CHECKSUM_PARTIAL;
        packet->checksum_start = header->checksum_start;
        packet->checksum_offset = header->checksum_offset;
    } else if (header->flags & HEADER_DATA_VALID) {
        packet->flags = PACKET_CHECKSUM_VALID;
    }
    if ((header->segmentation & ~SEGMENTATION_ECN) == SEGMENTATION_TCP4)
        packet->segment_size = header->segment_size;
}

static struct packet *copy_whole(const struct gathered *from)
{
    struct packet *packet = packet_allocate(from->length);
    if (!packet)
        return NULL;
    for (unsigned i = 0; i < from->count; i++) {
        memcpy(packet->head + packet->start + packet->linear, data_of(from, i), from->lengths[i]);
        packet->linear += from->lengths[i];
    }
    packet->length = packet->linear;
    return packet;
}

/* One new page for each of the packet's, or none. */
static bool replace_pages(struct virtio_pair *pair, unsigned count)
{
    struct page *pages[MAX_BUFFERS];
    if (!device_pages(pages, count))
        return false;
    for (unsigned i = 0; i < count; i++)
        offer(pair, pages[i]);
    return true;
}

/* The packet takes over the pages. */
static struct packet *attach_pages(struct virtio_pair *pair, const struct gathered *from)
{
    struct packet *packet = packet_allocate_paged(COPY_HEADERS);
    if (!packet)
        return NULL;
    if (!replace_pages(pair, from->count)) {
        packet_free(packet);
        return NULL;
    }
    packet->linear = min_of((uint32_t)from->lengths[0], COPY_HEADERS);
    packet->length = from->length;
    memcpy(packet->head + packet->start, data_of(from, 0), packet->linear);
    for (unsigned i = 0; i < from->count; i++) {
        uint16_t skip = i == 0 ? (uint16_t)packet->linear : 0;
        if (from->lengths[i] == skip) {
            page_put(from->pages[i]);
            continue;
        }
        packet->fragments[packet->fragment_count++] = (struct packet_fragment){
            .page = from->pages[i],
            .offset = (uint16_t)(offset_of(i) + skip),
            .length = (uint16_t)(from->lengths[i] - skip),
        };
    }
    return packet;
}

bool virtio_net_receive(struct virtio_pair *pair, struct packet **packet)
{
    must_hold(&pair->lock);
    struct gathered from;
    *packet = NULL;
    if (!gather(pair, &from))
        return false;
    bool copy = from.length <= COPY_WHOLE;
    if (valid(&from))
        *packet = copy ? copy_whole(&from) : attach_pages(pair, &from);
    if (!*packet || copy)
        offer_again(pair, &from);
    if (*packet)
        copy_meaning(*packet, &from.header);
    else
        pair->nic->network.dropped++;
    return true;
}
