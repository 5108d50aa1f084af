/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of interfaces in IPv6. Each interface has room for IP6_ADDRESSES, and no more are kept: what routers
 * announce beyond that is ignored. The time of an address runs out by itself, since every use compares it with the
 * clock; its room is taken by the next one.
 *
 * An address of a device is tentative until nd.c has found that no other host has it. Until then nothing is sent from
 * it, and nothing but neighbour discovery is received.
 *
 * Called by the other files of IPv6, and by interface.c. Net lock.
 */
#include "core/log.h"
#include "core/random.h"
#include "lib/hash.h"
#include "net/ip6.h"
#include "net/multicast.h"
#include "net/nd.h"
#include "net/neighbour.h"

#define INTERFACE_IDENTIFIER 64           /* bits: RFC 4291 2.5.1 */
#define PREFIX_GRACE (60 * NS_PER_SECOND) /* after a restore: until a router has announced a prefix again */

static bool is_on;
static bool mac_is_hidden;     /* ipv6=random */
static struct hash_key secret; /* of which identifiers are made then */

bool ip6_is_on(void) { return read_once(is_on); }

struct ip_address ip6_solicited_node(struct ip_address address, const struct interface *interface)
{
    uint64_t low = __builtin_bswap64(address.low) & 0xffffff;
    return ip6_inside(ip6_address(0xff02000000000000u, 0x1ff000000u | low), interface->index);
}

unsigned ip6_common_bits(struct ip_address a, struct ip_address b)
{
    uint64_t high = __builtin_bswap64(a.high ^ b.high), low = __builtin_bswap64(a.low ^ b.low);
    if (high != 0)
        return (unsigned)__builtin_clzl(high);
    return low != 0 ? 64 + (unsigned)__builtin_clzl(low) : 128;
}

static uint64_t identifier_of_mac(const uint8_t mac[6])
{
    uint64_t first = (uint64_t)(mac[0] ^ 2) << 16 | (uint64_t)mac[1] << 8 | mac[2];
    uint64_t last = (uint64_t)mac[3] << 16 | (uint64_t)mac[4] << 8 | mac[5];
    return first << 40 | (uint64_t)0xfffe << 24 | last;
}

/* Identifiers that mean something: RFC 4291 2.6.1, RFC 5453 3. */
static bool is_reserved(uint64_t identifier)
{
    return identifier == 0 || identifier >> 24 == 0x02005efffeUL || (identifier | 0x7f) == 0xfdffffffffffffffUL;
}

/* RFC 7217 5. Each prefix has an identifier of its own, by which no one recognises the machine in another network. */
static uint64_t identifier_of_secret(struct ip_address prefix)
{
    struct {
        uint64_t prefix, count;
    } from = { prefix.high, 0 };
    uint64_t identifier;
    do {
        identifier = siphash(&secret, &from, sizeof(from));
        from.count++;
    } while (is_reserved(identifier));
    return identifier;
}

struct ip_address ip6_of_prefix(const struct interface *interface, struct ip_address prefix)
{
    must_hold_net();
    uint64_t identifier = mac_is_hidden ? identifier_of_secret(prefix) : identifier_of_mac(interface->mac);
    return (struct ip_address){ prefix.high, __builtin_bswap64(identifier) };
}

void ip6_hide_mac(void)
{
    must_hold_net();
    mac_is_hidden = true;
    random_bytes(&secret, sizeof(secret));
}

static bool is_over(const struct ip6_own *own) { return own->valid_until <= net_now(); }

struct ip6_own *ip6_find_own(struct interface *interface, struct ip_address address)
{
    must_hold_net();
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        struct ip6_own *own = &interface->ip6.own[i];
        if (ip_same(own->address, address) && !is_over(own))
            return own;
    }
    return NULL;
}

unsigned ip6_flags(const struct ip6_own *own)
{
    enum { DUPLICATE = 0x08, DEPRECATED = 0x20, TENTATIVE = 0x40, PERMANENT = 0x80 };
    must_hold_net();
    unsigned flags = own->valid_until == NO_DEADLINE ? PERMANENT : 0;
    flags |= own->tentative ? TENTATIVE : 0;
    flags |= own->duplicate ? DUPLICATE : 0;
    return flags | (own->preferred_until <= net_now() ? DEPRECATED : 0);
}

static struct ip6_own *find_room(struct interface *interface)
{
    for (unsigned i = 0; i < IP6_ADDRESSES; i++)
        if (is_over(&interface->ip6.own[i]))
            return &interface->ip6.own[i];
    return NULL;
}

bool ip6_add(struct interface *interface, struct ip_address address, unsigned prefix, nanoseconds preferred_until,
             nanoseconds valid_until)
{
    must_hold_net();
    struct ip6_own *own = ip6_find_own(interface, address);
    bool new = !own;
    if (new)
        own = find_room(interface);
    if (!own)
        return false;
    if (new)
        *own = (struct ip6_own){ .address = address, .prefix = prefix, .tentative = !interface->loopback };
    own->preferred_until = preferred_until;
    own->valid_until = valid_until;
    if (new && !interface->loopback) {
        multicast_leave_unneeded(interface); /* of the address whose room this one has */
        multicast_join_own(interface, ip6_solicited_node(address, interface));
        nd_probe(interface, own);
    }
    return true;
}

void ip6_start(void)
{
    must_hold_net();
    struct interface *device = interface_first_device();
    is_on = true;
    (void)ip6_add(interface_at(0), IP6_LOOPBACK, 128, NO_DEADLINE, NO_DEADLINE); /* the first has room */
    if (!device)
        return;
    struct ip_address prefix = ip6_inside(ip6_address(0xfe80000000000000u, 0), device->index);
    (void)ip6_add(device, ip6_of_prefix(device, prefix), INTERFACE_IDENTIFIER, NO_DEADLINE, NO_DEADLINE);
}

/* Made for a prefix that a router announced. */
static bool is_made(const struct interface *interface, const struct ip6_own *own)
{
    return !ip6_is_link_local(own->address) && own->prefix == INTERFACE_IDENTIFIER &&
           ip_same(own->address, ip6_of_prefix(interface, own->address)) && !nd_is_configured(interface, own->address);
}

void ip6_restored(struct interface *interface)
{
    must_hold_net();
    nanoseconds now = net_now();
    if (!is_on)
        return;
    neighbour_forget(interface, false);
    nd_forget_routers(interface);
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        struct ip6_own *own = &interface->ip6.own[i];
        if (is_over(own))
            continue;
        if (is_made(interface, own)) {
            own->preferred_until = now;
            own->valid_until = min_of(own->valid_until, now + PREFIX_GRACE);
        }
        own->duplicate = false;
        nd_probe(interface, own);
    }
    /* Copies of one machine have identifiers of their own. */
    if (mac_is_hidden)
        ip6_hide_mac();
}

static bool is_usable(const struct ip6_own *own) { return !own->tentative && !own->duplicate && !is_over(own); }

struct interface *ip6_interface_of(struct ip_address address)
{
    must_hold_net();
    for (unsigned i = 0; i < interface_count() && is_on; i++) {
        const struct ip6_own *own = ip6_find_own(interface_at(i), address);
        if (own && is_usable(own))
            return interface_at(i);
    }
    return NULL;
}

bool ip6_is_reachable(const struct interface *interface)
{
    must_hold_net();
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        const struct ip6_own *own = &interface->ip6.own[i];
        if (is_usable(own) && !ip6_is_link_local(own->address))
            return true;
    }
    return false;
}

bool ip6_accepts_group(const struct interface *interface, struct ip_address group)
{
    must_hold_net();
    if (ip_same(ip6_outside(group), IP6_ALL_NODES))
        return true;
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        const struct ip6_own *own = &interface->ip6.own[i];
        if (!is_over(own) && ip_same(ip6_solicited_node(own->address, interface), group))
            return true;
    }
    return false;
}

/* What makes one address better than another for a destination, the larger the better: its scope is that of the
 * destination, it is not to be given up, and it is close. */
static unsigned fitness(const struct ip6_own *own, struct ip_address destination)
{
    bool scope = ip6_is_of_link(own->address) == ip6_is_of_link(destination);
    bool preferred = own->preferred_until > net_now();
    return 1 + scope * 512u + preferred * 256u + ip6_common_bits(own->address, destination);
}

struct ip_address ip6_source(const struct interface *interface, struct ip_address destination)
{
    must_hold_net();
    struct ip_address best = IP6_ANY;
    unsigned most = 0;
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        const struct ip6_own *own = &interface->ip6.own[i];
        if (!is_usable(own) || fitness(own, destination) <= most)
            continue;
        best = own->address;
        most = fitness(own, destination);
    }
    return best;
}
