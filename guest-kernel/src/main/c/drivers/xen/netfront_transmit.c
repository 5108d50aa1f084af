#include "drivers/xen/netfront_card.h"
#include "lib/print.h"
#include "lib/string.h"
#include "platform/xenpv/events.h"

/* The most ring slots a packet can take: its pieces and one extra info. */
#define ROOM_FOR_A_PACKET (NET_SLOTS_PER_PACKET + 1)
#define NO_SLOT UINT16_MAX

/* What this file keeps in packet->layer: how many slots are not answered yet. */
struct progress {
    unsigned slots;
};

static struct progress *progress_of(struct packet *packet)
{
    _Static_assert(sizeof(struct progress) <= sizeof(packet->layer), "scratch space of a packet");
    return (struct progress *)(void *)packet->layer;
}

/* A piece of a packet within one page. */
struct piece {
    phys_t address;
    uint32_t length;
};

void netfront_transmit_init(struct card *card, void *ring_page)
{
    struct transmitter *tx = &card->transmitter;
    spinlock_init(&tx->lock, "netfront transmit");
    ring_init(&tx->ring, ring_page, sizeof(struct tx_request));
    for (uint16_t i = 0; i < NET_SLOTS; i++)
        tx->slots[i].next_free = (uint16_t)(i + 1);
    tx->slots[NET_SLOTS - 1].next_free = NO_SLOT;
}

/* Cuts [address, +length) at page boundaries: neighbouring pages are not neighbours on the machine.
 * The new count, or limit + 1 when there is no room for all. */
static unsigned add_pieces(struct piece *pieces, unsigned count, unsigned limit, phys_t address, uint32_t length)
{
    while (length > 0) {
        if (count >= limit)
            return limit + 1;
        uint32_t here = (uint32_t)min_of((uint64_t)length, PAGE_SIZE - (address & PAGE_MASK));
        pieces[count++] = (struct piece){ address, here };
        address += here;
        length -= here;
    }
    return count;
}

/* The packet's pieces, at most `limit`; limit + 1 when it has more. */
static unsigned split(const struct packet *packet, struct piece *pieces, unsigned limit)
{
    unsigned count = add_pieces(pieces, 0, limit, virt_to_phys(packet->head + packet->start), packet->linear);
    for (unsigned i = 0; i < packet->fragment_count && count <= limit; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        count = add_pieces(pieces, count, limit, page_address(fragment->page) + fragment->offset, fragment->length);
    }
    return count;
}

/* Pages filled one after the other. */
struct dense {
    struct packet_fragment pages[PACKET_MAX_FRAGMENTS];
    unsigned count;
};

static bool append(struct dense *to, const uint8_t *from, uint32_t length)
{
    while (length > 0) {
        if (to->count == 0 || to->pages[to->count - 1].length == PAGE_SIZE) {
            struct page *page = to->count < PACKET_MAX_FRAGMENTS ? page_allocate_at(PAGES_RESERVED) : NULL;
            if (page == NULL)
                return false;
            to->pages[to->count++] = (struct packet_fragment){ .page = page };
        }
        struct packet_fragment *last = &to->pages[to->count - 1];
        uint32_t here = min_of(length, (uint32_t)PAGE_SIZE - last->length);
        memcpy((uint8_t *)page_data(last->page) + last->length, from, here);
        last->length = (uint16_t)(last->length + here);
        from += here;
        length -= here;
    }
    return true;
}

static void put_pages(const struct packet_fragment *fragments, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        page_put(fragments[i].page);
}

/* Moves all bytes into as few pages as they need; nothing stays in the linear area. False without memory. */
static bool compact(struct packet *packet)
{
    struct dense dense = { .count = 0 };
    bool done = append(&dense, packet->head + packet->start, packet->linear);
    for (unsigned i = 0; i < packet->fragment_count && done; i++) {
        const struct packet_fragment *from = &packet->fragments[i];
        done = append(&dense, (const uint8_t *)page_data(from->page) + from->offset, from->length);
    }
    if (!done) {
        put_pages(dense.pages, dense.count);
        return false;
    }
    put_pages(packet->fragments, packet->fragment_count);
    memcpy(packet->fragments, dense.pages, dense.count * sizeof(dense.pages[0]));
    packet->fragment_count = (uint16_t)dense.count;
    packet->linear = 0;
    return true;
}

/* One free id with a grant for the piece's page; NULL without one. */
static struct tx_slot *take_slot(struct card *card, const struct piece *piece)
{
    struct transmitter *tx = &card->transmitter;
    if (tx->first_free == NO_SLOT)
        return NULL;
    struct tx_slot *slot = &tx->slots[tx->first_free];
    slot->grant = grant_page(card->frontend.backend_domain, align_down(piece->address, PAGE_SIZE), true);
    if (slot->grant == GRANT_NONE)
        return NULL;
    tx->first_free = slot->next_free;
    slot->packet = NULL;
    return slot;
}

/* Gives an id back. False if the backend still uses the page: then neither id nor page come back. */
static bool return_slot(struct transmitter *tx, struct tx_slot *slot)
{
    if (!grant_revoke(slot->grant))
        return false;
    slot->grant = GRANT_NONE;
    slot->packet = NULL;
    slot->next_free = tx->first_free;
    tx->first_free = (uint16_t)(slot - tx->slots);
    return true;
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

/* Writes the requests of a packet whose slots have been taken. */
static void put_requests(struct transmitter *tx, const struct packet *packet, const struct piece *pieces,
                         struct tx_slot *const *slots, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t size = i == 0 ? packet->length : pieces[i].length;
        struct tx_request request = {
            .grant = slots[i]->grant,
            .offset = (uint16_t)(pieces[i].address & PAGE_MASK),
            .flags = (uint16_t)((i == 0 ? first_flags(packet) : 0)
                                | (i + 1 < count ? TX_MORE_DATA : 0)),
            .id = (uint16_t)(slots[i] - tx->slots),
            .size = (uint16_t)size,
        };
        ring_put(&tx->ring, &request, sizeof(request));
        if (i == 0 && packet->segment_size != 0) {
            struct extra_info extra = {
                .type = EXTRA_TYPE_GSO, .gso_size = packet->segment_size, .gso_type = GSO_TCPV4,
            };
            ring_put(&tx->ring, &extra, sizeof(extra));
        }
    }
}

/* Puts the packet on the ring, which has room for any. False: it could not be (dropped). */
static bool send_pieces(struct card *card, struct packet *packet)
{
    struct transmitter *tx = &card->transmitter;
    struct piece pieces[NET_SLOTS_PER_PACKET];
    struct tx_slot *slots[NET_SLOTS_PER_PACKET];
    unsigned limit = tx->slots_per_packet, count = split(packet, pieces, limit);
    if (count > limit && compact(packet))
        count = split(packet, pieces, limit);
    if (count == 0 || count > limit)
        return false;
    for (unsigned i = 0; i < count; i++) {
        slots[i] = take_slot(card, &pieces[i]);
        if (slots[i] != NULL)
            continue;
        while (i-- > 0)
            assert(return_slot(tx, slots[i]));   /* never seen by the backend */
        return false;
    }
    for (unsigned i = 0; i < count; i++)
        slots[i]->packet = packet;
    progress_of(packet)->slots = count;
    put_requests(tx, packet, pieces, slots, count);
    return true;
}

static bool take_response(struct card *card)
{
    struct transmitter *tx = &card->transmitter;
    struct tx_response response;
    ring_take(&tx->ring, &response, sizeof(response));
    if (response.status == RESPONSE_NULL)
        return true;                 /* for an extra info */
    if (response.id >= NET_SLOTS || tx->slots[response.id].grant == GRANT_NONE)
        return false;
    struct tx_slot *slot = &tx->slots[response.id];
    struct packet *packet = slot->packet;
    if (!return_slot(tx, slot))
        return false;
    if (--progress_of(packet)->slots > 0)
        return true;
    if (response.status < 0)
        card->device.dropped++;
    packet_free(packet);
    return true;
}

static void transmitter_died(struct card *card)
{
    if (!card->transmitter.dead)
        log_error("network card %s: the backend violates the transmit protocol; nothing is sent any more",
                  card->device.name);
    card->transmitter.dead = true;
}

/* Takes all answers there are. Asks for the next notification when half of what is under way has
 * gone, so a burst costs few interrupts and the last packet is still freed. */
static void reap(struct card *card)
{
    struct transmitter *tx = &card->transmitter;
    uint32_t half;
    do {
        int pending = tx->dead ? 0 : ring_pending(&tx->ring);
        bool good = pending >= 0;
        while (good && pending-- > 0)
            good = take_response(card);
        if (!good) {
            transmitter_died(card);
            return;
        }
        half = (tx->ring.requests_produced - tx->ring.responses_consumed) / 2 + 1;
    } while (!tx->dead && ring_wait_for(&tx->ring, half));
}

bool netfront_transmit(struct network_device *device, struct packet *packet)
{
    struct card *card = card_of(device);
    struct transmitter *tx = &card->transmitter;
    spin_lock(&tx->lock);
    if (ring_free(&tx->ring) < ROOM_FOR_A_PACKET)
        reap(card);
    uint32_t length = packet->length;
    bool sent = !tx->dead && ring_free(&tx->ring) >= ROOM_FOR_A_PACKET && length <= NET_PACKET_MAX
        && send_pieces(card, packet);
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

void netfront_flush(struct network_device *device)
{
    struct card *card = card_of(device);
    struct transmitter *tx = &card->transmitter;
    spin_lock(&tx->lock);
    bool notify = !tx->dead && ring_push(&tx->ring);
    spin_unlock(&tx->lock);
    if (notify)
        event_notify(card->port);
}

void netfront_transmit_event(struct card *card)
{
    struct transmitter *tx = &card->transmitter;
    spin_lock(&tx->lock);
    reap(card);
    bool ready = tx->full && (tx->dead || ring_free(&tx->ring) >= ROOM_FOR_A_PACKET);
    if (ready)
        tx->full = false;
    spin_unlock(&tx->lock);
    if (ready && card->device.transmit_ready != NULL)
        card->device.transmit_ready(&card->device);
}
