/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers that the SNTP client asks, for sntp.c: those that were given by address, and those that names stand for.
 * A name is looked up at first, again after LOOKUP_PERIOD, and when one of its servers has not answered for
 * MISSED_LIMIT rounds: names of pools stand for other servers each time, and servers move (RFC 4330 10). A lookup that
 * fails is repeated in the next round, while the servers that are known are asked all the same.
 *
 * No server counts twice, since each has one vote; so names that stand for the same addresses are one server. There are
 * no locks: the state is the caller's struct sntp_servers, of which only the thread in sntp.c has one.
 */
#include "core/log.h"
#include "lib/errno.h"
#include "net/sntp.h"

#define MISSED_LIMIT 8 /* rounds: those that the register of RFC 5905 13 remembers */
#define LOOKUP_PERIOD (86400 * NS_PER_SECOND)

void sntp_servers_begin(struct sntp_servers *servers, const struct sntp_source *sources, unsigned count)
{
    *servers = (struct sntp_servers){ .origin_count = count };
    for (unsigned i = 0; i < count; i++) {
        struct sntp_origin *origin = &servers->origins[i];
        origin->name = sources[i].name;
        if (!origin->name)
            origin->addresses = (struct dns_addresses){ 1, { sources[i].address } };
    }
}

/* ---- Names ------------------------------------------------------------------------------------------------ */

/* Not of this host, of no host, or of several (RFC 1122 3.2.1.3). */
static bool is_hosts(ipv4_t address)
{
    return address >> 24 != 0 && !ipv4_is_loopback(address) && address < 0xe0000000u;
}

static int resolve(const char *name, struct dns_addresses *out)
{
    struct dns_addresses found;
    int error = dns_resolve(name, &found);
    out->count = 0;
    for (unsigned i = 0; error == 0 && i < found.count; i++)
        if (is_hosts(found.items[i]))
            out->items[out->count++] = found.items[i];
    return error == 0 && out->count == 0 ? -EADDRNOTAVAIL : error;
}

static bool stands_for(const struct sntp_origin *origin, ipv4_t address)
{
    for (unsigned i = 0; i < origin->addresses.count; i++)
        if (origin->addresses.items[i] == address)
            return true;
    return false;
}

static bool has_lost_one(const struct sntp_servers *servers, const struct sntp_origin *origin)
{
    for (unsigned i = 0; i < servers->count; i++)
        if (servers->items[i].missed >= MISSED_LIMIT && stands_for(origin, servers->items[i].address))
            return true;
    return false;
}

/* True: there are addresses, which may be the same as before. */
static bool look_up(struct sntp_origin *origin, nanoseconds now)
{
    struct dns_addresses found;
    int error = resolve(origin->name, &found);
    if (error == 0) {
        origin->addresses = found;
        origin->due = now + LOOKUP_PERIOD;
    } else if (!origin->failure_reported) {
        log_error("the time server %s cannot be looked up (%s), which is tried again; check its name in the image's "
                  "time setting, and the name servers",
                  origin->name, errno_name(error));
    }
    origin->failure_reported = error != 0;
    return error == 0;
}

/* ---- Servers ---------------------------------------------------------------------------------------------- */

static const struct sntp_server *find(const struct sntp_servers *servers, ipv4_t address)
{
    for (unsigned i = 0; i < servers->count; i++)
        if (servers->items[i].address == address)
            return &servers->items[i];
    return NULL;
}

/* What is known of the server stays, but for the rounds it has missed: those have had their effect. */
static void add(struct sntp_servers *to, ipv4_t address, const struct sntp_servers *before)
{
    if (to->count == SNTP_SERVERS || find(to, address))
        return;
    const struct sntp_server *known = find(before, address);
    struct sntp_server *server = &to->items[to->count++];
    *server = known ? *known : (struct sntp_server){ .address = address };
    server->missed = 0;
}

/* The first address of each origin, then the second ones, and so on. */
static void choose(struct sntp_servers *servers)
{
    struct sntp_servers before = *servers;
    servers->count = 0;
    for (unsigned i = 0; i < DNS_ADDRESSES; i++)
        for (unsigned j = 0; j < servers->origin_count; j++)
            if (i < servers->origins[j].addresses.count)
                add(servers, servers->origins[j].addresses.items[i], &before);
}

void sntp_servers_look_up(struct sntp_servers *servers, nanoseconds now)
{
    bool changed = servers->count == 0;
    for (unsigned i = 0; i < servers->origin_count; i++) {
        struct sntp_origin *origin = &servers->origins[i];
        if (origin->name && (now >= origin->due || has_lost_one(servers, origin)))
            changed |= look_up(origin, now);
    }
    if (changed)
        choose(servers);
}

void sntp_server_answered(struct sntp_server *server, struct sntp_sample *sample)
{
    server->missed = 0;
    if (server->shortest == 0 || sample->delay < server->shortest)
        server->shortest = sample->delay;
    sample->shortest = server->shortest;
}
