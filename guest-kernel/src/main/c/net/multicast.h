/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of IPv4 (RFC 1112): which of them the sockets of each interface have joined. igmp.c reports them to
 * routers. Net lock.
 */
#pragma once

#include "net/interface.h"
#include "net/socket.h"

#define MULTICAST_ALL_HOSTS 0xe0000001u /* 224.0.0.1: joined on every interface, and never reported */
#define MULTICAST_MEMBERSHIPS 20        /* of one socket: net.ipv4.igmp_max_memberships of Linux */

/* A group that some socket has joined on an interface. */
struct multicast_group {
    struct list link;
    struct interface *interface;
    ipv4_t address;
    uint32_t members;      /* sockets */
    uint8_t reports_left;  /* igmp.c: unsolicited ones, or the answer to a query */
    nanoseconds report_at; /* igmp.c: of the next, monotonic; NO_DEADLINE: none is due */
};

void multicast_init(void);
/*
 * IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP; the interface by its number, or by its address, or, both 0, the one that
 * has a route. 0, -EINVAL (no group), -ENODEV, -EADDRINUSE (joined already), -EADDRNOTAVAIL (not joined), -ENOBUFS
 * (joined MULTICAST_MEMBERSHIPS), -ENOMEM.
 */
int multicast_join(struct socket *socket, ipv4_t group, ipv4_t address, int32_t index);
int multicast_leave(struct socket *socket, ipv4_t group, ipv4_t address, int32_t index);
void multicast_leave_all(struct socket *socket);
/* Whether the interface takes datagrams for the group, and the socket those that came over the interface. */
bool multicast_joined(const struct interface *interface, ipv4_t group);
bool multicast_wanted(const struct socket *socket, ipv4_t group, int index);
void multicast_for_each(void (*visit)(struct multicast_group *group, void *context), void *context);
