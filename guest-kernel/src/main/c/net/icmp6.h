/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP for IPv6 (RFC 4443): as icmp.h is for IPv4, and the way to and from neighbour discovery (nd.h). Net lock.
 */
#pragma once

#include "net/icmp.h"
#include "net/ip6.h"

#define ICMP6_UNREACHABLE 1 /* types: RFC 4443 2.1 */
#define ICMP6_TOO_BIG 2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER_PROBLEM 4
#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_REPLY 129

#define ICMP6_PORT_UNREACHABLE 4 /* code of ICMP6_UNREACHABLE */

struct icmp6_header {
    uint8_t type, code;
    be16 checksum;
    be32 rest;
};

void icmp6_input(const struct ip_info *info, struct packet *packet);
/* Sends a message that starts with its ICMP header, whose checksum is filled in here; takes the packet. */
void icmp6_send(struct packet *packet, const struct ip_route *route, struct ip_address destination, uint8_t hop_limit);
/* The same for a group of this link, with a hop limit of 1 and the router alert option (RFC 2711, RFC 3810 5). */
void icmp6_send_alerting(struct packet *packet, const struct ip_route *route, struct ip_address group);
/* About a received packet, which starts with what follows the extension headers, and stays the caller's: its port is
 * closed; its next header is not known. */
void icmp6_send_port_unreachable(const struct ip_info *info, struct packet *packet);
void icmp6_send_unknown_header(const struct ip_info *info, struct packet *packet);
/* As icmp_local_unreachable(). */
void icmp6_local_unreachable(struct packet *packet);
