/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How packets are spread over the pairs of queues (Amazon's name is RSS). The NIC hashes the addresses and ports of
 * what it receives, and the low bits of the hash are an index into a table of queues. A packet that is sent takes the
 * pair that the peer's packets come by, so that a connection is one CPU's in both directions: its hash is computed
 * here. That needs a NIC that takes the function (Toeplitz's, as in Microsoft's "RSS Hashing Types") and the key. With
 * other NICs the pair may be another one, but it stays the same for a connection, whose packets thus keep their order.
 *
 * Amazon's drivers disagree on whether the key's bytes are to be reversed. So the second half of it mirrors the first,
 * which is random, since who knows the key can direct all connections to one CPU.
 *
 * There is no lock: the key and the count of pairs do not change while a pair is up.
 */
#include "core/packet.h"
#include "core/random.h"
#include "drivers/ena/nic.h"
#include "drivers/flow.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TOEPLITZ (1u << 1) /* amzn-drivers: ENA_ADMIN_TOEPLITZ, as a bit */
#define TABLE_VERSION 1
#define TABLE_SIZE_MAX 7 /* of which this is the logarithm */

_Static_assert(ENA_KEY_LENGTH >= FLOW_TUPLE_MAX + 4, "the key covers the longest tuple");

/* ---- The NIC's part ---- */

static int read_table(struct ena_nic *nic)
{
    struct ena_limits *limits = &nic->limits;
    struct ena_answer answer;
    limits->table_size = 0;
    if (!ena_has_feature(nic, ENA_FEATURE_TABLE))
        return 0;
    int error = ena_get_feature(nic, ENA_FEATURE_TABLE, TABLE_VERSION, &answer);
    if (error != 0)
        return error == -ETIMEDOUT ? error : 0;
    unsigned size = min_of(answer.table.size_max, (uint16_t)TABLE_SIZE_MAX);
    if (size > 0 && size >= answer.table.size_min)
        limits->table_size = size;
    return 0;
}

int ena_spread_settle(struct ena_nic *nic, bool first)
{
    int error = read_table(nic);
    unsigned most = nic->limits.table_size != 0 ? nic->limits.pairs : min_of(nic->limits.pairs, 1u);
    if (first)
        nic->pair_count = min_of(nic->pair_count, most);
    if (error != 0)
        return error;
    return nic->pair_count > 0 && nic->pair_count <= most ? 0 : -EOPNOTSUPP;
}

static void make_key(struct ena_nic *nic)
{
    random_bytes(nic->key, ENA_KEY_LENGTH / 2);
    for (unsigned i = 0; i < ENA_KEY_LENGTH / 2; i++)
        nic->key[ENA_KEY_LENGTH - 1 - i] = nic->key[i];
    nic->has_key = true;
}

/* NICs have a function and a key of their own, and many do not let them be changed. */
static int set_function(struct ena_nic *nic)
{
    struct ena_answer answer;
    struct ena_hash_key *key = nic->spread_page;
    if (!ena_has_feature(nic, ENA_FEATURE_HASH))
        return 0;
    int error = ena_get_feature(nic, ENA_FEATURE_HASH, 0, &answer);
    if (error != 0 || !(answer.hash.supported & TOEPLITZ))
        return error;
    *key = (struct ena_hash_key){ .words = ENA_KEY_LENGTH / 4 };
    memcpy(key->bytes, nic->key, ENA_KEY_LENGTH);
    const struct ena_hash used = { .used = TOEPLITZ };
    return ena_set_feature_with(nic, ENA_FEATURE_HASH, &used, sizeof(used), key, sizeof(*key));
}

static int set_table(struct ena_nic *nic)
{
    struct ena_table_entry *entries = nic->spread_page;
    unsigned count = 1u << nic->limits.table_size;
    for (unsigned i = 0; i < count; i++) {
        const struct ena_pair *pair = &nic->pairs[i % nic->pair_count];
        entries[i] = (struct ena_table_entry){ .queue = pair->receive.submissions.index };
    }
    const struct ena_table whole = { .size = (uint16_t)nic->limits.table_size, .index = ENA_TABLE_WHOLE };
    return ena_set_feature_with(nic, ENA_FEATURE_TABLE, &whole, sizeof(whole), entries, count * sizeof(*entries));
}

/* All pairs are served, so a NIC that spreads in its own way does no harm. */
int ena_spread_set(struct ena_nic *nic)
{
    if (nic->pair_count < 2)
        return 0;
    if (!nic->has_key)
        make_key(nic);
    int error = set_function(nic);
    if (error != -ETIMEDOUT)
        error = set_table(nic);
    return error == -ETIMEDOUT ? error : 0;
}

/* ---- The driver's part ---- */

/* The most significant bit of each byte comes first. */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *input, unsigned length)
{
    uint32_t hash = 0, window = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
    for (unsigned bit = 0; bit < 8 * length; bit++) {
        if (input[bit / 8] & 0x80u >> bit % 8)
            hash ^= window;
        window = window << 1 | (key[bit / 8 + 4] >> (7 - bit % 8) & 1u);
    }
    return hash;
}

struct ena_pair *ena_pair_for(struct ena_nic *nic, const struct packet *packet)
{
    uint8_t tuple[FLOW_TUPLE_MAX];
    unsigned length = nic->pair_count > 1 ? flow_tuple(packet, tuple) : 0;
    uint32_t index = length > 0 ? toeplitz(nic->key, tuple, length) & ((1u << nic->limits.table_size) - 1) : 0;
    return &nic->pairs[index % nic->pair_count];
}
