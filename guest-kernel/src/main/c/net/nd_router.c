/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What routers announce (RFC 4861 6.3, RFC 4862 5.5): that they are routers, which prefixes are on the link and make
 * addresses, the MTU, name servers (RFC 8106), and whether a server of DHCPv6 is to be asked. Their hop limit is not
 * taken: one of 1 would cut us off. The interface keeps at most
 * IP6_ROUTERS, IP6_PREFIXES and IP6_ADDRESSES of them; what comes beyond that is ignored, so that a host that pretends
 * to be many routers pushes none out. Times run out by themselves, as in ip6_address.c.
 *
 * Addresses are made of the MAC address, so that a server's are known before it starts. Routers are asked for until one
 * answers, less and less often (RFC 7559); `solicit_timer` runs until then.
 *
 * Called by nd.c and ip6_output.c. Net lock; the timer's callback takes it.
 */
#include "core/log.h"
#include "lib/string.h"
#include "net/dhcp6.h"
#include "net/name_servers.h"
#include "net/nd.h"
#include "net/neighbour.h"
#include "threads/timer.h"

#define SOLICIT_FIRST (4 * NS_PER_SECOND)   /* RTR_SOLICITATION_INTERVAL of RFC 4861 10 */
#define SOLICIT_LAST (3600 * NS_PER_SECOND) /* MRT of RFC 7559 2 */
#define FOR_EVER 0xffffffffu                /* as a lifetime in seconds */
#define TWO_HOURS (7200 * NS_PER_SECOND)    /* RFC 4862 5.5.3 e */

struct advertisement {
    uint8_t type, code;
    be16 checksum;
    uint8_t hop_limit, flags;
    be16 lifetime; /* of the router, seconds */
    be32 reachable, retransmit;
};
_Static_assert(sizeof(struct advertisement) == ND_ROUTER_LENGTH, "RFC 4861 4.2");

#define MANAGED 0x80 /* flags of a router: RFC 4861 4.2 */
#define OTHER 0x40
#define ON_LINK 0x80 /* flags of a prefix: RFC 4861 4.6.2 */
#define AUTONOMOUS 0x40
struct prefix_option {
    uint8_t type, length, prefix_length, flags;
    be32 valid, preferred; /* seconds */
    be32 reserved;
    struct ip6_bytes prefix;
};

static struct timer solicit_timer;
static nanoseconds solicit_wait; /* before the next one */
static struct interface *solicit_interface;

static nanoseconds time_after(uint32_t seconds)
{
    return seconds == FOR_EVER ? NO_DEADLINE : net_now() + seconds * NS_PER_SECOND;
}

/* ---- Asking ----------------------------------------------------------------------------------------------- */

static void solicit(struct interface *interface)
{
    struct ip_address group = ip6_inside(IP6_ALL_ROUTERS, interface->index);
    struct nd_message message = {
        .source = ip6_source(interface, group),
        .destination = group,
        .type = ND_ROUTER_SOLICITATION,
        .option = ND_SOURCE_MAC,
    };
    if (!ip_is_any(message.source))
        nd_send(interface, &message);
    timer_start(&solicit_timer, net_now() + solicit_wait);
    solicit_wait = min_of(2 * solicit_wait, SOLICIT_LAST);
}

static bool has_router(const struct interface *interface)
{
    for (unsigned i = 0; i < IP6_ROUTERS; i++)
        if (interface->ip6.routers[i].valid_until > net_now())
            return true;
    return false;
}

static void solicit_again(struct timer *timer)
{
    (void)timer;
    net_lock();
    if (!has_router(solicit_interface))
        solicit(solicit_interface);
    net_unlock();
}

void nd_solicit_routers(struct interface *interface)
{
    must_hold_net();
    solicit_interface = interface;
    solicit_wait = SOLICIT_FIRST;
    solicit(interface);
}

void nd_router_init(void) { timer_init(&solicit_timer, solicit_again); }

/* ---- Routers and prefixes --------------------------------------------------------------------------------- */

static void note_router(struct interface *interface, struct ip_address address, uint32_t lifetime)
{
    struct ip6_router *routers = interface->ip6.routers, *place = NULL;
    nanoseconds now = net_now();
    for (unsigned i = 0; i < IP6_ROUTERS; i++)
        if (routers[i].valid_until > now && ip_same(routers[i].address, address))
            place = &routers[i];
    for (unsigned i = 0; i < IP6_ROUTERS && !place && lifetime > 0; i++)
        if (routers[i].valid_until <= now)
            place = &routers[i];
    if (place)
        *place = (struct ip6_router){ address, now + lifetime * NS_PER_SECOND };
}

static void note_on_link(struct interface *interface, struct ip_address prefix, unsigned length, uint32_t valid)
{
    struct ip6_prefix *prefixes = interface->ip6.prefixes, *place = NULL;
    nanoseconds now = net_now();
    for (unsigned i = 0; i < IP6_PREFIXES; i++)
        if (prefixes[i].valid_until > now && prefixes[i].length == length &&
            ip6_common_bits(prefixes[i].address, prefix) >= length)
            place = &prefixes[i];
    for (unsigned i = 0; i < IP6_PREFIXES && !place && valid > 0; i++)
        if (prefixes[i].valid_until <= now)
            place = &prefixes[i];
    if (place && !place->configured)
        *place = (struct ip6_prefix){ .address = prefix, .length = length, .valid_until = time_after(valid) };
}

void nd_configure_prefix(struct interface *interface, struct ip_address address, unsigned length)
{
    must_hold_net();
    if (length < 128) /* the table is empty: no router has been heard yet */
        interface->ip6.prefixes[0] =
            (struct ip6_prefix){ .address = address, .length = length, .configured = true, .valid_until = NO_DEADLINE };
}

bool nd_is_configured(const struct interface *interface, struct ip_address address)
{
    must_hold_net();
    const struct ip6_prefix *prefix = &interface->ip6.prefixes[0];
    return prefix->configured && ip6_common_bits(prefix->address, address) >= prefix->length;
}

void nd_forget_routers(struct interface *interface)
{
    must_hold_net();
    interface->ip6.mtu = 0;
    for (unsigned i = 0; i < IP6_ROUTERS; i++)
        interface->ip6.routers[i].valid_until = 0;
    for (unsigned i = 0; i < IP6_PREFIXES; i++)
        if (!interface->ip6.prefixes[i].configured)
            interface->ip6.prefixes[i].valid_until = 0;
}

/* A host that pretends to be a router cannot take an address away at once: RFC 4862 5.5.3 e. */
static void make_address(struct interface *interface, struct ip_address prefix, const struct prefix_option *option)
{
    struct ip_address address = ip6_of_prefix(interface, prefix);
    const struct ip6_own *own = ip6_find_own(interface, address);
    nanoseconds valid = time_after(be32_get(option->valid)), now = net_now();
    if (own && valid < own->valid_until && valid < now + TWO_HOURS)
        valid = min_of(own->valid_until, now + TWO_HOURS);
    if (valid > now)
        (void)ip6_add(interface, address, 64, time_after(be32_get(option->preferred)), valid);
}

static void hear_prefix(struct interface *interface, const struct nd_option *any)
{
    const struct prefix_option *option = (const void *)any;
    if (option->length != sizeof(*option) / 8)
        return;
    struct ip_address prefix = ip6_read(option->prefix);
    unsigned length = option->prefix_length;
    uint32_t valid = be32_get(option->valid);
    if (length == 0 || length > 128 || ip6_is_link_local(prefix) || ip_is_multicast(prefix) ||
        be32_get(option->preferred) > valid)
        return;
    if (option->flags & ON_LINK)
        note_on_link(interface, prefix, length, valid);
    if (option->flags & AUTONOMOUS && length == 64)
        make_address(interface, prefix, option);
}

static void hear_mtu(struct interface *interface, const struct nd_option *option)
{
    uint32_t mtu = read_be32(option->value + 2);
    if (mtu >= IP6_MINIMUM_MTU && mtu <= interface->mtu)
        interface->ip6.mtu = (uint16_t)mtu;
}

static void hear_name_servers(struct interface *interface, const struct nd_option *option)
{
    nanoseconds until = time_after(read_be32(option->value + 2));
    for (unsigned at = 8; at + 16 <= option->length * 8u; at += 16) {
        struct ip6_bytes bytes;
        memcpy(&bytes, (const uint8_t *)option + at, sizeof(bytes));
        struct ip_address address = ip6_inside(ip6_read(bytes), interface->index);
        if (!ip_is_any(address) && !ip_is_multicast(address) && !ip_is_loopback(address) && !ip_is_ipv4(address))
            name_servers_heard(address, until);
    }
}

/* Calls it with each option of this type. */
static void hear_each(struct interface *interface, const uint8_t *message, uint32_t length, unsigned type,
                      void (*hear)(struct interface *interface, const struct nd_option *option))
{
    for (const struct nd_option *option = NULL;
         (option = nd_next_option(message, length, ND_ROUTER_LENGTH, type, option));)
        hear(interface, option);
}

void nd_router_heard(const struct ip_info *info, const uint8_t *message, uint32_t length)
{
    must_hold_net();
    struct interface *interface = info->interface;
    const struct advertisement *router = (const void *)message;
    if (!ip6_is_link_local(info->source))
        return;
    const struct nd_option *mac = nd_next_option(message, length, ND_ROUTER_LENGTH, ND_SOURCE_MAC, NULL);
    if (mac && mac->length == 1 && !(mac->value[0] & 1))
        neighbour_heard(interface, info->source, mac->value, false, be16_get(router->lifetime) > 0);
    note_router(interface, info->source, be16_get(router->lifetime));
    dhcp6_heard(router->flags & MANAGED, router->flags & OTHER);
    hear_each(interface, message, length, ND_PREFIX, hear_prefix);
    hear_each(interface, message, length, ND_NAME_SERVERS, hear_name_servers);
    const struct nd_option *mtu = nd_next_option(message, length, ND_ROUTER_LENGTH, ND_MTU, NULL);
    if (mtu && mtu->length == 1)
        hear_mtu(interface, mtu);
}

/* ---- The way ---------------------------------------------------------------------------------------------- */

bool nd_is_on_link(const struct interface *interface, struct ip_address address)
{
    must_hold_net();
    for (unsigned i = 0; i < IP6_PREFIXES; i++) {
        const struct ip6_prefix *prefix = &interface->ip6.prefixes[i];
        if (prefix->valid_until > net_now() && ip6_common_bits(prefix->address, address) >= prefix->length)
            return true;
    }
    return false;
}

bool nd_find_router(struct interface *interface, struct ip_address *out)
{
    must_hold_net();
    const struct ip6_router *silent = NULL;
    for (unsigned i = 0; i < IP6_ROUTERS; i++) {
        const struct ip6_router *router = &interface->ip6.routers[i];
        if (router->valid_until <= net_now())
            continue;
        *out = router->address;
        if (neighbour_may_be_there(interface, router->address))
            return true;
        silent = router;
    }
    if (silent)
        *out = silent->address;
    return silent;
}
