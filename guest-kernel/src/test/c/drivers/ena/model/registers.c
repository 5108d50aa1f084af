/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of BAR 0, read directly or by way of memory, and the reset in its two phases: DEV_CTL is set, the
 * status says that a reset is under way, DEV_CTL is cleared, the status says that it is over. Time passes in between.
 */
#include "drivers/ena/model/internal.h"

#define RESET_TIME 1000000u        /* ns, for each phase */
#define RESET_PATIENCE 1000000000u /* ns: what drivers read in CAPS */
#define CONTROL_RESET 1u
#define CONTROL_KNOWN 0xff00000fu

static uint32_t caps(void) { return 10u << 1 | 10u << 16; } /* 1 s for each phase of a reset, and for commands */

static uint32_t status(struct model *m)
{
    m->reset_seen |= m->status & STATUS_RESETTING;
    m->reset_over_seen |= m->reset_seen && !(m->status & STATUS_RESETTING) && m->control == 0;
    return m->faults.never_ready ? m->status & ~STATUS_READY : m->status;
}

static uint32_t value_of(struct model *m, uint32_t offset)
{
    switch (offset) {
    case REG_VERSION:
        return 10;
    case REG_CONTROLLER:
        return 1u << 24 | 1;
    case REG_CAPS:
        return caps() | (uint32_t)m->variant.address_bits << 8;
    case REG_AENQ_TAIL:
        return m->events_posted & 0xffff;
    case REG_INTR_MASK:
        return m->interrupt_masked;
    case REG_DEV_CTL:
        return m->control;
    case REG_DEV_STS:
        return status(m);
    case REG_CAPS_EXT:
    case REG_ACQ_TAIL:
        return 0;
    default:
        rule(m, false, RULE_REGISTER_UNKNOWN);
        return 0;
    }
}

uint32_t register_read(struct model *m, uint32_t offset, unsigned length)
{
    rule(m, length == 4 && offset % 4 == 0, RULE_REGISTER_ACCESS);
    rule(m, m->variant.direct_reads, RULE_DIRECT_READ);
    return m->variant.direct_reads ? value_of(m, offset) : 0;
}

/* A read by way of memory: the answer is a request number, a register and its value. */
static void read_to_memory(struct model *m, uint32_t request)
{
    if (!rule(m, m->response != 0, RULE_READLESS_ADDRESS))
        return;
    uint8_t *response = memory_at(m, m->response, 8);
    if (response == NULL)
        return;
    rule(m, get16(response) != (uint16_t)request, RULE_READLESS_PRIMED);
    if (m->faults.readless_silent)
        return;
    uint16_t offset = (uint16_t)(request >> 16);
    put32(response + 4, value_of(m, offset));
    put16(response + 2, m->faults.readless_elsewhere ? offset ^ 4 : offset);
    put16(response, (uint16_t)request);
}

void registers_reset(struct model *m)
{
    static const struct model nothing;
    m->response = m->admin_base = m->completion_base = m->event_base = 0;
    m->admin_caps = m->completion_caps = m->event_caps = 0;
    m->interrupt_masked = m->interrupt_mask_written = false;
    m->admin_head = m->admin_posted = m->events_posted = 0;
    m->events_head = 0;
    m->commands = 0;
    m->admin_ids = 0;
    m->host_info = m->rx_offset = m->llq_set = m->link_announced = false;
    m->knows_moderation = m->knows_hash = false;
    rss_reset(m);
    m->groups = m->mtu = 0;
    memcpy(m->completion_queues, nothing.completion_queues, sizeof(m->completion_queues));
    memcpy(m->submission_queues, nothing.submission_queues, sizeof(m->submission_queues));
    memcpy(m->vector_armed, nothing.vector_armed, sizeof(m->vector_armed));
    memcpy(m->vector_delays, nothing.vector_delays, sizeof(m->vector_delays));
    memcpy(m->vector_due, nothing.vector_due, sizeof(m->vector_due));
}

static void begin_reset(struct model *m, uint32_t control)
{
    unsigned reason = control >> 28 | (control >> 24 & 15) << 4;
    rule(m, m->status & STATUS_READY && !m->faults.never_ready, RULE_RESET_READY);
    rule(m, reason < 16 || m->variant.capabilities & 1u << 3, RULE_RESET_REASON);
    registers_reset(m);
    m->resets++;
    m->reset_reason = reason;
    m->reset_seen = m->reset_over_seen = false;
    m->reset_began = m->now;
    m->control = control;
}

static void control_written(struct model *m, uint32_t value)
{
    rule(m, (value & ~CONTROL_KNOWN) == 0, RULE_REGISTER_RESERVED);
    if (value & CONTROL_RESET && !(m->control & CONTROL_RESET))
        begin_reset(m, value);
    else if (!(value & CONTROL_RESET) && m->control & CONTROL_RESET) {
        rule(m, m->reset_seen || m->now - m->reset_began >= RESET_PATIENCE, RULE_RESET_PHASES);
        m->control = 0;
        m->reset_began = m->now;
    }
}

static void advance_reset(struct model *m)
{
    bool asked = m->control & CONTROL_RESET, late = m->now - m->reset_began >= RESET_TIME;
    if (asked && late && !m->faults.reset_ignored)
        m->status = (m->status | STATUS_RESETTING) & ~STATUS_FATAL;
    if (!asked && late && !m->faults.reset_endless)
        m->status &= ~STATUS_RESETTING;
}

void model_advance(struct model *m, uint64_t now)
{
    m->now = now;
    if (m->control & CONTROL_RESET || m->status & STATUS_RESETTING)
        advance_reset(m);
    queue_advance(m);
    if (!(m->groups & 1u << GROUP_KEEP_ALIVE)) {
        m->keep_alive_due = now + 1000000000u;
        return;
    }
    if (now < m->keep_alive_due)
        return;
    m->keep_alive_due = now + 1000000000u;
    uint8_t counts[24] = { 0 };
    put32(counts, (uint32_t)m->rx_dropped);
    if (!m->faults.no_keep_alive)
        model_event(m, GROUP_KEEP_ALIVE, 0, counts, sizeof(counts));
}

static void set_low(uint64_t *to, uint32_t value) { *to = (*to & ~0xffffffffull) | value; }
static void set_high(uint64_t *to, uint32_t value) { *to = (*to & 0xffffffffull) | (uint64_t)value << 32; }

/* The halves of an address; false if the register is another one. */
static bool address_written(struct model *m, uint32_t offset, uint32_t value)
{
    uint64_t *const registers[] = { &m->admin_base, &m->completion_base, &m->event_base, &m->response };
    static const uint32_t offsets[] = { REG_AQ_BASE, REG_ACQ_BASE, REG_AENQ_BASE, REG_RESPONSE };
    for (unsigned i = 0; i < 4; i++) {
        if (offset == offsets[i])
            set_low(registers[i], value);
        else if (offset == offsets[i] + 4)
            set_high(registers[i], value);
        else
            continue;
        return true;
    }
    return false;
}

static void mask_written(struct model *m, uint32_t value)
{
    rule(m, value <= 1, RULE_REGISTER_RESERVED);
    m->interrupt_masked = value & 1;
    m->interrupt_mask_written = true;
}

/* Those below the doorbells, other than addresses. */
static void plain_written(struct model *m, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case REG_AQ_CAPS:
        m->admin_caps = value;
        return admin_form(m, m->admin_base, value, false);
    case REG_ACQ_CAPS:
        m->completion_caps = value;
        return admin_form(m, m->completion_base, value, true);
    case REG_AENQ_CAPS:
        m->event_caps = value;
        return admin_form(m, m->event_base, value, true);
    case REG_AQ_DB:
        rule(m, value <= 0xffff, RULE_REGISTER_RESERVED);
        return admin_run(m, (uint16_t)value);
    case REG_AENQ_HEAD:
        return events_head_written(m, value);
    case REG_INTR_MASK:
        return mask_written(m, value);
    case REG_DEV_CTL:
        return control_written(m, value);
    case REG_READ:
        return read_to_memory(m, value);
    case REG_RSS:
        return rss_entry_written(m, value);
    case REG_VERSION:
    case REG_CONTROLLER:
    case REG_CAPS:
    case REG_CAPS_EXT:
    case REG_ACQ_TAIL:
    case REG_AENQ_TAIL:
    case REG_DEV_STS:
        rule(m, false, RULE_REGISTER_READ_ONLY);
        return;
    default:
        rule(m, false, RULE_REGISTER_UNKNOWN);
    }
}

void register_write(struct model *m, uint32_t offset, uint32_t value, unsigned length)
{
    if (!rule(m, length == 4 && offset % 4 == 0, RULE_REGISTER_ACCESS))
        return;
    if (offset >= UNMASKS)
        queue_unmask(m, offset, value);
    else if (offset >= DOORBELLS)
        queue_doorbell(m, offset, value);
    else if (!address_written(m, offset, value))
        plain_written(m, offset, value);
}
