/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of IPv4 (RFC 1112) and from which sources the sockets of each interface want them (RFC 3376). igmp.c reports
 * them to routers. Net lock.
 */
#pragma once

#include "net/interface.h"
#include "net/socket.h"

#define MULTICAST_ALL_HOSTS 0xe0000001u /* 224.0.0.1: joined on every interface, and never reported */
#define MULTICAST_MEMBERSHIPS 20        /* of one socket: net.ipv4.igmp_max_memberships of Linux */
#define MULTICAST_SOURCES 10            /* of one membership: net.ipv4.igmp_max_msf of Linux */
#define MULTICAST_STATE_SOURCES 64      /* of all memberships of a group: see multicast_state() */

/* A group that some socket has joined on an interface. */
struct multicast_group {
    struct list link;
    struct interface *interface;
    ipv4_t address;
    struct list memberships; /* multicast.c: of sockets */
    uint8_t reports_left;    /* igmp.c: unsolicited ones, or the answer to a query */
    nanoseconds report_at;   /* igmp.c: of the next, monotonic; NO_DEADLINE: none is due */
};

/* From which sources an interface wants a group: RFC 3376 3.2. */
struct multicast_state {
    bool exclude; /* from all but these; otherwise from these alone */
    uint32_t count;
    ipv4_t sources[MULTICAST_STATE_SOURCES];
};

/* Whether the source is in the list, which says that it is wanted, or that it is not. */
bool multicast_names(const struct multicast_state *state, ipv4_t source);

enum multicast_change {
    MULTICAST_JOIN, /* IP_ADD_MEMBERSHIP: from every source */
    MULTICAST_LEAVE,
    MULTICAST_JOIN_SOURCE, /* IP_ADD_SOURCE_MEMBERSHIP: from this source, too */
    MULTICAST_LEAVE_SOURCE,
    MULTICAST_BLOCK_SOURCE, /* IP_BLOCK_SOURCE: what was joined from every source, but not from this one */
    MULTICAST_UNBLOCK_SOURCE,
};

/* What a socket joins or leaves: the interface by its number, or by its address, or, both 0, the one with a route. */
struct multicast_request {
    ipv4_t group, address;
    int32_t index;
    ipv4_t source; /* where the change is of one */
};

void multicast_init(void);
/*
 * 0, -EINVAL (no group; a source of a group that is not joined, or is joined the other way), -ENODEV, -EADDRINUSE
 * (joined already), -EADDRNOTAVAIL (the group is not joined; the source is or is not in the list already), -ENOBUFS
 * (MULTICAST_MEMBERSHIPS, or MULTICAST_SOURCES), -ENOMEM.
 */
int multicast_change(struct socket *socket, enum multicast_change change, const struct multicast_request *request);
void multicast_leave_all(struct socket *socket);
/* Whether a socket has joined the group; whether some membership takes datagrams of the source. */
bool multicast_joined(const struct interface *interface, ipv4_t group);
bool multicast_accepts(const struct interface *interface, ipv4_t group, ipv4_t source);
/* Whether the socket takes datagrams of the source to the group that came over the interface. */
bool multicast_wanted(const struct socket *socket, ipv4_t group, int index, ipv4_t source);
void multicast_for_each(void (*visit)(struct multicast_group *group, void *context), void *context);
/*
 * What the memberships of the group add up to. If they name more than MULTICAST_STATE_SOURCES, it is every source: each
 * socket still gets those alone that it wants.
 */
void multicast_state(const struct multicast_group *group, struct multicast_state *state);

/* Whether an option of sockets at the level of IP is set by the next function. */
bool multicast_is_option(int name);
/*
 * `length` bytes at `value`. 0, what multicast_change() returns, -EPROTO (not for streams), -EINVAL (the length, the
 * family), -EADDRNOTAVAIL (no such interface to send over; addresses of another family with a source).
 */
int multicast_set_option(struct socket *socket, int name, const void *value, uint32_t length);
