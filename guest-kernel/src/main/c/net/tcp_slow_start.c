/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow start (RFC 5681 3.1), and its end before the queue on the way overflows: HyStart++ (RFC 9406). When round trips
 * take longer than in the round before, the window grows slowly for some rounds; if the time goes down again, it was
 * chance and slow start goes on. Net lock.
 */
#include "net/tcp_private.h"

#define RTT_DIVISOR 8u    /* RFC 9406 4.3, as all that follow */
#define RTT_MINIMUM 4000u /* microseconds */
#define RTT_MAXIMUM 16000u
#define SAMPLES 8u
#define GROWTH_DIVISOR 4u
#define ROUNDS 5u
#define SEGMENTS_AT_ONCE 8u /* L, without pacing */

static void next_round(struct tcp *tcp)
{
    struct tcp_slow_start *s = &tcp->slow_start;
    s->last_round_rtt = s->round_rtt;
    s->round_rtt = 0;
    s->samples = 0;
    s->round_end = tcp->send_next;
    if (s->baseline_rtt != 0 && ++s->rounds == ROUNDS)
        tcp->congestion.slow_start_threshold = tcp->congestion.window;
}

static void look_at_round(struct tcp *tcp)
{
    struct tcp_slow_start *s = &tcp->slow_start;
    if (s->samples < SAMPLES)
        return;
    if (s->baseline_rtt != 0) {
        if (s->round_rtt < s->baseline_rtt)
            s->baseline_rtt = 0;
        return;
    }
    uint32_t more = min_of(max_of(s->last_round_rtt / RTT_DIVISOR, RTT_MINIMUM), RTT_MAXIMUM);
    if (s->last_round_rtt != 0 && s->round_rtt >= s->last_round_rtt + more) {
        s->baseline_rtt = s->round_rtt;
        s->rounds = 0;
    }
}

static void sample(struct tcp *tcp, nanoseconds rtt)
{
    struct tcp_slow_start *s = &tcp->slow_start;
    if (rtt == 0)
        return;
    uint32_t microseconds = (uint32_t)min_of(max_of(rtt / NS_PER_US, (nanoseconds)1), (nanoseconds)UINT32_MAX);
    s->round_rtt = s->round_rtt == 0 ? microseconds : min_of(s->round_rtt, microseconds);
    s->samples = (uint8_t)min_of(s->samples + 1u, SAMPLES);
    look_at_round(tcp);
}

void tcp_slow_start_acked(struct tcp *tcp, uint32_t bytes, nanoseconds rtt)
{
    must_hold_net();
    struct tcp_congestion *c = &tcp->congestion;
    bool first = c->slow_start_threshold == TCP_CONGESTION_MAXIMUM; /* later the end is known */
    if (first && !seq_before(tcp->send_unacknowledged, tcp->slow_start.round_end))
        next_round(tcp);
    if (first)
        sample(tcp, rtt);
    uint32_t limit = tcp->recovery == TCP_LOSS ? tcp->mss : SEGMENTS_AT_ONCE * tcp->mss; /* RFC 3465 2.2, 2.3 */
    uint32_t growth = min_of(bytes, limit);
    if (first && tcp->slow_start.baseline_rtt != 0)
        growth /= GROWTH_DIVISOR;
    c->window = min_of(c->window + growth, TCP_CONGESTION_MAXIMUM);
}
