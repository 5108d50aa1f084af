/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which groups are joined: a hash of groups, each of one interface. A membership is a socket's part in a group, and is
 * in the lists of both; its filter (RFC 3376 3.1) names the sources that it takes alone (include), or that it does not
 * take (exclude). A group exists as long as it has memberships. igmp.c is called after each change, with what the
 * memberships added up to before it. A socket has at most MULTICAST_MEMBERSHIPS.
 *
 * Called by multicast_options.c, udp_socket.c (a socket is freed), ip_input.c and udp.c (is it wanted?) and igmp.c. Net
 * lock.
 */
#include "net/multicast.h"

#include "core/heap.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "net/igmp.h"
#include "net/ip.h"

#define BUCKETS 64

struct membership {
    struct list of_socket, of_group; /* links */
    struct multicast_group *group;
    bool include;
    uint8_t count;
    ipv4_t sources[MULTICAST_SOURCES];
};

static struct list buckets[BUCKETS];

static struct list *bucket_of(ipv4_t group) { return &buckets[hash_mix(group) % BUCKETS]; }

void multicast_init(void)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&buckets[i]);
    igmp_init();
}

static struct multicast_group *find(const struct interface *interface, ipv4_t address)
{
    list_for_each (node, bucket_of(address)) {
        struct multicast_group *group = list_entry(node, struct multicast_group, link);
        if (group->address == address && group->interface == interface)
            return group;
    }
    return NULL;
}

static struct membership *find_membership(const struct socket *socket, ipv4_t group, int index)
{
    list_for_each (node, &socket->memberships) {
        struct membership *membership = list_entry(node, struct membership, of_socket);
        if (membership->group->address == group && membership->group->interface->index == index)
            return membership;
    }
    return NULL;
}

/* ---- What passes ---- */

/* Where the source is in the list; count: it is not. */
static uint32_t position_of(const ipv4_t *sources, uint32_t count, ipv4_t source)
{
    uint32_t i = 0;
    while (i < count && sources[i] != source)
        i++;
    return i;
}

bool multicast_names(const struct multicast_state *state, ipv4_t source)
{
    return position_of(state->sources, state->count, source) < state->count;
}

static bool takes(const struct membership *membership, ipv4_t source)
{
    bool named = position_of(membership->sources, membership->count, source) < membership->count;
    return named == membership->include;
}

static bool any_takes(const struct multicast_group *group, ipv4_t source)
{
    list_for_each (node, &group->memberships)
        if (takes(list_entry(node, struct membership, of_group), source))
            return true;
    return false;
}

bool multicast_joined(const struct interface *interface, ipv4_t group)
{
    must_hold_net();
    return group == MULTICAST_ALL_HOSTS || find(interface, group);
}

bool multicast_accepts(const struct interface *interface, ipv4_t group, ipv4_t source)
{
    must_hold_net();
    if (group == MULTICAST_ALL_HOSTS)
        return true;
    const struct multicast_group *joined = find(interface, group);
    return joined && any_takes(joined, source);
}

/* As on Linux, a socket gets what any other one has joined unless it says otherwise: IP_MULTICAST_ALL. */
bool multicast_wanted(const struct socket *socket, ipv4_t group, int index, ipv4_t source)
{
    must_hold_net();
    const struct membership *membership = find_membership(socket, group, index);
    return membership ? takes(membership, source) : socket->kept.multicast_all;
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
        ipv4_t source = including->sources[i];
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
    *state = (struct multicast_state){ 0 };
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

static struct interface *choose_interface(const struct multicast_request *request)
{
    struct ip_route route;
    if (request->index != 0)
        return request->index > 0 ? interface_at((unsigned)request->index - 1) : NULL;
    if (request->address != IPV4_ANY)
        return interface_of_address(ip_of_ipv4(request->address));
    return ip_route(ip_of_ipv4(request->group), &route) == 0 ? route.interface : NULL;
}

/* The group of the interface, which may have no members yet; NULL without memory. */
static struct multicast_group *find_or_make(struct interface *interface, ipv4_t address)
{
    struct multicast_group *group = find(interface, address);
    if (group)
        return group;
    group = heap_allocate_zeroed(sizeof(*group));
    if (!group)
        return NULL;
    group->interface = interface;
    group->address = address;
    group->report_at = NO_DEADLINE;
    list_init(&group->memberships);
    list_push_back(bucket_of(address), &group->link);
    return group;
}

/* From every source, or with one as the only one. */
static int enter(struct socket *socket, struct interface *interface, const struct multicast_request *request,
                 bool include)
{
    struct multicast_state before;
    unsigned count = 0;
    list_for_each (node, &socket->memberships)
        count++;
    if (count >= MULTICAST_MEMBERSHIPS)
        return -ENOBUFS;
    struct membership *membership = heap_allocate_zeroed(sizeof(*membership));
    struct multicast_group *group = membership ? find_or_make(interface, request->group) : NULL;
    if (!group) {
        heap_free(membership);
        return -ENOMEM;
    }
    multicast_state(group, &before);
    *membership = (struct membership){ .group = group, .include = include, .count = include };
    membership->sources[0] = request->source;
    list_push_back(&socket->memberships, &membership->of_socket);
    list_push_back(&group->memberships, &membership->of_group);
    igmp_changed(group, &before);
    return 0;
}

static void drop(struct membership *membership)
{
    struct multicast_group *group = membership->group;
    struct multicast_state before;
    multicast_state(group, &before);
    list_remove(&membership->of_socket);
    list_remove(&membership->of_group);
    heap_free(membership);
    igmp_changed(group, &before);
    if (!list_empty(&group->memberships))
        return;
    list_remove(&group->link);
    heap_free(group);
}

static int leave(struct socket *socket, const struct interface *interface, const struct multicast_request *request)
{
    bool any = request->index == 0 && request->address == IPV4_ANY;
    if (!interface && any)
        return -ENODEV;
    list_for_each (node, &socket->memberships) {
        struct membership *membership = list_entry(node, struct membership, of_socket);
        const struct multicast_group *group = membership->group;
        if (group->address != request->group || (!any && group->interface != interface))
            continue;
        drop(membership);
        return 0;
    }
    return -EADDRNOTAVAIL;
}

/* ---- Filters ---- */

static int add_source(struct membership *membership, ipv4_t source)
{
    if (membership->count == MULTICAST_SOURCES)
        return -ENOBUFS;
    if (position_of(membership->sources, membership->count, source) < membership->count)
        return -EADDRNOTAVAIL;
    membership->sources[membership->count++] = source;
    return 0;
}

static int remove_source(struct membership *membership, ipv4_t source)
{
    uint32_t position = position_of(membership->sources, membership->count, source);
    if (position == membership->count)
        return -EADDRNOTAVAIL;
    membership->sources[position] = membership->sources[--membership->count];
    return 0;
}

/* A filter without sources changes to the other kind; without its last source a membership that includes ends. */
static int filter(struct membership *membership, bool include, bool add, ipv4_t source)
{
    struct multicast_state before;
    if (membership->count > 0 && membership->include != include)
        return -EINVAL;
    if (include && !add && membership->count == 1 && membership->sources[0] == source) {
        drop(membership);
        return 0;
    }
    multicast_state(membership->group, &before);
    membership->include = include;
    int error = add ? add_source(membership, source) : remove_source(membership, source);
    igmp_changed(membership->group, &before);
    return error;
}

int multicast_change(struct socket *socket, enum multicast_change change, const struct multicast_request *request)
{
    must_hold_net();
    struct interface *interface = choose_interface(request);
    if (change == MULTICAST_LEAVE)
        return leave(socket, interface, request);
    if (!ipv4_is_multicast(request->group))
        return -EINVAL;
    if (!interface)
        return -ENODEV;
    struct membership *membership = find_membership(socket, request->group, interface->index);
    if (change == MULTICAST_JOIN)
        return membership ? -EADDRINUSE : enter(socket, interface, request, false);
    if (!membership)
        return change == MULTICAST_JOIN_SOURCE ? enter(socket, interface, request, true) : -EINVAL;
    bool include = change == MULTICAST_JOIN_SOURCE || change == MULTICAST_LEAVE_SOURCE;
    bool add = change == MULTICAST_JOIN_SOURCE || change == MULTICAST_BLOCK_SOURCE;
    return filter(membership, include, add, request->source);
}

void multicast_leave_all(struct socket *socket)
{
    must_hold_net();
    list_for_each_safe (node, &socket->memberships)
        drop(list_entry(node, struct membership, of_socket));
}
