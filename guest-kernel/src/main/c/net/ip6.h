/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 (RFC 8200, RFC 4291): the addresses of interfaces, the way to others, sending and receiving. Neighbours are
 * found by nd.h; transports use ip.h, which is for both families. Guarded by the net lock.
 */
#pragma once

#include "net/ip.h"

#define IP6_PROTOCOL_HOP_BY_HOP 0 /* IANA protocol numbers */
#define IP6_PROTOCOL_ROUTING 43
#define IP6_PROTOCOL_FRAGMENT 44
#define IP6_PROTOCOL_ICMP 58
#define IP6_PROTOCOL_NOTHING 59
#define IP6_PROTOCOL_OPTIONS 60

#define IP6_ROUTER_ALERT 5 /* an option of hop-by-hop headers: RFC 2711 2.1 */
#define IP6_HEADER_LENGTH 40
#define IP6_MINIMUM_MTU 1280 /* RFC 8200 5; smaller ones are lies */
#define IP6_ND_HOP_LIMIT 255 /* RFC 4861: no router has forwarded what still has it */

struct ip6_bytes { /* an address outside of the kernel */
    uint8_t bytes[16];
};
struct ip6_header {
    be32 version_class_label; /* 6 << 28 | traffic class << 20 | flow label */
    be16 payload_length;
    uint8_t next_header, hop_limit;
    struct ip6_bytes source, destination;
};

/* ---- Addresses ------------------------------------------------------------------------------------------ */

#define IP6_ANY ((struct ip_address){ 0, 0 })
/* From two numbers of the CPU: fe80::1 is ip6_address(0xfe80000000000000, 1). */
static inline struct ip_address ip6_address(uint64_t high, uint64_t low)
{
    return (struct ip_address){ __builtin_bswap64(high), __builtin_bswap64(low) };
}
#define IP6_LOOPBACK ip6_address(0, 1)
#define IP6_ALL_NODES ip6_address(0xff02000000000000u, 1) /* RFC 4291 2.7.1; as outside */
#define IP6_ALL_ROUTERS ip6_address(0xff02000000000000u, 2)

static inline bool ip6_is_link_local(struct ip_address a) { return (a.high & 0xc0ff) == 0x80fe; } /* fe80::/10 */
/* True for an address that counts on one link, whose interface it has inside: fe80::/10, ff01::/16, ff02::/16. */
static inline bool ip6_is_of_link(struct ip_address a)
{
    return ip6_is_link_local(a) || (a.high & 0x0fff) == 0x02ff || (a.high & 0x0fff) == 0x01ff;
}
/* The index of the interface that is inside; 0: there is none. */
static inline int ip6_link(struct ip_address a) { return ip6_is_of_link(a) ? (int)(a.high >> 16 & 0xffff) : 0; }
/* As it is outside; and with the interface inside, if the address counts on one link. */
static inline struct ip_address ip6_outside(struct ip_address a)
{
    return ip6_is_of_link(a) ? (struct ip_address){ a.high & ~(uint64_t)0xffff0000u, a.low } : a;
}
static inline struct ip_address ip6_inside(struct ip_address outside, int index)
{
    return ip6_is_of_link(outside) ? (struct ip_address){ outside.high | (uint64_t)index << 16, outside.low } : outside;
}
static inline struct ip_address ip6_read(struct ip6_bytes bytes)
{
    struct ip_address a;
    __builtin_memcpy(&a, &bytes, sizeof(a));
    return a;
}
static inline struct ip6_bytes ip6_bytes_of(struct ip_address a)
{
    struct ip_address outside = ip6_outside(a);
    struct ip6_bytes bytes;
    __builtin_memcpy(&bytes, &outside, sizeof(bytes));
    return bytes;
}
/* The group of all neighbours that may have the address (RFC 4291 2.7.1), on its interface. */
struct ip_address ip6_solicited_node(struct ip_address address, const struct interface *interface);
/* How many leading bits are the same, 0..128. */
unsigned ip6_common_bits(struct ip_address a, struct ip_address b);

/* ---- Of interfaces (ip6_address.c) ------------------------------------------------------------------------ */

/* From now on there is IPv6: ::1 on loopback, and a link-local address on the first device. */
void ip6_start(void);
bool ip6_is_on(void); /* without the lock, too */
/* The link may be another one now. Every address is tentative again. Routers, and what they said of neighbours and the
 * MTU, are forgotten, and asked for again when there is the address of the link. Addresses that were made for a router
 * are not preferred any more, and end within a minute, unless one announces their prefix again. */
void ip6_restored(struct interface *interface);
/* Adds an address, or sets the times of one that is there; monotonic, NO_DEADLINE: for ever. A new one of a device is
 * tentative at first: another host may have it. False: there is no room for it. */
bool ip6_add(struct interface *interface, struct ip_address address, unsigned prefix, nanoseconds preferred_until,
             nanoseconds valid_until);
/* Its record on the interface, tentative or not; NULL: none, or its time is over. */
struct ip6_own *ip6_find_own(struct interface *interface, struct ip_address address);
/* What Linux shows of it: IFA_F_* of linux/if_addr.h. */
unsigned ip6_flags(const struct ip6_own *own);
/* The interface has a usable address that others than its neighbours can know. */
bool ip6_is_reachable(const struct interface *interface);
/* The interface whose own, usable address this is; NULL: none. */
struct interface *ip6_interface_of(struct ip_address address);
/* Whether the group is that of all nodes, or of an address of the interface. */
bool ip6_accepts_group(const struct interface *interface, struct ip_address group);
/* The address to send from (RFC 6724 5); :: if there is none. */
struct ip_address ip6_source(const struct interface *interface, struct ip_address destination);
/* Makes the address of a prefix of 64 bits and of the interface: of its MAC address (RFC 4291 appendix A), or, after
 * ip6_hide_mac(), of a secret that is new at each start and restore. */
struct ip_address ip6_of_prefix(const struct interface *interface, struct ip_address prefix);
/* Before ip6_start(). Net lock. */
void ip6_hide_mac(void);

/* ---- Ways, for who lists them (ip6_routes.c) -------------------------------------------------------------- */

struct ip6_way {
    enum { IP6_WAY_LOCAL, IP6_WAY_ON_LINK, IP6_WAY_ROUTER, IP6_WAY_GROUPS } kind;
    const struct interface *interface;
    struct ip_address destination;
    unsigned prefix;           /* bits of it that count */
    struct ip_address gateway; /* ::, none */
    unsigned metric;           /* as Linux has it */
    nanoseconds valid_until;
};
typedef void ip6_visit_way(const struct ip6_way *way, void *context);
void ip6_for_each_way(ip6_visit_way *visit, void *context);

/* ---- Packets ---------------------------------------------------------------------------------------------- */

/* As ip_route() and ip_output(), for IPv6. ip6_route(): also -EINVAL, an address of a link without its interface. */
int ip6_route(struct ip_address destination, struct ip_route *route);
int ip6_output(struct packet *packet, const struct ip_route *route, const struct ip_send *send);
/* As ip_input(). */
void ip6_input(struct interface *interface, struct packet *packet, bool link_unicast);
