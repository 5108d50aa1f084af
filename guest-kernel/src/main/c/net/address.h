/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv4 addresses, as numbers of the CPU: 10.0.0.1 is 0x0a000001. They are turned into network
 * order only where a header or a sockaddr is written.
 */
#pragma once

#include "lib/types.h"

typedef uint32_t ipv4_t;

#define IPV4_ANY 0u
#define IPV4_BROADCAST 0xffffffffu
#define IPV4_LOOPBACK 0x7f000001u

struct endpoint {
    ipv4_t address;
    uint16_t port;
};

static inline bool ipv4_is_loopback(ipv4_t a) { return a >> 24 == 127; }  /* RFC 1122 3.2.1.3 */
static inline bool ipv4_is_multicast(ipv4_t a) { return a >> 28 == 0xe; } /* RFC 1112 */
static inline ipv4_t ipv4_mask(unsigned prefix) { return prefix == 0 ? 0 : ~0u << (32 - prefix); }
/* The number of leading ones of a contiguous mask; 33 for one with holes. */
unsigned ipv4_prefix(ipv4_t mask);

#define IPV4_TEXT 16 /* "255.255.255.255" and its NUL */
/* Writes dotted decimal; returns `to`. */
char *ipv4_format(char to[IPV4_TEXT], ipv4_t address);
/* Reads dotted decimal up to the first other character, where *text then points. */
bool ipv4_parse(const char **text, ipv4_t *address);
