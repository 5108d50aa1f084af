/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of MLD; multicast_report.c says when they are sent. Version 1 is spoken for some time after a querier of
 * it was heard. Every message goes out with a hop limit of 1 and the router alert option, from our address of the link,
 * or from :: while that one is tentative (RFC 3810 5.2.13, RFC 3590). Queries count only if they look the same: no
 * router can have forwarded them.
 *
 * Reports of others are ignored, as RFC 3810 6 has it; in version 1 a host may then leave its own out (RFC 2710 4).
 *
 * Called by multicast_report.c, through mld_protocol, and by icmp6.c for queries. Net lock.
 */
#include "net/mld.h"

#include "lib/string.h"
#include "net/icmp6.h"
#include "net/multicast_report.h"

#define ALL_MLDV2_ROUTERS ip6_address(0xff02000000000000u, 0x16) /* RFC 3810 5.2.14 */

#define QUERY_LENGTH 24u /* of version 1; that of version 2 is longer */
#define QUERY_LENGTH_V2 28u

struct mld_message { /* version 1, and the start of a query of version 2 */
    uint8_t type, code;
    be16 checksum, response, reserved;
    struct ip6_bytes group;
};
struct mld_report { /* version 2, with one record */
    uint8_t type, reserved;
    be16 checksum, reserved2, records;
    uint8_t record, auxiliary;
    be16 count;
    struct ip6_bytes group, sources[];
};

/* When the last querier of version 1 no longer counts, and what that of version 2 said. Only the network of the first
 * device is meant. */
static nanoseconds older_until;
static struct multicast_querier querier = MULTICAST_QUERIER;

static bool has_sources(void) { return net_now() >= older_until; }

/* ---- Sending ---- */

/* A report, or NULL without memory: the same as if it were lost on its way, since it is sent again. */
static void *begin(struct packet **packet, uint32_t length)
{
    *packet = packet_allocate(length);
    void *message = *packet ? packet_put(*packet, length) : NULL;
    if (message)
        memset(message, 0, length);
    return message;
}

static void send(struct interface *interface, struct ip_address to, struct packet *packet)
{
    struct ip_address inside = ip6_inside(to, interface->index), source = ip6_source(interface, inside);
    struct ip_route route = { .interface = interface,
                              .next_hop = inside,
                              .source = ip6_is_link_local(source) ? source : IP6_ANY };
    icmp6_send_alerting(packet, &route, inside);
}

static void send_old(const struct multicast_group *group, bool members)
{
    struct packet *packet;
    struct mld_message *message = begin(&packet, sizeof(*message));
    if (!message)
        return;
    message->type = members ? MLD_REPORT_V1 : MLD_DONE_V1;
    message->group = ip6_bytes_of(group->address);
    send(group->interface, members ? group->address : IP6_ALL_ROUTERS, packet);
}

static void send_record(const struct multicast_group *group, uint8_t record, const struct ip_address *sources,
                        uint32_t count)
{
    struct packet *packet;
    struct mld_report *message = begin(&packet, (uint32_t)(sizeof(*message) + count * sizeof(struct ip6_bytes)));
    if (!message)
        return;
    message->type = MLD_REPORT_V2;
    message->records = be16_of(1);
    message->record = record;
    message->count = be16_of((uint16_t)count);
    message->group = ip6_bytes_of(group->address);
    for (uint32_t i = 0; i < count; i++)
        message->sources[i] = ip6_bytes_of(sources[i]);
    send(group->interface, ALL_MLDV2_ROUTERS, packet);
}

const struct multicast_protocol mld_protocol = {
    .has_sources = has_sources,
    .send_record = send_record,
    .send_old = send_old,
};

/* ---- Queries ---- */

/* RFC 3810 5.1.3: milliseconds; from 32768 on it is a floating-point number, which version 1 does not have. */
static nanoseconds response_time(uint32_t code, bool old)
{
    uint32_t value = old || code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
    return max_of(value, 1u) * NS_PER_MS;
}

/* RFC 3810 6.2, 8.1. */
void mld_query(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    const struct mld_message *query = packet_pull(packet, min_of(packet->length, QUERY_LENGTH_V2));
    bool old = packet->length == QUERY_LENGTH;
    if (!query || packet->length < QUERY_LENGTH || (!old && packet->length < QUERY_LENGTH_V2) ||
        info->interface->loopback || info->time_to_live != 1 || !info->router_alert || info->reassembled ||
        !ip6_is_link_local(info->source))
        return;
    struct ip_address group = ip6_read(query->group);
    bool general = ip_same(group, IP6_ANY); /* not ::ffff:0.0.0.0, which means IPv4 inside */
    if (!general && (ip_is_ipv4(group) || !ip_is_multicast(group) || ip6_link(group) != 0))
        return;
    nanoseconds response = response_time(be16_get(query->response), old);
    const uint8_t *newer = (const uint8_t *)query + QUERY_LENGTH;
    if (old)
        older_until = net_now() + multicast_older_querier(&querier);
    else
        querier = multicast_read_querier(newer[0], newer[1], response);
    multicast_answer(info->interface, group, response);
}
