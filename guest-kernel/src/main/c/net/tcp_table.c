/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all that has an address pair, in a hash with a secret key, so that peers cannot make its chains long.
 * Entries belong to connections, half-open requests and records of TIME-WAIT. A pair is in it once at most: it is
 * looked up before an entry is added.
 *
 * Also what is derived from a pair and must not be guessed: sequence numbers, timestamps, cookies and ports, each with
 * a key of its own, which tcp_table_restored() replaces. The table's size and its key are fixed by tcp_table_init().
 * Called by the other files of TCP and by listing.c. Net lock.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/string.h"
#include "net/tcp_private.h"

/* One bucket for every 16 KiB of the budget, so that even a table of idle connections that fill it has short chains:
 * 64 in the smallest machine, 65536 (1 MiB) at most. */
#define BYTES_PER_BUCKET (16 * 1024)
#define PORT_COUNTERS 256 /* RFC 6056 3.3.4 */
#define PORT_STEP 8       /* RFC 6056 3.3.5, kept short so that ports are used again late */
#define BUCKETS_MINIMUM 64
#define BUCKETS_MAXIMUM 65536

static struct list *buckets;
static uint32_t bucket_count;
static struct hash_key table_key, sequence_key, port_key, timestamp_key, cookie_key;
struct port_table tcp_ports;

#define PAIR_WORDS 10u

/* What is hashed of a pair; returns how many words. Two addresses of IPv4 are taken as such: their pairs are most, and
 * have less than a third of the bytes. */
static unsigned pair_words(uint32_t words[PAIR_WORDS], struct endpoint local, struct endpoint remote)
{
    if (ip_is_ipv4(local.address) && ip_is_ipv4(remote.address)) {
        words[0] = ipv4_of(local.address);
        words[1] = ipv4_of(remote.address);
        words[2] = (uint32_t)local.port << 16 | remote.port;
        return 3;
    }
    memcpy(words, &local.address, sizeof(local.address));
    memcpy(words + 4, &remote.address, sizeof(remote.address));
    words[8] = local.port;
    words[9] = remote.port;
    return PAIR_WORDS;
}

static uint64_t hash_pair(const struct hash_key *key, struct endpoint local, struct endpoint remote)
{
    uint32_t words[PAIR_WORDS];
    return siphash(key, words, pair_words(words, local, remote) * sizeof(words[0]));
}

static void choose_keys(void)
{
    struct hash_key *keys[] = { &sequence_key, &port_key, &timestamp_key, &cookie_key };
    for (unsigned i = 0; i < array_size(keys); i++)
        random_bytes(keys[i], sizeof(*keys[i]));
}

void tcp_table_init(void)
{
    uint64_t wanted = net_memory_budget() / BYTES_PER_BUCKET;
    bucket_count = BUCKETS_MINIMUM;
    while (bucket_count < wanted && bucket_count < BUCKETS_MAXIMUM)
        bucket_count *= 2;
    buckets = heap_allocate(bucket_count * sizeof(*buckets));
    if (!buckets)
        panic("no memory for the table of TCP connections");
    for (uint32_t i = 0; i < bucket_count; i++)
        list_init(&buckets[i]);
    port_table_init(&tcp_ports);
    random_bytes(&table_key, sizeof(table_key));
    choose_keys();
}

void tcp_table_restored(void)
{
    must_hold_net();
    choose_keys();
}

static struct list *bucket_of(struct endpoint local, struct endpoint remote)
{
    uint32_t words[PAIR_WORDS];
    return &buckets[siphash13(&table_key, words, pair_words(words, local, remote) * sizeof(words[0])) % bucket_count];
}

void tcp_table_add(struct tcp_entry *entry)
{
    must_hold_net();
    list_push_front(bucket_of(entry->local, entry->remote), &entry->link);
}

void tcp_table_remove(struct tcp_entry *entry)
{
    must_hold_net();
    list_remove(&entry->link);
}

static bool same(struct endpoint a, struct endpoint b) { return ip_same(a.address, b.address) && a.port == b.port; }

struct tcp_entry *tcp_table_find(struct endpoint local, struct endpoint remote)
{
    must_hold_net();
    list_for_each (node, bucket_of(local, remote)) {
        struct tcp_entry *entry = list_entry(node, struct tcp_entry, link);
        if (same(entry->remote, remote) && same(entry->local, local))
            return entry;
    }
    return NULL;
}

void tcp_table_for_each(void (*visit)(struct tcp_entry *entry, void *context), void *context)
{
    must_hold_net();
    for (uint32_t i = 0; i < bucket_count; i++)
        list_for_each_safe (node, &buckets[i])
            visit(list_entry(node, struct tcp_entry, link), context);
}

/* A 4-microsecond clock plus a secret of the pair. */
uint32_t tcp_initial_sequence(struct endpoint local, struct endpoint remote)
{
    must_hold_net();
    return (uint32_t)(net_now() / 4000) + (uint32_t)hash_pair(&sequence_key, local, remote);
}

uint32_t tcp_timestamp_offset(struct endpoint local, struct endpoint remote)
{
    must_hold_net();
    return (uint32_t)hash_pair(&timestamp_key, local, remote);
}

uint64_t tcp_secret_hash(struct endpoint local, struct endpoint remote, uint32_t a, uint32_t b)
{
    must_hold_net();
    uint32_t words[PAIR_WORDS + 2];
    unsigned count = pair_words(words, local, remote);
    words[count] = a;
    words[count + 1] = b;
    return siphash(&cookie_key, words, (count + 2) * sizeof(words[0]));
}

static bool pair_usable(struct endpoint local, void *remote)
{
    struct tcp_entry *entry = tcp_table_find(local, *(const struct endpoint *)remote);
    return !entry || (entry->kind == TCP_ENTRY_TIME_WAIT && tcp_time_wait_reuse(entry));
}

/* Counters that few pairs share, with steps of random length: a destination learns nothing about our other connections.
 * */
uint16_t tcp_pick_port(struct ip_address local, struct endpoint remote)
{
    must_hold_net();
    static uint32_t next[PORT_COUNTERS];
    uint64_t hash = hash_pair(&port_key, (struct endpoint){ local, 0 }, remote);
    uint32_t *counter = &next[(hash >> 32) % PORT_COUNTERS];
    *counter += 1 + (uint32_t)random_below(PORT_STEP);
    return port_search(&tcp_ports, local, (uint32_t)hash + *counter, pair_usable, &remote);
}
