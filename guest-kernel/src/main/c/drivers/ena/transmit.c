/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending. A packet's descriptors (descriptors.h) go into a ring in memory; or they are pushed into the NIC's memory,
 * together with the packet's first bytes, an entry of several descriptors at a time. Pushed entries are put together in
 * memory first and written in order, 8 bytes at a time: the NIC takes whole entries only.
 *
 * The tail, the room and the phase count descriptors in the one case and entries in the other. `used` is at most the
 * depth less one, so the ring is never full, and `in_flight` at most what the ring of completions holds.
 *
 * Completions are not trusted: one for an id that is not under way is a fault. So each ends a packet, and taking them
 * ends. The lock is that of the pair; the stack is never called from here, since it may hold locks of its own.
 */
#include "core/debug.h"
#include "core/packet.h"
#include "drivers/ena/descriptors.h"
#include "drivers/ena/nic.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/platform.h"

/* Completions, amzn-drivers: struct ena_eth_io_tx_cdesc; the first word of two. */
#define SENT_ID(word) ((word)&0xffff)
#define SENT_PHASE(word) ((word) >> 24 & 1)
#define SENT_ZEROS 0xc0000000u

#define ENTRY_MAX 256u

/* A stack that waits for room goes on when there is some for a few packets. */
#define READY_PACKETS 4u

/* ---- Into the ring ---- */

static unsigned per_entry(const struct ena_sender *send)
{
    return send->entry_size / (unsigned)sizeof(struct ena_descriptor);
}

/* Of a ring, that so many descriptors take. */
static unsigned entries_of(const struct ena_sender *send, unsigned descriptors)
{
    if (!send->pushes)
        return descriptors;
    unsigned more = descriptors > 2 ? descriptors - 2 : 0;
    return 1 + (more + per_entry(send) - 1) / per_entry(send);
}

static uint32_t next_phase(const struct ena_submissions *queue)
{
    return ENA_PHASE_BIT(ena_phase(queue->tail, queue->depth));
}

static void write_to_memory(struct ena_submissions *queue, const struct ena_chain *chain)
{
    struct ena_descriptor *ring = queue->ring;
    for (unsigned i = 0; i < chain->count; i++) {
        struct ena_descriptor *entry = &ring[queue->tail & (queue->depth - 1)];
        *entry = chain->descriptors[i];
        entry->words[0] |= next_phase(queue);
        queue->tail++;
    }
}

union entry {
    struct ena_descriptor descriptors[ENTRY_MAX / sizeof(struct ena_descriptor)];
    uint8_t bytes[ENTRY_MAX];
    uint64_t words[ENTRY_MAX / 8];
};

/* Writes the entry with the first `count` of these descriptors. */
static void push_entry(struct ena_sender *send, union entry *entry, const struct ena_descriptor *descriptors,
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

static void push(struct ena_sender *send, const struct ena_chain *chain, const struct packet *packet)
{
    union entry entry = { .words = { 0 } };
    unsigned done = min_of(chain->count, 2u);
    packet_copy_out(packet, 0, entry.bytes + ENA_HEADER_AT, chain->pushed);
    push_entry(send, &entry, chain->descriptors, done);
    while (done < chain->count) {
        unsigned count = min_of(chain->count - done, per_entry(send));
        memset(&entry, 0, sizeof(entry));
        push_entry(send, &entry, chain->descriptors + done, count);
        done += count;
    }
}

static void write_chain(struct ena_sender *send, struct ena_chain *chain, const struct packet *packet, unsigned entries)
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

/* The packet is the NIC's now. */
static bool enqueue(struct ena_pair *pair, struct packet *packet, struct ena_chain *chain)
{
    struct ena_sender *send = &pair->send;
    unsigned entries = entries_of(send, chain->count);
    if (!room_for(send, entries))
        return false;
    uint16_t id = send->first_free;
    struct ena_sent *sent = &send->sent[id];
    struct ena_descriptor *first = &chain->descriptors[chain->first_data];
    first->words[0] |= ENA_ID_HIGH(id);
    first->words[1] |= ENA_ID_LOW(id);
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
    struct ena_chain chain;
    bool possible = ena_describe(pair, packet, &chain);
    if (!possible && chain.too_long) {
        packet = joined(packet);
        possible = packet && ena_describe(pair, packet, &chain);
    }
    if (possible && enqueue(pair, packet, &chain))
        return true;
    if (packet)
        packet_free(packet);
    return false;
}

/* What is sent to a NIC that is not up, or without a link, is dropped. */
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
    must_hold(&pair->lock);
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
    /* Nothing waits for a NIC that is not up. */
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
    must_hold(&pair->lock);
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
    must_hold(&pair->lock);
    const struct ena_sender *send = &pair->send;
    unsigned count = 0;
    for (unsigned i = 0; i < send->submissions.depth; i++)
        count += send->sent[i].packet && send->sent[i].at < time;
    return count;
}
