/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of bound ports (ports.h). A table's bindings are in buckets by port, each bound one in exactly one. A
 * chosen port is looked for with few steps while most are free, and with one look at all bindings otherwise, so the
 * search never walks a bucket for each port. Everything is guarded by the net lock.
 */
#include "net/ports.h"

#include "core/random.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/net.h"

#define PROBES 16 /* ports that are looked at one by one; a free one is most often among them */
#define WORD_BITS 64

static struct hash_key share_key; /* of every table; set once */

void ports_init(void) { random_bytes(&share_key, sizeof(share_key)); }

void port_table_init(struct port_table *table)
{
    for (unsigned i = 0; i < PORT_BUCKETS; i++)
        list_init(&table->buckets[i]);
}

void port_binding_init(struct port_binding *binding)
{
    *binding = (struct port_binding){ 0 };
    list_init(&binding->link);
}

struct list *port_bucket(struct port_table *table, uint16_t port) { return &table->buckets[port % PORT_BUCKETS]; }

static bool may_share(const struct port_binding *new, const struct port_binding *other)
{
    if (new->reuse_port && other->reuse_port)
        return true;
    return new->reuse_address && other->reuse_address && !other->listening;
}

bool port_covers(const struct port_binding *binding, struct ip_address address)
{
    struct ip_address bound = binding->local.address;
    if (!ip_is_any(bound))
        return ip_same(bound, address);
    return ip_is_ipv4(address) ? ip_is_ipv4(bound) || !binding->v6_only : !ip_is_ipv4(bound);
}

static bool overlap(const struct port_binding *a, const struct port_binding *b)
{
    return port_covers(a, b->local.address) || port_covers(b, a->local.address);
}

struct port_binding *port_conflict(const struct port_table *table, const struct port_binding *binding,
                                   struct endpoint local)
{
    struct port_binding wanted = { .local = local, .v6_only = binding->v6_only };
    list_for_each (node, &table->buckets[local.port % PORT_BUCKETS]) {
        struct port_binding *other = list_entry(node, struct port_binding, link);
        if (other != binding && other->local.port == local.port && overlap(other, &wanted) &&
            !may_share(binding, other))
            return other;
    }
    return NULL;
}

/* Net lock: of each ephemeral port, whether a socket has it at the address that was looked at last. */
static uint64_t taken[PORT_EPHEMERAL_COUNT / WORD_BITS + 1];

static void look_at_all(const struct port_table *table, struct ip_address address)
{
    struct port_binding wanted = { .local.address = address };
    memset(taken, 0, sizeof(taken));
    for (unsigned i = 0; i < PORT_BUCKETS; i++) {
        list_for_each (node, &table->buckets[i]) {
            const struct port_binding *other = list_entry(node, struct port_binding, link);
            unsigned place = (unsigned)other->local.port - PORT_EPHEMERAL_FIRST;
            if (place < PORT_EPHEMERAL_COUNT && overlap(other, &wanted))
                taken[place / WORD_BITS] |= 1UL << place % WORD_BITS;
        }
    }
}

static bool is_taken(unsigned place) { return taken[place / WORD_BITS] >> place % WORD_BITS & 1; }

uint16_t port_search(const struct port_table *table, struct ip_address address, uint32_t start,
                     bool (*usable)(struct endpoint local, void *context), void *context)
{
    /* One that no socket has at all, even where sharing would be allowed. */
    struct port_binding strict = { 0 };
    must_hold_net();
    for (unsigned i = 0; i < PORT_EPHEMERAL_COUNT; i++) {
        unsigned place = (start + i) % PORT_EPHEMERAL_COUNT;
        struct endpoint local = { address, (uint16_t)(PORT_EPHEMERAL_FIRST + place) };
        if (i == PROBES)
            look_at_all(table, address);
        bool unbound = i < PROBES ? !port_conflict(table, &strict, local) : !is_taken(place);
        if (unbound && (!usable || usable(local, context)))
            return local.port;
    }
    return 0;
}

int port_bind(struct port_table *table, struct port_binding *binding, struct endpoint local)
{
    must_hold_net();
    if (local.port == 0)
        local.port = port_search(table, local.address, (uint32_t)random_below(PORT_EPHEMERAL_COUNT), NULL, NULL);
    if (local.port == 0 || port_conflict(table, binding, local))
        return -EADDRINUSE;
    binding->local = local;
    list_push_back(port_bucket(table, local.port), &binding->link);
    return 0;
}

void port_unbind(struct port_binding *binding)
{
    must_hold_net();
    list_remove(&binding->link);
}

unsigned port_share(struct endpoint local, struct endpoint remote, unsigned count)
{
    struct {
        struct ip_address addresses[2];
        uint64_t ports;
    } flow = { { local.address, remote.address }, (uint64_t)local.port << 16 | remote.port };
    return (unsigned)((siphash13(&share_key, &flow, sizeof(flow)) >> 32) * count >> 32);
}
