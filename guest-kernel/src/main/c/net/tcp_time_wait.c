/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed connections whose segments may still be around, as small records in the place of the connections: what is
 * needed to acknowledge a repeated FIN, and to know a new connection of the same pair from the old one.
 *
 * A record is in the table and in by_age. All wait equally long, so the first of by_age expires first, and one timer,
 * which runs while there are records, serves all. There are at most TIME_WAIT_LIMIT; then the oldest one goes early.
 *
 * Called by tcp_connection.c (add), tcp_input.c (input), tcp_table.c and tcp_socket.c (reuse). Net lock; the timer's
 * callback takes it.
 */
#include "core/heap.h"
#include "net/tcp_private.h"

#define TIME_WAIT_LIMIT 4096u /* records; about 0.5 MiB. The oldest is dropped first */
/* From the end of the connection, however often the peer sends its FIN: two of RFC 9293's MSL of two minutes. */
#define LONGEST_TIME (240 * NS_PER_SECOND)

struct time_wait {
    struct tcp_entry entry;
    struct list age_link;
    nanoseconds began, deadline;
    nanoseconds last_challenge; /* 0: none yet */
    uint32_t send_next, receive_next;
    uint32_t timestamp_recent, timestamp_offset;
    bool timestamps;
};

static struct list by_age = LIST_INIT(by_age); /* all wait equally long: the oldest expires first */
static unsigned count;
static struct timer expiry;

static struct time_wait *of(struct tcp_entry *entry) { return container_of(entry, struct time_wait, entry); }

static void forget(struct time_wait *wait)
{
    tcp_table_remove(&wait->entry);
    list_remove(&wait->age_link);
    heap_free(wait);
    count--;
}

static void expire(struct timer *timer)
{
    net_lock();
    nanoseconds now = net_now();
    list_for_each_safe (node, &by_age) {
        struct time_wait *wait = list_entry(node, struct time_wait, age_link);
        if (wait->deadline > now) {
            timer_start(timer, wait->deadline);
            break;
        }
        forget(wait);
    }
    net_unlock();
}

void tcp_time_wait_init(void) { timer_init(&expiry, expire); }

static void restart(struct time_wait *wait)
{
    list_remove(&wait->age_link);
    list_push_back(&by_age, &wait->age_link);
    wait->deadline = net_now() + TCP_TIME_WAIT_TIME;
    if (!expiry.active)
        timer_start(&expiry, wait->deadline);
}

bool tcp_time_wait_add(const struct tcp *tcp)
{
    must_hold_net();
    if (count == TIME_WAIT_LIMIT)
        forget(list_entry(by_age.next, struct time_wait, age_link));
    struct time_wait *wait = heap_allocate_zeroed_at(sizeof(*wait), PAGES_RESERVED);
    if (!wait)
        return false;
    wait->entry = tcp->entry;
    wait->entry.kind = TCP_ENTRY_TIME_WAIT;
    wait->send_next = tcp->send_next;
    wait->receive_next = tcp->receive_next;
    wait->timestamps = tcp->timestamps;
    wait->timestamp_recent = tcp->timestamp_recent;
    wait->timestamp_offset = tcp->timestamp_offset;
    wait->began = net_now();
    list_init(&wait->age_link);
    tcp_table_add(&wait->entry);
    count++;
    restart(wait);
    return true;
}

static void acknowledge(struct time_wait *wait)
{
    struct tcp_header_fields header = {
        .local = wait->entry.local,
        .remote = wait->entry.remote,
        .sequence = wait->send_next,
        .acknowledgement = wait->receive_next,
        .flags = TCP_ACK,
        .time_to_live = IP_DEFAULT_TTL,
        .options.timestamp_present = wait->timestamps,
        .options.timestamp = tcp_clock_ms() + wait->timestamp_offset,
        .options.timestamp_echo = wait->timestamp_recent,
    };
    tcp_transmit_bare(&header);
}

/* RFC 7323 5.2: a timestamp of the past. */
static bool is_outdated(const struct time_wait *wait, const struct tcp_segment *segment)
{
    return wait->timestamps && segment->options.timestamp_present &&
           seq_before(segment->options.timestamp, wait->timestamp_recent);
}

/* RFC 6191: a SYN that is provably newer than everything of the old connection. */
static bool is_new_connection(const struct time_wait *wait, const struct tcp_segment *segment)
{
    if ((segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN || is_outdated(wait, segment))
        return false;
    if (wait->timestamps && segment->options.timestamp_present &&
        seq_before(wait->timestamp_recent, segment->options.timestamp))
        return true;
    return seq_before(wait->receive_next, segment->sequence);
}

/* Our last ACK was lost. Only someone who knows the peer's sequence number can make a record stay longer. */
static bool is_repeated_fin(const struct time_wait *wait, const struct tcp_segment *segment)
{
    return segment->flags & TCP_FIN && tcp_segment_end(segment) == wait->receive_next && !is_outdated(wait, segment);
}

/* What a peer of the past sends is answered now and then only, as that of a connection (RFC 5961 7). */
static void challenge(struct time_wait *wait)
{
    nanoseconds now = net_now();
    if (wait->last_challenge != 0 && now - wait->last_challenge < TCP_CHALLENGE_INTERVAL)
        return;
    wait->last_challenge = now;
    acknowledge(wait);
}

bool tcp_time_wait_input(struct tcp_entry *entry, const struct tcp_segment *segment)
{
    must_hold_net();
    struct time_wait *wait = of(entry);
    if (is_new_connection(wait, segment)) {
        forget(wait);
        return true;
    }
    /* Resets are ignored, or they would shorten the wait (RFC 1337). */
    if (segment->flags & TCP_RST)
        return false;
    if (is_repeated_fin(wait, segment)) {
        if (net_now() - wait->began <= LONGEST_TIME - TCP_TIME_WAIT_TIME)
            restart(wait);
        acknowledge(wait);
    } else if (segment->flags & (TCP_FIN | TCP_SYN) || segment->length > 0) {
        challenge(wait);
    }
    return false;
}

bool tcp_time_wait_reuse(struct tcp_entry *entry)
{
    must_hold_net();
    struct time_wait *wait = of(entry);
    /* After a second our timestamps are larger than all of the old connection's. */
    bool old_enough = net_now() + TCP_TIME_WAIT_TIME - wait->deadline > NS_PER_SECOND;
    if (!wait->timestamps || !old_enough)
        return false;
    forget(wait);
    return true;
}
