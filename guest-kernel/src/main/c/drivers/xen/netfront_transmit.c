/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending. Packet heads lie on the heap, in pages full of other things, so they are copied into frames of the NIC's
 * own; so are small packets. Fragments of large packets are granted, for the backend to read, until it has answered:
 * their pages hold nothing that is not meant for the network (drivers/device.h).
 *
 * An id is in the list of free ones or stands for a piece of a packet; the packet is freed with the answer to its last
 * piece. Called by netfront.c, in interrupt context and by the stack. Lock "nic transmit" guards all of it.
 */
#include "core/debug.h"
#include "core/log.h"
#include "drivers/xen/netfront_nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/events.h"

/* The most ring slots a packet can take: its pieces and one extra info. */
#define ROOM_FOR_A_PACKET (NET_SLOTS_PER_PACKET + 1)
#define NO_SLOT UINT16_MAX
/* Packets up to this size, those of the usual MTU with their headers, are copied: cheaper than granting. */
#define COPY_WHOLE 1664U

/* What this file keeps in packet->layer: how many slots are not answered yet. */
struct progress {
    unsigned slots;
};

static struct progress *progress_of(struct packet *packet)
{
    _Static_assert(sizeof(struct progress) <= sizeof(packet->layer), "scratch space of a packet");
    return (struct progress *)(void *)packet->layer;
}

/* What one slot carries: bytes of the packet that are copied into the slot's own frame, or a fragment's page. */
struct piece {
    const struct packet_fragment *fragment; /* NULL: copied */
    uint32_t from;                          /* copied: where in the packet they begin */
    uint32_t length;
};

/* The packet's pieces, at most `limit`; limit + 1 when it has more. Its first `copied` bytes, all of the linear
 * area or all of the packet, are to be copied. */
static unsigned split(const struct packet *packet, uint32_t copied, struct piece *pieces, unsigned limit)
{
    unsigned count = 0;
    for (uint32_t from = 0; from < copied; from += PAGE_SIZE) {
        if (count == limit)
            return limit + 1;
        pieces[count++] = (struct piece){ NULL, from, min_of(copied - from, (uint32_t)PAGE_SIZE) };
    }
    for (unsigned i = 0; copied < packet->length && i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        if (fragment->length == 0)
            continue;
        if (count == limit)
            return limit + 1;
        pieces[count++] = (struct piece){ fragment, 0, fragment->length };
    }
    return count;
}

/* Copies up to `length` bytes of a run that begins at byte *skip from where copying begins; the bytes copied. */
static uint32_t copy_run(const uint8_t *run, uint32_t run_length, uint32_t *skip, uint8_t *to, uint32_t length)
{
    uint32_t left_out = min_of(*skip, run_length);
    uint32_t count = min_of(run_length - left_out, length);
    *skip -= left_out;
    memcpy(to, run + left_out, count);
    return count;
}

static void copy_out(const struct packet *packet, uint32_t from, uint8_t *to, uint32_t length)
{
    uint32_t done = copy_run(packet->head + packet->start, packet->linear, &from, to, length);
    for (unsigned i = 0; i < packet->fragment_count && done < length; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        done += copy_run((const uint8_t *)page_data(fragment->page) + fragment->offset, fragment->length, &from,
                         to + done, length - done);
    }
}

/* Frames stay granted: they never hold anything but what the backend was sent in them. */
static bool take_frame(struct nic_queue *queue, struct granted_page *frame)
{
    must_hold(&queue->transmitter.lock);
    struct transmitter *tx = &queue->transmitter;
    if (tx->frame_count > 0) {
        *frame = tx->frames[--tx->frame_count];
        return true;
    }
    frame->page = device_page();
    if (!frame->page)
        return false;
    frame->grant = grant_page(queue->nic->frontend.backend_domain, frame->page, true);
    if (frame->grant == GRANT_NONE)
        page_put(frame->page);
    return frame->grant != GRANT_NONE;
}

/* One free id for a piece, its bytes copied or its page granted; NULL without one. */
static struct tx_slot *take_slot(struct nic_queue *queue, struct packet *packet, const struct piece *piece)
{
    must_hold(&queue->transmitter.lock);
    struct transmitter *tx = &queue->transmitter;
    if (tx->first_free == NO_SLOT)
        return NULL;
    struct tx_slot *slot = &tx->slots[tx->first_free];
    slot->copied = !piece->fragment;
    if (slot->copied) {
        if (!take_frame(queue, &slot->granted))
            return NULL;
        copy_out(packet, piece->from, page_data(slot->granted.page), piece->length);
    } else {
        slot->granted.page = piece->fragment->page;
        slot->granted.grant = grant_page(queue->nic->frontend.backend_domain, slot->granted.page, true);
        if (slot->granted.grant == GRANT_NONE)
            return NULL;
    }
    slot->packet = packet;
    tx->first_free = slot->next_free;
    return slot;
}

/* Gives an id back. False if the backend still uses a page of the packet. */
static bool return_slot(struct transmitter *tx, struct tx_slot *slot)
{
    must_hold(&tx->lock);
    bool revoked = true;
    if (slot->copied)
        tx->frames[tx->frame_count++] = slot->granted;
    else
        revoked = grant_revoke(slot->granted.grant, slot->granted.page);
    slot->packet = NULL;
    slot->next_free = tx->first_free;
    tx->first_free = (uint16_t)(slot - tx->slots);
    return revoked;
}

static uint16_t first_flags(const struct packet *packet)
{
    uint16_t flags = 0;
    if (packet->flags & PACKET_CHECKSUM_PARTIAL)
        flags |= TX_CHECKSUM_BLANK | TX_DATA_VALIDATED;
    if (packet->segment_size != 0)
        flags |= TX_EXTRA_INFO;
    return flags;
}

static void put_request(struct transmitter *tx, const struct tx_slot *slot, const struct piece *piece, uint16_t flags,
                        uint32_t size)
{
    must_hold(&tx->lock);
    struct tx_request request = {
        .grant = slot->granted.grant,
        .offset = slot->copied ? 0 : piece->fragment->offset,
        .flags = flags,
        .id = (uint16_t)(slot - tx->slots),
        .size = (uint16_t)size,
    };
    ring_put(&tx->ring, &request, sizeof(request));
}

#define TYPE_END 14 /* of the Ethernet header's type */

/* Of a packet whose checksum or segments are left to the backend: it has its Ethernet header in its linear area. */
static bool is_ipv6(const struct packet *packet)
{
    const uint8_t *type = packet_data(packet) + 12;
    return type[0] == 0x86 && type[1] == 0xdd;
}

/* The backend may be another one than when the stack made the packet. */
static bool is_offloaded(const struct network_device *device, const struct packet *packet)
{
    if (packet->segment_size == 0 && !(packet->flags & PACKET_CHECKSUM_PARTIAL))
        return true;
    if (packet->linear < TYPE_END)
        return false;
    bool ipv6 = is_ipv6(packet);
    if (packet->segment_size != 0)
        return ipv6 ? device->segmentation_offload_ipv6 : device->segmentation_offload;
    return ipv6 ? device->checksum_offload_ipv6 : device->checksum_offload;
}

/* Writes the requests of a packet whose slots have been taken. */
static void put_requests(struct transmitter *tx, const struct packet *packet, const struct piece *pieces,
                         struct tx_slot *const *slots, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint16_t flags = (uint16_t)((i == 0 ? first_flags(packet) : 0) | (i + 1 < count ? TX_MORE_DATA : 0));
        put_request(tx, slots[i], &pieces[i], flags, i == 0 ? packet->length : pieces[i].length);
        if (i > 0 || packet->segment_size == 0)
            continue;
        struct extra_info extra = {
            .type = EXTRA_TYPE_GSO,
            .gso_size = packet->segment_size,
            .gso_type = is_ipv6(packet) ? GSO_TCPV6 : GSO_TCPV4,
        };
        ring_put(&tx->ring, &extra, sizeof(extra));
        tx->extras++;
    }
}

/* The backend may use even references that it never received: they are easy to guess. */
static void take_back(struct transmitter *tx, struct tx_slot *const *slots, unsigned count)
{
    must_hold(&tx->lock);
    while (count-- > 0)
        (void)return_slot(tx, slots[count]);
}

/* Puts the packet on the ring, which has room for any. False: it could not be (dropped). */
static bool send_pieces(struct nic_queue *queue, struct packet *packet)
{
    must_hold(&queue->transmitter.lock);
    const struct nic *nic = queue->nic;
    struct transmitter *tx = &queue->transmitter;
    struct piece pieces[NET_SLOTS_PER_PACKET];
    struct tx_slot *slots[NET_SLOTS_PER_PACKET];
    if (!is_offloaded(&nic->device, packet))
        return false;
    unsigned limit = nic->slots_per_packet;
    unsigned count = split(packet, packet->length <= COPY_WHOLE ? packet->length : packet->linear, pieces, limit);
    if (count > limit)
        count = split(packet, packet->length, pieces, limit);
    if (count == 0 || count > limit)
        return false;
    for (unsigned i = 0; i < count; i++) {
        slots[i] = take_slot(queue, packet, &pieces[i]);
        if (!slots[i]) {
            take_back(tx, slots, i);
            return false;
        }
    }
    progress_of(packet)->slots = count;
    put_requests(tx, packet, pieces, slots, count);
    return true;
}

/* False: the protocol is broken. */
static bool take_response(struct nic_queue *queue)
{
    must_hold(&queue->transmitter.lock);
    struct transmitter *tx = &queue->transmitter;
    struct tx_response response;
    ring_take(&tx->ring, &response, sizeof(response));
    if (response.status == RESPONSE_NULL) {
        if (tx->extras == 0)
            return false;
        tx->extras--;
        return true;
    }
    if (response.id >= NET_SLOTS || !tx->slots[response.id].packet)
        return false;
    struct tx_slot *slot = &tx->slots[response.id];
    struct packet *packet = slot->packet;
    bool revoked = return_slot(tx, slot);
    if (--progress_of(packet)->slots == 0) {
        if (response.status < 0)
            queue->nic->device.dropped++;
        packet_free(packet);
    }
    return revoked;
}

static void transmitter_died(struct nic_queue *queue)
{
    must_hold(&queue->transmitter.lock);
    if (!queue->transmitter.dead)
        log_error("network device %s: the backend violates the transmit protocol; nothing is sent any more",
                  queue->nic->device.name);
    queue->transmitter.dead = true;
}

/* Takes all answers there are. Asks for the next notification when half of what is in flight has
 * gone, so a burst costs few interrupts and the last packet is still freed. */
static void reap(struct nic_queue *queue)
{
    must_hold(&queue->transmitter.lock);
    struct transmitter *tx = &queue->transmitter;
    uint32_t half;
    do {
        int pending = tx->dead ? 0 : ring_pending(&tx->ring);
        bool good = pending >= 0;
        while (good && pending-- > 0)
            good = take_response(queue);
        if (!good) {
            transmitter_died(queue);
            return;
        }
        half = (tx->ring.requests_produced - tx->ring.responses_consumed) / 2 + 1;
    } while (!tx->dead && ring_wait_for(&tx->ring, half));
}

bool netfront_transmit(struct network_device *device, struct packet *packet)
{
    struct nic_queue *queue = netfront_queue_for(nic_of(device), packet);
    struct transmitter *tx = &queue->transmitter;
    spin_lock(&tx->lock);
    if (ring_free(&tx->ring) < ROOM_FOR_A_PACKET)
        reap(queue);
    uint32_t length = packet->length;
    bool sent = !tx->dead && ring_free(&tx->ring) >= ROOM_FOR_A_PACKET && length <= NET_PACKET_MAX &&
                send_pieces(queue, packet);
    if (sent) {
        device->sent_packets++;
        device->sent_bytes += length;
    } else {
        device->dropped++;
        packet_free(packet);
    }
    bool room = tx->dead || ring_free(&tx->ring) >= ROOM_FOR_A_PACKET;
    tx->full |= !room;
    spin_unlock(&tx->lock);
    return room;
}

static void flush(struct nic_queue *queue)
{
    struct transmitter *tx = &queue->transmitter;
    spin_lock(&tx->lock);
    bool notify = !tx->dead && ring_push(&tx->ring);
    spin_unlock(&tx->lock);
    if (notify)
        event_notify(queue->port);
}

void netfront_flush(struct network_device *device)
{
    struct nic *nic = nic_of(device);
    for (unsigned i = 0; i < nic->queue_count; i++)
        flush(nic->queues[i]);
}

void netfront_transmit_event(struct nic_queue *queue)
{
    struct transmitter *tx = &queue->transmitter;
    spin_lock(&tx->lock);
    reap(queue);
    bool ready = tx->full && (tx->dead || ring_free(&tx->ring) >= ROOM_FOR_A_PACKET);
    if (ready)
        tx->full = false;
    spin_unlock(&tx->lock);
    if (ready && queue->nic->device.transmit_ready)
        queue->nic->device.transmit_ready(&queue->nic->device);
}

int netfront_transmit_offer(struct nic_queue *queue)
{
    struct transmitter *tx = &queue->transmitter;
    if (!frontend_share_page(&queue->nic->frontend, &tx->ring_page))
        return -ENOMEM;
    spin_lock(&tx->lock);
    ring_init(&tx->ring, page_data(tx->ring_page.page), sizeof(struct tx_request));
    for (uint16_t i = 0; i < NET_SLOTS; i++)
        tx->slots[i].next_free = (uint16_t)(i + 1);
    tx->slots[NET_SLOTS - 1].next_free = NO_SLOT;
    tx->first_free = 0;
    tx->extras = 0;
    spin_unlock(&tx->lock);
    return 0;
}

void netfront_transmit_start(struct nic_queue *queue)
{
    spin_lock(&queue->transmitter.lock);
    queue->transmitter.dead = false;
    spin_unlock(&queue->transmitter.lock);
}

bool netfront_transmit_stop(struct nic_queue *queue)
{
    struct transmitter *tx = &queue->transmitter;
    spin_lock(&tx->lock);
    tx->dead = true;
    for (unsigned i = 0; i < NET_SLOTS; i++) {
        struct packet *packet = tx->slots[i].packet;
        if (!packet)
            continue;
        (void)return_slot(tx, &tx->slots[i]);
        if (--progress_of(packet)->slots > 0)
            continue;
        queue->nic->device.dropped++;
        packet_free(packet);
    }
    while (tx->frame_count > 0) {
        struct granted_page *frame = &tx->frames[--tx->frame_count];
        frontend_unshare_page(frame);
    }
    frontend_unshare_page(&tx->ring_page);
    bool waited_for = tx->full;
    tx->full = false;
    spin_unlock(&tx->lock);
    return waited_for;
}
