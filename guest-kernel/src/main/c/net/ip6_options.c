/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of IPv6 are kept beside those of IPv4 in struct socket_kept, since a socket of AF_INET6 has both: those
 * of the family of a packet count for it. Checks, defaults and errors are those of Linux. Called by socket_options.c,
 * under the net lock.
 */
#include "net/ip6_options.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "net/interface.h"
#include "net/ip6.h"
#include "net/option.h"

enum { /* linux/in6.h; those that are control messages too are in net/socket.h */
       IPV6_UNICAST_HOPS = 16,
       IPV6_MULTICAST_IF = 17,
       IPV6_MULTICAST_HOPS = 18,
       IPV6_MULTICAST_LOOP = 19,
       IPV6_MTU_DISCOVER = 23,
       IPV6_MTU = 24,
       IPV6_V6ONLY = 26,
       IPV6_MULTICAST_ALL = 29,
       IPV6_RECVPKTINFO = 49,
       IPV6_RECVHOPLIMIT = 51,
       IPV6_RECVTCLASS = 66,
       IPV6_TRANSPARENT = 75,
       IPV6_FREEBIND = 78,
};

#define PMTUDISC_LAST 5 /* IPV6_PMTUDISC_OMIT, linux/in6.h */
#define ECN_MASK 3      /* RFC 3168: the transport's part of the traffic class */

static int set_only(void *base, int value)
{
    struct socket *socket = base;
    if (socket->operations->is_bound(socket))
        return -EINVAL;
    socket->kept.v6_only = value != 0;
    return 0;
}

static int set_hop_limit(void *socket, int value)
{
    ((struct socket *)socket)->kept.hop_limit = value == -1 ? IP_DEFAULT_TTL : (uint8_t)value;
    return 0;
}

static int set_multicast_hops(void *base, int value)
{
    struct socket *socket = base;
    socket->kept.multicast_hops = value == -1 ? 1 : (uint8_t)value;
    return 0;
}

/* A stream sets the bits for congestion itself. */
static int set_class(void *base, int value)
{
    struct socket *socket = base;
    uint8_t wanted = value == -1 ? 0 : (uint8_t)value;
    if (socket->type == SOCK_STREAM)
        wanted = (uint8_t)((wanted & ~ECN_MASK) | (socket->kept.traffic_class & ECN_MASK));
    socket->kept.traffic_class = wanted;
    return 0;
}

/* RFC 3542 11.1. What is read is the MTU of the way, which socket_options.c finds. */
static int set_fragment_mtu(void *socket, int value)
{
    if (value != 0 && value < IP6_MINIMUM_MTU)
        return -EINVAL;
    ((struct socket *)socket)->kept.v6_fragment_mtu = (uint32_t)value;
    return 0;
}

static int set_multicast_interface(void *base, int value)
{
    struct socket *socket = base;
    if (value != 0 && (value < 0 || !interface_at((unsigned)value - 1)))
        return -ENODEV;
    socket->kept.v6_multicast_index = value;
    return 0;
}

#define KEPT(name, shape, field, ...) OPTION_AT(name, shape, struct socket, kept.field, .not_empty = true, __VA_ARGS__)

static const struct option lines[] = {
    KEPT(IPV6_V6ONLY, OPTION_FLAG, v6_only, .set = set_only),
    KEPT(IPV6_UNICAST_HOPS, OPTION_BYTE, hop_limit, .set = set_hop_limit, .lowest = -1, .highest = 255),
    KEPT(IPV6_MULTICAST_HOPS, OPTION_BYTE, multicast_hops, .set = set_multicast_hops, .lowest = -1, .highest = 255),
    KEPT(IPV6_MULTICAST_IF, OPTION_NUMBER, v6_multicast_index, .set = set_multicast_interface),
    KEPT(IPV6_MULTICAST_LOOP, OPTION_FLAG, v6_multicast_loop, .lowest = 0, .highest = 1),
    KEPT(IPV6_MULTICAST_ALL, OPTION_FLAG, v6_multicast_all),
    KEPT(IPV6_TCLASS, OPTION_BYTE, traffic_class, .set = set_class, .lowest = -1, .highest = 255),
    OPTION_OF(IPV6_MTU, .set = set_fragment_mtu, .not_empty = true),
    KEPT(IPV6_MTU_DISCOVER, OPTION_BYTE, v6_path_discovery, .lowest = 0, .highest = PMTUDISC_LAST),
    OPTION_AT(IPV6_DONTFRAG, OPTION_FLAG, struct socket, kept.v6_dont_fragment), /* one that is too short clears it */
    KEPT(IPV6_RECVERR, OPTION_FLAG, v6_receive_errors),
    KEPT(IPV6_RECVPKTINFO, OPTION_FLAG, v6_packet_info),
    KEPT(IPV6_RECVHOPLIMIT, OPTION_FLAG, tell_hop_limit),
    KEPT(IPV6_RECVTCLASS, OPTION_FLAG, tell_class),
    KEPT(IPV6_FREEBIND, OPTION_FLAG, free_bind),
    KEPT(IPV6_TRANSPARENT, OPTION_FLAG, transparent),
};
static const struct option_table options = { lines, array_size(lines) };

int ip6_set_option(struct socket *socket, int name, const void *value, uint32_t length)
{
    must_hold_net();
    int32_t number = 0;
    if (socket->type == SOCK_STREAM && (name == IPV6_MULTICAST_HOPS || name == IPV6_MULTICAST_IF))
        return -ENOPROTOOPT;
    if (length < sizeof(number) && !option_may_be_empty(&options, name))
        return -EINVAL;
    if (length >= sizeof(number))
        memcpy(&number, value, sizeof(number));
    return option_set(&options, socket, name, number);
}

int ip6_get_option(const struct socket *socket, int name, int32_t *value)
{
    must_hold_net();
    return option_get(&options, socket, name, value);
}
