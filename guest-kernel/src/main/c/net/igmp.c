/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports to routers about the groups of multicast.c. Each group knows when its next report is due (report_at;
 * NO_DEADLINE: none is) and how many unsolicited ones are left. One timer serves all, and never expires after the first
 * that is due. A query makes a report due after a random time, unless it is due sooner anyway. Which version is spoken
 * depends on how long ago a querier of an older one was heard.
 *
 * In version 3 the first report of a change says what has changed (RFC 3376 5.1), and the ones that repeat it say all
 * that is wanted now, so that no change has to be remembered until then. A query of sources is answered like one of
 * their group, with all of them.
 *
 * Called by multicast.c, when a membership has changed, and by ip_input.c for queries. Net lock; the timer's callback
 * takes it.
 */
#include "net/igmp.h"

#include "core/random.h"
#include "lib/checksum.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/timer.h"

#define QUERY 0x11 /* types */
#define REPORT_V1 0x12
#define REPORT_V2 0x16
#define LEAVE_V2 0x17
#define REPORT_V3 0x22

#define ALL_ROUTERS 0xe0000002u /* 224.0.0.2: leaves of version 2 */
#define ALL_IGMPV3 0xe0000016u  /* 224.0.0.22: reports of version 3 */

#define ROBUSTNESS 2                        /* unsolicited reports of a change: RFC 3376 8.1 */
#define UNSOLICITED_V3 NS_PER_SECOND        /* at most between them: RFC 3376 8.11 */
#define UNSOLICITED_V2 (10 * NS_PER_SECOND) /* RFC 2236 8.10 */
#define OLDER_QUERIER (400 * NS_PER_SECOND) /* RFC 3376 8.12, of the default intervals */
#define RESPONSE_V1 (10 * NS_PER_SECOND)    /* RFC 1112: D */
#define TENTH (NS_PER_SECOND / 10)          /* unit of response times */
#define INTERNET_CONTROL 0xc0               /* type of service of reports: RFC 3376 4 */

/* Record types: RFC 3376 4.2.12. To include no source is to be no member. */
enum { IS_INCLUDE = 1, IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4, ALLOW_NEW = 5, BLOCK_OLD = 6 };

struct igmp_header { /* versions 1 and 2 */
    uint8_t type, response;
    be16 checksum;
    be32 group;
};
struct igmp_report { /* version 3, with one record */
    uint8_t type, reserved;
    be16 checksum, reserved2, records;
    uint8_t record, auxiliary;
    be16 count;
    be32 group, sources[MULTICAST_STATE_SOURCES];
};

static struct timer report_timer;
/* When the last querier of an older version no longer counts: of 1 and of 2. Only the network of the first device is
 * meant. */
static nanoseconds older_until[3];

static unsigned version_now(void)
{
    nanoseconds now = net_now();
    return now < older_until[1] ? 1 : now < older_until[2] ? 2 : 3;
}

/* Reports go to devices only: no one else is on the other ones' networks. */
static bool is_reported(const struct multicast_group *group)
{
    return !group->interface->loopback && group->address != MULTICAST_ALL_HOSTS;
}

/* ---- Sending ---- */

static void send(struct interface *interface, ipv4_t to, const void *message, uint32_t length)
{
    struct packet *packet = packet_allocate(length);
    if (!packet)
        return; /* the same as if it were lost on its way: it is sent again */
    uint8_t *bytes = packet_put(packet, length);
    memcpy(bytes, message, length);
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

static void send_old(const struct multicast_group *group, ipv4_t to, uint8_t type)
{
    struct igmp_header message = { .type = type, .group = be32_of(group->address) };
    send(group->interface, to, &message, sizeof(message));
}

static void send_record(const struct multicast_group *group, uint8_t record, const ipv4_t *sources, uint32_t count)
{
    struct igmp_report message = { .type = REPORT_V3,
                                   .records = be16_of(1),
                                   .record = record,
                                   .count = be16_of((uint16_t)count),
                                   .group = be32_of(group->address) };
    for (uint32_t i = 0; i < count; i++)
        message.sources[i] = be32_of(sources[i]);
    send(group->interface, ALL_IGMPV3, &message,
         offsetof(struct igmp_report, sources) + count * (uint32_t)sizeof(be32));
}

static bool is_wanted(const struct multicast_state *state) { return state->exclude || state->count > 0; }

static void report(const struct multicast_group *group, bool unsolicited)
{
    struct multicast_state state;
    unsigned version = version_now();
    multicast_state(group, &state);
    if (!is_wanted(&state))
        return;
    uint8_t is = state.exclude ? IS_EXCLUDE : IS_INCLUDE, to = state.exclude ? TO_EXCLUDE : TO_INCLUDE;
    if (version == 3)
        send_record(group, unsolicited ? to : is, state.sources, state.count);
    else
        send_old(group, group->address, version == 1 ? REPORT_V1 : REPORT_V2);
}

/* ---- Changes ---- */

/* The sources of one list that are not in the other, if there are any. */
static bool send_difference(const struct multicast_group *group, uint8_t record, const struct multicast_state *of,
                            const struct multicast_state *without)
{
    ipv4_t sources[MULTICAST_STATE_SOURCES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < of->count; i++)
        if (!multicast_names(without, of->sources[i]))
            sources[count++] = of->sources[i];
    if (count > 0)
        send_record(group, record, sources, count);
    return count > 0;
}

/* False if nothing has changed. */
static bool send_change(const struct multicast_group *group, const struct multicast_state *before,
                        const struct multicast_state *after)
{
    if (before->exclude != after->exclude) {
        send_record(group, after->exclude ? TO_EXCLUDE : TO_INCLUDE, after->sources, after->count);
        return true;
    }
    /* What is added to a list that excludes is blocked, and what is taken out of it allowed. */
    const struct multicast_state *allowing = after->exclude ? before : after;
    const struct multicast_state *blocking = after->exclude ? after : before;
    bool allowed = send_difference(group, ALLOW_NEW, allowing, blocking);
    return send_difference(group, BLOCK_OLD, blocking, allowing) || allowed;
}

/* Versions 1 and 2 have members and no sources, and version 1 has no message of one that leaves. */
static bool send_old_change(const struct multicast_group *group, bool before, bool after)
{
    if (before == after)
        return false;
    if (after)
        report(group, true);
    else if (version_now() == 2)
        send_old(group, ALL_ROUTERS, LEAVE_V2);
    return true;
}

/* ---- Timing ---- */

static void report_due(struct multicast_group *group, void *context)
{
    nanoseconds now = net_now(), *next = context;
    if (group->report_at <= now) {
        report(group, group->reports_left > 0);
        group->reports_left -= group->reports_left > 0;
        nanoseconds most = version_now() == 3 ? UNSOLICITED_V3 : UNSOLICITED_V2;
        group->report_at = group->reports_left > 0 ? now + 1 + random_below(most) : NO_DEADLINE;
    }
    *next = min_of(*next, group->report_at);
}

static void timer_expired(struct timer *timer)
{
    nanoseconds next = NO_DEADLINE;
    net_lock();
    multicast_for_each(report_due, &next);
    if (next != NO_DEADLINE)
        timer_start(timer, next);
    net_unlock();
}

static void report_at(struct multicast_group *group, nanoseconds when)
{
    group->report_at = min_of(group->report_at, when);
    if (!report_timer.active || report_timer.deadline > group->report_at)
        timer_start(&report_timer, group->report_at);
}

void igmp_init(void) { timer_init(&report_timer, timer_expired); }

void igmp_changed(struct multicast_group *group, const struct multicast_state *before)
{
    must_hold_net();
    struct multicast_state after;
    bool third = version_now() == 3;
    if (!is_reported(group))
        return;
    multicast_state(group, &after);
    bool wanted = is_wanted(&after);
    if (!(third ? send_change(group, before, &after) : send_old_change(group, is_wanted(before), wanted)))
        return;
    group->reports_left = ROBUSTNESS - 1;
    if (wanted)
        report_at(group, net_now() + 1 + random_below(third ? UNSOLICITED_V3 : UNSOLICITED_V2));
    for (unsigned i = 1; third && !wanted && i < ROBUSTNESS; i++)
        (void)send_change(group, before, &after); /* the group may be gone when its time comes */
}

/* ---- Queries ---- */

struct query {
    const struct interface *interface;
    ipv4_t group;     /* IPV4_ANY: of all */
    nanoseconds most; /* to be answered within it */
};

static void answer_later(struct multicast_group *group, void *context)
{
    const struct query *query = context;
    bool asked = query->group == IPV4_ANY || query->group == group->address;
    if (asked && group->interface == query->interface && is_reported(group))
        report_at(group, net_now() + 1 + random_below(query->most));
}

/* RFC 3376 4.1.1: from 128 on it is a floating-point number. */
static nanoseconds response_time(uint8_t code)
{
    unsigned value = code < 128 ? code : (unsigned)((code & 15) | 16) << ((code >> 4 & 7) + 3);
    return max_of(value, 1u) * TENTH;
}

/* By its length and response time: RFC 3376 7.1. */
static void receive_query(const struct ip_info *info, const struct igmp_header *header, uint32_t length)
{
    struct query query = { info->interface, be32_get(header->group), response_time(header->response) };
    if (length == sizeof(*header)) {
        unsigned version = header->response == 0 ? 1 : 2;
        older_until[version] = net_now() + OLDER_QUERIER;
        query.most = version == 1 ? RESPONSE_V1 : header->response * TENTH;
        query.group = version == 1 ? IPV4_ANY : query.group;
    } else if (length < sizeof(*header) + 4) {
        return;
    }
    multicast_for_each(answer_later, &query);
}

void igmp_input(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    const struct igmp_header *header = packet_pull(packet, sizeof(*header));
    bool valid = header && checksum_fold(packet_checksum(packet, 0, 0)) == 0xffff;
    if (valid && header->type == QUERY && !info->interface->loopback)
        receive_query(info, header, packet->length);
    packet_free(packet);
}
