/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCPv6 client (RFC 8415) of one address, which is on the first device beside those of routers' prefixes, and of
 * name servers. It is a kernel thread that uses an ordinary UDP socket, and asks when a router says that there is a
 * server. dhcp6_message.c makes and reads messages and knows nothing of time or sockets.
 */
#pragma once

#include "net/bytes.h"
#include "net/interface.h"

/* Starts the client's thread, which sends nothing yet. */
void dhcp6_start(struct interface *interface);
/* A router says that servers give addresses (the flag M of RFC 4861 4.2), or other settings (O). What one has said
 * holds, whatever others say. Under the net lock. */
void dhcp6_heard(bool addresses, bool settings);
/* Another host has the address: true if it is the leased one, for which another one is asked. Under the net lock. */
bool dhcp6_conflict(struct ip_address address);
/* As those of dhcp.h. */
void dhcp6_release(void);
void dhcp6_restored(void);

/* ---- Messages ------------------------------------------------------------------------------------------- */

enum { /* RFC 8415 7.3 */
       DHCP6_SOLICIT = 1,
       DHCP6_ADVERTISE = 2,
       DHCP6_REQUEST = 3,
       DHCP6_RENEW = 5,
       DHCP6_REBIND = 6,
       DHCP6_REPLY = 7,
       DHCP6_RELEASE = 8,
       DHCP6_DECLINE = 9,
       DHCP6_INFORMATION_REQUEST = 11,
};

#define DHCP6_MESSAGE_SIZE 512u /* bytes: what dhcp6_make() writes at most */
#define DHCP6_IDENTIFIER 130u   /* bytes of a DUID, with its type: RFC 8415 11.1 */
#define DHCP6_NAME_SERVERS 3u   /* MAXNS, resolv.conf(5) */
#define DHCP6_FOREVER 0xffffffffu

struct dhcp6_identifier {
    uint16_t length; /* 0: none */
    uint8_t bytes[DHCP6_IDENTIFIER];
};
struct dhcp6_query {
    uint8_t type;         /* DHCP6_* */
    uint32_t transaction; /* 24 bits */
    uint16_t elapsed;     /* hundredths of seconds since the exchange began */
    const uint8_t *mac;
    const struct dhcp6_identifier *server; /* NULL: any */
    struct ip_address address;             /* that the message is about; ::, none */
};
/* Its length. */
size_t dhcp6_make(uint8_t to[DHCP6_MESSAGE_SIZE], const struct dhcp6_query *query);

struct dhcp6_answer {
    uint8_t type; /* DHCP6_ADVERTISE or DHCP6_REPLY */
    struct dhcp6_identifier server;
    uint8_t preference;
    struct ip_address address; /* ::, none is given */
    uint32_t preferred, valid; /* seconds, of the address; DHCP6_FOREVER */
    uint32_t renew, rebind;    /* seconds: T1 and T2; 0: left to us */
    uint32_t refresh;          /* seconds, of what comes without an address; 0: absent */
    struct ip_address name_servers[DHCP6_NAME_SERVERS];
    unsigned name_server_count;
};
/* Reads an answer to the query with this transaction and MAC. Of the addresses that it gives, the one that is wanted
 * counts, or else the first; ::, none is wanted. False: it is no answer, or malformed. */
bool dhcp6_read(const uint8_t *message, size_t length, uint32_t transaction, const uint8_t mac[6],
                struct ip_address wanted, struct dhcp6_answer *out);
