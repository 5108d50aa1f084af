/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving. Each buffer is a page, and a packet larger than that comes in several. It goes to the stack only when its
 * pages can be replaced, so the ring is as full afterwards as before: some NICs drop packets when a part of the ring
 * is empty. Buffers are cleared: a NIC that claims to have written more than it did reveals nothing that was in them.
 *
 * Completions are not trusted. One for an id that is not posted, of more than a page, of more buffers than a packet may
 * have, or out of a packet's order is a fault; until the reset the pair is not used. The lock is that of the pair.
 */
#include "core/debug.h"
#include "core/pages.h"
#include "drivers/ena/nic.h"
#include "lib/string.h"

/* As in drivers/virtio/network_receive.c: small packets are copied whole, of others the headers. */
#define COPY_WHOLE 1664U
#define COPY_HEADERS 128U

/* amzn-drivers: struct ena_eth_io_rx_desc. */
struct descriptor {
    uint16_t length;
    uint8_t reserved;
    uint8_t control;
    uint16_t id;
    uint16_t reserved_too;
    struct ena_address address; /* but for the last 2 bytes, which are 0 */
};
_Static_assert(sizeof(struct descriptor) == 16, "amzn-drivers");
#define CONTROL_FIRST 0x04
#define CONTROL_LAST 0x08
#define CONTROL_COMPLETION 0x10

/* amzn-drivers: struct ena_eth_io_rx_cdesc_base. */
struct completion {
    uint32_t status;
    uint16_t length;
    uint16_t id;
    uint32_t hash;
    uint16_t queue;
    uint8_t offset;
    uint8_t reserved;
};
_Static_assert(sizeof(struct completion) == 16, "amzn-drivers");
#define STATUS_NETWORK(s) ((s)&0x1f)
#define NETWORK_IPV4 8
#define NETWORK_IPV6 11
#define STATUS_TRANSPORT(s) ((s) >> 8 & 0x1f)
#define TRANSPORT_TCP 12
#define TRANSPORT_UDP 13
#define STATUS_BAD_HEADER (1u << 13)
#define STATUS_BAD_TRANSPORT (1u << 14)
#define STATUS_FRAGMENT (1u << 15)
#define STATUS_CHECKED (1u << 16)
#define STATUS_PHASE(s) ((s) >> 24 & 1)
#define STATUS_FIRST (1u << 26)
#define STATUS_LAST (1u << 27)
#define STATUS_ZEROS (1u << 7 | 1u << 17)

/* ---- Buffers ---- */

/* There is a free id. */
static void post(struct ena_receiver *receive, struct page *page)
{
    struct ena_submissions *queue = &receive->submissions;
    struct descriptor *ring = queue->ring;
    uint16_t id = receive->free_ids[--receive->free_count];
    receive->posted[id] = page;
    ring[queue->tail & (queue->depth - 1)] = (struct descriptor){
        .length = PAGE_SIZE,
        .control = CONTROL_FIRST | CONTROL_LAST | CONTROL_COMPLETION | ena_phase(queue->tail, queue->depth),
        .id = id,
        .address = ena_address_of(page_data(page)),
    };
    queue->tail++;
    if ((uint16_t)(queue->tail - queue->notified) >= queue->depth / 8)
        ena_notify(queue);
}

static bool is_full(const struct ena_receiver *receive)
{
    return receive->submissions.depth - receive->free_count >= receive->completions.limit;
}

bool ena_receive_fill(struct ena_pair *pair)
{
    must_hold(&pair->lock);
    struct ena_receiver *receive = &pair->receive;
    while (!is_full(receive)) {
        struct page *page = device_page();
        if (!page)
            break;
        post(receive, page);
    }
    ena_notify(&receive->submissions);
    return is_full(receive);
}

void ena_receive_start(struct ena_pair *pair)
{
    must_hold(&pair->lock);
    struct ena_receiver *receive = &pair->receive;
    receive->free_count = receive->submissions.depth;
    for (uint16_t i = 0; i < receive->free_count; i++)
        receive->free_ids[i] = (uint16_t)(receive->free_count - 1 - i); /* the last one is taken first */
    receive->buffers_max = pair->nic->limits.receive_buffers;
}

void ena_receive_forget(struct ena_pair *pair)
{
    struct ena_receiver *receive = &pair->receive;
    for (unsigned i = 0; i < pair->receive_capacity; i++) {
        if (receive->posted[i])
            page_put(receive->posted[i]);
        receive->posted[i] = NULL;
    }
    for (unsigned i = 0; i < receive->got.count; i++)
        page_put(receive->got.pages[i]);
    receive->got.count = 0;
}

/* ---- Completions ---- */

static uint32_t next_status(const struct ena_receiver *receive)
{
    const struct ena_completions *queue = &receive->completions;
    const struct completion *ring = queue->ring;
    return __atomic_load_n(&ring[queue->head & (queue->depth - 1)].status, __ATOMIC_ACQUIRE);
}

static bool is_new(const struct ena_completions *queue, uint32_t status)
{
    return STATUS_PHASE(status) == ena_phase(queue->head, queue->depth);
}

bool ena_receive_pending(const struct ena_pair *pair)
{
    return is_new(&pair->receive.completions, next_status(&pair->receive));
}

/* Copies the next completion; its status last of all is what says that it is there. */
static bool next_completion(struct ena_receiver *receive, struct completion *completion)
{
    struct ena_completions *queue = &receive->completions;
    const struct completion *entry = &((const struct completion *)queue->ring)[queue->head & (queue->depth - 1)];
    uint32_t status = next_status(receive);
    if (!is_new(queue, status))
        return false;
    *completion = (struct completion){
        .status = status,
        .length = read_once(entry->length),
        .id = read_once(entry->id),
    };
    queue->head++;
    return true;
}

/* What is wrong with a completion, or ENA_NORMAL. */
static enum ena_reason judge(const struct ena_pair *pair, const struct completion *completion)
{
    const struct ena_receiver *receive = &pair->receive;
    bool first = completion->status & STATUS_FIRST;
    if (pair->nic->capabilities & ENA_CAPABILITY_ZEROS && completion->status & STATUS_ZEROS)
        return ENA_RECEIVE_MALFORMED;
    if (completion->id >= receive->submissions.depth || !receive->posted[completion->id])
        return ENA_BAD_RECEIVE_ID;
    if (receive->got.count == receive->buffers_max)
        return ENA_TOO_MANY_BUFFERS;
    if (first != (receive->got.count == 0) || completion->length > PAGE_SIZE)
        return ENA_RECEIVE_MALFORMED;
    return ENA_NORMAL;
}

static void add_buffer(struct ena_receiver *receive, const struct completion *completion)
{
    struct ena_gathered *got = &receive->got;
    if (got->count == 0)
        got->length = 0;
    got->pages[got->count] = receive->posted[completion->id];
    got->lengths[got->count++] = completion->length;
    got->length += completion->length;
    got->status = completion->status;
    receive->posted[completion->id] = NULL;
    receive->free_ids[receive->free_count++] = completion->id;
}

/* Takes completions up to the end of a packet. False: the rest of it is still to come. */
static bool gather(struct ena_pair *pair)
{
    struct completion completion;
    while (pair->up && next_completion(&pair->receive, &completion)) {
        enum ena_reason fault = judge(pair, &completion);
        if (fault != ENA_NORMAL) {
            ena_pair_fault(pair, fault);
            return false;
        }
        add_buffer(&pair->receive, &completion);
        if (completion.status & STATUS_LAST)
            return true;
    }
    return false;
}

/* ---- Packets ---- */

static bool checksum_valid(uint32_t status)
{
    unsigned network = STATUS_NETWORK(status), transport = STATUS_TRANSPORT(status);
    return (network == NETWORK_IPV4 || network == NETWORK_IPV6) &&
           (transport == TRANSPORT_TCP || transport == TRANSPORT_UDP) && status & STATUS_CHECKED &&
           !(status & (STATUS_BAD_HEADER | STATUS_BAD_TRANSPORT | STATUS_FRAGMENT));
}

static struct packet *copy_whole(const struct ena_gathered *got)
{
    struct packet *packet = packet_allocate(got->length);
    for (unsigned i = 0; packet && i < got->count; i++)
        memcpy(packet_put(packet, got->lengths[i]), page_data(got->pages[i]), got->lengths[i]);
    return packet;
}

/* One new page for each of the packet's, or none. */
static bool replace_pages(struct ena_receiver *receive)
{
    struct page *pages[ENA_RECEIVE_BUFFERS];
    if (!device_pages(pages, receive->got.count))
        return false;
    for (unsigned i = 0; i < receive->got.count; i++)
        post(receive, pages[i]);
    return true;
}

/* The packet takes over the pages, whose places in the ring others have then. */
static struct packet *attach_pages(struct ena_receiver *receive)
{
    const struct ena_gathered *got = &receive->got;
    struct packet *packet = packet_allocate_paged(COPY_HEADERS);
    if (!packet)
        return NULL;
    if (!replace_pages(receive)) {
        packet_free(packet);
        return NULL;
    }
    uint32_t headers = min_of((uint32_t)got->lengths[0], COPY_HEADERS);
    memcpy(packet_put(packet, headers), page_data(got->pages[0]), headers);
    for (unsigned i = 0; i < got->count; i++) {
        uint32_t skip = i == 0 ? headers : 0;
        if (got->lengths[i] > skip)
            (void)packet_add_fragment(packet, got->pages[i], skip, got->lengths[i] - skip); /* there is room */
        page_put(got->pages[i]);
    }
    return packet;
}

bool ena_receive(struct ena_pair *pair, struct packet **packet)
{
    must_hold(&pair->lock);
    struct ena_receiver *receive = &pair->receive;
    struct ena_gathered *got = &receive->got;
    *packet = NULL;
    if (!gather(pair))
        return false;
    bool attach = got->length > COPY_WHOLE;
    if (got->length > 0)
        *packet = attach ? attach_pages(receive) : copy_whole(got);
    if (!*packet || !attach) {
        for (unsigned i = 0; i < got->count; i++)
            post(receive, got->pages[i]);
    }
    if (*packet && checksum_valid(got->status))
        (*packet)->flags |= PACKET_CHECKSUM_VALID;
    if (!*packet)
        pair->nic->network.dropped++;
    got->count = 0;
    return true;
}
