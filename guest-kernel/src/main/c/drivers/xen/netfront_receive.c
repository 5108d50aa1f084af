/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving. Pages are offered to the backend cleared and hold nothing else; it writes packets into them. The page of
 * place i of the ring is slots[i % NET_SLOTS] while it is on offer, in `spare` between two offers, and nowhere else,
 * so all of them fit. Everything that the backend wrote is copied before it is looked at, or its page taken back.
 *
 * Called by netfront.c, in interrupt context and by the stack. Lock "nic receive" guards all of it; packets go to the
 * stack without it.
 */
#include "core/debug.h"
#include "core/log.h"
#include "drivers/xen/netfront_nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/events.h"

/* Pages on offer: as few as a quiet server needs, at least what a 64 KiB packet takes. */
#define TARGET_MIN 64U
#define TARGET_MAX NET_SLOTS
/* Never hand so many pages to the stack that fewer remain: the backend waits for room for the largest
 * packet, and only its next packet would make us offer more. */
#define PAGES_KEPT 20U
/* Packets up to this size are copied and their pages offered again, grants and all; larger ones keep
 * their pages and only this much is copied in front. */
#define COPY_WHOLE 1664U
#define COPY_HEADERS 128U

/* A packet as it lies in the slots the backend filled. */
struct gathered {
    struct {
        struct granted_page slot;
        uint16_t offset, length;
    } pieces[NET_SLOTS_PER_PACKET];
    unsigned count;
    uint32_t length;
    uint16_t flags; /* of the first response */
    uint16_t segment_size;
    bool damaged; /* drop it */
};

static uint32_t offered(const struct receiver *rx) { return rx->ring.requests_produced - rx->ring.responses_consumed; }

static void receiver_died(struct nic_queue *queue, const char *why)
{
    must_hold(&queue->receiver.lock);
    if (!queue->receiver.dead)
        log_error("network device %s: %s; nothing is received any more", queue->nic->device.name, why);
    queue->receiver.dead = true;
}

static void keep_spare(struct receiver *rx, struct granted_page slot) { rx->spare[rx->spares++] = slot; }

/* ---- Offering pages ------------------------------------------------------------------------ */

static bool new_slot(struct nic_queue *queue, struct granted_page *slot)
{
    must_hold(&queue->receiver.lock);
    struct receiver *rx = &queue->receiver;
    if (rx->spares > 0) {
        *slot = rx->spare[--rx->spares];
        return true;
    }
    slot->page = device_page();
    if (!slot->page)
        return false;
    slot->grant = grant_page(queue->nic->frontend.backend_domain, slot->page, false);
    if (slot->grant == GRANT_NONE) {
        page_put(slot->page);
        return false;
    }
    return true;
}

static void free_spares(struct receiver *rx)
{
    must_hold(&rx->lock);
    while (rx->spares > 0) {
        struct granted_page slot = rx->spare[--rx->spares];
        grant_end(slot.grant, slot.page);
    }
}

static bool refill(struct nic_queue *queue)
{
    must_hold(&queue->receiver.lock);
    struct receiver *rx = &queue->receiver;
    struct granted_page slot;
    bool put = false;
    while (offered(rx) < rx->target && new_slot(queue, &slot)) {
        uint16_t id = (uint16_t)(rx->ring.requests_produced % NET_SLOTS);
        struct rx_request request = { .id = id, .grant = slot.grant };
        rx->slots[id] = slot;
        ring_put(&rx->ring, &request, sizeof(request));
        put = true;
    }
    free_spares(rx);
    return put && ring_push(&rx->ring);
}

/* Offers pages up to the target. */
static void give_pages(struct nic_queue *queue)
{
    struct receiver *rx = &queue->receiver;
    spin_lock(&rx->lock);
    bool notify = !rx->dead && refill(queue);
    spin_unlock(&rx->lock);
    if (notify)
        event_notify(queue->port);
}

int netfront_receive_offer(struct nic_queue *queue)
{
    struct receiver *rx = &queue->receiver;
    if (!frontend_share_page(&queue->nic->frontend, &rx->ring_page))
        return -ENOMEM;
    spin_lock(&rx->lock);
    ring_init(&rx->ring, page_data(rx->ring_page.page), sizeof(struct rx_request));
    rx->target = TARGET_MIN;
    (void)refill(queue); /* no backend to notify yet */
    bool enough = offered(rx) >= PAGES_KEPT;
    spin_unlock(&rx->lock);
    return enough ? 0 : -ENOMEM;
}

void netfront_receive_event(struct nic_queue *queue)
{
    spin_lock(&queue->receiver.lock);
    queue->receiver.due = true;
    spin_unlock(&queue->receiver.lock);
}

void netfront_receive_start(struct nic_queue *queue)
{
    spin_lock(&queue->receiver.lock);
    queue->receiver.dead = false;
    spin_unlock(&queue->receiver.lock);
}

void netfront_receive_stop(struct nic_queue *queue)
{
    struct receiver *rx = &queue->receiver;
    spin_lock(&rx->lock);
    rx->dead = true;
    for (; offered(rx) > 0; rx->ring.responses_consumed++) {
        struct granted_page *slot = &rx->slots[rx->ring.responses_consumed % NET_SLOTS];
        grant_end(slot->grant, slot->page);
    }
    free_spares(rx);
    frontend_unshare_page(&rx->ring_page);
    spin_unlock(&rx->lock);
}

/* Doubles the offer when the backend has used up most of it, lets it shrink slowly when it has not. */
static void adapt_target(struct receiver *rx)
{
    must_hold(&rx->lock);
    int pending = ring_pending(&rx->ring);
    uint32_t left = pending < 0 ? 0 : offered(rx) - (uint32_t)pending;
    if (left < rx->target / 4)
        rx->target = min_of(rx->target * 2, TARGET_MAX);
    else if (left > rx->target * 3 / 4 && rx->target > TARGET_MIN)
        rx->target--;
}

/* ---- Taking packets ------------------------------------------------------------------------ */

/* Takes the next response and what its slot held. */
static void take(struct receiver *rx, void *response, struct granted_page *slot)
{
    *slot = rx->slots[rx->ring.responses_consumed % NET_SLOTS];
    ring_take(&rx->ring, response, sizeof(struct rx_response));
}

static void take_extras(struct nic_queue *queue, int *pending, struct gathered *packet)
{
    must_hold(&queue->receiver.lock);
    struct extra_info extra = { .flags = EXTRA_FLAG_MORE };
    while (extra.flags & EXTRA_FLAG_MORE) {
        struct granted_page slot;
        if (*pending == 0) {
            packet->damaged = true;
            return;
        }
        take(&queue->receiver, &extra, &slot);
        --*pending;
        keep_spare(&queue->receiver, slot);
        if (extra.type == EXTRA_TYPE_GSO && (extra.gso_type == GSO_TCPV4 || extra.gso_type == GSO_TCPV6) &&
            extra.gso_size != 0)
            packet->segment_size = extra.gso_size;
        else
            packet->damaged = true; /* nothing else was asked for */
    }
}

static void add_piece(struct nic_queue *queue, struct gathered *packet, struct granted_page slot,
                      const struct rx_response *response)
{
    bool good = response->status > 0 && response->offset + (uint32_t)response->status <= PAGE_SIZE &&
                packet->count < NET_SLOTS_PER_PACKET;
    if (!good) {
        packet->damaged = true;
        keep_spare(&queue->receiver, slot);
        return;
    }
    packet->pieces[packet->count].slot = slot;
    packet->pieces[packet->count].offset = response->offset;
    packet->pieces[packet->count].length = (uint16_t)response->status;
    packet->count++;
    packet->length += (uint32_t)response->status;
}

/* Takes the responses of one packet. False: the protocol is broken. */
static bool gather(struct nic_queue *queue, int *pending, struct gathered *packet)
{
    must_hold(&queue->receiver.lock);
    struct rx_response response;
    bool first = true;
    do {
        struct granted_page slot;
        if (*pending == 0) {
            packet->damaged = true;
            return true;
        }
        uint32_t expected = queue->receiver.ring.responses_consumed % NET_SLOTS;
        take(&queue->receiver, &response, &slot);
        --*pending;
        add_piece(queue, packet, slot, &response);
        if (response.id != expected)
            return false;
        if (first) {
            packet->flags = response.flags;
            first = false;
            if (response.flags & RX_EXTRA_INFO)
                take_extras(queue, pending, packet);
        }
    } while (response.flags & RX_MORE_DATA);
    if (packet->length > NET_PACKET_MAX)
        packet->damaged = true;
    return true;
}

static const uint8_t *piece_data(const struct gathered *from, unsigned i)
{
    return (const uint8_t *)page_data(from->pieces[i].slot.page) + from->pieces[i].offset;
}

static void give_back(struct receiver *rx, const struct gathered *from)
{
    must_hold(&rx->lock);
    for (unsigned i = 0; i < from->count; i++)
        keep_spare(rx, from->pieces[i].slot);
}

static struct packet *copy_whole(struct receiver *rx, const struct gathered *from)
{
    struct packet *packet = packet_allocate(from->length);
    for (unsigned i = 0; packet && i < from->count; i++) {
        memcpy(packet->head + packet->start + packet->linear, piece_data(from, i), from->pieces[i].length);
        packet->linear += from->pieces[i].length;
    }
    give_back(rx, from);
    return packet;
}

/* Moves the pages of `from` into the packet; what the headers took of the first is left out. */
static bool move_pages(struct gathered *from, struct packet *packet)
{
    for (unsigned i = 0; i < from->count; i++) {
        uint16_t skip = i == 0 ? (uint16_t)packet->linear : 0;
        struct page *page = from->pieces[i].slot.page;
        if (!grant_revoke(from->pieces[i].slot.grant, page)) {
            page_put(page);
            while (++i < from->count)
                grant_end(from->pieces[i].slot.grant, from->pieces[i].slot.page);
            return false;
        }
        if (skip == from->pieces[i].length) {
            page_put(page);
            continue;
        }
        packet->fragments[packet->fragment_count++] = (struct packet_fragment){
            .page = page,
            .offset = (uint16_t)(from->pieces[i].offset + skip),
            .length = (uint16_t)(from->pieces[i].length - skip),
        };
    }
    return true;
}

static struct packet *keep_pages(struct nic_queue *queue, struct gathered *from)
{
    must_hold(&queue->receiver.lock);
    struct receiver *rx = &queue->receiver;
    struct packet *packet = NULL;
    if (offered(rx) + rx->spares >= PAGES_KEPT)
        packet = packet_allocate_paged(COPY_HEADERS);
    if (!packet) {
        give_back(rx, from);
        return NULL;
    }
    packet->linear = min_of((uint32_t)from->pieces[0].length, COPY_HEADERS);
    memcpy(packet->head + packet->start, piece_data(from, 0), packet->linear);
    if (move_pages(from, packet))
        return packet;
    packet_free(packet);
    receiver_died(queue, "the backend keeps pages it has filled");
    return NULL;
}

static struct packet *build(struct nic_queue *queue, struct gathered *from)
{
    struct packet *packet;
    if (from->damaged || from->count == 0) {
        give_back(&queue->receiver, from);
        return NULL;
    }
    packet = from->length <= COPY_WHOLE ? copy_whole(&queue->receiver, from) : keep_pages(queue, from);
    if (!packet)
        return NULL;
    packet->length = from->length;
    packet->segment_size = from->segment_size;
    if (from->flags & RX_CHECKSUM_BLANK)
        packet->flags |= PACKET_CHECKSUM_PARTIAL;
    if (from->flags & RX_DATA_VALIDATED)
        packet->flags |= PACKET_CHECKSUM_VALID;
    return packet;
}

/* Takes packets, `most` of them at most, and returns how many they were; those dropped count too. */
static unsigned take_packets(struct nic_queue *queue, unsigned most, struct list *packets)
{
    must_hold(&queue->receiver.lock);
    struct receiver *rx = &queue->receiver;
    unsigned taken = 0;
    do {
        int pending = ring_pending(&rx->ring);
        if (pending < 0) {
            receiver_died(queue, "the backend's receive index is wrong");
            return taken;
        }
        while (pending > 0 && taken < most) {
            struct gathered gathered = { .count = 0 };
            taken++;
            if (!gather(queue, &pending, &gathered)) {
                give_back(rx, &gathered);
                receiver_died(queue, "the backend answers out of order");
                return taken;
            }
            struct packet *packet = build(queue, &gathered);
            if (rx->dead)
                return taken;
            if (packet)
                list_push_back(packets, &packet->link);
            else
                queue->nic->device.dropped++;
        }
    } while (taken < most && ring_wait_for(&rx->ring, 1));
    return taken;
}

static void deliver(struct network_device *device, struct list *packets)
{
    struct list *link;
    while ((link = list_pop_front(packets)))
        network_device_received(device, list_entry(link, struct packet, link));
}

/* While less than `most` is taken the backend's next packet raises an event again. */
static unsigned serve(struct network_device *device, unsigned number, unsigned most, bool *ready)
{
    struct nic_queue *queue = nic_of(device)->queues[number];
    struct receiver *rx = &queue->receiver;
    struct list packets;
    unsigned taken = 0;
    (void)ready; /* the event's handler sees to what was sent */
    list_init(&packets);
    spin_lock(&rx->lock);
    bool due = rx->due && !rx->dead;
    if (due) {
        adapt_target(rx);
        taken = take_packets(queue, most, &packets);
    }
    rx->due = taken == most;
    spin_unlock(&rx->lock);
    if (!due)
        return 0;
    deliver(device, &packets);
    give_pages(queue);
    return taken;
}

bool netfront_receive_round(struct network_device *device)
{
    struct nic *nic = nic_of(device);
    return network_device_round(device, nic->queue_count, &nic->turn, serve);
}
