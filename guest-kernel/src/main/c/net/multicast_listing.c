/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net/igmp, igmp6, mcfilter and mcfilter6, as Linux prints them. The groups of all hosts, which nothing keeps,
 * come last of each interface. Net lock, which is held while a file is printed: MULTICAST_MEMBERSHIPS_ALL bounds its
 * lines.
 */
#include "files/network_view.h"
#include "net/bytes.h"
#include "net/igmp.h"
#include "net/ip6.h"
#include "net/multicast.h"

#define CLOCK_TICK (NS_PER_SECOND / 100) /* of the times in these files: USER_HZ of Linux */

struct listing {
    struct text *out;
    const struct interface *interface; /* whose groups are printed */
    bool ipv4;
    unsigned count;
};

static bool is_of(const struct multicast_group *group, const struct listing *listing)
{
    return group->interface == listing->interface && ip_is_ipv4(group->address) == listing->ipv4;
}

/* Until the next report, in ticks; 0: none is due. */
static uint64_t ticks_left(const struct multicast_group *group)
{
    if (group->report_at == NO_DEADLINE)
        return 0;
    return group->report_at > net_now() ? (group->report_at - net_now()) / CLOCK_TICK : 0;
}

static void print_bytes(struct text *out, struct ip_address address)
{
    struct ip6_bytes bytes = ip6_bytes_of(address);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        text_print(out, "%02x", bytes.bytes[i]);
}

static void for_each_interface(struct listing *listing, void (*show)(struct listing *listing))
{
    net_lock();
    for (unsigned i = 0; i < interface_count(); i++) {
        listing->interface = interface_at(i);
        listing->count = 0;
        show(listing);
    }
    net_unlock();
}

/* ---- Groups ---- */

static void print_group6(struct listing *listing, struct ip_address address, unsigned users, unsigned flags,
                         uint64_t ticks)
{
    text_print(listing->out, "%-4d %-15s ", listing->interface->index, listing->interface->name);
    print_bytes(listing->out, address);
    text_print(listing->out, " %5u %08X %lu\n", users, flags, ticks);
}

enum { TIMER_RUNNING = 1, LOADED = 4, NOT_REPORTED = 8 }; /* MAF_*, net/if_inet6.h of Linux */

static void list_group6(struct multicast_group *group, void *context)
{
    struct listing *listing = context;
    if (!is_of(group, listing))
        return;
    bool of_machine = (group->address.high >> 8 & 0xf) <= 1;
    unsigned flags = (of_machine ? NOT_REPORTED : LOADED) | (group->report_at != NO_DEADLINE ? TIMER_RUNNING : 0);
    print_group6(listing, group->address, multicast_users(group), flags, ticks_left(group));
}

static void show_groups6_of(struct listing *listing)
{
    if (!ip6_is_on())
        return;
    multicast_for_each(list_group6, listing);
    print_group6(listing, IP6_ALL_NODES, 1, LOADED | NOT_REPORTED, 0);
    print_group6(listing, ip6_address(0xff01000000000000u, 1), 1, NOT_REPORTED, 0); /* RFC 4291 2.7.1 */
}

static void show_groups6(struct text *out) { for_each_interface(&(struct listing){ .out = out }, show_groups6_of); }

static void count_group(struct multicast_group *group, void *context)
{
    struct listing *listing = context;
    listing->count += is_of(group, listing);
}

static void print_group(struct listing *listing, ipv4_t address, unsigned users, bool timed, uint64_t ticks)
{
    text_print(listing->out, "\t\t\t\t%08X %5u %d:%08lX\t\t%d\n", __builtin_bswap32(address), users, timed, ticks, 0);
}

static void list_group(struct multicast_group *group, void *context)
{
    struct listing *listing = context;
    if (is_of(group, listing))
        print_group(listing, ipv4_of(group->address), multicast_users(group), group->report_at != NO_DEADLINE,
                    ticks_left(group));
}

static void show_groups_of(struct listing *listing)
{
    multicast_for_each(count_group, listing);
    text_print(listing->out, "%d\t%-10s: %5u      V%u\n", listing->interface->index, listing->interface->name,
               listing->count + 1, igmp_version());
    multicast_for_each(list_group, listing);
    print_group(listing, MULTICAST_ALL_HOSTS, 1, false, 0);
}

static void show_groups(struct text *out)
{
    text_print(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
    for_each_interface(&(struct listing){ .out = out, .ipv4 = true }, show_groups_of);
}

/* ---- Sources ---- */

static void list_sources(struct multicast_group *group, void *context)
{
    struct listing *listing = context;
    struct multicast_named named;
    if (!is_of(group, listing))
        return;
    multicast_named(group, &named);
    for (uint32_t i = 0; i < named.count; i++) {
        struct ip_address source = named.sources[i].source;
        text_print(listing->out, "%3d %6s ", listing->interface->index, listing->interface->name);
        if (listing->ipv4) {
            text_print(listing->out, "0x%08x 0x%08x", ipv4_of(group->address), ipv4_of(source));
        } else {
            print_bytes(listing->out, group->address);
            text_print(listing->out, " ");
            print_bytes(listing->out, source);
        }
        text_print(listing->out, " %6u %6u\n", named.sources[i].including, named.sources[i].excluding);
    }
}

static void show_sources_of(struct listing *listing) { multicast_for_each(list_sources, listing); }

static void show_sources(struct text *out)
{
    text_print(out, "Idx Device        MCA        SRC    INC    EXC\n");
    for_each_interface(&(struct listing){ .out = out, .ipv4 = true }, show_sources_of);
}

static void show_sources6(struct text *out)
{
    text_print(out, "Idx Device                Multicast Address                   Source Address    INC    EXC\n");
    for_each_interface(&(struct listing){ .out = out }, show_sources_of);
}

void multicast_listing_init(void)
{
    network_view.groups = show_groups;
    network_view.groups6 = show_groups6;
    network_view.group_sources = show_sources;
    network_view.group_sources6 = show_sources6;
}
