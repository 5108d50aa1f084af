/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CUBIC (RFC 9438) in integers. Windows are bytes, times nanoseconds; inside the cubic function
 * windows are counted in segments and times in milliseconds, which keeps every product in 64 bits.
 */
#include "net/tcp_private.h"

#define BETA_NUMERATOR 7u /* RFC 9438 4.6: beta_cubic = 0.7 */
#define BETA_DENOMINATOR 10u
#define K_LIMIT (100 * NS_PER_SECOND) /* the cubic function is not evaluated further out */

/* RFC 6928 2. */
static uint32_t initial_window(uint32_t mss) { return min_of(10 * mss, max_of(2 * mss, 14600u)); }

void tcp_congestion_init(struct tcp *tcp)
{
    must_hold_net();
    tcp->congestion = (struct tcp_congestion){
        .window = initial_window(tcp->mss),
        .slow_start_threshold = TCP_CONGESTION_MAXIMUM,
    };
    tcp->slow_start = (struct tcp_slow_start){ .round_end = tcp->send_unacknowledged };
}

static uint64_t cube_root(uint64_t x)
{
    uint64_t root = 0;
    for (int shift = 63; shift >= 0; shift -= 3) {
        root *= 2;
        uint64_t candidate = 3 * root * (root + 1) + 1;
        if (x >> shift >= candidate) {
            x -= candidate << shift;
            root++;
        }
    }
    return root;
}

static void start_epoch(struct tcp *tcp)
{
    struct tcp_congestion *c = &tcp->congestion;
    c->epoch = net_now();
    c->window_estimate = c->window;
    if (c->window_max <= c->window) {
        c->window_max = c->window;
        c->k = 0;
        return;
    }
    /* K = cbrt((W_max - cwnd) / C) seconds with C = 0.4 segments/s^3; in ms: cbrt(d * 2.5 * 10^9). */
    uint64_t segments = (c->window_max - c->window) / tcp->mss;
    c->k = min_of(cube_root(segments * 2500000000ULL) * NS_PER_MS, (uint64_t)K_LIMIT);
}

/* W_cubic(t), bytes: C * (t - K)^3 + W_max, C = 0.4 segments/s^3. */
static uint64_t cubic_window(const struct tcp *tcp, nanoseconds t)
{
    const struct tcp_congestion *c = &tcp->congestion;
    bool before = t < c->k;
    uint64_t distance = min_of(before ? c->k - t : t - c->k, (nanoseconds)K_LIMIT) / NS_PER_MS; /* <= 10^5 */
    uint64_t delta = distance * distance * distance / 2500000000ULL * tcp->mss;
    if (before)
        return delta < c->window_max ? c->window_max - delta : 0;
    return min_of(c->window_max + delta, (uint64_t)TCP_CONGESTION_MAXIMUM);
}

static void grow_cubic(struct tcp *tcp, uint32_t bytes)
{
    struct tcp_congestion *c = &tcp->congestion;
    if (c->epoch == 0)
        start_epoch(tcp);
    nanoseconds t = net_now() - c->epoch + tcp->smoothed_rtt;
    uint64_t target = min_of(max_of(cubic_window(tcp, t), (uint64_t)c->window), c->window + c->window / 2ULL);
    /* What Reno would have (RFC 9438 4.3): alpha = 3 * (1 - beta) / (1 + beta) = 9/17, and 1 where it was before. */
    uint64_t alpha = c->window_estimate < c->window_prior ? 9 : 17;
    c->window_estimate += (uint32_t)((uint64_t)bytes * tcp->mss * alpha / 17 / c->window);
    if (c->window_estimate > target)
        c->window = c->window_estimate;
    target = max_of(target, (uint64_t)c->window);
    uint64_t growth = (target - c->window) * bytes / c->window;
    c->acked_fraction += bytes;
    if (growth == 0 && c->acked_fraction >= 100 * c->window) { /* RFC 9438 4.4: slowly, but not never */
        growth = tcp->mss;
        c->acked_fraction = 0;
    }
    c->window = (uint32_t)min_of(c->window + growth, (uint64_t)TCP_CONGESTION_MAXIMUM);
}

void tcp_congestion_acked(struct tcp *tcp, uint32_t bytes, nanoseconds rtt)
{
    must_hold_net();
    const struct tcp_congestion *c = &tcp->congestion;
    if (!c->limited)
        return; /* RFC 7661: no growth that was not used */
    if (c->window < c->slow_start_threshold)
        tcp_slow_start_acked(tcp, bytes, rtt);
    else
        grow_cubic(tcp, bytes);
}

void tcp_congestion_loss(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_congestion *c = &tcp->congestion;
    /* RFC 9438 4.7, fast convergence: a second reduction below the old maximum yields to newcomers. */
    c->window_max = c->window < c->window_max ? (uint32_t)((uint64_t)c->window * 17 / 20) : c->window;
    c->window_prior = c->window;
    uint32_t reduced = (uint32_t)((uint64_t)c->window * BETA_NUMERATOR / BETA_DENOMINATOR);
    c->slow_start_threshold = max_of(reduced, 2u * tcp->mss);
    c->epoch = 0;
    c->acked_fraction = 0;
}

void tcp_congestion_idle(struct tcp *tcp)
{
    must_hold_net();
    uint32_t restart = initial_window(tcp->mss); /* RFC 5681 4.1 */
    tcp->congestion.window = min_of(tcp->congestion.window, restart);
    tcp->congestion.epoch = 0;
}
