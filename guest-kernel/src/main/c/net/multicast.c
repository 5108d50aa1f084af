/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which groups are joined: a hash of groups, each of one interface, and at each socket a list of its memberships. A
 * group exists as long as it has members, which are counted; igmp.c is called for the first one and for the last. A
 * socket has at most MULTICAST_MEMBERSHIPS.
 *
 * Called by socket_options.c (join and leave), udp_socket.c (a socket is freed), ip_input.c and udp.c (is it wanted?)
 * and igmp.c. Net lock.
 */
#include "net/multicast.h"

#include "core/heap.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "net/igmp.h"
#include "net/ip.h"

#define BUCKETS 64

struct membership { /* of one socket */
    struct list link;
    struct multicast_group *group;
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

bool multicast_joined(const struct interface *interface, ipv4_t group)
{
    return group == MULTICAST_ALL_HOSTS || find(interface, group);
}

/* As on Linux, a socket gets what any other one has joined unless it says otherwise: IP_MULTICAST_ALL. */
bool multicast_wanted(const struct socket *socket, ipv4_t group, int index)
{
    list_for_each (node, &socket->memberships) {
        const struct multicast_group *joined = list_entry(node, struct membership, link)->group;
        if (joined->address == group && joined->interface->index == index)
            return true;
    }
    return socket->kept.multicast_all;
}

void multicast_for_each(void (*visit)(struct multicast_group *group, void *context), void *context)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_for_each_safe (node, &buckets[i])
            visit(list_entry(node, struct multicast_group, link), context);
}

/* ---- Memberships ---- */

static struct interface *choose_interface(ipv4_t group, ipv4_t address, int32_t index)
{
    struct ip_route route;
    if (index != 0)
        return index > 0 ? interface_at((unsigned)index - 1) : NULL;
    if (address != IPV4_ANY)
        return interface_of_address(address);
    return ip_route(group, &route) == 0 ? route.interface : NULL;
}

/* Adds a member to the group of the interface, which there may not be yet; NULL without memory. */
static struct multicast_group *enter(struct interface *interface, ipv4_t address)
{
    struct multicast_group *group = find(interface, address);
    if (!group) {
        group = heap_allocate_zeroed(sizeof(*group));
        if (!group)
            return NULL;
        group->interface = interface;
        group->address = address;
        group->report_at = NO_DEADLINE;
        list_push_back(bucket_of(address), &group->link);
        igmp_joined(group);
    }
    group->members++;
    return group;
}

static void drop(struct membership *membership)
{
    struct multicast_group *group = membership->group;
    list_remove(&membership->link);
    heap_free(membership);
    if (--group->members > 0)
        return;
    igmp_left(group);
    list_remove(&group->link);
    heap_free(group);
}

int multicast_join(struct socket *socket, ipv4_t group, ipv4_t address, int32_t index)
{
    must_hold_net();
    if (!ipv4_is_multicast(group))
        return -EINVAL;
    struct interface *interface = choose_interface(group, address, index);
    unsigned count = 0;
    if (!interface)
        return -ENODEV;
    list_for_each (node, &socket->memberships) {
        const struct multicast_group *joined = list_entry(node, struct membership, link)->group;
        if (joined->address == group && joined->interface == interface)
            return -EADDRINUSE;
        count++;
    }
    if (count >= MULTICAST_MEMBERSHIPS)
        return -ENOBUFS;
    struct membership *membership = heap_allocate(sizeof(*membership));
    if (!membership)
        return -ENOMEM;
    membership->group = enter(interface, group);
    if (!membership->group) {
        heap_free(membership);
        return -ENOMEM;
    }
    list_push_back(&socket->memberships, &membership->link);
    return 0;
}

int multicast_leave(struct socket *socket, ipv4_t group, ipv4_t address, int32_t index)
{
    must_hold_net();
    const struct interface *wanted = choose_interface(group, address, index);
    if (!wanted && index == 0 && address == IPV4_ANY)
        return -ENODEV;
    list_for_each (node, &socket->memberships) {
        struct membership *membership = list_entry(node, struct membership, link);
        bool any = index == 0 && address == IPV4_ANY;
        if (membership->group->address != group || (!any && membership->group->interface != wanted))
            continue;
        drop(membership);
        return 0;
    }
    return -EADDRNOTAVAIL;
}

void multicast_leave_all(struct socket *socket)
{
    must_hold_net();
    list_for_each_safe (node, &socket->memberships)
        drop(list_entry(node, struct membership, link));
}
