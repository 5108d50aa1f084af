/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which groups are joined: a hash of groups, each of one interface. A membership is a socket's part in a group, and is
 * in the lists of both; its filter (RFC 3376 3.1) names the sources that it takes alone (include), or that it does not
 * take (exclude). A group exists as long as it has memberships, or an address of ours needs it (`own`).
 * multicast_report.c is called after each change, with what the memberships added up to before it. How many memberships
 * and sources there are is limited (multicast.h). Groups and sources are kept as they are outside, since the interface
 * is known anyway.
 *
 * Called by multicast_options.c, udp_socket.c (a socket is freed), ip_input.c, ip6_input.c and udp.c (is it wanted?),
 * ip6_address.c (own groups), listing.c and multicast_report.c. Net lock.
 */
#include "net/multicast.h"

#include "core/heap.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/ip6.h"
#include "net/multicast_report.h"

#define BUCKETS 64

struct membership {
    struct list of_socket, of_group; /* links */
    struct multicast_group *group;
    bool include;
    uint8_t count;
    struct ip_address *sources; /* room for as many as the family may have; NULL: there never was one */
};

static struct list buckets[BUCKETS];
static unsigned membership_count; /* of all sockets */

static struct list *bucket_of(struct ip_address group) { return &buckets[hash_mix(group.high ^ group.low) % BUCKETS]; }

static unsigned sources_limit(const struct membership *membership)
{
    return ip_is_ipv4(membership->group->address) ? MULTICAST_SOURCES_4 : MULTICAST_SOURCES_6;
}

void multicast_init(void)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&buckets[i]);
    multicast_report_init();
    multicast_listing_init();
}

static struct multicast_group *find(const struct interface *interface, struct ip_address address)
{
    struct ip_address outside = ip6_outside(address);
    list_for_each (node, bucket_of(outside)) {
        struct multicast_group *group = list_entry(node, struct multicast_group, link);
        if (ip_same(group->address, outside) && group->interface == interface)
            return group;
    }
    return NULL;
}

/* An index of 0 is any. */
static struct membership *find_membership(const struct socket *socket, struct ip_address group, int index)
{
    struct ip_address outside = ip6_outside(group);
    list_for_each (node, &socket->memberships) {
        struct membership *membership = list_entry(node, struct membership, of_socket);
        const struct multicast_group *joined = membership->group;
        if (ip_same(joined->address, outside) && (index == 0 || joined->interface->index == index))
            return membership;
    }
    return NULL;
}

/* ---- What passes ---- */

/* Where the source is in the list; count: it is not. */
static uint32_t position_of(const struct ip_address *sources, uint32_t count, struct ip_address source)
{
    uint32_t i = 0;
    while (i < count && !ip_same(sources[i], source))
        i++;
    return i;
}

bool multicast_names(const struct multicast_state *state, struct ip_address source)
{
    return position_of(state->sources, state->count, source) < state->count;
}

static bool names(const struct membership *membership, struct ip_address source)
{
    return position_of(membership->sources, membership->count, source) < membership->count;
}

static bool takes(const struct membership *membership, struct ip_address source)
{
    return names(membership, ip6_outside(source)) == membership->include;
}

static bool any_takes(const struct multicast_group *group, struct ip_address source)
{
    if (group->own)
        return true;
    list_for_each (node, &group->memberships)
        if (takes(list_entry(node, struct membership, of_group), source))
            return true;
    return false;
}

static bool is_all_hosts(struct ip_address group)
{
    return ip_is_ipv4(group) ? ipv4_of(group) == MULTICAST_ALL_HOSTS : ip_same(ip6_outside(group), IP6_ALL_NODES);
}

bool multicast_joined(const struct interface *interface, struct ip_address group)
{
    must_hold_net();
    return is_all_hosts(group) || find(interface, group);
}

bool multicast_accepts(const struct interface *interface, struct ip_address group, struct ip_address source)
{
    must_hold_net();
    if (is_all_hosts(group))
        return true;
    const struct multicast_group *joined = find(interface, group);
    return joined && any_takes(joined, source);
}

/* As on Linux, a socket gets what any other one has joined unless it says otherwise: IP_MULTICAST_ALL. */
bool multicast_wanted(const struct socket *socket, struct ip_address group, int index, struct ip_address source)
{
    must_hold_net();
    const struct membership *membership = find_membership(socket, group, index);
    if (membership)
        return takes(membership, source);
    return ip_is_ipv4(group) ? socket->kept.multicast_all : socket->kept.v6_multicast_all;
}

unsigned multicast_users(const struct multicast_group *group)
{
    must_hold_net();
    unsigned count = group->own;
    list_for_each (node, &group->memberships)
        count++;
    return count;
}

static void count_named(struct multicast_named *out, struct ip_address source, bool include)
{
    uint32_t i = 0;
    while (i < out->count && !ip_same(out->sources[i].source, source))
        i++;
    if (i == MULTICAST_STATE_SOURCES)
        return;
    if (i == out->count)
        out->count++;
    out->sources[i].source = source;
    out->sources[i].including += include;
    out->sources[i].excluding += !include;
}

void multicast_named(const struct multicast_group *group, struct multicast_named *out)
{
    must_hold_net();
    memset(out, 0, sizeof(*out));
    list_for_each (node, &group->memberships) {
        const struct membership *membership = list_entry(node, struct membership, of_group);
        for (uint32_t i = 0; i < membership->count; i++)
            count_named(out, membership->sources[i], membership->include);
    }
}

void multicast_for_each(void (*visit)(struct multicast_group *group, void *context), void *context)
{
    must_hold_net();
    for (unsigned i = 0; i < BUCKETS; i++)
        list_for_each_safe (node, &buckets[i])
            visit(list_entry(node, struct multicast_group, link), context);
}

/* Some memberships exclude: what none of them takes, all of those must have named. */
static void state_excluding(const struct multicast_group *group, const struct membership *excluding,
                            struct multicast_state *state)
{
    *state = (struct multicast_state){ .exclude = true };
    for (uint32_t i = 0; i < excluding->count; i++)
        if (!any_takes(group, excluding->sources[i]))
            state->sources[state->count++] = excluding->sources[i];
}

static void add_sources(struct multicast_state *state, const struct membership *including)
{
    for (uint32_t i = 0; i < including->count; i++) {
        struct ip_address source = including->sources[i];
        if (multicast_names(state, source))
            continue;
        if (state->count == MULTICAST_STATE_SOURCES) {
            *state = (struct multicast_state){ .exclude = true };
            return;
        }
        state->sources[state->count++] = source;
    }
}

void multicast_state(const struct multicast_group *group, struct multicast_state *state)
{
    must_hold_net();
    *state = (struct multicast_state){ .exclude = group->own };
    if (group->own)
        return;
    list_for_each (node, &group->memberships) {
        const struct membership *membership = list_entry(node, struct membership, of_group);
        if (!membership->include) {
            state_excluding(group, membership, state);
            return;
        }
        if (!state->exclude)
            add_sources(state, membership);
    }
}

/* ---- Memberships ---- */

/* Groups of IPv6 go out by the first device: ip6_route() needs an address to send from, which comes later. */
static struct interface *choose_interface(const struct multicast_request *request)
{
    struct ip_route route;
    if (request->index != 0)
        return request->index > 0 ? interface_at((unsigned)request->index - 1) : NULL;
    if (!ip_is_ipv4(request->group))
        return interface_first_device();
    if (request->address != IPV4_ANY)
        return interface_of_address(ip_of_ipv4(request->address));
    return ip_route(request->group, &route) == 0 ? route.interface : NULL;
}

/* The group of the interface, which may have no members yet; NULL without memory. */
static struct multicast_group *find_or_make(struct interface *interface, struct ip_address address)
{
    struct multicast_group *group = find(interface, address);
    if (group)
        return group;
    group = heap_allocate_zeroed(sizeof(*group));
    if (!group)
        return NULL;
    group->interface = interface;
    group->address = ip6_outside(address);
    group->report_at = NO_DEADLINE;
    list_init(&group->memberships);
    list_push_back(bucket_of(group->address), &group->link);
    return group;
}

static void forget_if_unused(struct multicast_group *group)
{
    if (group->own || !list_empty(&group->memberships))
        return;
    list_remove(&group->link);
    heap_free(group);
}

/* Whether one more may be joined: 0 or -errno, as Linux has it for each family. */
static int may_enter(const struct socket *socket, struct ip_address group)
{
    bool ipv4 = ip_is_ipv4(group);
    unsigned count = 0;
    list_for_each (node, &socket->memberships)
        count += ip_is_ipv4(list_entry(node, struct membership, of_socket)->group->address) == ipv4;
    if (count >= (ipv4 ? MULTICAST_MEMBERSHIPS_4 : MULTICAST_MEMBERSHIPS_6) ||
        membership_count >= MULTICAST_MEMBERSHIPS_ALL)
        return ipv4 ? -ENOBUFS : -ENOMEM;
    return 0;
}

static struct ip_address *make_sources(unsigned limit) { return heap_allocate(limit * sizeof(struct ip_address)); }

/* From every source, or with one as the only one. */
static int enter(struct socket *socket, struct interface *interface, const struct multicast_request *request,
                 bool include)
{
    struct multicast_state before;
    int error = may_enter(socket, request->group);
    if (error < 0)
        return error;
    struct membership *membership = heap_allocate_zeroed(sizeof(*membership));
    struct multicast_group *group = membership ? find_or_make(interface, request->group) : NULL;
    if (group) {
        *membership = (struct membership){ .group = group, .include = include, .count = include };
        membership->sources = include ? make_sources(sources_limit(membership)) : NULL;
    }
    if (!group || (include && !membership->sources)) {
        if (group)
            forget_if_unused(group);
        heap_free(membership);
        return -ENOMEM;
    }
    if (include)
        membership->sources[0] = request->source;
    multicast_state(group, &before);
    membership_count++;
    list_push_back(&socket->memberships, &membership->of_socket);
    list_push_back(&group->memberships, &membership->of_group);
    multicast_changed(group, &before);
    return 0;
}

static void drop(struct membership *membership)
{
    struct multicast_group *group = membership->group;
    struct multicast_state before;
    multicast_state(group, &before);
    list_remove(&membership->of_socket);
    list_remove(&membership->of_group);
    heap_free(membership->sources);
    heap_free(membership);
    membership_count--;
    multicast_changed(group, &before);
    forget_if_unused(group);
}

static int leave(const struct socket *socket, const struct interface *interface,
                 const struct multicast_request *request)
{
    bool any = request->index == 0 && request->address == IPV4_ANY, ipv4 = ip_is_ipv4(request->group);
    if (!ipv4 && !ip_is_multicast(request->group))
        return -EINVAL;
    if (!interface && any && ipv4)
        return -ENODEV;
    struct membership *membership =
        any || interface ? find_membership(socket, request->group, any ? 0 : interface->index) : NULL;
    if (!membership)
        return -EADDRNOTAVAIL;
    drop(membership);
    return 0;
}

/* ---- Own groups ---- */

static void set_own(struct multicast_group *group, bool own)
{
    struct multicast_state before;
    multicast_state(group, &before);
    group->own = own;
    multicast_changed(group, &before);
    forget_if_unused(group);
}

void multicast_join_own(struct interface *interface, struct ip_address group)
{
    must_hold_net();
    struct multicast_group *joined = find_or_make(interface, group);
    if (joined && !joined->own)
        set_own(joined, true);
}

static void leave_unneeded(struct multicast_group *group, void *context)
{
    const struct interface *interface = context;
    if (group->interface == interface && group->own &&
        !ip6_accepts_group(interface, ip6_inside(group->address, interface->index)))
        set_own(group, false);
}

void multicast_leave_unneeded(struct interface *interface)
{
    must_hold_net();
    multicast_for_each(leave_unneeded, interface);
}

/* ---- Filters ---- */

static int add_source(struct membership *membership, struct ip_address source)
{
    unsigned limit = sources_limit(membership);
    if (membership->count == limit)
        return -ENOBUFS;
    if (names(membership, source))
        return -EADDRNOTAVAIL;
    if (!membership->sources)
        membership->sources = make_sources(limit);
    if (!membership->sources)
        return -ENOBUFS;
    membership->sources[membership->count++] = source;
    return 0;
}

static int remove_source(struct membership *membership, struct ip_address source)
{
    uint32_t position = position_of(membership->sources, membership->count, source);
    if (position == membership->count)
        return -EADDRNOTAVAIL;
    membership->sources[position] = membership->sources[--membership->count];
    return 0;
}

/* A filter that never had sources changes to the other kind; without its last source a membership that includes
 * ends. */
static int filter(struct membership *membership, bool include, bool add, struct ip_address source)
{
    struct multicast_state before;
    if (membership->sources && membership->include != include)
        return -EINVAL;
    if (include && !add && membership->count == 1 && ip_same(membership->sources[0], source)) {
        drop(membership);
        return 0;
    }
    multicast_state(membership->group, &before);
    membership->include = include;
    int error = add ? add_source(membership, source) : remove_source(membership, source);
    multicast_changed(membership->group, &before);
    return error;
}

static int change_source(struct socket *socket, enum multicast_change change, struct interface *interface,
                         const struct multicast_request *request)
{
    /* Linux: without an interface, a group of IPv6 is the one that the socket has joined anywhere. */
    bool any = !ip_is_ipv4(request->group) && request->index == 0;
    struct membership *membership = find_membership(socket, request->group, any ? 0 : interface->index);
    if (!membership)
        return change == MULTICAST_JOIN_SOURCE ? enter(socket, interface, request, true) : -EINVAL;
    bool include = change == MULTICAST_JOIN_SOURCE || change == MULTICAST_LEAVE_SOURCE;
    bool add = change == MULTICAST_JOIN_SOURCE || change == MULTICAST_BLOCK_SOURCE;
    return filter(membership, include, add, request->source);
}

int multicast_change(struct socket *socket, enum multicast_change change, const struct multicast_request *request)
{
    must_hold_net();
    struct interface *interface = choose_interface(request);
    bool ipv4 = ip_is_ipv4(request->group);
    if (change == MULTICAST_LEAVE)
        return leave(socket, interface, request);
    if (!ip_is_multicast(request->group))
        return -EINVAL;
    if (change == MULTICAST_JOIN && !ipv4 && find_membership(socket, request->group, request->index))
        return -EADDRINUSE;
    if (!interface)
        return -ENODEV;
    if (change != MULTICAST_JOIN)
        return change_source(socket, change, interface, request);
    if (find_membership(socket, request->group, interface->index))
        return -EADDRINUSE;
    return enter(socket, interface, request, false);
}

static int replace_filter(struct membership *membership, const struct multicast_filter *wanted)
{
    struct multicast_state before;
    unsigned limit = sources_limit(membership);
    struct ip_address *sources = wanted->count > 0 && wanted->count <= limit ? make_sources(limit) : NULL;
    if (wanted->count > 0 && !sources)
        return -ENOBUFS;
    multicast_state(membership->group, &before);
    heap_free(membership->sources);
    membership->sources = sources;
    membership->include = wanted->include;
    membership->count = (uint8_t)wanted->count;
    if (sources)
        memcpy(sources, wanted->sources, wanted->count * sizeof(*sources));
    multicast_changed(membership->group, &before);
    return 0;
}

int multicast_set_filter(struct socket *socket, const struct multicast_request *request,
                         const struct multicast_filter *wanted)
{
    must_hold_net();
    const struct interface *interface = choose_interface(request);
    if (!ip_is_multicast(request->group))
        return -EINVAL;
    if (!interface)
        return -ENODEV;
    if (wanted->include && wanted->count == 0)
        return leave(socket, interface, request);
    bool named = ip_is_ipv4(request->group) || request->index != 0; /* Linux finds none of IPv6 otherwise */
    struct membership *membership = named ? find_membership(socket, request->group, interface->index) : NULL;
    if (!membership)
        return -EINVAL;
    return replace_filter(membership, wanted);
}

int multicast_get_filter(const struct socket *socket, const struct multicast_request *request, bool numbered,
                         struct multicast_filter *out)
{
    must_hold_net();
    const struct interface *interface = choose_interface(request);
    if (!ip_is_multicast(request->group))
        return -EINVAL;
    if (!interface && !numbered)
        return -ENODEV;
    int index = numbered ? request->index : interface->index;
    const struct membership *membership = index > 0 ? find_membership(socket, request->group, index) : NULL;
    if (!membership)
        return -EADDRNOTAVAIL;
    out->include = membership->include;
    out->count = membership->count;
    if (membership->count > 0)
        memcpy(out->sources, membership->sources, membership->count * sizeof(out->sources[0]));
    return 0;
}

void multicast_leave_all(struct socket *socket)
{
    must_hold_net();
    list_for_each_safe (node, &socket->memberships)
        drop(list_entry(node, struct membership, of_socket));
}
