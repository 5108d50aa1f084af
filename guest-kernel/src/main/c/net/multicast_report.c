/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports to routers about the groups of multicast.c. Each group knows when its next report is due (report_at;
 * NO_DEADLINE: none is) and how many unsolicited ones are left. One timer serves all, and never expires after the first
 * that is due. A query makes a report due after a random time, unless it is due sooner anyway.
 *
 * With sources the first report of a change says what has changed (RFC 3376 5.1, RFC 3810 6.1), and the ones that
 * repeat it say all that is wanted now, so that no change has to be remembered until then. A query of sources is
 * answered like one of their group, with all of them.
 *
 * Called by multicast.c, when a membership has changed, by igmp.c and mld.c for queries, and by interface.c and nd.c.
 * Net lock; the timer's callback takes it.
 */
#include "net/multicast_report.h"

#include "core/random.h"
#include "net/ip6.h"
#include "threads/timer.h"

#define REPORTS MULTICAST_ROBUSTNESS         /* unsolicited ones of a change: RFC 3376 8.1, RFC 3810 9.1 */
#define UNSOLICITED NS_PER_SECOND            /* at most between them: RFC 3376 8.11, RFC 3810 9.11 */
#define UNSOLICITED_OLD (10 * NS_PER_SECOND) /* RFC 2236 8.10, RFC 2710 7.10 */

static struct timer report_timer;

/* ---- Queriers ---- */

/* From 128 on the interval is a floating-point number; zeros stand for the defaults. */
struct multicast_querier multicast_read_querier(uint8_t robustness, uint8_t interval, nanoseconds response)
{
    unsigned seconds = interval < 128 ? interval : (unsigned)((interval & 15) | 16) << ((interval >> 4 & 7) + 3);
    return (struct multicast_querier){
        .robustness = robustness & 7 ? robustness & 7 : MULTICAST_ROBUSTNESS,
        .interval = seconds > 0 ? seconds * NS_PER_SECOND : MULTICAST_QUERY_INTERVAL,
        .response = response,
    };
}

nanoseconds multicast_older_querier(const struct multicast_querier *querier)
{
    return querier->robustness * querier->interval + querier->response;
}

/* ---- Reports ---- */

static const struct multicast_protocol *protocol_of(const struct multicast_group *group)
{
    return ip_is_ipv4(group->address) ? &igmp_protocol : &mld_protocol;
}

/* Reports go to devices only, since there are no routers on loopback. All hosts, and groups that are not to leave the
 * machine, are never reported (RFC 3376 5, RFC 3810 6). */
static bool is_reported(const struct multicast_group *group)
{
    struct ip_address address = group->address;
    if (group->interface->loopback)
        return false;
    if (ip_is_ipv4(address))
        return ipv4_of(address) != MULTICAST_ALL_HOSTS;
    return !ip_same(address, IP6_ALL_NODES) && (address.high >> 8 & 0xf) > 1; /* the scope: RFC 4291 2.7 */
}

static nanoseconds unsolicited(const struct multicast_group *group)
{
    return protocol_of(group)->has_sources() ? UNSOLICITED : UNSOLICITED_OLD;
}

static bool is_wanted(const struct multicast_state *state) { return state->exclude || state->count > 0; }

static void report(const struct multicast_group *group, bool changed)
{
    const struct multicast_protocol *protocol = protocol_of(group);
    struct multicast_state state;
    multicast_state(group, &state);
    if (!is_wanted(&state))
        return;
    uint8_t is = state.exclude ? IS_EXCLUDE : IS_INCLUDE, to = state.exclude ? TO_EXCLUDE : TO_INCLUDE;
    if (protocol->has_sources())
        protocol->send_record(group, changed ? to : is, state.sources, state.count);
    else
        protocol->send_old(group, true);
}

/* ---- Changes ---- */

/* The sources of one list that are not in the other, if there are any. */
static bool send_difference(const struct multicast_group *group, uint8_t record, const struct multicast_state *of,
                            const struct multicast_state *without)
{
    struct ip_address sources[MULTICAST_STATE_SOURCES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < of->count; i++)
        if (!multicast_names(without, of->sources[i]))
            sources[count++] = of->sources[i];
    if (count > 0)
        protocol_of(group)->send_record(group, record, sources, count);
    return count > 0;
}

/* False if nothing has changed. */
static bool send_change(const struct multicast_group *group, const struct multicast_state *before,
                        const struct multicast_state *after)
{
    if (before->exclude != after->exclude) {
        protocol_of(group)->send_record(group, after->exclude ? TO_EXCLUDE : TO_INCLUDE, after->sources, after->count);
        return true;
    }
    /* What is added to a list that excludes is blocked, and what is taken out of it allowed. */
    const struct multicast_state *allowing = after->exclude ? before : after;
    const struct multicast_state *blocking = after->exclude ? after : before;
    bool allowed = send_difference(group, ALLOW_NEW, allowing, blocking);
    return send_difference(group, BLOCK_OLD, blocking, allowing) || allowed;
}

/* Older versions have members and no sources. */
static bool send_old_change(const struct multicast_group *group, bool before, bool after)
{
    if (before == after)
        return false;
    protocol_of(group)->send_old(group, after);
    return true;
}

/* ---- Timing ---- */

static void report_due(struct multicast_group *group, void *context)
{
    nanoseconds now = net_now(), *next = context;
    if (group->report_at <= now) {
        report(group, group->reports_left > 0);
        group->reports_left -= group->reports_left > 0;
        group->report_at = group->reports_left > 0 ? now + 1 + random_below(unsolicited(group)) : NO_DEADLINE;
    }
    *next = min_of(*next, group->report_at);
}

static void timer_expired(struct timer *timer)
{
    nanoseconds next = NO_DEADLINE;
    net_lock();
    for (unsigned i = 0; i < interface_count(); i++)
        multicast_leave_unneeded(interface_at(i));
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

void multicast_report_init(void) { timer_init(&report_timer, timer_expired); }

void multicast_changed(struct multicast_group *group, const struct multicast_state *before)
{
    must_hold_net();
    struct multicast_state after;
    bool sourced = protocol_of(group)->has_sources();
    if (!is_reported(group))
        return;
    multicast_state(group, &after);
    bool wanted = is_wanted(&after);
    if (!(sourced ? send_change(group, before, &after) : send_old_change(group, is_wanted(before), wanted)))
        return;
    group->reports_left = REPORTS - 1;
    if (wanted)
        report_at(group, net_now() + 1 + random_below(unsolicited(group)));
    for (unsigned i = 1; sourced && !wanted && i < REPORTS; i++)
        (void)send_change(group, before, &after); /* the group may be gone when its time comes */
}

/* ---- For all ---- */

struct query {
    const struct interface *interface;
    struct ip_address group; /* 0.0.0.0 or ::, of all */
    nanoseconds most;        /* to be answered within it */
};

static void answer_later(struct multicast_group *group, void *context)
{
    const struct query *query = context;
    bool asked = ip_is_any(query->group) ? ip_is_ipv4(query->group) == ip_is_ipv4(group->address)
                                         : ip_same(query->group, group->address);
    if (asked && group->interface == query->interface && is_reported(group))
        report_at(group, net_now() + 1 + random_below(query->most));
}

void multicast_answer(const struct interface *interface, struct ip_address group, nanoseconds most)
{
    must_hold_net();
    struct query query = { interface, ip6_outside(group), most };
    multicast_for_each(answer_later, &query);
}

struct again {
    const struct interface *interface;
    bool ipv4;
};

static void report_soon(struct multicast_group *group, void *context)
{
    const struct again *again = context;
    if (group->interface != again->interface || ip_is_ipv4(group->address) != again->ipv4 || !is_reported(group))
        return;
    group->reports_left = REPORTS;
    report_at(group, net_now() + 1 + random_below(UNSOLICITED));
}

void multicast_report_again(const struct interface *interface, bool ipv4)
{
    must_hold_net();
    struct again again = { interface, ipv4 };
    multicast_for_each(report_soon, &again);
}
