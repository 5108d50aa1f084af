/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of IPv4 (RFC 1112) and IPv6 (RFC 4291 2.7), and from which sources the sockets of each interface want them
 * (RFC 3376, RFC 3810). multicast_report.h reports them to routers. Net lock.
 */
#pragma once

#include "net/interface.h"
#include "net/socket.h"

#define MULTICAST_ALL_HOSTS 0xe0000001u /* 224.0.0.1: joined on every interface, and never reported */
#define MULTICAST_MEMBERSHIPS_4 20      /* of one socket: net.ipv4.igmp_max_memberships of Linux */
#define MULTICAST_MEMBERSHIPS_6 1024    /* of one socket; the memory for options limits it on Linux */
#define MULTICAST_MEMBERSHIPS_ALL 4096  /* of all sockets */
#define MULTICAST_SOURCES_4 10          /* of one membership: net.ipv4.igmp_max_msf of Linux */
#define MULTICAST_SOURCES_6 64          /* the same: net.ipv6.mld_max_msf */
#define MULTICAST_SOURCES_MOST MULTICAST_SOURCES_6
#define MULTICAST_STATE_SOURCES 64 /* of all memberships of a group: see multicast_state() */

/* A group that some socket has joined on an interface, or that one of its addresses needs. */
struct multicast_group {
    struct list link;
    struct interface *interface;
    struct ip_address address; /* as outside: without the interface inside */
    struct list memberships;   /* multicast.c: of sockets */
    bool own;                  /* of the addresses of the interface (ip6_solicited_node()) */
    uint8_t reports_left;      /* multicast_report.c: unsolicited ones, or the answer to a query */
    nanoseconds report_at;     /* multicast_report.c: of the next, monotonic; NO_DEADLINE: none is due */
};

/* From which sources an interface wants a group: RFC 3376 3.2. */
struct multicast_state {
    bool exclude; /* from all but these; otherwise from these alone */
    uint32_t count;
    struct ip_address sources[MULTICAST_STATE_SOURCES];
};

/* Whether the source is in the list, which says that it is wanted, or that it is not. */
bool multicast_names(const struct multicast_state *state, struct ip_address source);

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
    struct ip_address group; /* as outside */
    ipv4_t address;
    int32_t index;
    struct ip_address source; /* where the change is of one; as outside */
};

/* The whole filter of a membership: struct group_filter of Linux. */
struct multicast_filter {
    bool include;
    uint32_t count; /* of sources */
    struct ip_address sources[MULTICAST_SOURCES_MOST];
};

void multicast_init(void);
/*
 * 0, -EINVAL (no group; a source of a group that is not joined, or is joined the other way), -ENODEV, -EADDRINUSE
 * (joined already), -EADDRNOTAVAIL (the group is not joined; the source is or is not in the list already), -ENOBUFS
 * (too many memberships or sources), -ENOMEM.
 */
int multicast_change(struct socket *socket, enum multicast_change change, const struct multicast_request *request);
/* Sets the filter of a membership, which must be there, or ends it: to include no source is to leave. As above. */
int multicast_set_filter(struct socket *socket, const struct multicast_request *request,
                         const struct multicast_filter *filter);
/* 0, -EINVAL (no group), -ENODEV, or -EADDRNOTAVAIL (not joined). `numbered`: the interface is the one of the number,
 * and none if that is 0. */
int multicast_get_filter(const struct socket *socket, const struct multicast_request *request, bool numbered,
                         struct multicast_filter *filter);
void multicast_leave_all(struct socket *socket);
/* An address of the interface needs the group, for every source. Without memory routers do not hear of it. */
void multicast_join_own(struct interface *interface, struct ip_address group);
/* Leaves the groups of this interface that no address of it needs any more. */
void multicast_leave_unneeded(struct interface *interface);
/* Whether the group is joined; whether some membership takes datagrams of the source. */
bool multicast_joined(const struct interface *interface, struct ip_address group);
bool multicast_accepts(const struct interface *interface, struct ip_address group, struct ip_address source);
/* Whether the socket takes datagrams of the source to the group that came over the interface. */
bool multicast_wanted(const struct socket *socket, struct ip_address group, int index, struct ip_address source);
void multicast_for_each(void (*visit)(struct multicast_group *group, void *context), void *context);
/*
 * What the memberships of the group add up to. If they name more than MULTICAST_STATE_SOURCES, it is every source: each
 * socket still gets those alone that it wants.
 */
void multicast_state(const struct multicast_group *group, struct multicast_state *state);
/* How many sockets have joined the group, and one more if an address needs it. */
unsigned multicast_users(const struct multicast_group *group);
/* How many filters of the group name a source, by their kind. */
struct multicast_named {
    uint32_t count; /* of sources; those beyond MULTICAST_STATE_SOURCES are left out */
    struct {
        struct ip_address source;
        uint32_t including, excluding;
    } sources[MULTICAST_STATE_SOURCES];
};
void multicast_named(const struct multicast_group *group, struct multicast_named *out);
/* Prints /proc/net/igmp, igmp6, mcfilter and mcfilter6 from now on (multicast_listing.c). */
void multicast_listing_init(void);

/* ---- Options (multicast_options.c) -------------------------------------------------------------------------- */

/* Whether an option of this level, of IPPROTO_IP or IPPROTO_IPV6, is set by the next function. */
bool multicast_is_option(int level, int name);
/*
 * `length` bytes at `value`. 0, what multicast_change() returns, -EPROTO (not for streams), -EINVAL (the length, the
 * family), -EADDRNOTAVAIL (no such interface to send over; addresses of another family).
 */
int multicast_set_option(struct socket *socket, int level, int name, const void *value, uint32_t length);
/* Whether getsockopt(2) reads a filter: the value then says of which group. */
bool multicast_is_filter(int level, int name);
/* Replaces the value, of `length` bytes, by the filter; how many bytes it has then, or -errno. There is room for
 * SOCKET_FILTER_SIZE: how many sources the program has room for is in the value, not in the length (Linux). */
int multicast_get_option(const struct socket *socket, int level, int name, void *value, uint32_t length);
