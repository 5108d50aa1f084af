/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Features: what the device says of itself, and what the driver sets. A command names the feature in byte 17 and its
 * version in byte 18; what is set begins at byte 20, what is read at byte 8 of the reply.
 */
#include "drivers/ena/model/internal.h"

#define FLAG_INDIRECT 4u
#define ACCELERATION_NO_META_CACHE 1u
#define ACCELERATION_BURST 2u
#define DRIVER_RX_OFFSET (1u << 1)
#define DRIVER_MODERATION (1u << 2)
#define DRIVER_HASH (1u << 4)

static uint32_t supported(const struct model_variant *v)
{
    return 1u << FEATURE_ATTRIBUTES | 1u << FEATURE_MTU | 1u << FEATURE_AENQ |
           (v->extended_queues ? 1u << FEATURE_QUEUES_EXT : 0) | 1u << FEATURE_QUEUES |
           (v->hints ? 1u << FEATURE_HINTS : 0) | (v->llq_sizes != 0 ? 1u << FEATURE_LLQ : 0) |
           (v->tx_offloads | v->rx_offloads ? 1u << FEATURE_OFFLOAD : 0) |
           (v->moderation_us != 0 ? 1u << FEATURE_MODERATION : 0) | (v->rss_log2 != 0 ? 1u << FEATURE_RSS_TABLE : 0) |
           (v->hash_functions != 0 ? 1u << FEATURE_HASH : 0);
}

/* Hints may be asked for by those who do not know yet, and attributes and host information always. */
static bool known(struct model *m, unsigned feature)
{
    bool has = feature == FEATURE_HOST || (feature < 32 && supported(&m->variant) >> feature & 1);
    rule(m, has || feature == FEATURE_HINTS, RULE_FEATURE_SUPPORTED);
    return has;
}

static bool form_is_right(struct model *m, const uint8_t *command, unsigned version, bool buffer)
{
    rule(m, (command[16] & ~3u) == 0 && command[19] == 0, RULE_ADMIN_RESERVED);
    return rule(m, command[18] == version, RULE_FEATURE_VERSION) &&
           rule(m, buffer == !!(command[3] & FLAG_INDIRECT) && (buffer || is_zero(command + 4, 12)),
                RULE_CONTROL_BUFFER);
}

/* ---- Reading ---- */

static void attributes(const struct model_variant *v, uint8_t *to)
{
    put32(to + 4, 1);
    put32(to + 8, supported(v));
    put32(to + 12, v->capabilities);
    put32(to + 16, v->address_bits);
    put32(to + 20, v->address_bits);
    memcpy(to + 24, v->mac, 6);
    put32(to + 32, v->max_mtu);
}

static void queues(const struct model_variant *v, uint8_t *to)
{
    const uint32_t values[] = { v->queues,
                                v->tx_depth < v->rx_depth ? v->tx_depth : v->rx_depth,
                                v->queues * 2,
                                v->tx_depth > v->rx_depth ? v->tx_depth : v->rx_depth,
                                v->llq_sizes != 0 ? v->queues : 0,
                                v->llq_depth,
                                96 };
    memcpy(to, values, sizeof(values));
    put16(to + 28, v->tx_pieces);
    put16(to + 30, v->rx_pieces);
}

static void extended_queues(const struct model_variant *v, uint8_t *to)
{
    const uint32_t values[] = { v->queues,   v->queues,   v->queues,   v->queues, v->tx_depth,
                                v->tx_depth, v->rx_depth, v->rx_depth, 96 };
    to[0] = 1;
    memcpy(to + 4, values, sizeof(values));
    put16(to + 40, v->tx_pieces);
    put16(to + 42, v->rx_pieces);
}

static void llq(const struct model_variant *v, uint8_t *to)
{
    put32(to, v->queues);
    put32(to + 4, v->llq_depth);
    put16(to + 8, 1 | 2);
    put16(to + 12, v->llq_sizes);
    put16(to + 16, 1 | 2 | 4);
    put16(to + 20, 1 | 2);
    to[24] = 1;
    to[25] = v->llq_recommended;
    put16(to + 28, (uint16_t)((v->no_meta_caching ? ACCELERATION_NO_META_CACHE : 0) |
                              (v->burst_bytes != 0 ? ACCELERATION_BURST : 0)));
    put16(to + 30, v->burst_bytes);
}

static void hints(const struct model_variant *v, uint8_t *to)
{
    put16(to, v->readless_ms);
    put16(to + 2, v->keep_alive_ms);
    put16(to + 8, v->admin_ms);
    put16(to + 12, v->tx_pieces);
    put16(to + 14, v->rx_pieces);
}

static void offloads(const struct model_variant *v, uint8_t *to)
{
    put32(to, v->tx_offloads);
    put32(to + 4, v->rx_offloads);
    put32(to + 8, v->rx_offloads);
}

/* False: it is not one that is read. */
static bool describe(const struct model *m, unsigned feature, uint8_t *to)
{
    const struct model_variant *v = &m->variant;
    switch (feature) {
    case FEATURE_ATTRIBUTES:
        attributes(v, to);
        return true;
    case FEATURE_QUEUES:
        queues(v, to);
        return true;
    case FEATURE_QUEUES_EXT:
        extended_queues(v, to);
        return true;
    case FEATURE_HINTS:
        hints(v, to);
        return true;
    case FEATURE_LLQ:
        llq(v, to);
        return true;
    case FEATURE_OFFLOAD:
        offloads(v, to);
        return true;
    case FEATURE_AENQ:
        put32(to, v->event_groups);
        put32(to + 4, m->groups);
        return true;
    case FEATURE_MODERATION:
        put16(to, (uint16_t)v->moderation_us);
        return true;
    case FEATURE_HASH:
        rss_describe_hash(m, to);
        return true;
    case FEATURE_RSS_TABLE:
        rss_describe_table(m, to);
        return true;
    default:
        return false;
    }
}

uint8_t feature_get(struct model *m, const uint8_t *command, uint8_t *reply)
{
    unsigned feature = command[17];
    bool versioned = feature == FEATURE_QUEUES_EXT || feature == FEATURE_LLQ || feature == FEATURE_RSS_TABLE;
    if (!known(m, feature))
        return ADMIN_UNSUPPORTED;
    if (!form_is_right(m, command, versioned, false))
        return ADMIN_ILLEGAL;
    return rule(m, describe(m, feature, reply + 8), RULE_FEATURE_SUPPORTED) ? ADMIN_OK : ADMIN_UNSUPPORTED;
}

/* ---- Setting ---- */

static uint8_t set_host(struct model *m, const uint8_t *command)
{
    const uint8_t *page = memory_at(m, get_address(command + 20), 4096);
    rule(m, is_zero(command + 40, 24) && get16(command + 26) == 0, RULE_ADMIN_RESERVED);
    if (page == NULL)
        return ADMIN_ILLEGAL;
    uint32_t features = get32(page + 192);
    bool kept = page[172] == 2 && get16(page + 184) == 0x0200 && get16(page + 186) == m->variant.place &&
                get16(page + 188) != 0 && (features & ~0x7ffu) == 0 && is_zero(page + 176, 8);
    rule(m, kept, RULE_HOST_INFO_FORM);
    m->host_info = true;
    m->rx_offset = features & DRIVER_RX_OFFSET;
    m->knows_moderation = features & DRIVER_MODERATION;
    m->knows_hash = features & DRIVER_HASH;
    return ADMIN_OK;
}

static uint8_t set_groups(struct model *m, const uint8_t *command)
{
    uint32_t wanted = get32(command + 24);
    rule(m, get32(command + 20) == 0 && is_zero(command + 28, 36), RULE_ADMIN_RESERVED);
    if (!rule(m, (wanted & ~m->variant.event_groups) == 0, RULE_AENQ_GROUPS))
        return ADMIN_ILLEGAL;
    m->groups = wanted;
    m->keep_alive_due = m->now + 1000000000u;
    events_link(m);
    return ADMIN_OK;
}

static uint8_t set_mtu(struct model *m, const uint8_t *command)
{
    uint32_t mtu = get32(command + 20);
    rule(m, is_zero(command + 24, 40), RULE_ADMIN_RESERVED);
    if (!rule(m, mtu >= 128 && mtu <= m->variant.max_mtu, RULE_MTU_RANGE))
        return ADMIN_ILLEGAL;
    m->mtu = mtu;
    return ADMIN_OK;
}

static bool one_of(uint32_t value, uint32_t offered) { return is_power(value) && (value & ~offered) == 0; }

static uint8_t set_llq(struct model *m, const uint8_t *command)
{
    const uint8_t *at = command + 20;
    uint16_t size = get16(at + 14), before = get16(at + 18);
    bool right = one_of(get16(at + 10), 1) && one_of(size, m->variant.llq_sizes) && one_of(before, 1 | 2 | 4) &&
                 one_of(get16(at + 22), 1 | 2) && (get16(at + 28) & ~3u) == 0;
    if (!rule(m, right, RULE_LLQ_CONFIG))
        return ADMIN_ILLEGAL;
    m->llq_set = true;
    m->llq_size_code = size;
    m->llq_before_header = before;
    return ADMIN_OK;
}

uint8_t feature_set(struct model *m, const uint8_t *command)
{
    unsigned feature = command[17];
    if (!known(m, feature))
        return ADMIN_UNSUPPORTED;
    if (!form_is_right(m, command, command[18] == 1 && (feature == FEATURE_LLQ || feature == FEATURE_RSS_TABLE),
                       feature == FEATURE_RSS_TABLE || feature == FEATURE_HASH))
        return ADMIN_ILLEGAL;
    switch (feature) {
    case FEATURE_HOST:
        return set_host(m, command);
    case FEATURE_AENQ:
        return set_groups(m, command);
    case FEATURE_MTU:
        return set_mtu(m, command);
    case FEATURE_LLQ:
        return set_llq(m, command);
    case FEATURE_RSS_TABLE:
        return rss_set_table(m, command);
    case FEATURE_HASH:
        return rss_set_hash(m, command);
    default:
        rule(m, false, RULE_FEATURE_SUPPORTED);
        return ADMIN_UNSUPPORTED;
    }
}
