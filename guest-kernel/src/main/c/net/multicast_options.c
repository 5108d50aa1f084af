/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of sockets that name groups: which structure each takes, and which change of multicast.h it asks for; and
 * the interface that datagrams to groups leave by. Those that are only a number are in the table of socket_options.c.
 * Net lock.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/ip.h"
#include "net/multicast.h"

enum { /* linux/in.h */
       IP_MULTICAST_IF = 32,
       IP_ADD_MEMBERSHIP = 35,
       IP_DROP_MEMBERSHIP = 36,
       IP_UNBLOCK_SOURCE = 37,
       IP_BLOCK_SOURCE = 38,
       IP_ADD_SOURCE_MEMBERSHIP = 39,
       IP_DROP_SOURCE_MEMBERSHIP = 40,
       MCAST_JOIN_GROUP = 42,
       MCAST_BLOCK_SOURCE = 43,
       MCAST_UNBLOCK_SOURCE = 44,
       MCAST_LEAVE_GROUP = 45,
       MCAST_JOIN_SOURCE_GROUP = 46,
       MCAST_LEAVE_SOURCE_GROUP = 47,
};

struct membership_value { /* struct ip_mreqn; struct ip_mreq ends before the number */
    be32 group, address;
    int32_t index;
};
struct source_value { /* struct ip_mreq_source */
    be32 group, address, source;
};
struct storage { /* struct sockaddr_storage with a struct sockaddr_in */
    uint16_t family;
    be16 port;
    be32 address;
    uint8_t rest[120];
};
struct group_value { /* struct group_req; struct group_source_req goes on with the source */
    uint32_t index, padding;
    struct storage group, source;
};
#define GROUP_LENGTH offsetof(struct group_value, source)
_Static_assert(sizeof(struct group_value) < SOCKET_OPTION_SIZE, "a value that is too long is seen to be");

enum form { MREQ, MREQ_SOURCE, GROUP, GROUP_SOURCE };

static const struct group_option {
    uint8_t name;
    enum form form;
    enum multicast_change change;
} options[] = {
    { IP_ADD_MEMBERSHIP, MREQ, MULTICAST_JOIN },
    { IP_DROP_MEMBERSHIP, MREQ, MULTICAST_LEAVE },
    { IP_ADD_SOURCE_MEMBERSHIP, MREQ_SOURCE, MULTICAST_JOIN_SOURCE },
    { IP_DROP_SOURCE_MEMBERSHIP, MREQ_SOURCE, MULTICAST_LEAVE_SOURCE },
    { IP_BLOCK_SOURCE, MREQ_SOURCE, MULTICAST_BLOCK_SOURCE },
    { IP_UNBLOCK_SOURCE, MREQ_SOURCE, MULTICAST_UNBLOCK_SOURCE },
    { MCAST_JOIN_GROUP, GROUP, MULTICAST_JOIN },
    { MCAST_LEAVE_GROUP, GROUP, MULTICAST_LEAVE },
    { MCAST_JOIN_SOURCE_GROUP, GROUP_SOURCE, MULTICAST_JOIN_SOURCE },
    { MCAST_LEAVE_SOURCE_GROUP, GROUP_SOURCE, MULTICAST_LEAVE_SOURCE },
    { MCAST_BLOCK_SOURCE, GROUP_SOURCE, MULTICAST_BLOCK_SOURCE },
    { MCAST_UNBLOCK_SOURCE, GROUP_SOURCE, MULTICAST_UNBLOCK_SOURCE },
};

static const struct group_option *find(int name)
{
    for (unsigned i = 0; i < array_size(options); i++)
        if (options[i].name == name)
            return &options[i];
    return NULL;
}

/* Linux wants some structures whole, and takes longer ones of the others. */
static int read_addresses(enum form form, const void *value, uint32_t length, struct multicast_request *request)
{
    struct membership_value membership = { 0 };
    struct source_value source;
    if (form == MREQ_SOURCE) {
        if (length != sizeof(source))
            return -EINVAL;
        memcpy(&source, value, sizeof(source));
        *request = (struct multicast_request){ .group = be32_get(source.group),
                                               .address = be32_get(source.address),
                                               .source = be32_get(source.source) };
        return 0;
    }
    if (length < offsetof(struct membership_value, index))
        return -EINVAL;
    memcpy(&membership, value, min_of(length, (uint32_t)sizeof(membership)));
    *request = (struct multicast_request){ .group = be32_get(membership.group),
                                           .address = be32_get(membership.address),
                                           .index = membership.index };
    return 0;
}

static int read_group(enum form form, const void *value, uint32_t length, struct multicast_request *request)
{
    struct group_value group = { 0 };
    bool sourced = form == GROUP_SOURCE;
    if (sourced ? length != sizeof(group) : length < GROUP_LENGTH)
        return -EINVAL;
    memcpy(&group, value, sourced ? sizeof(group) : GROUP_LENGTH);
    if (group.group.family != AF_INET || (sourced && group.source.family != AF_INET))
        return sourced ? -EADDRNOTAVAIL : -EINVAL;
    *request = (struct multicast_request){ .group = be32_get(group.group.address),
                                           .index = (int32_t)group.index,
                                           .source = be32_get(group.source.address) };
    return 0;
}

static int set_interface(struct socket *socket, const void *value, uint32_t length)
{
    struct membership_value wanted = { 0 };
    if (socket->type == SOCK_STREAM || length < sizeof(be32))
        return -EINVAL;
    if (length < offsetof(struct membership_value, index))
        memcpy(&wanted.address, value, sizeof(wanted.address));
    else
        memcpy(&wanted, value, min_of(length, (uint32_t)sizeof(wanted)));
    ipv4_t address = be32_get(wanted.address);
    bool none = wanted.index == 0 && address == IPV4_ANY;
    const struct interface *interface = wanted.index != 0 ? interface_at((unsigned)wanted.index - 1)
                                                          : interface_of_address(ip_of_ipv4(address));
    if (!none && !interface)
        return -EADDRNOTAVAIL;
    socket->kept.multicast_interface = address;
    socket->kept.multicast_index = none ? 0 : interface->index;
    return 0;
}

bool multicast_is_option(int name) { return name == IP_MULTICAST_IF || find(name); }

int multicast_set_option(struct socket *socket, int name, const void *value, uint32_t length)
{
    must_hold_net();
    struct multicast_request request;
    if (name == IP_MULTICAST_IF)
        return set_interface(socket, value, length);
    const struct group_option *option = find(name);
    if (socket->type == SOCK_STREAM)
        return -EPROTO;
    bool plain = option->form == MREQ || option->form == MREQ_SOURCE;
    int error = (plain ? read_addresses : read_group)(option->form, value, length, &request);
    return error < 0 ? error : multicast_change(socket, option->change, &request);
}
