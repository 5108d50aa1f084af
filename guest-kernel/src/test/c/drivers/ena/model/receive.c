/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reception: the driver posts buffers; a frame is put into as many as it needs, in their order or the reverse, and each
 * is completed, the last with what the device found in the headers. Without enough buffers the frame is dropped.
 */
#include "drivers/ena/model/internal.h"

#define CONTROL_KNOWN 0x3du /* first, last, completion, and bit 5, which may be anything; the phase */
#define CONTROL_NEEDED 0x1cu
#define L3_ERROR (1u << 13)
#define L4_ERROR (1u << 14)
#define FRAGMENT (1u << 15)
#define L4_CHECKED (1u << 16)
#define FIRST (1u << 26)
#define LAST (1u << 27)
#define BUFFER (1u << 30)
#define LEAST_BUFFER 2048u

/* ---- Buffers ---- */

static void take_buffer(struct model *m, struct model_submission_queue *sq, const uint8_t *d)
{
    uint32_t length = get16(d) != 0 ? get16(d) : 0x10000, id = get16(d + 4);
    uint64_t address = get_address(d + 8);
    rule(m, (d[3] & 1) == phase_of(sq->head, sq->depth), RULE_RX_PHASE);
    bool right = (d[3] & CONTROL_NEEDED) == CONTROL_NEEDED && (d[3] & ~CONTROL_KNOWN) == 0 && d[2] == 0 &&
                 get16(d + 6) == 0 && get16(d + 14) == 0;
    rule(m, right, RULE_RX_FORM);
    rule(m, length >= LEAST_BUFFER, RULE_RX_LENGTH);
    if (!rule(m, id < sq->depth && sq->slots[id % MODEL_DEPTH_MAX] == 0, RULE_RX_ID))
        return;
    if (memory_at(m, address, length) == NULL)
        return;
    queue_take(m, sq, id, 1);
    sq->buffers[id].address = address;
    sq->buffers[id].length = length;
    sq->waiting[sq->waiting_tail++ % MODEL_DEPTH_MAX] = (uint16_t)id;
}

void receive_buffers(struct model *m, struct model_submission_queue *sq)
{
    const uint8_t *ring = memory_at(m, sq->base, sq->depth * (size_t)16);
    for (; ring != NULL && sq->head != sq->tail; sq->head++)
        take_buffer(m, sq, ring + (size_t)(sq->head % sq->depth) * 16);
}

unsigned model_buffers(const struct model *m, unsigned queue)
{
    return m->submission_queues[MODEL_QUEUES + queue].in_use;
}

/* ---- Frames ---- */

static uint32_t l4_flags(const struct model *m, const uint8_t *frame, const struct headers *h)
{
    uint32_t length = h->end - h->l4_at;
    bool udp_without = h->l4 == L4_UDP && get_big16(frame + h->l4_at + 6) == 0;
    if (h->l4 == 0 || udp_without || !(m->variant.rx_offloads & (h->l3 == L3_IPV4 ? 2 : 4)))
        return 0;
    uint16_t sum = sum_fold(sum_of_pseudo(frame, h, length) + sum_of(frame + h->l4_at, length));
    return L4_CHECKED | (sum != 0xffff ? L4_ERROR : 0);
}

static uint32_t flags_of(const struct model *m, const uint8_t *frame, uint32_t length)
{
    struct headers h = headers_of(frame, length);
    uint32_t flags = h.l3 | h.l4 << 8 | (h.fragment ? FRAGMENT : 0);
    if (h.l3 == L3_IPV4 && m->variant.rx_offloads & 1 && sum_fold(sum_of(frame + h.l3_at, h.l3_length)) != 0xffff)
        flags |= L3_ERROR;
    return flags | l4_flags(m, frame, &h);
}

static unsigned offset_of(const struct model *m) { return m->rx_offset ? m->variant.rx_offset : 0; }

/* The n-th buffer that will be used. */
static uint16_t buffer_at(const struct model *m, const struct model_submission_queue *sq, unsigned n)
{
    uint32_t turn = m->reverse ? sq->waiting_tail - 1 - n : sq->waiting_head + n;
    return sq->waiting[turn % MODEL_DEPTH_MAX];
}

/* How many buffers a frame takes; 0: there are not enough, or it would take more than a packet may. */
static unsigned buffers_for(const struct model *m, const struct model_submission_queue *sq, size_t length)
{
    size_t room = 0, wanted = length + offset_of(m);
    for (unsigned n = 0; n < m->variant.rx_pieces && n < sq->waiting_tail - sq->waiting_head; n++) {
        room += sq->buffers[buffer_at(m, sq, n)].length;
        if (room >= wanted)
            return n + 1;
    }
    return 0;
}

static void complete(struct model *m, struct model_submission_queue *sq, uint32_t flags, uint32_t length, uint16_t id,
                     uint32_t hash)
{
    uint8_t entry[16] = { 0 };
    put32(entry, flags | BUFFER);
    put16(entry + 4, (uint16_t)length);
    put16(entry + 6, id);
    put32(entry + 8, m->variant.rx_offloads & 8 ? hash : 0);
    put16(entry + 12, (uint16_t)(sq - m->submission_queues - MODEL_QUEUES));
    entry[14] = (uint8_t)(flags & FIRST ? offset_of(m) : 0);
    queue_give_back(sq, id);
    queue_post(m, sq, entry);
}

static void fill(struct model *m, struct model_submission_queue *sq, const uint8_t *frame, uint32_t length,
                 unsigned count)
{
    uint32_t hash = rss_hash(m, frame, length), flags = flags_of(m, frame, length), done = 0;
    for (unsigned n = 0; n < count; n++) {
        uint16_t id = buffer_at(m, sq, 0);
        uint32_t skip = n == 0 ? offset_of(m) : 0, room = sq->buffers[id].length - skip;
        uint32_t part = length - done < room ? length - done : room;
        uint8_t *to = memory_at(m, sq->buffers[id].address, skip + part);
        if (to != NULL)
            memcpy(to + skip, frame + done, part);
        done += part;
        sq->waiting_head += !m->reverse;
        sq->waiting_tail -= m->reverse;
        complete(m, sq, (n == 0 ? FIRST : 0) | (n + 1 == count ? LAST | flags : 0), part, id, hash);
    }
}

bool model_receive(struct model *m, const uint8_t *frame, size_t length)
{
    struct model_submission_queue *sq = rss_queue(m, rss_hash(m, frame, (uint32_t)length));
    unsigned count = sq != NULL && length <= MODEL_FRAME_MAX ? buffers_for(m, sq, length) : 0;
    if (count == 0) {
        m->rx_dropped++;
        return false;
    }
    m->rx_packets++;
    m->rx_bytes += length;
    fill(m, sq, frame, (uint32_t)length, count);
    queue_interrupt(m, sq);
    return true;
}
