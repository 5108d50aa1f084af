/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What transports know of IP, of either family, and IPv4 itself (RFC 791, RFC 1122): routing by the interfaces'
 * configuration, sending with fragmentation where it is allowed, receiving with reassembly (ip_reassembly.c). IPv6 is
 * net/ip6.h. No forwarding. Guarded by the net lock.
 */
#pragma once

#include "net/bytes.h"
#include "net/interface.h"

#define IP_PROTOCOL_ICMP 1 /* IANA protocol numbers */
#define IP_PROTOCOL_IGMP 2
#define IP_PROTOCOL_TCP 6
#define IP_PROTOCOL_UDP 17

#define IP_DEFAULT_TTL 64   /* RFC 1700 */
#define IP_MINIMUM_MTU 576  /* smaller ones offered by DHCP or ICMP are ignored */
#define IP_HEADER_LENGTH 20 /* without options; we send none */
#define IP_MAXIMUM_LENGTH 65535

#define IP_DONT_FRAGMENT 0x4000
#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET_MASK 0x1fff /* in units of 8 bytes */

struct ip_header {
    uint8_t version_length; /* 4 << 4 | header length in 32-bit words */
    uint8_t type_of_service;
    be16 total_length, identification, fragment;
    uint8_t time_to_live, protocol;
    be16 checksum;
    be32 source, destination;
};

/* What a received packet's IP header said; the packet itself starts after the header. */
struct ip_info {
    struct interface *interface;
    struct ip_address source, destination;
    uint8_t protocol, type_of_service, time_to_live;
    bool unicast;      /* sent to us alone, on IP and on the link */
    bool reassembled;  /* from fragments */
    bool router_alert; /* IPv6: routers were to look at it (RFC 2711) */
};

struct ip_route {
    struct interface *interface;
    struct ip_address next_hop;
    struct ip_address source; /* the address to send from */
    bool broadcast;
    unsigned path_mtu; /* that a router has reported, for what is sent as datagrams; 0: none has */
};

/* 0, -ENETUNREACH, or -EACCES for a destination that ip_forbid() closed. */
int ip_route(struct ip_address destination, struct ip_route *route);

/* Straight out of an interface, as for a group. */
void ip_route_via(struct interface *interface, struct ip_address destination, struct ip_route *route);
/* The broadcast address of some interface's network, or of all. */
bool ip_is_broadcast(struct ip_address address);

#define IP_FORBIDDEN 2
/* From now on nothing goes to these addresses, of which there are at most IP_FORBIDDEN; none opens them again. */
void ip_forbid(const struct ip_address *destinations, unsigned count);

/* Fills in a transport checksum that was left for the device, for paths without one. */
void ip_complete_checksum(struct packet *packet);

struct ip_send {
    struct ip_address source, destination;
    uint8_t protocol, type_of_service, time_to_live;
    bool dont_fragment;    /* what is too long is refused */
    bool routers_may_not;  /* what is short enough is not to be fragmented on its way (IPv4) */
    uint32_t token;        /* path_mtu_token(), or 0 */
    uint32_t fragment_mtu; /* IPv6: fragments are no larger than this; 0: than the way allows */
    bool router_alert;     /* RFC 2113; of IPv6 the one of MLD: RFC 2711 */
    bool loop;             /* a copy comes in over the interface as well */
};
/* Sends a packet that starts with the transport header; takes it. 0, -EMSGSIZE (too long to send
 * unfragmented, when that was asked), -ENOBUFS. */
int ip_output(struct packet *packet, const struct ip_route *route, const struct ip_send *send);

/* Takes a packet that starts with its IP header. link_unicast: the frame was for our MAC alone. */
void ip_input(struct interface *interface, struct packet *packet, bool link_unicast);

/* Collects fragments; the whole datagram without its IP header once it is complete, else NULL. Takes
 * the packet, which starts after the header. */
struct packet *ip_reassemble(const struct ip_info *info, struct packet *packet, uint32_t identification,
                             uint16_t fragment);
void ip_reassembly_init(void);
/* Adds up the datagrams of a family that are not whole yet, and the bytes charged for them. */
void ip_reassembly_usage(bool of_ipv6, unsigned *count, uint64_t *memory);

/* The largest packet that may go that way, in bytes with its IP header. */
unsigned ip_mtu(const struct ip_route *route);
/* The length of an IP header without options, for packets to this address. */
static inline unsigned ip_header_length(struct ip_address to)
{
    return ip_is_ipv4(to) ? IP_HEADER_LENGTH : 40; /* IP6_HEADER_LENGTH */
}

/* The pseudo header of TCP and UDP (RFC 9293 3.1): length is that of the segment. */
uint64_t checksum_pseudo(struct ip_address source, struct ip_address destination, uint8_t protocol, uint32_t length);
