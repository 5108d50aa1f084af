/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an acknowledgement does. tcp_process_ack() first asks whether it is plausible (RFC 5961). It then takes the SACK
 * blocks, the window and the advance, which frees what was queued; from these follow the round trip, recovery,
 * congestion and timers; last comes what the acknowledgement of our FIN changes.
 *
 * send_unacknowledged never moves back and never passes send_next, and only what lies between the two is acknowledged
 * or reported (reportable()). An old acknowledgement is no error: its segment may bring new data.
 *
 * Called by tcp_input.c for each segment that is acceptable; tcp_output() is called there afterwards. The connection
 * may be closed on return (false), so the caller has a reference. tcp_sample_rtt() is also for handshakes. Net lock.
 */
#include "net/tcp_private.h"

#define SEND_LIMIT_FACTOR 2u /* the send buffer follows the congestion window */

/* RFC 6298 2. */
void tcp_sample_rtt(struct tcp *tcp, nanoseconds sample)
{
    must_hold_net();
    if (tcp->smoothed_rtt == 0) {
        tcp->smoothed_rtt = max_of(sample, (nanoseconds)1);
        tcp->rtt_variation = sample / 2;
    } else {
        nanoseconds error = sample > tcp->smoothed_rtt ? sample - tcp->smoothed_rtt : tcp->smoothed_rtt - sample;
        tcp->rtt_variation += error / 4;
        tcp->rtt_variation -= tcp->rtt_variation / 4;
        tcp->smoothed_rtt += sample / 8;
        tcp->smoothed_rtt -= tcp->smoothed_rtt / 8;
    }
    nanoseconds rto = tcp->smoothed_rtt + max_of(4 * tcp->rtt_variation, TCP_RTO_MINIMUM);
    tcp->rto = min_of(rto, (nanoseconds)TCP_RTO_MAXIMUM);
}

static void update_window(struct tcp *tcp, const struct tcp_segment *segment)
{
    bool newer = seq_before(tcp->window_sequence, segment->sequence) ||
                 (tcp->window_sequence == segment->sequence &&
                  seq_up_to(tcp->window_acknowledgement, segment->acknowledgement));
    if (!newer)
        return;
    tcp->send_window = (uint32_t)segment->window << tcp->send_shift;
    tcp->send_window_max = max_of(tcp->send_window_max, tcp->send_window);
    tcp->window_sequence = segment->sequence;
    tcp->window_acknowledgement = segment->acknowledgement;
    if (tcp->deadline == TCP_DEADLINE_WINDOW && tcp->send_window > 0)
        tcp_retransmit_stop(tcp); /* tcp_output() goes on, or probes a window that is still too small */
}

static void tune_send_limit(struct tcp *tcp)
{
    bool fixed = tcp->socket && tcp->socket->socket.send_buffer != 0;
    uint32_t wanted = min_of(SEND_LIMIT_FACTOR * tcp->congestion.window, socket_buffer_maximum());
    if (!fixed && wanted > tcp->send_limit && net_memory() == NET_MEMORY_PLENTY)
        tcp->send_limit = wanted;
}

static void fin_acknowledged(struct tcp *tcp)
{
    switch (tcp->state) {
    case TCP_FIN_WAIT_1:
        tcp->state = TCP_FIN_WAIT_2;
        if (!tcp->socket && tcp->kept.fin_wait < 0)
            tcp_close(tcp, 0);
        else if (!tcp->socket)
            tcp_orphan_timer_start(tcp);
        break;
    case TCP_CLOSING:
        tcp_enter_time_wait(tcp);
        break;
    case TCP_LAST_ACK:
        tcp_close(tcp, 0);
        break;
    default:
        break;
    }
}

/* ---- What the peer has ---------------------------------------------------------------------------------- */

static bool contains(const struct tcp_range *range, const struct tcp_range *inner)
{
    return seq_up_to(range->start, inner->start) && seq_up_to(inner->end, range->end);
}

/* RFC 2883 4: the first block is about a duplicate if it is acknowledged, or lies in the second. */
static bool reports_duplicate(const struct tcp_segment *segment)
{
    const struct tcp_range *sack = segment->options.sack;
    if (segment->options.sack_count == 0 || !seq_before(sack->start, sack->end))
        return false;
    bool in_second = segment->options.sack_count > 1 && contains(sack + 1, sack);
    return in_second || seq_up_to(sack->end, segment->acknowledgement);
}

/* Only what lies in what was sent and is not acknowledged. */
static bool reportable(const struct tcp *tcp, const struct tcp_range *range)
{
    return seq_before(range->start, range->end) && seq_up_to(tcp->send_unacknowledged, range->start) &&
           seq_up_to(range->end, tcp->send_next);
}

static void take_sack(struct tcp *tcp, const struct tcp_segment *segment, struct tcp_delivery *delivery)
{
    if (!tcp->sack)
        return;
    delivery->duplicate = reports_duplicate(segment);
    if (delivery->duplicate)
        tcp_recovery_duplicate(tcp, segment->options.sack);
    for (unsigned i = delivery->duplicate; i < segment->options.sack_count; i++)
        if (reportable(tcp, &segment->options.sack[i]))
            tcp_sent_deliver(tcp, &segment->options.sack[i], delivery);
}

static void advance(struct tcp *tcp, uint32_t acknowledgement, struct tcp_delivery *delivery)
{
    tcp_sent_acknowledged(tcp, acknowledgement, delivery);
    tcp->send_unacknowledged = acknowledgement;
    tcp->small_end = seq_max(tcp->small_end, acknowledgement);
    tcp->push_end = seq_max(tcp->push_end, acknowledgement);
    if (tcp->urgent && seq_up_to(tcp->urgent_end, acknowledgement))
        tcp->urgent = false;
    tcp_queue_acknowledged(tcp, acknowledgement);
    tcp->backoffs = 0;
    tcp->soft_error = 0;
}

/* What follows from it for sending. */
static void digest(struct tcp *tcp, const struct tcp_delivery *delivery, bool advanced)
{
    if (delivery->rtt != 0)
        tcp_sample_rtt(tcp, delivery->rtt);
    tcp_recovery_progress(tcp, delivery, advanced);
    if (advanced) {
        tcp->congestion.limited = false;
        tune_send_limit(tcp);
        tcp_wake_writer(tcp);
    }
    if (tcp->send_next != tcp->send_unacknowledged)
        tcp_retransmit_start(tcp);
    else if (advanced)
        tcp_retransmit_stop(tcp);
}

bool tcp_process_ack(struct tcp *tcp, const struct tcp_segment *segment)
{
    must_hold_net();
    uint32_t ack = segment->acknowledgement;
    /* RFC 5961 5.2: blind injections have to guess this as well. */
    if (seq_before(tcp->send_next, ack) || seq_before(ack, tcp->send_unacknowledged - tcp->send_window_max)) {
        tcp_challenge(tcp);
        return false;
    }
    if (seq_before(ack, tcp->send_unacknowledged))
        return true; /* old: its data may still be new */
    tcp->probes = 0;
    uint32_t old_window = tcp->send_window;
    struct tcp_delivery delivery = { .highest = tcp->rack.when != 0 ? tcp->rack.highest : tcp->send_unacknowledged,
                                     .echo = segment->options.timestamp_echo,
                                     .echo_present = tcp->timestamps && segment->options.timestamp_present };
    bool advanced = seq_before(tcp->send_unacknowledged, ack);
    bool outstanding = tcp->send_next != tcp->send_unacknowledged;
    take_sack(tcp, segment, &delivery);
    update_window(tcp, segment);
    if (tcp->send_window == 0)
        tcp->backoffs = 0; /* a peer that answers may stay closed (RFC 1122 4.2.2.17) */
    bool pure = segment->length == 0 && !(segment->flags & (TCP_SYN | TCP_FIN)) && old_window == tcp->send_window;
    if (!tcp->sack && outstanding && pure && !advanced)
        tcp_sent_deliver_any(tcp, &delivery);
    if (advanced)
        advance(tcp, ack, &delivery);
    tcp_rack_tail_acknowledged(tcp, segment, &delivery);
    if (delivery.bytes > 0 || advanced)
        digest(tcp, &delivery, advanced);
    if (tcp->fin_queued && advanced && seq_before(tcp->send_end, tcp->send_unacknowledged))
        fin_acknowledged(tcp);
    return tcp->state != TCP_CLOSED;
}
