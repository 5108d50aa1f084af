/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrative queue: commands of 64 bytes are taken when the doorbell is rung and answered at once, in order,
 * unless a fault says otherwise. And the ring of events that the device reports by itself.
 */
#include "drivers/ena/model/internal.h"

#define ENTRY 64u
#define FLAG_PHASE 1u
#define FLAG_INDIRECT 4u

enum { CREATE_SQ = 1, DESTROY_SQ, CREATE_CQ, DESTROY_CQ, GET_FEATURE = 8, SET_FEATURE, GET_STATS = 11 };

static uint32_t depth_of(uint32_t caps) { return caps & 0xffff; }

void admin_form(struct model *m, uint64_t base, uint32_t caps, bool of_device)
{
    uint32_t depth = depth_of(caps);
    rule(m, base != 0 && base % 4096 == 0 && caps >> 16 == ENTRY && is_power(depth) && depth <= 64, RULE_ADMIN_RING);
    rule(m, m->resets == 0 || m->reset_over_seen, RULE_RESET_PHASES);
    if (of_device)
        zeroed_ring(m, base, depth * (size_t)ENTRY);
}

/* ---- Commands ---- */

/* Bytes in use of a command, by opcode; those after them are zero. */
static unsigned length_of(const uint8_t *command)
{
    switch (command[2]) {
    case CREATE_SQ:
        return 28;
    case CREATE_CQ:
        return 20;
    case DESTROY_SQ:
        return 7;
    case DESTROY_CQ:
        return 6;
    case GET_FEATURE:
        return 20;
    case SET_FEATURE:
        return 64;
    default:
        return 32;
    }
}

static uint8_t statistics(struct model *m, const uint8_t *command, uint8_t *reply)
{
    if (!rule(m, command[16] == 0 && command[17] <= 1 && get16(command + 22) == 0xffff, RULE_STATISTICS))
        return ADMIN_ILLEGAL;
    const uint64_t counts[] = { m->tx_bytes, m->tx_packets, m->rx_bytes, m->rx_packets, m->rx_dropped };
    memcpy(reply + 8, counts, sizeof(counts));
    return ADMIN_OK;
}

static uint8_t obey(struct model *m, const uint8_t *command, uint8_t *reply)
{
    switch (command[2]) {
    case CREATE_SQ:
        return queue_create_sq(m, command, reply);
    case DESTROY_SQ:
        return queue_destroy_sq(m, command);
    case CREATE_CQ:
        return queue_create_cq(m, command, reply);
    case DESTROY_CQ:
        return queue_destroy_cq(m, command);
    case GET_FEATURE:
        return feature_get(m, command, reply);
    case SET_FEATURE:
        return feature_set(m, command);
    case GET_STATS:
        return statistics(m, command, reply);
    default:
        rule(m, false, RULE_ADMIN_OPCODE);
        return ADMIN_BAD_OPCODE;
    }
}

static void answer(struct model *m, uint8_t *reply, unsigned phase_flip)
{
    uint32_t depth = depth_of(m->completion_caps);
    uint8_t *ring = memory_at(m, m->completion_base, depth * (size_t)ENTRY);
    if (ring == NULL)
        return;
    put16(reply + 6, (uint16_t)m->admin_head);
    reply[3] = (uint8_t)(phase_of(m->admin_posted, depth) ^ phase_flip);
    memcpy(ring + m->admin_posted++ % depth * ENTRY, reply, ENTRY);
    if (!m->interrupt_masked)
        raise_vector(m, 0);
}

/* The fault that strikes the present command, or 0. */
static enum model_admin_fault fault_now(struct model *m)
{
    if (m->faults.admin_number == 0 || --m->faults.admin_number > 0)
        return 0;
    return m->faults.admin;
}

static void answer_as_told(struct model *m, uint8_t *reply)
{
    enum model_admin_fault fault = fault_now(m);
    if (fault == ADMIN_SILENT || m->faults.admin_dead)
        return;
    if (fault == ADMIN_WRONG_ID)
        put16(reply, (get16(reply) + 1) & 0xfff);
    if (fault == ADMIN_STATUS)
        reply[2] = m->faults.admin_status;
    answer(m, reply, fault == ADMIN_WRONG_PHASE);
    if (fault == ADMIN_TWICE)
        answer(m, reply, 0);
}

static void check_command(struct model *m, const uint8_t *command)
{
    unsigned depth = depth_of(m->admin_caps), id = get16(command) & 0xfff;
    rule(m, (command[3] & FLAG_PHASE) == phase_of(m->admin_head, depth), RULE_ADMIN_PHASE);
    rule(m, command[1] < 16 && !(command[3] & ~(FLAG_PHASE | FLAG_INDIRECT)), RULE_ADMIN_RESERVED);
    if (rule(m, id < depth && id < 64, RULE_ADMIN_ID)) {
        rule(m, !(m->admin_ids >> id & 1), RULE_ADMIN_ID);
        m->admin_ids |= 1ull << id;
    }
    unsigned used = length_of(command);
    rule(m, is_zero(command + used, ENTRY - used), RULE_ADMIN_RESERVED);
    rule(m, m->commands > 0 || (command[2] == SET_FEATURE && command[17] == FEATURE_HOST), RULE_HOST_INFO_FIRST);
    if (command[2] != GET_FEATURE && command[2] != SET_FEATURE)
        rule(m, !(command[3] & FLAG_INDIRECT), RULE_CONTROL_BUFFER);
}

static void run_command(struct model *m, const uint8_t *ring, unsigned depth)
{
    uint8_t command[ENTRY], reply[ENTRY] = { 0 };
    memcpy(command, ring + m->admin_head % depth * ENTRY, ENTRY);
    check_command(m, command);
    m->admin_head++;
    m->commands++;
    put16(reply, get16(command) & 0xfff);
    unsigned resets = m->resets;
    bool struck = m->faults.admin == ADMIN_STATUS && m->faults.admin_number == 1;
    if (!struck)
        reply[2] = obey(m, command, reply);
    if (resets == m->resets)
        answer_as_told(m, reply);
}

void admin_run(struct model *m, uint16_t tail)
{
    uint32_t depth = depth_of(m->admin_caps), count = (uint16_t)(tail - m->admin_head);
    rule(m, m->resets == 0 || m->reset_over_seen, RULE_RESET_PHASES);
    rule(m, m->event_caps != 0, RULE_AENQ_EXISTS);
    rule(m, m->interrupt_mask_written, RULE_INTERRUPT_MASK);
    bool ready = m->admin_caps != 0 && m->completion_caps != 0;
    if (!rule(m, ready && count >= 1 && count <= depth, RULE_ADMIN_DOORBELL))
        return;
    const uint8_t *ring = memory_at(m, m->admin_base, depth * (size_t)ENTRY);
    for (m->admin_ids = 0; ring != NULL && count > 0; count--)
        run_command(m, ring, depth);
}

/* ---- Events ---- */

void events_head_written(struct model *m, uint32_t value)
{
    uint32_t depth = depth_of(m->event_caps);
    bool first = m->events_head == 0 && m->events_posted == 0;
    uint16_t seen = (uint16_t)(value - depth), before = first ? 0 : (uint16_t)(m->events_head - depth);
    bool kept = depth != 0 && value <= 0xffff && (first ? value == depth : true) &&
                (uint16_t)(seen - before) <= (uint16_t)(m->events_posted - before);
    if (rule(m, kept, RULE_AENQ_HEAD))
        m->events_head = (uint16_t)value;
    events_link(m);
}

bool model_event(struct model *m, unsigned group, unsigned syndrome, const void *data, size_t length)
{
    uint32_t depth = depth_of(m->event_caps);
    uint8_t *ring = depth != 0 ? memory_at(m, m->event_base, depth * (size_t)ENTRY) : NULL;
    uint8_t entry[ENTRY] = { 0 };
    uint16_t room = (uint16_t)(m->events_head - m->events_posted);
    if (ring == NULL || room == 0 || room > depth) {
        m->events_lost++;
        return false;
    }
    put16(entry, (uint16_t)group);
    put16(entry + 2, (uint16_t)syndrome);
    entry[4] = (uint8_t)phase_of(m->events_posted, depth);
    put32(entry + 8, (uint32_t)(m->now / 1000));
    memcpy(entry + 16, data, length);
    memcpy(ring + m->events_posted++ % depth * ENTRY, entry, ENTRY);
    if (!m->interrupt_masked)
        raise_vector(m, 0);
    return true;
}

/* The state of the link is reported as soon as there is room for it, and the driver wants to know. */
void events_link(struct model *m)
{
    uint32_t up = !m->variant.link_down;
    if (!m->link_announced && m->groups & 1u << GROUP_LINK && m->events_head != 0)
        m->link_announced = model_event(m, GROUP_LINK, 0, &up, sizeof(up));
}

void model_link(struct model *m, bool up)
{
    m->variant.link_down = !up;
    m->link_announced = false;
    events_link(m);
}

void model_break(struct model *m)
{
    m->status |= STATUS_FATAL;
    if (m->groups & 1u << GROUP_FATAL)
        model_event(m, GROUP_FATAL, 0, "", 0);
}
