/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multicast listener discovery for hosts: versions 2 (RFC 3810) and 1 (RFC 2710), whichever the querier of the network
 * speaks, and 2 without one. Only version 2 has sources: to a querier of version 1 a group is joined for all. Net lock.
 */
#pragma once

#include "net/ip6.h"

#define MLD_QUERY 130 /* types of ICMPv6: RFC 3810 5, RFC 2710 3 */
#define MLD_REPORT_V1 131
#define MLD_DONE_V1 132
#define MLD_REPORT_V2 143

/* Takes a query, whose checksum is right; the packet starts with its ICMP header and stays the caller's. */
void mld_query(const struct ip_info *info, struct packet *packet);
