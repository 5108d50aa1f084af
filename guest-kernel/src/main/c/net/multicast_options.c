/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of sockets that name groups: which structure each takes, and which change of multicast.h it asks for; the
 * interface that datagrams to groups of IPv4 leave by; and whole filters. Those that are only a number are in the
 * tables of socket_options.c and ip6_options.c. Which lengths, families and kinds of sockets are refused differs
 * between the families, as it does on Linux. Net lock.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/ip6.h"
#include "net/multicast.h"

enum { /* linux/in.h, linux/in6.h */
       IPV6_ADD_MEMBERSHIP = 20,
       IPV6_DROP_MEMBERSHIP = 21,
       IP_MULTICAST_IF = 32,
       IP_ADD_MEMBERSHIP = 35,
       IP_DROP_MEMBERSHIP = 36,
       IP_UNBLOCK_SOURCE = 37,
       IP_BLOCK_SOURCE = 38,
       IP_ADD_SOURCE_MEMBERSHIP = 39,
       IP_DROP_SOURCE_MEMBERSHIP = 40,
       IP_MSFILTER = 41,
       MCAST_JOIN_GROUP = 42,
       MCAST_BLOCK_SOURCE = 43,
       MCAST_UNBLOCK_SOURCE = 44,
       MCAST_LEAVE_GROUP = 45,
       MCAST_JOIN_SOURCE_GROUP = 46,
       MCAST_LEAVE_SOURCE_GROUP = 47,
       MCAST_MSFILTER = 48,
};

struct membership_value { /* struct ip_mreqn; struct ip_mreq ends before the number */
    be32 group, address;
    int32_t index;
};
struct membership6_value { /* struct ipv6_mreq */
    struct ip6_bytes group;
    int32_t index;
};
struct source_value { /* struct ip_mreq_source */
    be32 group, address, source;
};
struct storage { /* struct sockaddr_storage with a struct sockaddr_in or sockaddr_in6 */
    uint16_t family;
    be16 port;
    be32 address;
    struct ip6_bytes address6;
    uint8_t rest[104];
};
struct group_value { /* struct group_req; struct group_source_req goes on with the source */
    uint32_t index, padding;
    struct storage group, source;
};
#define GROUP_LENGTH offsetof(struct group_value, source)
_Static_assert(sizeof(struct group_value) < SOCKET_OPTION_SIZE, "a value that is too long is seen to be");

enum filter_mode { MODE_EXCLUDE = 0, MODE_INCLUDE = 1 }; /* MCAST_EXCLUDE, MCAST_INCLUDE of linux/in.h */
struct filter4_value {                                   /* struct ip_msfilter */
    be32 group, address;
    uint32_t mode, count;
    be32 sources[];
};
struct filter_value { /* struct group_filter */
    uint32_t index, padding;
    struct storage group;
    uint32_t mode, count;
    struct storage sources[];
};
_Static_assert(sizeof(struct filter_value) + MULTICAST_SOURCES_6 * sizeof(struct storage) <= SOCKET_FILTER_SIZE,
               "the longest filter fits");

enum form { MREQ, MREQ_SOURCE, MREQ_6, GROUP, GROUP_SOURCE };

static const struct group_option {
    int level;
    uint8_t name;
    enum form form;
    enum multicast_change change;
} options[] = {
    { IPPROTO_IP, IP_ADD_MEMBERSHIP, MREQ, MULTICAST_JOIN },
    { IPPROTO_IP, IP_DROP_MEMBERSHIP, MREQ, MULTICAST_LEAVE },
    { IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, MREQ_SOURCE, MULTICAST_JOIN_SOURCE },
    { IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, MREQ_SOURCE, MULTICAST_LEAVE_SOURCE },
    { IPPROTO_IP, IP_BLOCK_SOURCE, MREQ_SOURCE, MULTICAST_BLOCK_SOURCE },
    { IPPROTO_IP, IP_UNBLOCK_SOURCE, MREQ_SOURCE, MULTICAST_UNBLOCK_SOURCE },
    { IPPROTO_IP, MCAST_JOIN_GROUP, GROUP, MULTICAST_JOIN },
    { IPPROTO_IP, MCAST_LEAVE_GROUP, GROUP, MULTICAST_LEAVE },
    { IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, GROUP_SOURCE, MULTICAST_JOIN_SOURCE },
    { IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, GROUP_SOURCE, MULTICAST_LEAVE_SOURCE },
    { IPPROTO_IP, MCAST_BLOCK_SOURCE, GROUP_SOURCE, MULTICAST_BLOCK_SOURCE },
    { IPPROTO_IP, MCAST_UNBLOCK_SOURCE, GROUP_SOURCE, MULTICAST_UNBLOCK_SOURCE },
    { IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, MREQ_6, MULTICAST_JOIN },
    { IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, MREQ_6, MULTICAST_LEAVE },
    { IPPROTO_IPV6, MCAST_JOIN_GROUP, GROUP, MULTICAST_JOIN },
    { IPPROTO_IPV6, MCAST_LEAVE_GROUP, GROUP, MULTICAST_LEAVE },
    { IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, GROUP_SOURCE, MULTICAST_JOIN_SOURCE },
    { IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, GROUP_SOURCE, MULTICAST_LEAVE_SOURCE },
    { IPPROTO_IPV6, MCAST_BLOCK_SOURCE, GROUP_SOURCE, MULTICAST_BLOCK_SOURCE },
    { IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, GROUP_SOURCE, MULTICAST_UNBLOCK_SOURCE },
};

static const struct group_option *find(int level, int name)
{
    for (unsigned i = 0; i < array_size(options); i++)
        if (options[i].level == level && options[i].name == name)
            return &options[i];
    return NULL;
}

/* ---- One group ---- */

/* Linux wants some structures whole, and takes longer ones of the others. */
static int read_membership(const void *value, uint32_t length, struct multicast_request *request)
{
    struct membership_value membership = { 0 };
    if (length < offsetof(struct membership_value, index))
        return -EINVAL;
    memcpy(&membership, value, min_of(length, (uint32_t)sizeof(membership)));
    *request = (struct multicast_request){ .group = ip_of_ipv4(be32_get(membership.group)),
                                           .address = be32_get(membership.address),
                                           .index = membership.index };
    return 0;
}

static int read_source(const void *value, uint32_t length, struct multicast_request *request)
{
    struct source_value source;
    if (length != sizeof(source))
        return -EINVAL;
    memcpy(&source, value, sizeof(source));
    *request = (struct multicast_request){ .group = ip_of_ipv4(be32_get(source.group)),
                                           .address = be32_get(source.address),
                                           .source = ip_of_ipv4(be32_get(source.source)) };
    return 0;
}

static int read_membership6(const void *value, uint32_t length, struct multicast_request *request)
{
    struct membership6_value membership;
    if (length < sizeof(membership))
        return -EINVAL;
    memcpy(&membership, value, sizeof(membership));
    *request = (struct multicast_request){ .group = ip6_outside(ip6_read(membership.group)),
                                           .index = membership.index };
    return 0;
}

static struct ip_address read_storage(int level, const struct storage *storage)
{
    return level == IPPROTO_IP ? ip_of_ipv4(be32_get(storage->address)) : ip6_outside(ip6_read(storage->address6));
}

static bool is_of(int level, const struct storage *storage)
{
    return storage->family == (level == IPPROTO_IP ? AF_INET : AF_INET6);
}

static int read_group(const struct group_option *option, const void *value, uint32_t length,
                      struct multicast_request *request)
{
    struct group_value group = { 0 };
    bool sourced = option->form == GROUP_SOURCE, ipv4 = option->level == IPPROTO_IP;
    uint32_t whole = sourced ? (uint32_t)sizeof(group) : (uint32_t)GROUP_LENGTH;
    if (length < whole || (sourced && ipv4 && length != whole))
        return -EINVAL;
    memcpy(&group, value, whole);
    if (!is_of(option->level, &group.group) || (sourced && !is_of(option->level, &group.source)))
        return sourced || !ipv4 ? -EADDRNOTAVAIL : -EINVAL;
    *request = (struct multicast_request){ .group = read_storage(option->level, &group.group),
                                           .index = (int32_t)group.index };
    if (sourced)
        request->source = read_storage(option->level, &group.source);
    return 0;
}

static int read_request(const struct group_option *option, const void *value, uint32_t length,
                        struct multicast_request *request)
{
    switch (option->form) {
    case MREQ:
        return read_membership(value, length, request);
    case MREQ_SOURCE:
        return read_source(value, length, request);
    case MREQ_6:
        return read_membership6(value, length, request);
    case GROUP:
    case GROUP_SOURCE:
        break;
    }
    return read_group(option, value, length, request);
}

static int change_membership(struct socket *socket, const struct group_option *option, const void *value,
                             uint32_t length)
{
    struct multicast_request request;
    bool stream = socket->type == SOCK_STREAM, ipv4 = option->level == IPPROTO_IP;
    if (stream && ipv4)
        return -EPROTO;
    int error = read_request(option, value, length, &request);
    if (error == 0 && stream && option->form == MREQ_6)
        error = -EPROTO;
    return error < 0 ? error : multicast_change(socket, option->change, &request);
}

/* ---- Filters ---- */

bool multicast_is_filter(int level, int name)
{
    return (level == IPPROTO_IP && (name == IP_MSFILTER || name == MCAST_MSFILTER)) ||
           (level == IPPROTO_IPV6 && name == MCAST_MSFILTER);
}

static unsigned most_sources(int level) { return level == IPPROTO_IP ? MULTICAST_SOURCES_4 : MULTICAST_SOURCES_6; }

static int check_filter(uint32_t mode, uint32_t count, unsigned most, uint32_t length, uint32_t needed)
{
    if (count > most)
        return -ENOBUFS;
    if (needed > length)
        return -EINVAL;
    return mode == MODE_INCLUDE || mode == MODE_EXCLUDE ? 0 : -EINVAL;
}

static void request_of_filter4(const struct filter4_value *value, struct multicast_request *request)
{
    *request = (struct multicast_request){ .group = ip_of_ipv4(be32_get(value->group)),
                                           .address = be32_get(value->address) };
}

static void request_of_filter(int level, const struct filter_value *value, struct multicast_request *request)
{
    *request = (struct multicast_request){ .group = read_storage(level, &value->group),
                                           .index = (int32_t)value->index };
}

static int set_filter4(struct socket *socket, const struct filter4_value *value, uint32_t length)
{
    struct multicast_request request;
    struct multicast_filter filter;
    if (length < sizeof(*value))
        return -EINVAL;
    uint32_t needed = (uint32_t)(sizeof(*value) + min_of(value->count, 1000u) * sizeof(be32));
    int error = check_filter(value->mode, value->count, MULTICAST_SOURCES_4, length, needed);
    if (error < 0)
        return error;
    request_of_filter4(value, &request);
    filter.include = value->mode == MODE_INCLUDE;
    filter.count = value->count;
    for (uint32_t i = 0; i < value->count; i++)
        filter.sources[i] = ip_of_ipv4(be32_get(value->sources[i]));
    return multicast_set_filter(socket, &request, &filter);
}

/* Linux looks at the families of IPv4 alone. */
static int set_filter(struct socket *socket, int level, const struct filter_value *value, uint32_t length)
{
    struct multicast_request request;
    struct multicast_filter filter;
    if (length < sizeof(*value))
        return -EINVAL;
    uint32_t needed = (uint32_t)(sizeof(*value) + min_of(value->count, 1000u) * sizeof(struct storage));
    int error = check_filter(MODE_INCLUDE, value->count, most_sources(level), length, needed);
    if (error < 0)
        return error;
    if (level == IPPROTO_IP && !is_of(level, &value->group))
        return -EADDRNOTAVAIL;
    for (uint32_t i = 0; i < value->count; i++) {
        if (level == IPPROTO_IP && !is_of(level, &value->sources[i]))
            return -EADDRNOTAVAIL;
        filter.sources[i] = read_storage(level, &value->sources[i]);
    }
    if (value->mode != MODE_INCLUDE && value->mode != MODE_EXCLUDE)
        return -EINVAL;
    request_of_filter(level, value, &request);
    filter.include = value->mode == MODE_INCLUDE;
    filter.count = value->count;
    return multicast_set_filter(socket, &request, &filter);
}

static int get_filter4(const struct socket *socket, struct filter4_value *value, uint32_t length)
{
    struct multicast_request request;
    struct multicast_filter filter;
    if (length < sizeof(*value))
        return -EINVAL;
    request_of_filter4(value, &request);
    int error = multicast_get_filter(socket, &request, false, &filter);
    if (error < 0)
        return error;
    uint32_t count = min_of(value->count, filter.count);
    value->mode = filter.include ? MODE_INCLUDE : MODE_EXCLUDE;
    value->count = filter.count;
    for (uint32_t i = 0; i < count; i++)
        value->sources[i] = be32_of(ipv4_of(filter.sources[i]));
    return (int)(sizeof(*value) + count * sizeof(be32));
}

static void write_storage(int level, struct ip_address address, struct storage *to)
{
    *to = (struct storage){ .family = level == IPPROTO_IP ? AF_INET : AF_INET6 };
    if (level == IPPROTO_IP)
        to->address = be32_of(ipv4_of(address));
    else
        to->address6 = ip6_bytes_of(address);
}

static int get_filter(const struct socket *socket, int level, struct filter_value *value, uint32_t length)
{
    struct multicast_request request;
    struct multicast_filter filter;
    if (length < sizeof(*value))
        return -EINVAL;
    if (!is_of(level, &value->group))
        return level == IPPROTO_IP ? -EINVAL : -EADDRNOTAVAIL;
    request_of_filter(level, value, &request);
    int error = multicast_get_filter(socket, &request, true, &filter);
    if (error < 0)
        return error;
    uint32_t count = min_of(value->count, filter.count);
    value->mode = filter.include ? MODE_INCLUDE : MODE_EXCLUDE;
    value->count = filter.count;
    for (uint32_t i = 0; i < count; i++)
        write_storage(level, filter.sources[i], &value->sources[i]);
    return (int)(sizeof(*value) + count * sizeof(struct storage));
}

int multicast_get_option(const struct socket *socket, int level, int name, void *value, uint32_t length)
{
    must_hold_net();
    if (level == IPPROTO_IP && name == IP_MSFILTER)
        return get_filter4(socket, value, length);
    return get_filter(socket, level, value, length);
}

/* ---- All ---- */

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

bool multicast_is_option(int level, int name)
{
    return (level == IPPROTO_IP && name == IP_MULTICAST_IF) || find(level, name) || multicast_is_filter(level, name);
}

int multicast_set_option(struct socket *socket, int level, int name, const void *value, uint32_t length)
{
    must_hold_net();
    if (level == IPPROTO_IP && name == IP_MULTICAST_IF)
        return set_interface(socket, value, length);
    if (level == IPPROTO_IP && name == IP_MSFILTER)
        return set_filter4(socket, value, length);
    if (multicast_is_filter(level, name))
        return set_filter(socket, level, value, length);
    return change_membership(socket, find(level, name), value, length);
}
