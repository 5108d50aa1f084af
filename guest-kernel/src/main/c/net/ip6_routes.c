/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways of IPv6 as a list, as Linux shows them. There is no such table: ip6_output.c decides by the interface's
 * addresses, prefixes and routers, and this is what its decisions amount to. Called by listing.c and rtnetlink.c. Net
 * lock.
 */
#include "net/ip6.h"

enum { OF_PREFIX = 256, OF_ROUTER = 1024 }; /* metrics of Linux: IP6_RT_PRIO_ADDRCONF, IP6_RT_PRIO_USER */

static void visit_addresses(struct interface *interface, ip6_visit_way *visit, void *context)
{
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        const struct ip6_own *own = &interface->ip6.own[i];
        if (own->valid_until > net_now() && !own->tentative && !own->duplicate)
            visit(&(struct ip6_way){ .kind = IP6_WAY_LOCAL,
                                     .interface = interface,
                                     .destination = own->address,
                                     .prefix = 128,
                                     .valid_until = NO_DEADLINE },
                  context);
    }
}

static struct ip_address masked(struct ip_address address, unsigned prefix)
{
    uint64_t high = prefix >= 64 ? ~0ul : prefix == 0 ? 0 : ~0ul << (64 - prefix);
    uint64_t low = prefix <= 64 ? 0 : ~0ul << (128 - prefix);
    return (struct ip_address){ address.high & __builtin_bswap64(high), address.low & __builtin_bswap64(low) };
}

static void visit_device(struct interface *interface, ip6_visit_way *visit, void *context)
{
    const struct ip6_interface *ip6 = &interface->ip6;
    struct ip6_way link = { .kind = IP6_WAY_ON_LINK,
                            .interface = interface,
                            .destination = ip6_address(0xfe80000000000000u, 0),
                            .prefix = 64,
                            .metric = OF_PREFIX,
                            .valid_until = NO_DEADLINE };
    visit(&link, context);
    for (unsigned i = 0; i < IP6_PREFIXES; i++) {
        if (ip6->prefixes[i].valid_until <= net_now())
            continue;
        link.destination = masked(ip6->prefixes[i].address, ip6->prefixes[i].length);
        link.prefix = ip6->prefixes[i].length;
        link.valid_until = ip6->prefixes[i].valid_until;
        visit(&link, context);
    }
    for (unsigned i = 0; i < IP6_ROUTERS; i++)
        if (ip6->routers[i].valid_until > net_now())
            visit(&(struct ip6_way){ .kind = IP6_WAY_ROUTER,
                                     .interface = interface,
                                     .gateway = ip6->routers[i].address,
                                     .metric = OF_ROUTER,
                                     .valid_until = ip6->routers[i].valid_until },
                  context);
    visit(&(struct ip6_way){ .kind = IP6_WAY_GROUPS,
                             .interface = interface,
                             .destination = ip6_address(0xff00000000000000u, 0),
                             .prefix = 8,
                             .metric = OF_PREFIX,
                             .valid_until = NO_DEADLINE },
          context);
}

void ip6_for_each_way(ip6_visit_way *visit, void *context)
{
    must_hold_net();
    for (unsigned i = 0; i < interface_count() && ip6_is_on(); i++) {
        struct interface *interface = interface_at(i);
        visit_addresses(interface, visit, context);
        if (interface == interface_first_device())
            visit_device(interface, visit, context);
    }
}
