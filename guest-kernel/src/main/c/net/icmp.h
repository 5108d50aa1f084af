/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, hands errors about our packets to the transport they came
 * from, and informs senders of closed UDP ports, at a bounded rate. Net lock.
 */
#pragma once

#include "net/ip.h"

#define ICMP_ECHO_REPLY 0 /* types */
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12

#define ICMP_NET_UNREACHABLE 0 /* codes of ICMP_UNREACHABLE */
#define ICMP_HOST_UNREACHABLE 1
#define ICMP_PROTOCOL_UNREACHABLE 2
#define ICMP_PORT_UNREACHABLE 3
#define ICMP_FRAGMENTATION_NEEDED 4

/* An error about a packet we sent. */
struct icmp_error {
    int error;                       /* errno, positive */
    bool hard;                       /* sending again will not help */
    unsigned mtu;                    /* "fragmentation needed": of the next hop; else 0 */
    unsigned length;                 /* of our packet, as it is quoted */
    struct ip_address local, remote; /* of our packet */
    uint32_t token;                  /* the identification of our packet, or its flow label */
    uint8_t protocol;
    uint8_t type, code;        /* as they came */
    struct ip_address sender;  /* of the error */
    const uint8_t *transport;  /* the first bytes after its IP header, at least 8 (RFC 792); during the call */
    uint32_t transport_length; /* how many are known */
};

void icmp_input(const struct ip_info *info, struct packet *packet);
/* About a received packet, which starts with its transport header and stays the caller's. */
void icmp_send_unreachable(const struct ip_info *info, struct packet *packet, uint8_t code);
/* Reports to the transport that an IP packet of ours could not be sent. The packet stays the caller's. */
void icmp_local_unreachable(struct packet *packet);
