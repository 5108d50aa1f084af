/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of PATHS destinations, of which the one that is known longest goes first. What is known ends after LIFETIME,
 * so that a path that has become wider is used (RFC 8201 4).
 *
 * An error is believed only with the token of the flow that it is about. A host that does not see the flow has to guess
 * 16 or 20 bits, and only CHECKS_PER_SECOND guesses of all hosts are looked at. A guess that is right makes packets
 * smaller, down to the least MTU, and stops none.
 *
 * Called by udp.c and socket_options.c, and by net.c after a restore. Net lock.
 */
#include "net/path_mtu.h"

#include "core/random.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/allowance.h"
#include "net/ip6.h"

#define PATHS 64
#define LIFETIME (600 * NS_PER_SECOND) /* net.ipv4.route.mtu_expires of Linux; RFC 8201 4 */
#define CHECKS_PER_SECOND 100u
#define CHECKS_FOR_ONE 20u /* host that reports */

struct path {
    struct ip_address destination;
    unsigned mtu;
    nanoseconds until; /* monotonic; free when it has passed */
};

static struct path paths[PATHS];
static struct hash_key key;
static struct allowances checks = { .for_all = CHECKS_PER_SECOND, .for_one = CHECKS_FOR_ONE };

void path_mtu_init(void) { random_bytes(&key, sizeof(key)); }

void path_mtu_forget(void)
{
    must_hold_net();
    memset(paths, 0, sizeof(paths));
}

uint32_t path_mtu_token(struct ip_address local, struct ip_address remote, uint32_t ports)
{
    struct {
        struct ip_address local, remote;
        uint32_t ports;
    } flow = { ip6_outside(local), ip6_outside(remote), ports };
    return (uint32_t)siphash(&key, &flow, sizeof(flow));
}

static struct path *find(struct ip_address destination)
{
    for (unsigned i = 0; i < PATHS; i++)
        if (ip_same(paths[i].destination, destination) && paths[i].until > net_now())
            return &paths[i];
    return NULL;
}

static struct path *oldest(void)
{
    struct path *oldest = &paths[0];
    for (unsigned i = 1; i < PATHS; i++)
        if (paths[i].until < oldest->until)
            oldest = &paths[i];
    return oldest;
}

unsigned path_mtu_of(struct ip_address destination)
{
    must_hold_net();
    const struct path *path = find(destination);
    return path ? path->mtu : 0;
}

static bool is_ours(const struct icmp_error *error)
{
    uint32_t mask = ip_is_ipv4(error->remote) ? PATH_MTU_TOKEN_IPV4 : PATH_MTU_TOKEN_IPV6;
    uint32_t ports = (uint32_t)error->transport[0] << 24 | (uint32_t)error->transport[1] << 16 |
                     (uint32_t)error->transport[2] << 8 | error->transport[3];
    return error->token == (path_mtu_token(error->local, error->remote, ports) & mask);
}

void path_mtu_heard(const struct icmp_error *error)
{
    must_hold_net();
    unsigned least = ip_is_ipv4(error->remote) ? IP_MINIMUM_MTU : IP6_MINIMUM_MTU;
    unsigned mtu = max_of(error->mtu, least);
    struct path *path = find(error->remote);
    if (mtu >= error->length || (path && path->mtu <= mtu))
        return;
    if (!allowance_take(&checks, error->sender) || !is_ours(error))
        return;
    if (!path)
        path = oldest();
    *path = (struct path){ error->remote, mtu, net_now() + LIFETIME };
}
