/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses. Those of IPv4 alone are numbers of the CPU: 10.0.0.1 is 0x0a000001. They are turned into network order
 * only where a header or a sockaddr is written. struct ip_address holds one of either family, and is what transports
 * and sockets know.
 */
#pragma once

#include "lib/types.h"

typedef uint32_t ipv4_t;

#define IPV4_ANY 0u
#define IPV4_BROADCAST 0xffffffffu
#define IPV4_LOOPBACK 0x7f000001u

/*
 * The 16 bytes of an IPv6 address in the order of the network, as two words that are compared and hashed, not computed
 * with. IPv4 has the place that RFC 4291 2.5.5.2 gives it: ::ffff:10.0.0.1. An address that counts on one link only
 * (fe80::/10, ff02::/16) has the index of its interface in bytes 2 and 3, which are 0 outside of the kernel, so that
 * equal addresses of two links differ.
 */
struct ip_address {
    uint64_t high, low;
} packed __attribute__((aligned(4))); /* so that an endpoint has 20 bytes */

struct endpoint {
    struct ip_address address;
    uint16_t port;
};

#define IP_MAPPED 0xffff0000u /* bytes 8 to 11 of a mapped address, as a number of the CPU */

static inline struct ip_address ip_of_ipv4(ipv4_t a)
{
    return (struct ip_address){ 0, (uint64_t)__builtin_bswap32(a) << 32 | IP_MAPPED };
}
static inline bool ip_is_ipv4(struct ip_address a) { return a.high == 0 && (uint32_t)a.low == IP_MAPPED; }
/* Of one that is IPv4. */
static inline ipv4_t ipv4_of(struct ip_address a) { return __builtin_bswap32((uint32_t)(a.low >> 32)); }
static inline bool ip_same(struct ip_address a, struct ip_address b) { return a.high == b.high && a.low == b.low; }

static inline bool ipv4_is_loopback(ipv4_t a) { return a >> 24 == 127; }  /* RFC 1122 3.2.1.3 */
static inline bool ipv4_is_multicast(ipv4_t a) { return a >> 28 == 0xe; } /* RFC 1112 */
static inline ipv4_t ipv4_mask(unsigned prefix) { return prefix == 0 ? 0 : ~0u << (32 - prefix); }
/* :: or 0.0.0.0; 127/8 or ::1; of groups, in each family. */
static inline bool ip_is_any(struct ip_address a) { return a.high == 0 && (a.low == 0 || a.low == IP_MAPPED); }
static inline bool ip_is_loopback(struct ip_address a)
{
    return ip_is_ipv4(a) ? ipv4_is_loopback(ipv4_of(a)) : a.high == 0 && a.low == (uint64_t)1 << 56;
}
static inline bool ip_is_multicast(struct ip_address a)
{
    return ip_is_ipv4(a) ? ipv4_is_multicast(ipv4_of(a)) : (a.high & 0xff) == 0xff;
}
/* The number of leading ones of a contiguous mask; 33 for one with holes. */
unsigned ipv4_prefix(ipv4_t mask);

#define IPV4_TEXT 16 /* "255.255.255.255" and its NUL */
/* Writes dotted decimal; returns `to`. */
char *ipv4_format(char to[IPV4_TEXT], ipv4_t address);
/* Reads dotted decimal up to the first other character, where *text then points. */
bool ipv4_parse(const char **text, ipv4_t *address);
#define IP_TEXT 46 /* INET6_ADDRSTRLEN of netinet/in.h */
/* Writes an address of either family, that of IPv6 as RFC 5952 has it and without its interface; returns `to`. */
char *ip_format(char to[IP_TEXT], struct ip_address address);
/* Reads an address of IPv6 up to the first other character, where *text then points. */
bool ip6_parse(const char **text, struct ip_address *address);
