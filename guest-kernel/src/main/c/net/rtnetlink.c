/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of rtnetlink(7): RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE or RTM_GETNEIGH for all that there is, as
 * getifaddrs(3) asks, for one interface, or for the way to one address. Nothing can be changed.
 *
 * A question is answered while it is sent, by datagrams that wait in the socket: at most QUEUE_LIMIT bytes of them. An
 * answer is made with room for all that it can have to say, so that the functions that fill it do not check.
 * Called by netlink.c under the net lock, which guards the interfaces, routes and neighbours too.
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/bytes.h"
#include "net/interface.h"
#include "net/ip6.h"
#include "net/neighbour.h"
#include "net/netlink.h"

#define QUEUE_LIMIT 65536u /* bytes of answers in a socket */
#define ANSWER_SIZE 4096u  /* bytes of a datagram at most: more than INTERFACE_LIMIT entries take */

/* linux/netlink.h */
enum { NLMSG_NOOP = 1, NLMSG_ERROR, NLMSG_DONE };
enum { NLM_F_REQUEST = 1, NLM_F_MULTI = 2, NLM_F_ACK = 4, NLM_F_DUMP = 0x300 };
/* linux/rtnetlink.h */
enum {
    RTM_NEWLINK = 16,
    RTM_GETLINK = 18,
    RTM_NEWADDR = 20,
    RTM_GETADDR = 22,
    RTM_NEWROUTE = 24,
    RTM_GETROUTE = 26,
    RTM_NEWNEIGH = 28,
    RTM_GETNEIGH = 30
};

struct header { /* struct nlmsghdr */
    uint32_t length;
    uint16_t type, flags;
    uint32_t sequence, port;
};

/* ---- Building answers ---- */

struct builder {
    struct netlink_answer *answer;
    const struct header *question;
    struct header *message; /* the one being built */
    uint32_t port;
    uint8_t family; /* that the question is about; AF_UNSPEC: all */
};

/* `size` bytes at the end, zeroed and aligned to 4. The answer has room: see ANSWER_SIZE. */
static void *extend(struct builder *builder, uint32_t size)
{
    struct netlink_answer *answer = builder->answer;
    uint8_t *at = answer->bytes + answer->length;
    memset(at, 0, align_up(size, 4u));
    answer->length += align_up(size, 4u);
    return at;
}

static void *begin_message(struct builder *builder, uint16_t type, uint16_t flags, uint32_t size)
{
    struct header *header = extend(builder, sizeof(*header));
    *header =
        (struct header){ .type = type, .flags = flags, .sequence = builder->question->sequence, .port = builder->port };
    builder->message = header;
    return extend(builder, size);
}

static void end_message(struct builder *builder)
{
    const uint8_t *end = builder->answer->bytes + builder->answer->length;
    builder->message->length = (uint32_t)(end - (uint8_t *)builder->message);
}

static void add_attribute(struct builder *builder, uint16_t type, const void *value, uint32_t size)
{
    struct {
        uint16_t length, type;
    } *attribute = extend(builder, 4 + size);
    attribute->length = (uint16_t)(4 + size);
    attribute->type = type;
    memcpy(attribute + 1, value, size);
}

static void add_word(struct builder *builder, uint16_t type, uint32_t value)
{
    add_attribute(builder, type, &value, sizeof(value));
}

static void add_address(struct builder *builder, uint16_t type, ipv4_t address)
{
    be32 value = be32_of(address);
    add_attribute(builder, type, &value, sizeof(value));
}

static void add_ip(struct builder *builder, uint16_t type, struct ip_address address)
{
    struct ip6_bytes bytes = ip6_bytes_of(address);
    if (ip_is_ipv4(address))
        add_address(builder, type, ipv4_of(address));
    else
        add_attribute(builder, type, &bytes, sizeof(bytes));
}

/* ---- What there is to report ---- */

static void tell_link(struct builder *builder, const struct interface *interface)
{
    enum { IFLA_ADDRESS = 1, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU, IFLA_TXQLEN = 13, IFLA_OPERSTATE = 16 };
    enum { UP = 1, BROADCAST = 2, LOOPBACK = 8, RUNNING = 0x40, MULTICAST = 0x1000, LOWER_UP = 0x10000 };
    enum { ETHER = 1, TYPE_LOOPBACK = 772, STATE_UNKNOWN = 0, STATE_DOWN = 2, STATE_UP = 6 };
    static const uint8_t all_ones[6] = { 255, 255, 255, 255, 255, 255 }, zeros[6];
    bool loopback = interface->loopback, running = loopback || interface->device->running;
    struct {
        uint8_t family, padding;
        uint16_t type;
        int32_t index;
        uint32_t flags, change;
    } * info;
    info = begin_message(builder, RTM_NEWLINK, NLM_F_MULTI, sizeof(*info));
    info->type = loopback ? TYPE_LOOPBACK : ETHER;
    info->index = interface->index;
    info->flags = UP | (running ? RUNNING | LOWER_UP : 0u) | (loopback ? LOOPBACK : BROADCAST | MULTICAST);
    add_attribute(builder, IFLA_IFNAME, interface->name, (uint32_t)strlen(interface->name) + 1);
    add_word(builder, IFLA_TXQLEN, loopback ? 0 : INTERFACE_QUEUE_LIMIT);
    uint8_t state = loopback ? STATE_UNKNOWN : running ? STATE_UP : STATE_DOWN;
    add_attribute(builder, IFLA_OPERSTATE, &state, 1);
    add_word(builder, IFLA_MTU, interface->mtu);
    add_attribute(builder, IFLA_ADDRESS, interface->mac, sizeof(interface->mac));
    add_attribute(builder, IFLA_BROADCAST, loopback ? zeros : all_ones, sizeof(zeros));
    end_message(builder);
}

static void tell_address(struct builder *builder, const struct interface *interface)
{
    enum { IFA_ADDRESS = 1, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_FLAGS = 8, PERMANENT = 0x80, SCOPE_HOST = 254 };
    struct {
        uint8_t family, prefix, flags, scope;
        uint32_t index;
    } * info;
    ipv4_t address = interface->configuration.address;
    if (address == IPV4_ANY)
        return;
    info = begin_message(builder, RTM_NEWADDR, NLM_F_MULTI, sizeof(*info));
    info->family = AF_INET;
    info->prefix = (uint8_t)interface->configuration.prefix;
    info->flags = PERMANENT;
    info->scope = interface->loopback ? SCOPE_HOST : 0;
    info->index = (uint32_t)interface->index;
    add_address(builder, IFA_ADDRESS, address);
    add_address(builder, IFA_LOCAL, address);
    if (!interface->loopback)
        add_address(builder, IFA_BROADCAST, interface_broadcast(interface));
    add_attribute(builder, IFA_LABEL, interface->name, (uint32_t)strlen(interface->name) + 1);
    add_word(builder, IFA_FLAGS, PERMANENT);
    end_message(builder);
}

#define ADDRESS_SIZE 96u /* bytes that one of IPv6 takes at most */

/* In seconds, as struct ifa_cacheinfo has it; all ones: for ever. */
static uint32_t seconds_until(nanoseconds when)
{
    nanoseconds now = net_now();
    return when == NO_DEADLINE ? UINT32_MAX : when <= now ? 0 : (uint32_t)((when - now) / NS_PER_SECOND);
}

static void tell_address6(struct builder *builder, const struct interface *interface, const struct ip6_own *own)
{
    enum { IFA_ADDRESS = 1, IFA_CACHEINFO = 6, IFA_FLAGS = 8, SCOPE_HOST = 254, SCOPE_LINK = 253 };
    struct {
        uint8_t family, prefix, flags, scope;
        uint32_t index;
    } * info;
    unsigned flags = ip6_flags(own);
    uint32_t times[4] = { seconds_until(own->preferred_until), seconds_until(own->valid_until) };
    if (own->valid_until <= net_now() || builder->answer->length + ADDRESS_SIZE > ANSWER_SIZE)
        return;
    info = begin_message(builder, RTM_NEWADDR, NLM_F_MULTI, sizeof(*info));
    info->family = AF_INET6;
    info->prefix = (uint8_t)own->prefix;
    info->flags = (uint8_t)flags;
    info->scope = interface->loopback ? SCOPE_HOST : ip6_is_link_local(own->address) ? SCOPE_LINK : 0;
    info->index = (uint32_t)interface->index;
    add_ip(builder, IFA_ADDRESS, own->address);
    add_attribute(builder, IFA_CACHEINFO, times, sizeof(times));
    add_word(builder, IFA_FLAGS, flags);
    end_message(builder);
}

static void tell_addresses(struct builder *builder, const struct interface *interface, uint8_t family)
{
    if (family != AF_INET6)
        tell_address(builder, interface);
    for (unsigned i = 0; family != AF_INET && i < IP6_ADDRESSES; i++)
        tell_address6(builder, interface, &interface->ip6.own[i]);
}

enum {
    RTA_DST = 1,
    RTA_OIF = 4,
    RTA_GATEWAY = 5,
    RTA_PRIORITY = 6,
    RTA_PREFSRC = 7,
    RTA_CACHEINFO = 12,
    RTA_TABLE = 15,
    RTA_UID = 25,
    TABLE_MAIN = 254,
    TABLE_LOCAL = 255
};
enum { RTN_UNICAST = 1, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST = 5 };
enum { BY_KERNEL = 2, AT_BOOT = 3, BY_ROUTER = 9 }; /* RTPROT_* */

struct route_message { /* struct rtmsg */
    uint8_t family, prefix, source_prefix, service, table, origin, scope, type;
    uint32_t flags;
};

static void begin_route(struct builder *builder, const struct interface *interface, unsigned prefix, uint8_t scope,
                        uint8_t origin)
{
    struct route_message *info;
    info = begin_message(builder, RTM_NEWROUTE, NLM_F_MULTI, sizeof(*info));
    info->family = AF_INET;
    info->prefix = (uint8_t)prefix;
    info->table = TABLE_MAIN;
    info->origin = origin;
    info->scope = scope;
    info->type = RTN_UNICAST;
    add_word(builder, RTA_TABLE, TABLE_MAIN);
    add_word(builder, RTA_OIF, (uint32_t)interface->index);
}

static void tell_routes(struct builder *builder, const struct interface *interface)
{
    enum { SCOPE_UNIVERSE = 0, SCOPE_LINK = 253 };
    const struct net_configuration *configuration = &interface->configuration;
    if (interface->loopback || configuration->address == IPV4_ANY)
        return;
    if (configuration->gateway != IPV4_ANY) {
        begin_route(builder, interface, 0, SCOPE_UNIVERSE, AT_BOOT);
        add_address(builder, RTA_GATEWAY, configuration->gateway);
        end_message(builder);
    }
    begin_route(builder, interface, configuration->prefix, SCOPE_LINK, BY_KERNEL);
    add_address(builder, RTA_DST, configuration->address & interface_netmask(interface));
    add_address(builder, RTA_PREFSRC, configuration->address);
    end_message(builder);
}

#define ROUTE_SIZE 160u /* bytes that one of IPv6 takes at most */

static void tell_way6(const struct ip6_way *way, void *context)
{
    static const struct {
        uint8_t table, origin, type;
    } kinds[] = { [IP6_WAY_LOCAL] = { TABLE_LOCAL, BY_KERNEL, RTN_LOCAL },
                  [IP6_WAY_ON_LINK] = { TABLE_MAIN, BY_KERNEL, RTN_UNICAST },
                  [IP6_WAY_ROUTER] = { TABLE_MAIN, BY_ROUTER, RTN_UNICAST },
                  [IP6_WAY_GROUPS] = { TABLE_LOCAL, BY_KERNEL, RTN_MULTICAST } };
    enum { CACHE_EXPIRES = 2, TICKS = 100 }; /* struct rta_cacheinfo; USER_HZ */
    struct builder *builder = context;
    uint32_t cache[8] = { 0 };
    if (builder->answer->length + ROUTE_SIZE > ANSWER_SIZE)
        return;
    struct route_message *info = begin_message(builder, RTM_NEWROUTE, NLM_F_MULTI, sizeof(*info));
    info->family = AF_INET6;
    info->prefix = (uint8_t)way->prefix;
    info->table = kinds[way->kind].table;
    info->origin = kinds[way->kind].origin;
    info->type = kinds[way->kind].type;
    add_word(builder, RTA_TABLE, info->table);
    if (way->prefix > 0)
        add_ip(builder, RTA_DST, way->destination);
    add_word(builder, RTA_PRIORITY, way->metric);
    if (!ip_is_any(way->gateway))
        add_ip(builder, RTA_GATEWAY, way->gateway);
    add_word(builder, RTA_OIF, (uint32_t)way->interface->index);
    if (way->valid_until != NO_DEADLINE)
        cache[CACHE_EXPIRES] = min_of(seconds_until(way->valid_until), (uint32_t)INT32_MAX / TICKS) * TICKS;
    add_attribute(builder, RTA_CACHEINFO, cache, sizeof(cache));
    end_message(builder);
}

/* What RTM_GETROUTE for one address gives: that address, and where its packets go. */
static void tell_way(struct builder *builder, struct ip_address to, const struct ip_route *route)
{
    enum { CLONED = 0x200 };
    const uint32_t flags_of_local = 0x80000000u, cache[8] = { 0 }; /* RTCF_LOCAL; struct rta_cacheinfo */
    bool local = route->interface->loopback, group = ip_is_multicast(to), ipv4 = ip_is_ipv4(to);
    struct route_message *info = begin_message(builder, RTM_NEWROUTE, 0, sizeof(*info));
    info->family = ipv4 ? AF_INET : AF_INET6;
    info->prefix = ipv4 ? 32 : 128;
    info->table = local && !ipv4 ? TABLE_LOCAL : TABLE_MAIN;
    info->type = route->broadcast ? RTN_BROADCAST : group ? RTN_MULTICAST : local ? RTN_LOCAL : RTN_UNICAST;
    info->origin = ipv4 ? 0 : BY_KERNEL;
    info->flags = ipv4 ? CLONED | (local ? flags_of_local : 0) : 0;
    add_word(builder, RTA_TABLE, info->table);
    add_ip(builder, RTA_DST, to);
    add_word(builder, RTA_OIF, (uint32_t)route->interface->index);
    add_ip(builder, RTA_PREFSRC, route->source);
    if (!route->broadcast && !ip_same(ip6_outside(route->next_hop), ip6_outside(to)))
        add_ip(builder, RTA_GATEWAY, route->next_hop);
    add_word(builder, RTA_UID, 0);
    add_attribute(builder, RTA_CACHEINFO, cache, sizeof(cache));
    end_message(builder);
}

#define NEIGHBOUR_SIZE 64u /* bytes that one takes at most */

static bool tell_neighbour(const struct neighbour_entry *entry, void *context)
{
    enum { NDA_DST = 1, NDA_LLADDR, INCOMPLETE = 1, REACHABLE = 2 };
    struct builder *builder = context;
    struct {
        uint8_t family, padding1;
        uint16_t padding2;
        int32_t index;
        uint16_t state;
        uint8_t flags, type;
    } * info;
    if (builder->answer->length + NEIGHBOUR_SIZE > ANSWER_SIZE)
        return false;
    bool of_six = !ip_is_ipv4(entry->address);
    if (builder->family != AF_UNSPEC && builder->family != (of_six ? AF_INET6 : AF_INET))
        return true;
    info = begin_message(builder, RTM_NEWNEIGH, NLM_F_MULTI, sizeof(*info));
    info->family = of_six ? AF_INET6 : AF_INET;
    info->index = entry->interface->index;
    info->state = entry->mac ? REACHABLE : INCOMPLETE;
    info->type = RTN_UNICAST;
    add_ip(builder, NDA_DST, entry->address);
    if (entry->mac)
        add_attribute(builder, NDA_LLADDR, entry->mac, 6);
    end_message(builder);
    return true;
}

/* ---- Answering; net lock ---- */

static struct netlink_answer *make_answer(const struct netlink_socket *netlink, uint32_t size)
{
    bool room = netlink->waiting + size <= QUEUE_LIMIT;
    struct netlink_answer *answer = room ? heap_allocate(sizeof(*answer) + size) : NULL;
    if (answer)
        answer->length = 0;
    return answer;
}

static void queue_answer(struct netlink_socket *netlink, struct netlink_answer *answer)
{
    list_push_back(&netlink->answers, &answer->link);
    netlink->waiting += answer->length;
    wake(&netlink->socket.queue, POLLIN);
}

static int report(struct netlink_socket *netlink, const struct header *question, int error)
{
    struct builder builder = { make_answer(netlink, 64), question, NULL, netlink->port, AF_UNSPEC };
    if (!builder.answer)
        return -ENOBUFS;
    struct {
        int32_t error;
        struct header question;
    } *info = begin_message(&builder, NLMSG_ERROR, 0, sizeof(*info));
    info->error = error;
    info->question = *question;
    end_message(&builder);
    queue_answer(netlink, builder.answer);
    return 0;
}

/* Everything of one kind in one datagram, and in a second one that this was everything. */
static int dump(struct netlink_socket *netlink, const struct header *question, uint8_t family)
{
    struct netlink_answer *all = make_answer(netlink, ANSWER_SIZE), *end = make_answer(netlink, ANSWER_SIZE + 64);
    if (!all || !end) {
        heap_free(all);
        heap_free(end);
        return -ENOBUFS;
    }
    struct builder builder = { all, question, NULL, netlink->port, family };
    bool known = family == AF_UNSPEC || family == AF_INET || family == AF_INET6 || question->type == RTM_GETLINK;
    if (known && question->type == RTM_GETNEIGH)
        neighbour_for_each(tell_neighbour, &builder);
    for (unsigned i = 0; known && i < interface_count(); i++) {
        if (question->type == RTM_GETLINK)
            tell_link(&builder, interface_at(i));
        else if (question->type == RTM_GETADDR)
            tell_addresses(&builder, interface_at(i), family);
        else if (question->type == RTM_GETROUTE && family != AF_INET6)
            tell_routes(&builder, interface_at(i));
    }
    if (question->type == RTM_GETROUTE && (family == AF_UNSPEC || family == AF_INET6))
        ip6_for_each_way(tell_way6, &builder);
    if (all->length > 0)
        queue_answer(netlink, all);
    else
        heap_free(all);
    builder.answer = end;
    (void)begin_message(&builder, NLMSG_DONE, NLM_F_MULTI, sizeof(int32_t));
    end_message(&builder);
    queue_answer(netlink, end);
    return 0;
}

/* The value of an attribute of the question, or NULL. */
static const uint8_t *find_attribute(const uint8_t *body, uint32_t length, uint32_t at, uint16_t type, uint32_t *size)
{
    struct {
        uint16_t length, type;
    } attribute;
    while (at <= length && length - at >= sizeof(attribute)) {
        memcpy(&attribute, body + at, sizeof(attribute));
        if (attribute.length < sizeof(attribute) || attribute.length > length - at)
            return NULL;
        *size = attribute.length - (uint32_t)sizeof(attribute);
        if (attribute.type == type)
            return body + at + sizeof(attribute);
        at += align_up((uint32_t)attribute.length, 4u);
    }
    return NULL;
}

#define LINK_HEADER 16u  /* struct ifinfomsg */
#define ROUTE_HEADER 12u /* struct rtmsg */

/* By its number, or else by its name; NULL: there is none. */
static const struct interface *find_link(const uint8_t *body, uint32_t length, bool *asked)
{
    enum { IFLA_IFNAME = 3 };
    char name[16] = "";
    uint32_t size;
    int32_t index;
    memcpy(&index, body + 4, sizeof(index));
    const uint8_t *wanted = index == 0 ? find_attribute(body, length, LINK_HEADER, IFLA_IFNAME, &size) : NULL;
    *asked = index > 0 || wanted;
    if (!wanted)
        return index > 0 ? interface_at((unsigned)index - 1) : NULL;
    memcpy(name, wanted, min_of(size, (uint32_t)sizeof(name) - 1));
    return interface_by_name(name);
}

static int tell_one_link(struct netlink_socket *netlink, const struct header *question, const uint8_t *body,
                         uint32_t length)
{
    bool asked = false;
    const struct interface *interface = length >= LINK_HEADER ? find_link(body, length, &asked) : NULL;
    if (!interface)
        return report(netlink, question, asked ? -ENODEV : -EINVAL);
    struct builder builder = { make_answer(netlink, ANSWER_SIZE), question, NULL, netlink->port, AF_UNSPEC };
    if (!builder.answer)
        return -ENOBUFS;
    tell_link(&builder, interface);
    builder.message->flags = 0;
    queue_answer(netlink, builder.answer);
    return 0;
}

/* The address that is asked for, in the form of inside. A question without one is about 0.0.0.0 or ::, which is this
 * machine. False: it is cut. */
static bool read_destination(const uint8_t *body, uint32_t length, struct ip_address *out)
{
    uint32_t size = 0, link_size = 0;
    int32_t link = 0;
    bool ipv4 = body[0] == AF_INET;
    const uint8_t *wanted = find_attribute(body, length, ROUTE_HEADER, RTA_DST, &size);
    const uint8_t *by = find_attribute(body, length, ROUTE_HEADER, RTA_OIF, &link_size);
    struct ip6_bytes bytes;
    *out = ipv4 ? ip_of_ipv4(IPV4_LOOPBACK) : IP6_LOOPBACK;
    if (!wanted)
        return true;
    if (size < (ipv4 ? sizeof(be32) : sizeof(bytes)))
        return false;
    if (ipv4) {
        *out = ip_of_ipv4(read_be32(wanted));
        return true;
    }
    if (by && link_size >= sizeof(link))
        memcpy(&link, by, sizeof(link));
    memcpy(&bytes, wanted, sizeof(bytes));
    *out = ip6_inside(ip6_outside(ip6_read(bytes)), link > 0 && interface_at((unsigned)link - 1) ? link : 0);
    return true;
}

static int tell_one_route(struct netlink_socket *netlink, const struct header *question, const uint8_t *body,
                          uint32_t length)
{
    struct ip_route route;
    struct ip_address address;
    if (body[0] != AF_INET && body[0] != AF_INET6)
        return report(netlink, question, -EOPNOTSUPP);
    if (length < ROUTE_HEADER || !read_destination(body, length, &address))
        return report(netlink, question, -EINVAL);
    int error = ip_route(address, &route);
    if (error < 0)
        return report(netlink, question, error);
    struct builder builder = { make_answer(netlink, ANSWER_SIZE), question, NULL, netlink->port, AF_UNSPEC };
    if (!builder.answer)
        return -ENOBUFS;
    tell_way(&builder, address, &route);
    queue_answer(netlink, builder.answer);
    return 0;
}

static int answer_question(struct netlink_socket *netlink, const struct header *question, const uint8_t *body,
                           uint32_t length)
{
    uint16_t type = question->type;
    bool known = type == RTM_GETLINK || type == RTM_GETADDR || type == RTM_GETROUTE || type == RTM_GETNEIGH;
    if (!(question->flags & NLM_F_REQUEST) || type < RTM_NEWLINK)
        return question->flags & NLM_F_ACK ? report(netlink, question, 0) : 0;
    if (!known)
        return report(netlink, question, -EOPNOTSUPP);
    if (length < 1)
        return report(netlink, question, -EINVAL);
    if (question->flags & NLM_F_DUMP)
        return dump(netlink, question, body[0]);
    if (type == RTM_GETLINK)
        return tell_one_link(netlink, question, body, length);
    if (type == RTM_GETROUTE)
        return tell_one_route(netlink, question, body, length);
    return report(netlink, question, -EOPNOTSUPP);
}

int rtnetlink_answer(struct netlink_socket *netlink, const uint8_t *bytes, uint32_t length)
{
    must_hold_net();
    int error = 0;
    while (error == 0 && length >= sizeof(struct header)) {
        struct header question;
        memcpy(&question, bytes, sizeof(question));
        if (question.length < sizeof(question) || question.length > length)
            break;
        error = answer_question(netlink, &question, bytes + sizeof(question),
                                question.length - (uint32_t)sizeof(question));
        uint32_t whole = min_of(align_up(question.length, 4u), length);
        bytes += whole;
        length -= whole;
    }
    return error;
}
