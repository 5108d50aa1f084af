/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model as a whole: power on, accesses to its windows, memory and interrupts, and the list of broken rules. What
 * the driver does wrong is counted by rule and then served as far as that makes sense, so that one fault does not hide
 * the next.
 */
#include "drivers/ena/model/internal.h"

static const char *const names[] = {
#define RULE_NAME(name, text) #name,
    MODEL_RULES(RULE_NAME)
#undef RULE_NAME
};

static const char *const texts[] = {
#define RULE_TEXT(name, text) "rule: " text,
    MODEL_RULES(RULE_TEXT)
#undef RULE_TEXT
};

const char *model_rule_name(enum model_rule rule) { return names[rule]; }
const char *model_rule_text(enum model_rule rule) { return texts[rule]; }

bool rule(struct model *m, bool kept, enum model_rule which)
{
    if (kept || m->forgiven[which])
        return kept;
    m->broken[which]++;
    if (m->violations++ == 0)
        m->first_violation = texts[which];
    return false;
}

void *memory_at(struct model *m, uint64_t address, size_t length)
{
    bool reachable = address != 0 && (address + length) >> m->variant.address_bits == 0;
    void *bytes = reachable ? m->user.memory(m->user.context, address, length) : NULL;
    rule(m, bytes != NULL, RULE_DMA_ADDRESS);
    return bytes;
}

void *zeroed_ring(struct model *m, uint64_t address, size_t length)
{
    void *bytes = memory_at(m, address, length);
    if (bytes != NULL)
        rule(m, is_zero(bytes, length), RULE_RING_ZEROED);
    return bytes;
}

void raise_vector(struct model *m, unsigned vector)
{
    if (!m->faults.no_interrupts)
        m->user.interrupt(m->user.context, vector);
}

struct model_variant model_usual(void)
{
    return (struct model_variant){
        .extended_queues = true,
        .queues = 2,
        .tx_depth = 256,
        .rx_depth = 256,
        .llq_depth = 256,
        .tx_pieces = 17,
        .rx_pieces = 8,
        .tx_offloads = 0x2b, /* the IPv4 header, partial checksums of both versions, TSO of IPv4 */
        .rx_offloads = 0x7,
        .capabilities = 1u << 3,
        .event_groups = 0x9f,
        .max_mtu = 9001,
        .mac = { 0x02, 0x45, 0x4e, 0x41, 0x00, 0x01 },
        .address_bits = 48,
        .place = 5 << 3,
        .vectors = 9,
        .needs_host_info = true,
    };
}

void model_start(struct model *m)
{
    struct model_variant variant = m->variant;
    struct model_user user = m->user;
    memset(m, 0, sizeof(*m));
    m->variant = variant;
    m->user = user;
    m->status = STATUS_READY;
}

uint64_t model_read(struct model *m, unsigned bar, uint32_t offset, unsigned length)
{
    if (bar == 2)
        rule(m, false, RULE_LLQ_ACCESS);
    return bar == 0 ? register_read(m, offset, length) : 0;
}

void model_write(struct model *m, unsigned bar, uint32_t offset, uint64_t value, unsigned length)
{
    if (bar == 0)
        register_write(m, offset, (uint32_t)value, length);
    else
        llq_write(m, offset, value, length);
}
