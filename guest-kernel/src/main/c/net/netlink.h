/* SPDX-License-Identifier: Apache-2.0 */
/* Between netlink.c, which has the sockets of AF_NETLINK, and rtnetlink.c, which answers. All under the net lock. */
#pragma once

#include "net/socket.h"

struct netlink_answer { /* one datagram */
    struct list link;
    uint32_t length;
    _Alignas(4) uint8_t bytes[];
};

struct netlink_socket {
    struct socket socket;
    uint32_t port, groups; /* port 0: not bound */
    struct list answers;
    uint32_t waiting; /* bytes of answers */
};

/* Answers all questions in `bytes`. 0, or -ENOBUFS: there was no room or no memory for an answer. */
int rtnetlink_answer(struct netlink_socket *netlink, const uint8_t *bytes, uint32_t length);
