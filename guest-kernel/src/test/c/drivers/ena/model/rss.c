/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which queue receives a frame: a hash of its addresses and ports is an index into the indirection table. The driver
 * sets the table once there are queues, and where the device allows it the function and its key; the command for those
 * has a control buffer of the number of words, four bytes of zero, and the key. With a function of the device's own all
 * that drivers may rely on is that a flow stays on a queue.
 */
#include "drivers/ena/model/internal.h"

#define WHOLE_TABLE 0xffffffffu
#define KEY_WORDS (MODEL_KEY / 4)
#define KEY_BUFFER (8 + MODEL_KEY)

void rss_reset(struct model *m)
{
    m->rss_set = false;
    m->hash_function = 0;
}

/* ---- What is read and set ---- */

void rss_describe_table(const struct model *m, uint8_t *to)
{
    put16(to, 1);
    put16(to + 2, (uint16_t)m->variant.rss_log2);
    put16(to + 4, (uint16_t)m->variant.rss_log2);
    to[6] = 1;
}

void rss_describe_hash(const struct model *m, uint8_t *to)
{
    put32(to, m->variant.hash_functions);
    put32(to + 4, m->hash_function);
}

static bool names_receive_queue(const struct model *m, unsigned number)
{
    return number >= SQ_BASE + MODEL_QUEUES && number < SQ_BASE + 2 * MODEL_QUEUES &&
           m->submission_queues[number - SQ_BASE].exists;
}

uint8_t rss_set_table(struct model *m, const uint8_t *command)
{
    unsigned log2 = get16(command + 24);
    if (!rule(m, log2 >= 1 && log2 <= m->variant.rss_log2 && get32(command + 28) == WHOLE_TABLE, RULE_RSS_TABLE))
        return ADMIN_ILLEGAL;
    rule(m, is_zero(command + 32, 32), RULE_ADMIN_RESERVED);
    rule(m, get32(command + 4) == 4u << log2, RULE_CONTROL_BUFFER);
    const uint8_t *table = memory_at(m, get_address(command + 8), (size_t)4 << log2);
    if (table == NULL)
        return ADMIN_ILLEGAL;
    for (unsigned i = 0; i < 1u << log2; i++) {
        m->rss[i] = get16(table + 4 * i);
        if (!rule(m, names_receive_queue(m, m->rss[i]) && get16(table + 4 * i + 2) == 0, RULE_RSS_TABLE))
            return ADMIN_ILLEGAL;
    }
    m->rss_size = log2;
    m->rss_set = true;
    return ADMIN_OK;
}

uint8_t rss_set_hash(struct model *m, const uint8_t *command)
{
    uint32_t function = get32(command + 24);
    bool right = is_power(function) && (function & ~m->variant.hash_functions) == 0;
    rule(m, get32(command + 20) == 0 && is_zero(command + 32, 32), RULE_ADMIN_RESERVED);
    rule(m, get32(command + 4) == KEY_BUFFER, RULE_CONTROL_BUFFER);
    const uint8_t *buffer = memory_at(m, get_address(command + 8), KEY_BUFFER);
    if (buffer == NULL)
        return ADMIN_ILLEGAL;
    right &= get32(buffer) == KEY_WORDS && get32(buffer + 4) == 0 && !is_zero(buffer + 8, MODEL_KEY);
    if (!rule(m, right, RULE_RSS_HASH))
        return ADMIN_ILLEGAL;
    if (m->variant.hash_fixed || !m->knows_hash)
        return ADMIN_UNSUPPORTED;
    m->hash_function = function;
    for (unsigned i = 0; i < MODEL_KEY; i++)
        m->key[i] = buffer[8 + (m->variant.key_reversed ? MODEL_KEY - 1 - i : i)];
    return ADMIN_OK;
}

void rss_entry_written(struct model *m, uint32_t value)
{
    rule(m, (value & 0xffff) < 1u << m->variant.rss_log2, RULE_RSS_TABLE);
    m->rss[value & 0xff] = (uint16_t)(value >> 16);
}

/* ---- Frames ---- */

/* 32 bits of the key, from one of its bits on. */
static uint32_t key_from(const uint8_t *key, unsigned bit)
{
    uint64_t bytes = (uint64_t)get_big32(key + bit / 8) << 8 | key[bit / 8 + 4];
    return (uint32_t)(bytes >> (8 - bit % 8));
}

static uint32_t toeplitz(const uint8_t *key, const uint8_t *from, unsigned first_bit, unsigned length)
{
    uint32_t hash = 0;
    for (unsigned bit = 0; bit < 8 * length; bit++)
        if (from[bit / 8] >> (7 - bit % 8) & 1)
            hash ^= key_from(key, first_bit + bit);
    return hash;
}

uint32_t rss_hash(const struct model *m, const uint8_t *frame, uint32_t length)
{
    struct headers h = headers_of(frame, length);
    if (h.l3 == 0)
        return 0;
    const uint8_t *addresses = frame + h.l3_at + (h.l3 == L3_IPV4 ? 12 : 8);
    unsigned address_bytes = h.l3 == L3_IPV4 ? 8 : 32;
    if (m->hash_function == MODEL_TOEPLITZ)
        return toeplitz(m->key, addresses, 0, address_bytes) ^
               (h.l4 != 0 ? toeplitz(m->key, frame + h.l4_at, 8 * address_bytes, 4) : 0);
    uint64_t sum = sum_of(addresses, address_bytes) + (h.l4 != 0 ? sum_of(frame + h.l4_at, 4) : 0);
    uint32_t mixed = (uint32_t)sum * 0x9e3779b1u;
    return mixed >> 16 ^ mixed;
}

struct model_submission_queue *rss_queue(struct model *m, uint32_t hash)
{
    if (m->rss_set) {
        unsigned number = m->rss[hash & ((1u << m->rss_size) - 1)] - SQ_BASE;
        return number < 2 * MODEL_QUEUES && m->submission_queues[number].exists ? &m->submission_queues[number] : NULL;
    }
    for (unsigned i = MODEL_QUEUES; i < 2 * MODEL_QUEUES; i++)
        if (m->submission_queues[i].exists)
            return &m->submission_queues[i];
    return NULL;
}
