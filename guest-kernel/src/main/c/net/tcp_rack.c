/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RACK-TLP, RFC 8985: what was sent long enough before something that was delivered is lost, and the tail is probed
 * before the retransmission timer expires. A peer without SACK is understood to have one more segment with each
 * duplicate acknowledgement (tcp_sent_deliver_any), so there is one way to find losses.
 *
 * The time allowed for reordering is counted in quarters of the smoothed round trip, not of the shortest as the RFC has
 * it: one frame that overtakes all others makes the shortest one useless for the rest of the connection. Net lock.
 */
#include "net/tcp_private.h"

#define STEPS_MAXIMUM 64u /* a quarter each, and never more than the whole round trip counts */
#define PERSIST 16u       /* recoveries after which the window is small again: RFC 8985 6.2 step 4 */

void tcp_rack_init(struct tcp *tcp)
{
    must_hold_net();
    tcp->rack.steps = 1;
    tcp->rack.persist = PERSIST;
}

/* A duplicate of what was sent first makes a repeated segment seem delivered. */
static bool first_copy_arrived(const struct tcp *tcp, const struct tcp_sent *sent, nanoseconds rtt,
                               const struct tcp_delivery *delivery)
{
    uint32_t stamp = (uint32_t)(sent->when / NS_PER_MS) + tcp->timestamp_offset;
    return rtt < tcp->smoothed_rtt / 2 || (delivery->echo_present && seq_before(delivery->echo, stamp));
}

void tcp_rack_delivered(struct tcp *tcp, const struct tcp_sent *sent, uint32_t end, struct tcp_delivery *delivery)
{
    must_hold_net();
    struct tcp_rack *rack = &tcp->rack;
    nanoseconds rtt = net_now() - sent->when;
    delivery->bytes += end - sent->start;
    if (!sent->retransmitted) {
        nanoseconds sample = max_of(rtt, (nanoseconds)1);
        delivery->rtt = delivery->rtt == 0 ? sample : min_of(delivery->rtt, sample);
        rack->reordering_seen |= seq_before(end, delivery->highest);
    } else if (first_copy_arrived(tcp, sent, rtt, delivery)) {
        return;
    }
    rack->highest = rack->when != 0 ? seq_max(rack->highest, end) : end;
    if (sent->when > rack->when || (sent->when == rack->when && seq_before(rack->end, end))) {
        rack->when = sent->when;
        rack->end = end;
        rack->rtt = rtt;
    }
}

/* RFC 8985 6.2 step 4. */
static nanoseconds reordering_window(const struct tcp *tcp)
{
    bool sure = tcp->recovery != TCP_OPEN || tcp->delivered > 2u * tcp->mss;
    if (!tcp->rack.reordering_seen && sure)
        return 0;
    return min_of(tcp->rack.steps * tcp->smoothed_rtt / 4, tcp->smoothed_rtt);
}

void tcp_rack_widen(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_rack *rack = &tcp->rack;
    rack->reordering_seen = true;
    rack->persist = PERSIST;
    nanoseconds now = net_now();
    if (rack->widened != 0 && now - rack->widened < tcp->smoothed_rtt)
        return; /* once for each round trip */
    rack->widened = now;
    rack->steps = (uint8_t)min_of(rack->steps + 1u, STEPS_MAXIMUM);
}

void tcp_rack_recovered(struct tcp *tcp)
{
    must_hold_net();
    if (--tcp->rack.persist == 0)
        tcp_rack_init(tcp);
}

/* ---- Losses ------------------------------------------------------------------------------------------- */

static bool sent_before_delivered(const struct tcp *tcp, const struct tcp_sent *sent)
{
    const struct tcp_rack *rack = &tcp->rack;
    return sent->when < rack->when || (sent->when == rack->when && seq_before(sent->end, rack->end));
}

/* Those in flight are in the order of time, so the first that is not lost yet is the next that may be. */
void tcp_rack_detect(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_rack *rack = &tcp->rack;
    nanoseconds wait = rack->rtt + reordering_window(tcp), now = net_now();
    struct tcp_sent *sent;
    rack->deadline = 0;
    while ((sent = tcp_sent_oldest(tcp)) && sent_before_delivered(tcp, sent)) {
        if (sent->when + wait > now) {
            rack->deadline = sent->when + wait;
            return;
        }
        tcp_sent_lose(tcp, sent, false);
    }
}

/* RFC 8985 6.3: the first, and what was sent so long ago that it must have been delivered. */
void tcp_rack_timeout(struct tcp *tcp)
{
    must_hold_net();
    nanoseconds wait = tcp->rack.rtt + reordering_window(tcp), now = net_now();
    struct tcp_sent *sent;
    tcp->rack.deadline = 0;
    tcp->rack.probed = false;
    tcp_sent_disown_first(tcp); /* what the peer reported and did not acknowledge since, it has thrown away */
    while ((sent = tcp_sent_oldest(tcp)) && sent->when + wait <= now)
        tcp_sent_lose(tcp, sent, false);
    sent = tcp_sent_first(tcp);
    if (sent && sent->state == TCP_SENT_IN_FLIGHT)
        tcp_sent_lose(tcp, sent, true);
}

/* ---- The tail ----------------------------------------------------------------------------------------- */

bool tcp_rack_may_probe(const struct tcp *tcp)
{
    must_hold_net();
    return tcp->sack && tcp->recovery == TCP_OPEN && tcp->delivered == 0 && !tcp->rack.probed &&
           tcp->smoothed_rtt != 0 && tcp->backoffs == 0 && tcp->flight > 0;
}

void tcp_rack_probed(struct tcp *tcp, bool repeats)
{
    must_hold_net();
    tcp->rack.probed = true;
    tcp->rack.probe_repeats = repeats;
    tcp->rack.probe_end = tcp->send_next;
}

/* RFC 8985 7.4.2: a repeated tail has repaired a loss, which counts like any other, unless it is reported as duplicate
 * or answered by an acknowledgement without news. */
void tcp_rack_tail_acknowledged(struct tcp *tcp, const struct tcp_segment *segment, const struct tcp_delivery *delivery)
{
    must_hold_net();
    struct tcp_rack *rack = &tcp->rack;
    if (!rack->probed || seq_before(segment->acknowledgement, rack->probe_end))
        return;
    bool beyond = seq_before(rack->probe_end, segment->acknowledgement);
    bool plain = delivery->bytes == 0 && segment->options.sack_count == 0 && segment->length == 0;
    bool needless = !rack->probe_repeats || delivery->duplicate || plain;
    if (!beyond && !needless)
        return;
    rack->probed = false;
    if (needless || tcp->recovery != TCP_OPEN)
        return;
    tcp_congestion_loss(tcp);
    tcp->congestion.window = tcp->congestion.slow_start_threshold;
}
