/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stack counts since boot, for /proc/net/snmp, snmp6 and netstat (counters_listing.c), as RFC 4293 and
 * RFC 4113 say. Counting is an addition under the net lock, which also guards reading. TCP counts in tcp_counts.
 */
#pragma once

#include "net/address.h"
#include "net/net.h"

/* Of each family. Packets are counted as the device or the program gave them, so one that is segmented later is one. */
enum net_counter {
    IP_IN_RECEIVES,
    IP_IN_HEADER_ERRORS,
    IP_IN_ADDRESS_ERRORS, /* not for this machine, or from an impossible address */
    IP_IN_UNKNOWN_PROTOCOLS,
    IP_IN_DELIVERS,
    IP_IN_OCTETS, /* with the header, as OUT_OCTETS */
    IP_IN_MULTICAST,
    IP_OUT_REQUESTS,
    IP_OUT_DISCARDS, /* there was no memory */
    IP_OUT_NO_ROUTES,
    IP_OUT_OCTETS,
    IP_OUT_MULTICAST,
    IP_REASSEMBLY_REQUIRED, /* fragments */
    IP_REASSEMBLED,
    IP_REASSEMBLY_FAILED, /* packets whose fragments were dropped, those of the next line included */
    IP_REASSEMBLY_TIMEOUT,
    IP_FRAGMENTED,
    IP_FRAGMENT_FAILED, /* too long, and may not be fragmented */
    IP_FRAGMENTS_CREATED,
    ICMP_IN_MESSAGES, /* also those with errors */
    ICMP_IN_ERRORS,
    ICMP_IN_CHECKSUM_ERRORS,
    ICMP_OUT_MESSAGES,
    ICMP_OUT_LIMITED, /* not sent, since there were too many */
    UDP_IN_DATAGRAMS, /* a datagram to a group for each socket that gets it */
    UDP_NO_PORTS,
    UDP_IN_ERRORS, /* those of the next two lines included */
    UDP_RECEIVE_BUFFER_ERRORS,
    UDP_IN_CHECKSUM_ERRORS,
    UDP_OUT_DATAGRAMS,
    NET_COUNTERS
};

#define ICMP_TYPES 256u

struct net_counts {
    uint64_t counters[NET_COUNTERS];
    uint64_t icmp_in[ICMP_TYPES], icmp_out[ICMP_TYPES]; /* by type */
};
/* By is_ipv6. */
extern struct net_counts net_counts[2];

static inline void net_count_more(bool is_ipv6, enum net_counter counter, uint64_t amount)
{
    must_hold_net();
    net_counts[is_ipv6].counters[counter] += amount;
}

static inline void net_count(bool is_ipv6, enum net_counter counter) { net_count_more(is_ipv6, counter, 1); }

static inline void net_count_icmp_in(bool is_ipv6, uint8_t type)
{
    must_hold_net();
    net_counts[is_ipv6].icmp_in[type]++;
}

static inline void net_count_icmp_out(bool is_ipv6, uint8_t type)
{
    net_count(is_ipv6, ICMP_OUT_MESSAGES);
    net_counts[is_ipv6].icmp_out[type]++;
}

/* Fills in network_view's files. Once, by net_init(). */
void counters_init(void);
