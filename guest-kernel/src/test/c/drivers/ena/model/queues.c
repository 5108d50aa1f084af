/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of packets and their completions: making and destroying them, doorbells, interrupts. An interrupt is masked
 * when it is raised, until the driver unmasks it by either queue that has the vector; it is not raised for what was
 * completed meanwhile, so that drivers have to look once more.
 */
#include "drivers/ena/model/internal.h"

#define LLQ_PART (MODEL_BAR2 / MODEL_QUEUES)
#define TRANSMISSION 1u
#define RECEPTION 2u
#define IN_MEMORY 1u
#define IN_DEVICE 3u
#define UNMASK (1u << 30)
#define DELAYS 0x3fffffffu
#define DELAY 0x7fffu
#define SAME_DELAYS (1u << 31)

static struct model_completion_queue *cq_of(struct model *m, unsigned number)
{
    unsigned slot = number - CQ_BASE;
    return slot < 2 * MODEL_QUEUES && m->completion_queues[slot].exists ? &m->completion_queues[slot] : NULL;
}

static struct model_submission_queue *sq_of(struct model *m, unsigned number)
{
    unsigned slot = number - SQ_BASE;
    return slot < 2 * MODEL_QUEUES && m->submission_queues[slot].exists ? &m->submission_queues[slot] : NULL;
}

/* ---- Making them ---- */

/* Whether there are as many queues of a direction as there are resources for. */
static bool too_many(const struct model *m, unsigned slot)
{
    return m->variant.queues_granted != 0 && slot % MODEL_QUEUES >= m->variant.queues_granted;
}

static bool too_deep(const struct model *m, uint32_t depth)
{
    return m->variant.depth_granted != 0 && depth > m->variant.depth_granted;
}

/* The first free place of [from, to), or -1: there are as many as the device has. */
static int free_cq(struct model *m)
{
    for (unsigned i = 0; i < 2 * m->variant.queues; i++)
        if (!m->completion_queues[i].exists)
            return (int)i;
    rule(m, false, RULE_QUEUE_LIMIT);
    return -1;
}

uint8_t queue_create_cq(struct model *m, const uint8_t *command, uint8_t *reply)
{
    const struct model_variant *v = &m->variant;
    uint32_t depth = get16(command + 6), words = command[5], vector = get32(command + 8);
    uint32_t limit = v->tx_depth > v->rx_depth ? v->tx_depth : v->rx_depth;
    bool right = command[4] == 1 << 5 && (words == 2 || words == 4) && is_power(depth) && depth <= limit;
    int slot = free_cq(m);
    if (v->needs_host_info && !m->host_info)
        return ADMIN_UNKNOWN;
    if (!rule(m, right, RULE_CQ_FORM) || !rule(m, vector < v->vectors, RULE_CQ_VECTOR) || slot < 0)
        return ADMIN_ILLEGAL;
    rule(m, get16(command + 18) == 0, RULE_ADMIN_RESERVED);
    if (too_deep(m, depth))
        return ADMIN_NO_RESOURCES;
    uint64_t base = get_address(command + 12);
    if (zeroed_ring(m, base, depth * words * (size_t)4) == NULL)
        return ADMIN_ILLEGAL;
    uint32_t granted = v->completions_granted != 0 && v->completions_granted < depth ? v->completions_granted : depth;
    m->completion_queues[slot] = (struct model_completion_queue){
        .exists = true, .base = base, .depth = depth, .granted = granted, .entry_bytes = words * 4, .vector = vector
    };
    put16(reply + 8, (uint16_t)(CQ_BASE + (unsigned)slot));
    put16(reply + 10, (uint16_t)granted);
    put32(reply + 20, UNMASKS + (unsigned)slot * UNMASK_STRIDE);
    return ADMIN_OK;
}

static int free_sq(struct model *m, bool receive)
{
    unsigned first = receive ? MODEL_QUEUES : 0;
    for (unsigned i = first; i < first + m->variant.queues; i++)
        if (!m->submission_queues[i].exists)
            return (int)i;
    rule(m, false, RULE_QUEUE_LIMIT);
    return -1;
}

static bool sq_form_is_right(struct model *m, const uint8_t *command, bool receive, bool llq)
{
    const struct model_variant *v = &m->variant;
    uint32_t depth = get16(command + 10), limit = receive ? v->rx_depth : llq ? v->llq_depth : v->tx_depth;
    uint32_t direction = command[4] >> 5, placement = command[6] & 15;
    uint64_t base = get_address(command + 12);
    bool right = (direction == TRANSMISSION || direction == RECEPTION) && (placement == IN_MEMORY || llq) &&
                 command[6] >> 4 == 0 && command[7] == 1 && is_power(depth) && depth <= limit &&
                 depth <= MODEL_DEPTH_MAX && (llq || (base != 0 && base % 4096 == 0));
    rule(m, (command[4] & 31) == 0 && command[5] == 0 && get16(command + 18) == 0, RULE_ADMIN_RESERVED);
    right &= is_zero(command + 20, 8); /* the head is not written back */
    bool llq_right = !llq || (m->llq_set && !receive && base == 0);
    return rule(m, right, RULE_SQ_FORM) && rule(m, llq_right, RULE_SQ_LLQ);
}

static void make_sq(struct model *m, unsigned slot, const uint8_t *command, bool receive, bool llq)
{
    m->submission_queues[slot] = (struct model_submission_queue){
        .exists = true,
        .receive = receive,
        .llq = llq,
        .completions = get16(command + 8) - CQ_BASE,
        .base = llq ? slot * LLQ_PART : get_address(command + 12),
        .depth = get16(command + 10),
        .entry_bytes = llq ? llq_entry_bytes(m) : 16,
    };
}

uint8_t queue_create_sq(struct model *m, const uint8_t *command, uint8_t *reply)
{
    bool receive = command[4] >> 5 == RECEPTION, llq = (command[6] & 15) == IN_DEVICE;
    uint32_t depth = get16(command + 10);
    struct model_completion_queue *cq = cq_of(m, get16(command + 8));
    int slot = free_sq(m, receive);
    bool has = cq != NULL && !cq->used && cq->entry_bytes == (receive ? 16 : 8);
    if (!sq_form_is_right(m, command, receive, llq) || !rule(m, has, RULE_SQ_COMPLETIONS) || slot < 0)
        return ADMIN_ILLEGAL;
    if (too_deep(m, depth) || too_many(m, (unsigned)slot))
        return ADMIN_NO_RESOURCES;
    if (!llq && memory_at(m, get_address(command + 12), depth * (size_t)16) == NULL)
        return ADMIN_ILLEGAL;
    cq->used = true;
    make_sq(m, (unsigned)slot, command, receive, llq);
    put16(reply + 8, (uint16_t)(SQ_BASE + (unsigned)slot));
    put32(reply + 12, DOORBELLS + (unsigned)slot * DOORBELL_STRIDE);
    put32(reply + 16, llq ? (uint32_t)m->submission_queues[slot].base : 0);
    return ADMIN_OK;
}

uint8_t queue_destroy_sq(struct model *m, const uint8_t *command)
{
    struct model_submission_queue *sq = sq_of(m, get16(command + 4));
    unsigned direction = command[6] >> 5;
    bool has = sq != NULL && direction == (sq->receive ? RECEPTION : TRANSMISSION) && (command[6] & 31) == 0;
    if (!rule(m, has, RULE_DESTROY_UNKNOWN))
        return ADMIN_ILLEGAL;
    m->completion_queues[sq->completions].used = false;
    sq->exists = false;
    return ADMIN_OK;
}

uint8_t queue_destroy_cq(struct model *m, const uint8_t *command)
{
    struct model_completion_queue *cq = cq_of(m, get16(command + 4));
    if (!rule(m, cq != NULL, RULE_DESTROY_UNKNOWN) || !rule(m, !cq->used, RULE_DESTROY_ORDER))
        return ADMIN_ILLEGAL;
    cq->exists = false;
    return ADMIN_OK;
}

/* ---- Using them ---- */

void queue_doorbell(struct model *m, uint32_t offset, uint32_t value)
{
    unsigned slot = (offset - DOORBELLS) / DOORBELL_STRIDE;
    struct model_submission_queue *sq = sq_of(m, slot + SQ_BASE);
    if (!rule(m, sq != NULL && offset % DOORBELL_STRIDE == 0, RULE_DOORBELL_UNKNOWN))
        return;
    uint32_t count = (uint16_t)(value - sq->tail);
    rule(m, value <= 0xffff, RULE_REGISTER_RESERVED);
    if (!rule(m, count < sq->depth, RULE_DOORBELL_VALUE))
        return;
    sq->tail += count;
    rule(m, sq->in_use + (sq->tail - sq->head) < sq->depth, RULE_SLOT_FREE);
    if (sq->llq)
        rule(m, sq->written == (uint64_t)sq->tail * sq->entry_bytes, RULE_LLQ_WHOLE);
    if (sq->receive)
        receive_buffers(m, sq);
    else
        transmit(m, sq);
}

/* Receive queues whose interrupt this vector is are full when it is unmasked for the first time. */
static void check_filled(struct model *m, unsigned vector)
{
    for (unsigned i = MODEL_QUEUES; i < 2 * MODEL_QUEUES; i++) {
        struct model_submission_queue *sq = &m->submission_queues[i];
        if (!sq->exists || sq->unmasked || m->completion_queues[sq->completions].vector != vector)
            continue;
        uint32_t granted = m->completion_queues[sq->completions].granted;
        /* All that were posted: a frame may have come already. */
        rule(m, sq->tail >= (granted < sq->depth ? granted : sq->depth - 1), RULE_RX_FILLED);
        sq->unmasked = true;
    }
}

void queue_unmask(struct model *m, uint32_t offset, uint32_t value)
{
    unsigned slot = (offset - UNMASKS) / UNMASK_STRIDE;
    struct model_completion_queue *cq = cq_of(m, slot + CQ_BASE);
    if (!rule(m, cq != NULL && offset % UNMASK_STRIDE == 0, RULE_DOORBELL_UNKNOWN))
        return;
    rule(m, value & UNMASK && (!(value & DELAYS) || m->variant.moderation_us != 0), RULE_UNMASK_FORM);
    check_filled(m, cq->vector);
    m->vector_armed[cq->vector] = true;
    m->vector_due[cq->vector] = 0;
    if (!(value & SAME_DELAYS))
        m->vector_delays[cq->vector] = value & DELAYS;
}

static void raise_and_mask(struct model *m, unsigned vector)
{
    m->vector_armed[vector] = false;
    m->vector_due[vector] = 0;
    raise_vector(m, vector);
}

/* The first completion that waits says when, those that come meanwhile are of the same interrupt. */
void queue_interrupt(struct model *m, const struct model_submission_queue *sq)
{
    unsigned vector = m->completion_queues[sq->completions].vector;
    uint32_t delays = m->vector_delays[vector], units = sq->receive ? delays & DELAY : delays >> 15 & DELAY;
    uint64_t due = m->now + (uint64_t)units * m->variant.moderation_us * 1000;
    if (!m->vector_armed[vector])
        return;
    if (units == 0)
        raise_and_mask(m, vector);
    else if (m->vector_due[vector] == 0 || due < m->vector_due[vector])
        m->vector_due[vector] = due;
}

void queue_advance(struct model *m)
{
    for (unsigned vector = 0; vector < sizeof(m->vector_due) / sizeof(m->vector_due[0]); vector++)
        if (m->vector_due[vector] != 0 && m->vector_due[vector] <= m->now)
            raise_and_mask(m, vector);
}

uint64_t model_due(const struct model *m)
{
    uint64_t due = 0;
    for (unsigned vector = 0; vector < sizeof(m->vector_due) / sizeof(m->vector_due[0]); vector++)
        if (m->vector_due[vector] != 0 && (due == 0 || m->vector_due[vector] < due))
            due = m->vector_due[vector];
    return due;
}

void queue_post(struct model *m, const struct model_submission_queue *sq, const uint8_t *entry)
{
    struct model_completion_queue *cq = &m->completion_queues[sq->completions];
    uint8_t *ring = memory_at(m, cq->base, (size_t)cq->depth * cq->entry_bytes);
    uint8_t with_phase[16];
    if (ring == NULL)
        return;
    memcpy(with_phase, entry, cq->entry_bytes);
    with_phase[3] ^= (uint8_t)phase_of(cq->posted, cq->depth);
    memcpy(ring + (size_t)(cq->posted++ % cq->depth) * cq->entry_bytes, with_phase, cq->entry_bytes);
}

void queue_take(struct model *m, struct model_submission_queue *sq, uint32_t id, uint32_t slots)
{
    sq->slots[id] = (uint16_t)slots;
    sq->in_use += slots;
    sq->under_way++;
    rule(m, sq->under_way <= m->completion_queues[sq->completions].granted, RULE_COMPLETION_ROOM);
}

void queue_give_back(struct model_submission_queue *sq, uint32_t id)
{
    sq->in_use -= sq->slots[id];
    sq->slots[id] = 0;
    sq->under_way--;
}

/* The packet or buffer with this identifier, if there is one, is the driver's again. */
static void give_back(struct model_submission_queue *sq, unsigned id)
{
    uint32_t kept = sq->waiting_head;
    if (id >= sq->depth || sq->slots[id] == 0)
        return;
    queue_give_back(sq, id);
    for (uint32_t i = sq->waiting_head; i != sq->waiting_tail; i++)
        if (sq->waiting[i % MODEL_DEPTH_MAX] != id)
            sq->waiting[kept++ % MODEL_DEPTH_MAX] = sq->waiting[i % MODEL_DEPTH_MAX];
    sq->waiting_tail = kept;
}

static void post_any(struct model *m, unsigned slot, const uint8_t *entry, unsigned id)
{
    struct model_submission_queue *sq = &m->submission_queues[slot];
    if (!sq->exists)
        return;
    give_back(sq, id);
    queue_post(m, sq, entry);
    queue_interrupt(m, sq);
}

void model_post_sent(struct model *m, unsigned queue, const uint8_t entry[8])
{
    post_any(m, queue, entry, get16(entry));
}

void model_post_received(struct model *m, unsigned queue, const uint8_t entry[16])
{
    post_any(m, queue + MODEL_QUEUES, entry, get16(entry + 6));
}
