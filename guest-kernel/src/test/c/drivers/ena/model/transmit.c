/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transmission: descriptors of one packet are collected, from memory or from the entries of an LLQ, checked, and the
 * packet is put together and sent. A packet whose last descriptor is not there yet waits for it. Completions are posted
 * at once, or wait for model_complete().
 */
#include "drivers/ena/model/internal.h"

#define META (1u << 23)
#define PHASE (1u << 24)
#define FIRST (1u << 26)
#define LAST (1u << 27)
#define COMPLETION (1u << 28)
#define ID_HIGH 0x3f0000u
#define RESERVED_0 0xe2400000u
#define RESERVED_1 0x003d0060u
#define RESERVED_3 0x00ff0000u
#define META_EXTENDED (1u << 14 | 1u << 20 | 1u << 21)
#define META_SEGMENT_HIGH 0xf0000u
#define OFFLOADS (OFFLOAD_TSO | OFFLOAD_L3 | OFFLOAD_L4)

struct descriptor {
    uint32_t word[4];
};

/* The descriptors of one packet, and how many entries of the ring they take. */
struct collected {
    struct descriptor descriptors[MODEL_PIECES_MAX];
    unsigned count, slots;
    const uint8_t *header; /* pushed bytes, as many as there is place for */
    uint32_t header_place;
    bool complete;
};

static bool add(struct model *m, struct collected *c, const uint8_t *at, unsigned phase)
{
    if (!rule(m, c->count < MODEL_PIECES_MAX, RULE_TX_COUNT))
        return false;
    struct descriptor *d = &c->descriptors[c->count++];
    memcpy(d, at, sizeof(*d));
    rule(m, !!(d->word[0] & PHASE) == phase, RULE_TX_PHASE);
    c->complete = d->word[0] & LAST && !(d->word[0] & META);
    return true;
}

/* Adds the descriptors of an entry of the device's memory, up to the last one; what is left of it is zero. */
static bool add_entry(struct model *m, struct collected *c, const uint8_t *entry, unsigned phase)
{
    uint32_t size = llq_entry_bytes(m), header_at = llq_header_at(m), at = 0;
    uint32_t end = c->slots == 0 ? header_at : size;
    while (at < end && !c->complete) {
        if (!add(m, c, entry + at, phase))
            return false;
        at += 16;
    }
    rule(m, is_zero(entry + at, end - at), RULE_LLQ_REST);
    return true;
}

static bool collect(struct model *m, const struct model_submission_queue *sq, struct collected *c)
{
    const uint8_t *ring = sq->llq ? m->memory + sq->base : memory_at(m, sq->base, (size_t)sq->depth * sq->entry_bytes);
    memset(c, 0, sizeof(*c));
    while (ring != NULL && !c->complete && sq->head + c->slots != sq->tail) {
        uint32_t turn = sq->head + c->slots;
        const uint8_t *entry = ring + (size_t)(turn % sq->depth) * sq->entry_bytes;
        unsigned phase = phase_of(turn, sq->depth);
        if (sq->llq && c->slots == 0) {
            c->header = entry + llq_header_at(m);
            c->header_place = sq->entry_bytes - llq_header_at(m);
        }
        if (!(sq->llq ? add_entry(m, c, entry, phase) : add(m, c, entry, phase)))
            return false;
        c->slots++;
    }
    return c->complete;
}

/* ---- Checks ---- */

static void take_meta(struct model *m, struct model_submission_queue *sq, const struct descriptor *d,
                      struct model_meta *meta)
{
    uint32_t w0 = d->word[0], w2 = d->word[2];
    bool extended = (w0 & META_EXTENDED) == META_EXTENDED;
    bool bare = (w0 & ~PHASE) == (META | FIRST) && w2 == 0;
    uint32_t known = META_EXTENDED | META_SEGMENT_HIGH | META | PHASE | FIRST;
    rule(m, (extended || bare) && (w0 & ~known) == 0 && d->word[1] == 0 && d->word[3] == 0, RULE_META_FORM);
    *meta = (struct model_meta){
        .valid = extended,
        .segment_size = (uint16_t)((w0 >> 16 & 15) << 10 | w2 >> 22),
        .l3_length = (uint8_t)w2,
        .l3_offset = (uint8_t)(w2 >> 8),
        .l4_words = w2 >> 16 & 63,
    };
    if (extended)
        sq->meta = *meta;
}

static void check_meta(struct model *m, const struct model_submission_queue *sq, const struct outgoing *packet)
{
    bool caching = !(sq->llq && m->variant.no_meta_caching), offload = packet->offload & OFFLOADS;
    const struct model_meta *meta = &packet->meta;
    bool empty = (meta->segment_size | meta->l3_length | meta->l3_offset | meta->l4_words) == 0;
    rule(m, caching || !packet->with_meta || offload || empty, RULE_META_EMPTY);
    rule(m, packet->with_meta || (caching && (!offload || meta->valid)), RULE_META_MISSING);
}

static void check_first(struct model *m, const struct model_submission_queue *sq, const struct descriptor *d)
{
    uint32_t id = (d->word[0] & ID_HIGH) >> 16 << 10 | d->word[1] >> 22;
    rule(m, (d->word[0] & RESERVED_0) == 0 && (d->word[1] & RESERVED_1) == 0 && (d->word[3] & RESERVED_3) == 0,
         RULE_TX_RESERVED);
    rule(m, d->word[0] & COMPLETION, RULE_TX_COMPLETION);
    rule(m, id < sq->depth && sq->slots[id % MODEL_DEPTH_MAX] == 0, RULE_TX_ID);
}

static void check_later(struct model *m, const struct descriptor *d)
{
    rule(m, (d->word[0] & RESERVED_0 & ~COMPLETION) == 0 && (d->word[3] & RESERVED_3) == 0, RULE_TX_RESERVED);
    rule(m, (d->word[0] & (COMPLETION | ID_HIGH)) == 0 && d->word[1] == 0 && d->word[3] >> 24 == 0,
         RULE_TX_LATER_FIELDS);
}

/* ---- Putting it together ---- */

static bool append(struct outgoing *packet, const void *bytes, uint32_t length)
{
    if (bytes == NULL || packet->length + length > MODEL_FRAME_MAX)
        return false;
    memcpy(packet->frame + packet->length, bytes, length);
    packet->length += length;
    return true;
}

static bool append_header(struct model *m, const struct collected *c, struct outgoing *packet)
{
    uint32_t length = packet->header_length;
    if (c->header == NULL)
        return true;
    if (!rule(m, length <= c->header_place, RULE_TX_HEADER_LENGTH))
        return false;
    rule(m, is_zero(c->header + length, c->header_place - length), RULE_LLQ_REST);
    return append(packet, c->header, length);
}

static bool append_data(struct model *m, const struct descriptor *d, struct outgoing *packet, bool all_pushed)
{
    uint32_t length = d->word[0] & 0xffff;
    uint64_t address = d->word[2] | (uint64_t)(d->word[3] & 0xffff) << 32;
    if (length == 0 && all_pushed)
        return rule(m, address == 0, RULE_TX_LENGTH);
    return rule(m, length > 0, RULE_TX_LENGTH) && append(packet, memory_at(m, address, length), length);
}

/* False: it cannot be sent. */
static bool put_together(struct model *m, struct model_submission_queue *sq, const struct collected *c,
                         struct outgoing *packet)
{
    unsigned at = 0;
    for (unsigned i = 0; i < c->count; i++)
        rule(m, !!(c->descriptors[i].word[0] & FIRST) == (i == 0), RULE_TX_FIRST_LAST);
    packet->meta = sq->meta;
    if (c->descriptors[0].word[0] & META) {
        packet->with_meta = true;
        take_meta(m, sq, &c->descriptors[at++], &packet->meta);
    }
    const struct descriptor *first = &c->descriptors[at];
    check_first(m, sq, first);
    packet->offload = first->word[1];
    packet->header_length = first->word[3] >> 24;
    check_meta(m, sq, packet);
    bool sound = append_header(m, c, packet);
    bool all_pushed = c->header != NULL && packet->header_length > 0 && at + 1 == c->count;
    for (unsigned i = at; i < c->count && sound; i++) {
        const struct descriptor *d = &c->descriptors[i];
        sound = rule(m, !(d->word[0] & META), RULE_META_PLACE) && append_data(m, d, packet, all_pushed);
        if (i > at)
            check_later(m, d);
    }
    rule(m, packet->header_length <= packet->length, RULE_TX_HEADER_LENGTH);
    return sound;
}

/* ---- Completions ---- */

static void complete(struct model *m, struct model_submission_queue *sq, uint16_t id)
{
    uint8_t entry[16] = { 0 };
    put16(entry, id);
    put16(entry + 4, (uint16_t)(sq - m->submission_queues));
    put16(entry + 6, (uint16_t)sq->head);
    queue_give_back(sq, id);
    queue_post(m, sq, entry);
}

static uint16_t next_waiting(struct model *m, struct model_submission_queue *sq)
{
    uint32_t turn = m->reverse ? --sq->waiting_tail : sq->waiting_head++;
    return sq->waiting[turn % MODEL_DEPTH_MAX];
}

unsigned model_complete(struct model *m, unsigned queue, unsigned count)
{
    struct model_submission_queue *sq = &m->submission_queues[queue];
    unsigned done = 0;
    for (; sq->exists && done < count && sq->waiting_head != sq->waiting_tail; done++)
        complete(m, sq, next_waiting(m, sq));
    if (done > 0)
        queue_interrupt(m, sq);
    return done;
}

unsigned model_held(const struct model *m, unsigned queue)
{
    return m->submission_queues[queue].waiting_tail - m->submission_queues[queue].waiting_head;
}

static void take_packet(struct model *m, struct model_submission_queue *sq, const struct collected *c)
{
    static uint8_t frame[MODEL_FRAME_MAX];
    struct outgoing packet = { .frame = frame };
    const struct descriptor *first = &c->descriptors[c->descriptors[0].word[0] & META ? 1 : 0];
    uint32_t id = (first->word[0] & ID_HIGH) >> 16 << 10 | first->word[1] >> 22;
    rule(m, c->count <= m->variant.tx_pieces, RULE_TX_COUNT);
    bool sound = put_together(m, sq, c, &packet);
    sq->head += c->slots;
    if (sound)
        offload_send(m, &packet);
    if (id >= sq->depth || sq->slots[id] != 0)
        return;
    queue_take(m, sq, id, c->slots);
    if (!m->faults.packets_lost)
        sq->waiting[sq->waiting_tail++ % MODEL_DEPTH_MAX] = (uint16_t)id;
}

void transmit(struct model *m, struct model_submission_queue *sq)
{
    struct collected c;
    while (collect(m, sq, &c))
        take_packet(m, sq, &c);
    if (c.count == MODEL_PIECES_MAX && !c.complete)
        sq->head += c.slots; /* no packet is that long: what there is of it is dropped */
    if (!m->hold)
        model_complete(m, (unsigned)(sq - m->submission_queues), MODEL_DEPTH_MAX);
}
