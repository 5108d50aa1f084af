/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What routers have said of the largest packet that gets to a destination, for datagrams (RFC 1191, RFC 8201); a TCP
 * connection keeps its own. Net lock.
 */
#pragma once

#include "net/icmp.h"

void path_mtu_init(void);
/* What a router reports of is believed if it quotes a packet of ours that was longer, with the number that
 * path_mtu_token() gave it. No smaller one than IP_MINIMUM_MTU or IP6_MINIMUM_MTU is. */
void path_mtu_heard(const struct icmp_error *error);
/* In bytes, with the IP header; 0: nothing is known. */
unsigned path_mtu_of(struct ip_address destination);
/*
 * What goes into the identification of a packet of IPv4 that may not be fragmented, whose value means nothing otherwise
 * (RFC 6864 4.1), or into the flow label of IPv6 (RFC 6437): who has not seen packets of this flow cannot know it.
 */
uint32_t path_mtu_token(struct ip_address local, struct ip_address remote, uint32_t ports);
#define PATH_MTU_TOKEN_IPV4 0xffffu /* as much of it as there is room for */
#define PATH_MTU_TOKEN_IPV6 0xfffffu
/* The ports of a flow, for the function above: as the first four bytes of its header have them. */
static inline uint32_t path_mtu_ports(uint16_t local, uint16_t remote) { return (uint32_t)local << 16 | remote; }
void path_mtu_forget(void);
