/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending. A packet becomes a descriptor that says more about it (amzn-drivers: "meta") and one for each run of its
 * bytes. They go into a ring in memory, where the first one is left out if it says nothing; or they are pushed into the
 * card's memory, together with the packet's first bytes, an entry of several descriptors at a time. Pushed entries are
 * put together in memory first and written in order, 8 bytes at a time: the card takes whole entries only.
 *
 * The tail, the room and the phase count descriptors in the one case and entries in the other. `used` is at most the
 * depth less one, so the ring is never full, and `in_flight` at most what the ring of completions holds.
 *
 * Completions are not trusted: one for an id that is not under way is a fault. So each ends a packet, and taking them
 * ends. The lock is that of the pair; the stack is never called from here, since it may hold locks of its own.
 */
#include "core/packet.h"
#include "drivers/ena/nic.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/platform.h"

struct descriptor {
    uint32_t words[4];
};
_Static_assert(sizeof(struct descriptor) == 16, "amzn-drivers");

/* Word 0; the same bits in both kinds of descriptor, as far as they have them. */
#define LENGTH_MAX 0xffffu
#define ID_HIGH(id) ((uint32_t)(id) >> 10 << 16)
#define META_EXTENDED (1u << 14 | 1u << 20) /* "valid", and which kind */
#define META_SEGMENT_HIGH(size) ((uint32_t)(size) >> 10 << 16)
#define META_STORE (1u << 21)
#define META (1u << 23)
#define PHASE(phase) ((uint32_t)(phase) << 24)
#define FIRST (1u << 26)
#define LAST (1u << 27)
#define COMPLETION (1u << 28)
/* Word 1. */
#define PROTOCOL_IPV4 8u
#define DONT_FRAGMENT (1u << 4)
#define SEGMENTED (1u << 7)
#define PROTOCOL_TCP (12u << 8)
#define PROTOCOL_UDP (13u << 8)
#define CHECKSUM_IP (1u << 13)
#define CHECKSUM_TRANSPORT (1u << 14)
#define CHECKSUM_PARTIAL (1u << 17)
#define ID_LOW(id) (((uint32_t)(id)&0x3ff) << 22)
/* Word 2 of the one that says more. */
#define META_IP_LENGTH(bytes) ((uint32_t)(bytes))
#define META_IP_OFFSET(bytes) ((uint32_t)(bytes) << 8)
#define META_TCP_WORDS(words) ((uint32_t)(words) << 16)
#define META_SEGMENT_LOW(size) (((uint32_t)(size)&0x3ff) << 22)
/* Word 3. */
#define HEADER_LENGTH(bytes) ((uint32_t)(bytes) << 24)
#define HEADER_LENGTH_MAX 255u

/* Completions, amzn-drivers: struct ena_eth_io_tx_cdesc; the first word of two. */
#define SENT_ID(word) ((word)&0xffff)
#define SENT_PHASE(word) ((word) >> 24 & 1)
#define SENT_ZEROS 0xc0000000u

#define ENTRY_MAX 256u
#define HEADER_AT (2 * sizeof(struct descriptor)) /* in the first entry of a packet */

#define ETHERNET_HEADER 14u
#define ETHERTYPE_AT 12
#define IP_FLAGS_AT 6
#define IP_DONT_FRAGMENT 0x40
#define IP_HEADER_MIN 20u
#define IP_HEADER_MAX 60u
#define TCP_HEADER_MIN 20u
#define TCP_HEADER_MAX 60u
#define TCP_CHECKSUM_AT 16
#define UDP_CHECKSUM_AT 6

/* A stack that was told to wait goes on when there is room for a few packets. */
#define READY_PACKETS 4u

/* A packet's descriptors, but for their phases. */
struct chain {
    struct descriptor descriptors[1 + ENA_SEND_BUFFERS];
    unsigned count;
    unsigned first_data; /* the index of the first that is of data: 0, or 1 after the one that says more */
    unsigned data_max;   /* descriptors of data */
    uint32_t pushed;     /* bytes of the packet that go into the entry themselves */
    bool too_long;       /* it needs more descriptors of data */
};

/* ---- What is said about a packet ---- */

static bool is_ipv4(const struct packet *packet)
{
    const uint8_t *data = packet_data(packet);
    return data[ETHERTYPE_AT] == 0x08 && data[ETHERTYPE_AT + 1] == 0x00;
}

/* Where the checksum is says which protocol it is of. 0: of none that the card knows. */
static uint32_t transport_of(const struct packet *packet)
{
    switch (packet->checksum_offset) {
    case TCP_CHECKSUM_AT:
        return PROTOCOL_TCP;
    case UDP_CHECKSUM_AT:
        return PROTOCOL_UDP;
    default:
        return 0;
    }
}

/* The card must get what it says that it does; what the stack has ready from before a reset may be for another one. */
static bool offload_possible(const struct ena_nic *nic, const struct packet *packet)
{
    uint32_t ip_length = packet->checksum_start - ETHERNET_HEADER;
    uint32_t tcp_length = (uint32_t)packet->header_length - packet->checksum_start;
    if (!nic->limits.checksums || !(packet->flags & PACKET_CHECKSUM_PARTIAL) ||
        packet->linear < ETHERNET_HEADER + IP_HEADER_MIN || !is_ipv4(packet) || transport_of(packet) == 0 ||
        ip_length < IP_HEADER_MIN || ip_length > IP_HEADER_MAX)
        return false;
    return packet->segment_size == 0 ||
           (nic->limits.segmentation && transport_of(packet) == PROTOCOL_TCP && tcp_length >= TCP_HEADER_MIN &&
            tcp_length <= TCP_HEADER_MAX && packet->header_length <= packet->length);
}

static void describe_offload(const struct packet *packet, struct descriptor *meta, uint32_t *word1)
{
    uint32_t ip_length = packet->checksum_start - ETHERNET_HEADER;
    meta->words[2] = META_IP_LENGTH(ip_length) | META_IP_OFFSET(ETHERNET_HEADER);
    *word1 = PROTOCOL_IPV4 | transport_of(packet) | CHECKSUM_TRANSPORT;
    if (packet_data(packet)[ETHERNET_HEADER + IP_FLAGS_AT] & IP_DONT_FRAGMENT)
        *word1 |= DONT_FRAGMENT;
    if (packet->segment_size == 0) {
        *word1 |= CHECKSUM_PARTIAL;
        return;
    }
    *word1 |= SEGMENTED | CHECKSUM_IP;
    meta->words[0] |= META_SEGMENT_HIGH(packet->segment_size);
    meta->words[2] |= META_TCP_WORDS((uint32_t)(packet->header_length - packet->checksum_start) / 4) |
                      META_SEGMENT_LOW(packet->segment_size);
}

/* ---- Its descriptors ---- */

static bool add_buffer(struct chain *chain, const uint8_t *data, uint32_t length)
{
    chain->too_long = chain->count - chain->first_data == chain->data_max;
    if (chain->too_long)
        return false;
    phys_t address = virt_to_phys(data);
    chain->descriptors[chain->count++] = (struct descriptor){
        .words = { length, 0, (uint32_t)address, (uint32_t)(address >> 32) },
    };
    return true;
}

static bool add_run(void *context, const uint8_t *data, uint32_t length)
{
    uint32_t part;
    for (; length > 0; data += part, length -= part) {
        part = min_of(length, LENGTH_MAX);
        if (!add_buffer(context, data, part))
            return false;
    }
    return true;
}

/* A packet that was pushed as a whole has a descriptor of no data. */
static void add_data(struct chain *chain, const struct packet *packet)
{
    packet_for_each_run(packet, chain->pushed, packet->length - chain->pushed, add_run, chain);
    if (chain->count == chain->first_data)
        chain->descriptors[chain->count++] = (struct descriptor){ 0 };
}

/* How much of the packet's beginning the card gets with the entry, or is told to fetch first. */
static uint32_t header_of(const struct ena_pair *pair, const struct packet *packet)
{
    const struct ena_sender *send = &pair->send;
    uint32_t limit = pair->nic->limits.header_max != 0 ? pair->nic->limits.header_max : HEADER_LENGTH_MAX;
    limit = min_of(limit, send->pushes ? send->entry_size - (uint32_t)HEADER_AT : HEADER_LENGTH_MAX);
    return min_of(limit, send->pushes ? packet->length : packet->linear);
}

/* False: the card cannot send it. chain->too_long: unless it is in fewer pieces. */
static bool describe(const struct ena_pair *pair, const struct packet *packet, struct chain *chain)
{
    const struct ena_sender *send = &pair->send;
    struct descriptor meta = { .words = { META | META_EXTENDED | META_STORE } };
    bool offload = packet->segment_size != 0 || packet->flags & PACKET_CHECKSUM_PARTIAL;
    uint32_t word1 = 0, header = header_of(pair, packet);
    *chain = (struct chain){ .data_max = send->buffers_max, .pushed = send->pushes ? header : 0 };
    if (offload && !offload_possible(pair->nic, packet))
        return false;
    if (packet->segment_size != 0 && packet->header_length > header)
        return false;
    if (offload)
        describe_offload(packet, &meta, &word1);
    if (offload || send->pushes)
        chain->descriptors[chain->count++] = meta;
    chain->first_data = chain->count;
    add_data(chain, packet);
    struct descriptor *first = &chain->descriptors[chain->first_data];
    first->words[0] |= COMPLETION;
    first->words[1] |= word1;
    first->words[3] |= HEADER_LENGTH(header);
    chain->descriptors[0].words[0] |= FIRST;
    chain->descriptors[chain->count - 1].words[0] |= LAST;
    return !chain->too_long;
}

/* ---- Into the ring ---- */

static unsigned per_entry(const struct ena_sender *send)
{
    return send->entry_size / (unsigned)sizeof(struct descriptor);
}

/* Of a ring, that so many descriptors take. */
static unsigned entries_of(const struct ena_sender *send, unsigned descriptors)
{
    if (!send->pushes)
        return descriptors;
    unsigned more = descriptors > 2 ? descriptors - 2 : 0;
    return 1 + (more + per_entry(send) - 1) / per_entry(send);
}

static uint32_t next_phase(const struct ena_submissions *queue) { return PHASE(ena_phase(queue->tail, queue->depth)); }

static void write_to_memory(struct ena_submissions *queue, const struct chain *chain)
{
    struct descriptor *ring = queue->ring;
    for (unsigned i = 0; i < chain->count; i++) {
        struct descriptor *entry = &ring[queue->tail & (queue->depth - 1)];
        *entry = chain->descriptors[i];
        entry->words[0] |= next_phase(queue);
        queue->tail++;
    }
}

union entry {
    struct descriptor descriptors[ENTRY_MAX / sizeof(struct descriptor)];
    uint8_t bytes[ENTRY_MAX];
    uint64_t words[ENTRY_MAX / 8];
};

/* Writes the entry with the first `count` of these descriptors. */
static void push_entry(struct ena_sender *send, union entry *entry, const struct descriptor *descriptors,
                       unsigned count)
{
    struct ena_submissions *queue = &send->submissions;
    for (unsigned i = 0; i < count; i++) {
        entry->descriptors[i] = descriptors[i];
        entry->descriptors[i].words[0] |= next_phase(queue);
    }
    volatile uint8_t *to = send->pushes + (size_t)(queue->tail & (queue->depth - 1)) * send->entry_size;
    for (unsigned i = 0; i < send->entry_size / 8; i++)
        mmio_write64(to + 8 * i, entry->words[i]);
    queue->tail++;
}

static void push(struct ena_sender *send, const struct chain *chain, const struct packet *packet)
{
    union entry entry = { .words = { 0 } };
    unsigned done = min_of(chain->count, 2u);
    packet_copy_out(packet, 0, entry.bytes + HEADER_AT, chain->pushed);
    push_entry(send, &entry, chain->descriptors, done);
    while (done < chain->count) {
        unsigned count = min_of(chain->count - done, per_entry(send));
        memset(&entry, 0, sizeof(entry));
        push_entry(send, &entry, chain->descriptors + done, count);
        done += count;
    }
}

static void write_chain(struct ena_sender *send, struct chain *chain, const struct packet *packet, unsigned entries)
{
    struct ena_submissions *queue = &send->submissions;
    if (!send->pushes) {
        write_to_memory(queue, chain);
        return;
    }
    if ((uint16_t)(queue->tail - queue->notified) + entries > send->burst)
        ena_notify(queue);
    push(send, chain, packet);
}

static bool room_for(const struct ena_sender *send, unsigned entries)
{
    return send->used + entries < send->submissions.depth && send->in_flight < send->completions.limit;
}

/* The packet is the card's now. */
static bool enqueue(struct ena_pair *pair, struct packet *packet, struct chain *chain)
{
    struct ena_sender *send = &pair->send;
    unsigned entries = entries_of(send, chain->count);
    if (!room_for(send, entries))
        return false;
    uint16_t id = send->first_free;
    struct ena_sent *sent = &send->sent[id];
    struct descriptor *first = &chain->descriptors[chain->first_data];
    first->words[0] |= ID_HIGH(id);
    first->words[1] |= ID_LOW(id);
    send->first_free = sent->next_free;
    *sent = (struct ena_sent){ .packet = packet, .at = clock_monotonic(), .entries = (uint16_t)entries };
    send->used = (uint16_t)(send->used + entries);
    send->in_flight++;
    write_chain(send, chain, packet, entries);
    return true;
}

/* The same packet with its bytes in one piece; frees the other one. NULL without memory. */
static struct packet *joined(struct packet *packet)
{
    struct packet *copy = packet_copy(packet, 0, packet->length);
    if (copy) {
        copy->flags = packet->flags;
        copy->checksum_start = packet->checksum_start;
        copy->checksum_offset = packet->checksum_offset;
        copy->segment_size = packet->segment_size;
        copy->header_length = packet->header_length;
    }
    packet_free(packet);
    return copy;
}

/* Frees a packet that cannot be sent. */
static bool send_packet(struct ena_pair *pair, struct packet *packet)
{
    struct chain chain;
    bool possible = describe(pair, packet, &chain);
    if (!possible && chain.too_long) {
        packet = joined(packet);
        possible = packet && describe(pair, packet, &chain);
    }
    if (possible && enqueue(pair, packet, &chain))
        return true;
    if (packet)
        packet_free(packet);
    return false;
}

/* What is sent to a card that is not up, or without a link, is dropped. */
static void send_or_drop(struct ena_pair *pair, struct packet *packet)
{
    struct network_device *network = &pair->nic->network;
    uint32_t length = packet->length;
    if (!pair->up || !network->running) {
        packet_free(packet);
        network->dropped++;
    } else if (send_packet(pair, packet)) {
        network->sent_packets++;
        network->sent_bytes += length;
    } else {
        network->dropped++;
    }
}

/* ---- Completions ---- */

static uint32_t next_completion(const struct ena_sender *send)
{
    const struct ena_completions *queue = &send->completions;
    const uint32_t(*ring)[2] = queue->ring;
    return __atomic_load_n(&ring[queue->head & (queue->depth - 1)][0], __ATOMIC_ACQUIRE);
}

static bool is_new(const struct ena_completions *queue, uint32_t word)
{
    return SENT_PHASE(word) == ena_phase(queue->head, queue->depth);
}

bool ena_send_pending(const struct ena_pair *pair)
{
    return is_new(&pair->send.completions, next_completion(&pair->send));
}

static void release(struct ena_sender *send, uint16_t id)
{
    struct ena_sent *sent = &send->sent[id];
    packet_free(sent->packet);
    send->used = (uint16_t)(send->used - sent->entries);
    send->in_flight--;
    *sent = (struct ena_sent){ .next_free = send->first_free };
    send->first_free = id;
}

static bool take_completion(struct ena_pair *pair, uint32_t word)
{
    struct ena_sender *send = &pair->send;
    uint16_t id = SENT_ID(word);
    if (pair->nic->capabilities & ENA_CAPABILITY_ZEROS && word & SENT_ZEROS) {
        ena_pair_fault(pair, ENA_SEND_MALFORMED);
        return false;
    }
    if (id >= send->submissions.depth || !send->sent[id].packet) {
        ena_pair_fault(pair, ENA_BAD_SEND_ID);
        return false;
    }
    send->completions.head++;
    release(send, id);
    return true;
}

static void reclaim(struct ena_pair *pair)
{
    struct ena_sender *send = &pair->send;
    while (pair->up) {
        uint32_t word = next_completion(send);
        if (!is_new(&send->completions, word) || !take_completion(pair, word))
            break;
    }
}

bool ena_reclaim(struct ena_pair *pair)
{
    struct ena_sender *send = &pair->send;
    reclaim(pair);
    unsigned enough = min_of(READY_PACKETS * send->packet_max, send->submissions.depth - 1u);
    if (!send->full || (pair->up && !room_for(send, enough)))
        return false;
    send->full = false;
    return true;
}

/* ---- The stack's calls ---- */

bool ena_transmit(struct network_device *network, struct packet *packet)
{
    struct ena_pair *pair = ena_pair_for(container_of(network, struct ena_nic, network), packet);
    struct ena_sender *send = &pair->send;
    spin_lock(&pair->lock);
    reclaim(pair);
    send_or_drop(pair, packet);
    /* Nothing waits for a card that is not up. */
    send->full = pair->up && !room_for(send, send->packet_max);
    bool room = !send->full;
    spin_unlock(&pair->lock);
    return room;
}

void ena_flush(struct network_device *network)
{
    struct ena_nic *nic = container_of(network, struct ena_nic, network);
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct ena_pair *pair = &nic->pairs[i];
        spin_lock(&pair->lock);
        if (pair->up)
            ena_notify(&pair->send.submissions);
        spin_unlock(&pair->lock);
    }
}

/* ---- Start and end ---- */

/* So that a packet's entries are within a burst. */
static unsigned buffers_within(const struct ena_sender *send, unsigned limit)
{
    if (!send->pushes)
        return limit;
    return min_of(limit, 1 + (send->burst - 1) * per_entry(send));
}

void ena_send_start(struct ena_pair *pair)
{
    struct ena_sender *send = &pair->send;
    for (unsigned i = 0; i < send->submissions.depth; i++)
        send->sent[i] = (struct ena_sent){ .next_free = (uint16_t)(i + 1) };
    send->first_free = send->in_flight = send->used = 0;
    send->full = false;
    send->buffers_max = (uint16_t)buffers_within(send, pair->nic->limits.send_buffers);
    send->packet_max = (uint16_t)entries_of(send, 1u + send->buffers_max);
}

void ena_send_forget(struct ena_pair *pair)
{
    struct ena_sender *send = &pair->send;
    for (unsigned i = 0; i < send->submissions.depth; i++) {
        if (!send->sent[i].packet)
            continue;
        release(send, (uint16_t)i);
        pair->nic->network.dropped++;
    }
}

unsigned ena_sent_before(const struct ena_pair *pair, nanoseconds time)
{
    const struct ena_sender *send = &pair->send;
    unsigned count = 0;
    for (unsigned i = 0; i < send->submissions.depth; i++)
        count += send->sent[i].packet && send->sent[i].at < time;
    return count;
}
