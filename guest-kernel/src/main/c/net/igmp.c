/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of IGMP; multicast_report.c says when they are sent. Which version is spoken depends on how long ago a
 * querier of an older one was heard.
 *
 * Called by multicast_report.c, through igmp_protocol, and by ip_input.c for queries. Net lock.
 */
#include "net/igmp.h"

#include "lib/checksum.h"
#include "lib/string.h"
#include "net/multicast_report.h"

#define QUERY 0x11 /* types */
#define REPORT_V1 0x12
#define REPORT_V2 0x16
#define LEAVE_V2 0x17
#define REPORT_V3 0x22

#define ALL_ROUTERS 0xe0000002u /* 224.0.0.2: leaves of version 2 */
#define ALL_IGMPV3 0xe0000016u  /* 224.0.0.22: reports of version 3 */

#define RESPONSE_V1 (10 * NS_PER_SECOND) /* RFC 1112: D */
#define TENTH (NS_PER_SECOND / 10)       /* unit of response times */
#define INTERNET_CONTROL 0xc0            /* type of service of reports: RFC 3376 4 */

struct igmp_header { /* versions 1 and 2 */
    uint8_t type, response;
    be16 checksum;
    be32 group;
};
struct igmp_query { /* version 3, before its sources */
    struct igmp_header header;
    uint8_t robustness, interval;
    be16 count;
};
struct igmp_report { /* version 3, with one record */
    uint8_t type, reserved;
    be16 checksum, reserved2, records;
    uint8_t record, auxiliary;
    be16 count;
    be32 group, sources[];
};

/* When the last querier of an older version no longer counts: of 1 and of 2; and what that of version 3 said. Only the
 * network of the first device is meant. */
static nanoseconds older_until[3];
static struct multicast_querier querier = MULTICAST_QUERIER;

unsigned igmp_version(void)
{
    must_hold_net();
    nanoseconds now = net_now();
    return now < older_until[1] ? 1 : now < older_until[2] ? 2 : 3;
}

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

static void send(struct interface *interface, ipv4_t to, struct packet *packet)
{
    uint8_t *bytes = packet_data(packet);
    write_be16(bytes + offsetof(struct igmp_header, checksum), checksum_finish(packet_checksum(packet, 0, 0)));
    struct ip_route route;
    ip_route_via(interface, ip_of_ipv4(to), &route);
    struct ip_send how = { .source = route.source,
                           .destination = ip_of_ipv4(to),
                           .protocol = IP_PROTOCOL_IGMP,
                           .type_of_service = INTERNET_CONTROL,
                           .time_to_live = 1,
                           .router_alert = true };
    (void)ip_output(packet, &route, &how);
}

/* Version 1 has no message of one that leaves. */
static void send_old(const struct multicast_group *group, bool members)
{
    unsigned version = igmp_version();
    struct packet *packet;
    if (!members && version == 1)
        return;
    struct igmp_header *message = begin(&packet, sizeof(*message));
    if (!message)
        return;
    ipv4_t address = ipv4_of(group->address);
    message->type = !members ? LEAVE_V2 : version == 1 ? REPORT_V1 : REPORT_V2;
    message->group = be32_of(address);
    send(group->interface, members ? address : ALL_ROUTERS, packet);
}

static void send_record(const struct multicast_group *group, uint8_t record, const struct ip_address *sources,
                        uint32_t count)
{
    struct packet *packet;
    struct igmp_report *message = begin(&packet, (uint32_t)(sizeof(*message) + count * sizeof(be32)));
    if (!message)
        return;
    message->type = REPORT_V3;
    message->records = be16_of(1);
    message->record = record;
    message->count = be16_of((uint16_t)count);
    message->group = be32_of(ipv4_of(group->address));
    for (uint32_t i = 0; i < count; i++)
        message->sources[i] = be32_of(ipv4_of(sources[i]));
    send(group->interface, ALL_IGMPV3, packet);
}

static bool has_sources(void) { return igmp_version() == 3; }

const struct multicast_protocol igmp_protocol = {
    .has_sources = has_sources,
    .send_record = send_record,
    .send_old = send_old,
};

/* ---- Queries ---- */

/* RFC 3376 4.1.1: from 128 on it is a floating-point number. */
static nanoseconds response_time(uint8_t code)
{
    unsigned value = code < 128 ? code : (unsigned)((code & 15) | 16) << ((code >> 4 & 7) + 3);
    return max_of(value, 1u) * TENTH;
}

/* By its length and response time: RFC 3376 7.1. */
static void receive_query(const struct ip_info *info, struct packet *packet)
{
    uint32_t length = packet->length;
    const struct igmp_query *query = packet_pull(packet, min_of(length, (uint32_t)sizeof(*query)));
    if (!query)
        return;
    const struct igmp_header *header = &query->header;
    nanoseconds most = response_time(header->response);
    ipv4_t group = be32_get(header->group);
    if (length == sizeof(*header)) {
        unsigned version = header->response == 0 ? 1 : 2;
        older_until[version] = net_now() + multicast_older_querier(&querier);
        most = version == 1 ? RESPONSE_V1 : header->response * TENTH;
        group = version == 1 ? IPV4_ANY : group;
    } else if (length < sizeof(*query)) {
        return;
    } else {
        querier = multicast_read_querier(query->robustness, query->interval, most);
    }
    multicast_answer(info->interface, ip_of_ipv4(group), most);
}

void igmp_input(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    const struct igmp_header *header = packet_pull(packet, sizeof(*header));
    bool valid = header && checksum_fold(packet_checksum(packet, 0, 0)) == 0xffff;
    if (valid && header->type == QUERY && !info->interface->loopback)
        receive_query(info, packet);
    packet_free(packet);
}
