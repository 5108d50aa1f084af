/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of level IPPROTO_IPV6, ipv6(7), of sockets of AF_INET6. Under the net lock.
 */
#pragma once

#include "net/socket.h"

/* 0, -EINVAL, -ENODEV (no such interface), or -ENOPROTOOPT. */
int ip6_set_option(struct socket *socket, int name, const void *value, uint32_t length);
/* The value is an int. 0, or -ENOPROTOOPT. */
int ip6_get_option(const struct socket *socket, int name, int32_t *value);
