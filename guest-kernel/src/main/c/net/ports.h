/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which local ports are bound, one table for TCP and one for UDP. Guarded by the net lock.
 */
#pragma once

#include "lib/list.h"
#include "net/address.h"

/* Ports that are given out; IANA's dynamic range begins at 49152, Linux's at 32768
 * (ip(7), ip_local_port_range). */
#define PORT_EPHEMERAL_FIRST 32768
#define PORT_EPHEMERAL_COUNT 28232

#define PORT_BUCKETS 64
struct port_table {
    struct list buckets[PORT_BUCKETS];
};
struct port_binding {
    struct list link; /* self-linked when not bound */
    struct endpoint local;
    bool reuse_address; /* SO_REUSEADDR: may share a port on which no socket listens */
    bool reuse_port;    /* SO_REUSEPORT: may share with others that have it set */
    bool listening;
    bool v6_only; /* IPV6_V6ONLY: bound to ::, it takes nothing of IPv4 */
};

/* Once, before the first table is used. */
void ports_init(void);
void port_table_init(struct port_table *table);
void port_binding_init(struct port_binding *binding);
static inline bool port_bound(const struct port_binding *binding) { return !list_empty(&binding->link); }
/* Binds to `local`, port 0 for a random free one (RFC 6056). 0 or -EADDRINUSE. */
int port_bind(struct port_table *table, struct port_binding *binding, struct endpoint local);
/* The first ephemeral port from place `start` on, round the range, that no socket has for the address and that is
 * usable, or 0. It looks at each binding once, however many ports are taken. `usable` may be NULL. */
uint16_t port_search(const struct port_table *table, struct ip_address address, uint32_t start,
                     bool (*usable)(struct endpoint local, void *context), void *context);
void port_unbind(struct port_binding *binding);
/* Some other binding that forbids this one, or NULL. */
struct port_binding *port_conflict(const struct port_table *table, const struct port_binding *binding,
                                   struct endpoint local);
/* Whether it takes what comes for the address: it is bound to that, or to all of its family. */
bool port_covers(const struct port_binding *binding, struct ip_address address);
struct list *port_bucket(struct port_table *table, uint16_t port);
/* Which of `count` > 0 sockets that share a port (SO_REUSEPORT) a flow belongs to: the same one as long as their number
 * stays, by a keyed hash that peers cannot predict. */
unsigned port_share(struct endpoint local, struct endpoint remote, unsigned count);
