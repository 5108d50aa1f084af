/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neighbour discovery (RFC 4861, RFC 4862): asks which MAC address a neighbour of IPv6 has, and answers such questions
 * (nd.c); learns from routers which prefixes there are, and makes addresses of them (nd_router.c). What is found out
 * about neighbours is in neighbour.h. Guarded by the net lock.
 */
#pragma once

#include "net/ip6.h"

#define ND_ROUTER_SOLICITATION 133 /* types of ICMPv6: RFC 4861 4 */
#define ND_ROUTER_ADVERTISEMENT 134
#define ND_NEIGHBOUR_SOLICITATION 135
#define ND_NEIGHBOUR_ADVERTISEMENT 136

#define ND_SOURCE_MAC 1 /* options: RFC 4861 4.6 */
#define ND_TARGET_MAC 2
#define ND_PREFIX 3
#define ND_MTU 5
#define ND_NAME_SERVERS 25 /* RDNSS: RFC 8106 5.1 */

void nd_init(void);
/* Takes a message of one of these types, whose checksum is right; the packet starts with its ICMP header and stays the
 * caller's. */
void nd_input(const struct ip_info *info, struct packet *packet);
/* Asks who has the address; `alone`: only the host that is known to have it. */
void nd_ask(struct interface *interface, struct ip_address address, bool alone);
/* Announces the MAC address of the interface's usable addresses to all neighbours (RFC 4861 7.2.6). */
void nd_announce(struct interface *interface);
/* Asks whether another host has an address that is to become ours (RFC 4862 5.4): it is tentative until then. */
void nd_probe(struct interface *interface, struct ip6_own *own);

/* ---- Routers (nd_router.c) -------------------------------------------------------------------------------- */

void nd_router_init(void);
/* Asks for routers, now that there is an address to ask from. */
void nd_solicit_routers(struct interface *interface);
/* A router's advertisement with its options, all of it checked: `length` bytes from the ICMP header on. */
void nd_router_heard(const struct ip_info *info, const uint8_t *message, uint32_t length);
/* From now on hosts with this prefix are neighbours, whatever routers say. Nothing for a prefix of 128 bits. */
void nd_configure_prefix(struct interface *interface, struct ip_address address, unsigned length);
bool nd_is_configured(const struct interface *interface, struct ip_address address);
/* Forgets all that routers have said but addresses and name servers, whose time runs out. */
void nd_forget_routers(struct interface *interface);
/* Whether a router has said, or it is configured, that hosts with this address are neighbours. */
bool nd_is_on_link(const struct interface *interface, struct ip_address address);
/* The router to send by, preferably one that answers; false: there is none. */
bool nd_find_router(struct interface *interface, struct ip_address *out);

#define ND_ROUTER_LENGTH 16u /* of an advertisement without its options */

/* ---- Messages, for both files ------------------------------------------------------------------------------ */

struct nd_option {
    uint8_t type, length; /* in units of 8 bytes, not 0 */
    uint8_t value[];
};
/* The first option of this type of a message whose options begin at `offset`, or the next one after `previous`; NULL:
 * none. */
const struct nd_option *nd_next_option(const uint8_t *message, uint32_t length, uint32_t offset, unsigned type,
                                       const struct nd_option *previous);
struct nd_message {
    struct ip_address source, destination;
    uint8_t type;
    uint32_t flags;           /* the word after the checksum */
    struct ip_address target; /* ::, none */
    uint8_t option;           /* which option has our MAC address; 0: none */
};
void nd_send(struct interface *interface, const struct nd_message *message);
