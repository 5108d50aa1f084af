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

static void receiver_died(struct nic *nic, const char *why)
{
    must_hold(&nic->receiver.lock);
    if (!nic->receiver.dead)
        log_error("network device %s: %s; nothing is received any more", nic->device.name, why);
    nic->receiver.dead = true;
}

static void keep_spare(struct receiver *rx, struct granted_page slot) { rx->spare[rx->spares++] = slot; }

/* ---- Offering pages ------------------------------------------------------------------------ */

static bool new_slot(struct nic *nic, struct granted_page *slot)
{
    must_hold(&nic->receiver.lock);
    struct receiver *rx = &nic->receiver;
    if (rx->spares > 0) {
        *slot = rx->spare[--rx->spares];
        return true;
    }
    slot->page = device_page();
    if (!slot->page)
        return false;
    slot->grant = grant_page(nic->frontend.backend_domain, slot->page, false);
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

static bool refill(struct nic *nic)
{
    must_hold(&nic->receiver.lock);
    struct receiver *rx = &nic->receiver;
    struct granted_page slot;
    bool put = false;
    while (offered(rx) < rx->target && new_slot(nic, &slot)) {
        uint16_t id = (uint16_t)(rx->ring.requests_produced % NET_SLOTS);
        struct rx_request request = { .id = id, .grant = slot.grant };
        rx->slots[id] = slot;
        ring_put(&rx->ring, &request, sizeof(request));
        put = true;
    }
    free_spares(rx);
    return put && ring_push(&rx->ring);
}

void netfront_receive_refill(struct nic *nic)
{
    struct receiver *rx = &nic->receiver;
    spin_lock(&rx->lock);
    bool notify = !rx->dead && refill(nic);
    spin_unlock(&rx->lock);
    if (notify)
        event_notify(nic->port);
}

int netfront_receive_offer(struct nic *nic)
{
    struct receiver *rx = &nic->receiver;
    if (!frontend_share_page(&nic->frontend, &rx->ring_page))
        return -ENOMEM;
    spin_lock(&rx->lock);
    ring_init(&rx->ring, page_data(rx->ring_page.page), sizeof(struct rx_request));
    rx->target = TARGET_MIN;
    (void)refill(nic); /* no backend to notify yet */
    bool enough = offered(rx) >= PAGES_KEPT;
    spin_unlock(&rx->lock);
    return enough ? 0 : -ENOMEM;
}

void netfront_receive_start(struct nic *nic)
{
    spin_lock(&nic->receiver.lock);
    nic->receiver.dead = false;
    spin_unlock(&nic->receiver.lock);
}

void netfront_receive_stop(struct nic *nic)
{
    struct receiver *rx = &nic->receiver;
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

/* Doubles the offer when the backend used up most of it, lets it shrink slowly when it did not. */
static void adapt_target(struct receiver *rx)
{
    must_hold(&rx->lock);
    if (offered(rx) < rx->target / 4)
        rx->target = min_of(rx->target * 2, TARGET_MAX);
    else if (offered(rx) > rx->target * 3 / 4 && rx->target > TARGET_MIN)
        rx->target--;
}

/* ---- Taking packets ------------------------------------------------------------------------ */

/* Takes the next response and what its slot held. */
static void take(struct receiver *rx, void *response, struct granted_page *slot)
{
    *slot = rx->slots[rx->ring.responses_consumed % NET_SLOTS];
    ring_take(&rx->ring, response, sizeof(struct rx_response));
}

static void take_extras(struct nic *nic, int *pending, struct gathered *packet)
{
    must_hold(&nic->receiver.lock);
    struct extra_info extra = { .flags = EXTRA_FLAG_MORE };
    while (extra.flags & EXTRA_FLAG_MORE) {
        struct granted_page slot;
        if (*pending == 0) {
            packet->damaged = true;
            return;
        }
        take(&nic->receiver, &extra, &slot);
        --*pending;
        keep_spare(&nic->receiver, slot);
        if (extra.type == EXTRA_TYPE_GSO && (extra.gso_type == GSO_TCPV4 || extra.gso_type == GSO_TCPV6) &&
            extra.gso_size != 0)
            packet->segment_size = extra.gso_size;
        else
            packet->damaged = true; /* nothing else was asked for */
    }
}

static void add_piece(struct nic *nic, struct gathered *packet, struct granted_page slot,
                      const struct rx_response *response)
{
    bool good = response->status > 0 && response->offset + (uint32_t)response->status <= PAGE_SIZE &&
                packet->count < NET_SLOTS_PER_PACKET;
    if (!good) {
        packet->damaged = true;
        keep_spare(&nic->receiver, slot);
        return;
    }
    packet->pieces[packet->count].slot = slot;
    packet->pieces[packet->count].offset = response->offset;
    packet->pieces[packet->count].length = (uint16_t)response->status;
    packet->count++;
    packet->length += (uint32_t)response->status;
}

/* Takes the responses of one packet. False: the protocol is broken. */
static bool gather(struct nic *nic, int *pending, struct gathered *packet)
{
    must_hold(&nic->receiver.lock);
    struct rx_response response;
    bool first = true;
    do {
        struct granted_page slot;
        if (*pending == 0) {
            packet->damaged = true;
            return true;
        }
        uint32_t expected = nic->receiver.ring.responses_consumed % NET_SLOTS;
        take(&nic->receiver, &response, &slot);
        --*pending;
        add_piece(nic, packet, slot, &response);
        if (response.id != expected)
            return false;
        if (first) {
            packet->flags = response.flags;
            first = false;
            if (response.flags & RX_EXTRA_INFO)
                take_extras(nic, pending, packet);
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

static struct packet *keep_pages(struct nic *nic, struct gathered *from)
{
    must_hold(&nic->receiver.lock);
    struct receiver *rx = &nic->receiver;
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
    receiver_died(nic, "the backend keeps pages it has filled");
    return NULL;
}

static struct packet *build(struct nic *nic, struct gathered *from)
{
    struct packet *packet;
    if (from->damaged || from->count == 0) {
        give_back(&nic->receiver, from);
        return NULL;
    }
    packet = from->length <= COPY_WHOLE ? copy_whole(&nic->receiver, from) : keep_pages(nic, from);
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

/* Takes all packets there are; no page is offered meanwhile, so this ends. */
static void take_packets(struct nic *nic, struct list *packets)
{
    must_hold(&nic->receiver.lock);
    struct receiver *rx = &nic->receiver;
    do {
        int pending = ring_pending(&rx->ring);
        if (pending < 0) {
            receiver_died(nic, "the backend's receive index is wrong");
            return;
        }
        while (pending > 0) {
            struct gathered gathered = { .count = 0 };
            if (!gather(nic, &pending, &gathered)) {
                give_back(rx, &gathered);
                receiver_died(nic, "the backend answers out of order");
                return;
            }
            struct packet *packet = build(nic, &gathered);
            if (rx->dead)
                return;
            if (packet)
                list_push_back(packets, &packet->link);
            else
                nic->device.dropped++;
        }
    } while (ring_wait_for(&rx->ring, 1));
}

static void deliver(struct nic *nic, struct list *packets)
{
    struct network_device *device = &nic->device;
    struct list *link;
    if (list_empty(packets))
        return;
    while ((link = list_pop_front(packets)))
        network_device_received(device, list_entry(link, struct packet, link));
    if (device->receive_done)
        device->receive_done(device);
}

/* No page is offered until all that came is dealt with, so a round is no longer than the ring. The backend's next
 * packet raises an event again. */
bool netfront_receive_round(struct network_device *device)
{
    struct nic *nic = container_of(device, struct nic, device);
    struct receiver *rx = &nic->receiver;
    struct list packets;
    list_init(&packets);
    spin_lock(&rx->lock);
    if (!rx->dead) {
        take_packets(nic, &packets);
        adapt_target(rx);
    }
    spin_unlock(&rx->lock);
    deliver(nic, &packets);
    netfront_receive_refill(nic);
    return false;
}
