/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP client (RFC 2131, RFC 2132). It is a kernel thread that uses an ordinary UDP socket.
 * dhcp_message.c makes and reads messages and knows nothing of time or sockets.
 */
#pragma once

#include "net/bytes.h"
#include "net/interface.h"

/* Starts the client's thread. */
void dhcp_start(struct interface *interface, const char *hostname, net_changed *changed);
/* Gives the address back to the server, if there is a lease: the machine is about to end. Does not sleep. */
void dhcp_release(void);
/* The machine goes on from a snapshot, perhaps later than its lease lasts: asks any server to extend it. */
void dhcp_restored(void);
/* Applies a configuration and wakes the threads that wait for one; takes the net lock (net.c). */
void net_apply(struct interface *interface, const struct net_configuration *configuration);

/* ---- Messages ------------------------------------------------------------------------------------------- */

#define DHCP_DISCOVER 1 /* RFC 2132 9.6 */
#define DHCP_OFFER 2
#define DHCP_REQUEST 3
#define DHCP_DECLINE 4
#define DHCP_ACK 5
#define DHCP_NAK 6
#define DHCP_RELEASE 7

#define DHCP_MESSAGE_SIZE 576u /* what every client must be able to receive: RFC 2131 2 */
#define DHCP_HOSTNAME_SIZE 64  /* RFC 1035 2.3.4, with a NUL */
#define DHCP_FOREVER 0xffffffffu

struct dhcp_query {
    uint8_t type; /* DHCP_* */
    uint32_t transaction;
    uint16_t seconds; /* since the client began */
    const uint8_t *mac;
    const char *hostname;     /* "": none */
    ipv4_t client;            /* ciaddr: renewing; else IPV4_ANY */
    ipv4_t requested, server; /* options 50 and 54; IPV4_ANY: left out */
};
/* Writes a message of DHCP_MESSAGE_SIZE at most; its length. */
size_t dhcp_make(uint8_t to[DHCP_MESSAGE_SIZE], const struct dhcp_query *query);

struct dhcp_answer {
    uint8_t type;
    ipv4_t server;                 /* option 54, IPV4_ANY: absent */
    uint32_t lease, renew, rebind; /* seconds; 0: absent */
    struct net_configuration configuration;
};
/* Reads an answer to the query with this transaction and MAC; false: it is none, or malformed. */
bool dhcp_read(const uint8_t *message, size_t length, uint32_t transaction, const uint8_t mac[6],
               struct dhcp_answer *out);
