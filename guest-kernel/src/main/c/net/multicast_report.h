/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the groups that are wanted are reported to routers, for both families: igmp.c and mld.c know the messages. Net
 * lock, but for the functions about queriers, which need none.
 */
#pragma once

#include "net/multicast.h"

/* Record types of IGMP 3 (RFC 3376 4.2.12) and of MLD 2 (RFC 3810 5.2.12). To include no source is to be no member. */
enum { IS_INCLUDE = 1, IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4, ALLOW_NEW = 5, BLOCK_OLD = 6 };

/* How a family reports to routers. */
struct multicast_protocol {
    /* False while a querier speaks an older version: groups are then joined for every source. */
    bool (*has_sources)(void);
    /* Sends a report with one record, of at most MULTICAST_STATE_SOURCES sources. */
    void (*send_record)(const struct multicast_group *group, uint8_t record, const struct ip_address *sources,
                        uint32_t count);
    /* In the older version: the group has members, or has none any more. */
    void (*send_old)(const struct multicast_group *group, bool members);
};
extern const struct multicast_protocol igmp_protocol, mld_protocol;

/* What the querier said in its last query of the newest version. */
struct multicast_querier {
    unsigned robustness;
    nanoseconds interval, response; /* between general queries, and until they are answered */
};
#define MULTICAST_ROBUSTNESS 2                           /* RFC 3376 8.1, RFC 3810 9.1 */
#define MULTICAST_QUERY_INTERVAL (125 * NS_PER_SECOND)   /* RFC 3376 8.2, RFC 3810 9.2 */
#define MULTICAST_RESPONSE_INTERVAL (10 * NS_PER_SECOND) /* RFC 3376 8.3, RFC 3810 9.3 */
/* While none was heard. */
/* clang-format off */
#define MULTICAST_QUERIER { MULTICAST_ROBUSTNESS, MULTICAST_QUERY_INTERVAL, MULTICAST_RESPONSE_INTERVAL }
/* clang-format on */

/* Reads the byte with the robustness and that with the interval in seconds: RFC 3376 4.1.6 and 4.1.7, RFC 3810 5.1.8
 * and 5.1.9. `response`: the longest response time of the same query. */
struct multicast_querier multicast_read_querier(uint8_t robustness, uint8_t interval, nanoseconds response);
/* For how long a querier of an older version counts: RFC 3376 8.12, RFC 3810 9.12. */
nanoseconds multicast_older_querier(const struct multicast_querier *querier);

void multicast_report_init(void);
/*
 * The memberships of the group add up to something else than before, perhaps: reports what has changed. Without any
 * the group may be freed after the call.
 */
void multicast_changed(struct multicast_group *group, const struct multicast_state *before);
/* A query: reports the group, or with an address of 0 (IPv4) or :: all groups of its family, within the time. */
void multicast_answer(const struct interface *interface, struct ip_address group, nanoseconds most);
/* Reports all groups of one family as if they had just been joined: routers may not know of them. */
void multicast_report_again(const struct interface *interface, bool ipv4);
