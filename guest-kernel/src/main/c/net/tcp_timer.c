/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three timers of a connection: retransmit_timer for what `deadline` says, ack_timer, and keep_timer, which is for
 * keep-alive while the application has the connection and then limits the wait for the peer.
 *
 * Each timer that is active has a reference to the connection: start() takes it, stop() or the end of the callback
 * gives it back. A timer may expire too early, since it is not touched when a deadline becomes later, when everything
 * is acknowledged, or when an acknowledgement is sent; so callbacks look at what is due, and whether the connection is
 * still open.
 *
 * Called by the other files of TCP under the net lock; callbacks come in interrupt context and take it.
 */
#include "lib/errno.h"
#include "net/tcp_private.h"

#define RETRIES 15u                           /* tcp_retries2 of Linux: about 15 minutes (RFC 1122 4.2.3.5: >= 100 s) */
#define ORPHAN_RETRIES 7u                     /* no program waits for the outcome */
#define DELAYED_ACK_MAXIMUM (200 * NS_PER_MS) /* of the peer: RFC 8985 7.2, TLP.max_ack_delay */
#define TAIL_MINIMUM (2 * NS_PER_MS)
#define DELAYED_ACK (40 * NS_PER_MS) /* RFC 9293 3.8.6.3: < 0.5 s; Linux's minimum */

static void start(struct tcp *tcp, struct timer *timer, nanoseconds deadline)
{
    if (!timer->active)
        tcp->references++;
    timer_start(timer, deadline);
}

static void stop(struct tcp *tcp, struct timer *timer)
{
    if (timer_stop(timer))
        tcp_put(tcp);
}

/* ---- Retransmission, losses and probes: one timer, since only one can be needed ---------------- */

static void start_retransmit_timer(struct tcp *tcp, nanoseconds deadline, enum tcp_deadline what)
{
    tcp->deadline = what;
    tcp->retransmit_deadline = deadline;
    /* Moving the deadline back is the common case and costs nothing: the timer finds the new one. */
    if (!tcp->retransmit_timer.active || tcp->retransmit_timer.deadline > deadline)
        start(tcp, &tcp->retransmit_timer, deadline);
}

static nanoseconds backed_off(const struct tcp *tcp, unsigned times)
{
    nanoseconds rto = tcp->rto != 0 ? tcp->rto : TCP_RTO_INITIAL;
    return min_of(rto << min_of(times, 16u), (nanoseconds)TCP_RTO_MAXIMUM);
}

/* RFC 8985 7.2; never later than the retransmission timer would expire for what was sent first. */
static nanoseconds tail_deadline(const struct tcp *tcp, nanoseconds now)
{
    nanoseconds wait = 2 * tcp->smoothed_rtt + (tcp->flight <= tcp->mss ? DELAYED_ACK_MAXIMUM : TAIL_MINIMUM);
    nanoseconds limit = max_of(tcp_sent_oldest(tcp)->when + tcp->rto, now);
    return min_of(now + wait, limit);
}

static void start_retransmission(struct tcp *tcp)
{
    start_retransmit_timer(tcp, net_now() + backed_off(tcp, tcp->backoffs), TCP_DEADLINE_RETRANSMIT);
}

void tcp_retransmit_start(struct tcp *tcp)
{
    must_hold_net();
    if (tcp->rack.deadline != 0)
        start_retransmit_timer(tcp, tcp->rack.deadline, TCP_DEADLINE_REORDERED);
    else if (tcp_rack_may_probe(tcp))
        start_retransmit_timer(tcp, tail_deadline(tcp, net_now()), TCP_DEADLINE_TAIL);
    else
        start_retransmission(tcp);
}

void tcp_probe_start(struct tcp *tcp)
{
    must_hold_net();
    nanoseconds wait = tcp_held_by_cork(tcp) ? TCP_CORK_TIME : backed_off(tcp, tcp->probes);
    start_retransmit_timer(tcp, net_now() + wait, TCP_DEADLINE_WINDOW);
}

/* The timer is left running: the next segment mostly needs it again, with a later deadline. */
void tcp_retransmit_stop(struct tcp *tcp)
{
    must_hold_net();
    tcp->retransmit_deadline = 0;
    tcp->deadline = TCP_DEADLINE_RETRANSMIT;
}

static unsigned retry_limit(const struct tcp *tcp)
{
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
        return tcp->kept.syn_retries != 0 ? tcp->kept.syn_retries : TCP_SYN_RETRIES;
    return !tcp->socket && !tcp->listener ? ORPHAN_RETRIES : RETRIES;
}

/* Drops the connection if the peer has been silent for too long. */
static bool given_up(struct tcp *tcp, unsigned tries)
{
    nanoseconds now = net_now();
    if (tries == 0)
        tcp->first_timeout = now;
    bool too_long = tcp->kept.user_timeout != 0 && tries > 0 && now - tcp->first_timeout >= tcp->kept.user_timeout;
    if (tries < retry_limit(tcp) && !too_long)
        return false;
    tcp_close(tcp, tcp->soft_error != 0 ? tcp->soft_error : ETIMEDOUT);
    return true;
}

static void retransmit_timeout(struct tcp *tcp)
{
    if (given_up(tcp, tcp->backoffs))
        return;
    tcp->backoffs++;
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED) {
        tcp->total_retransmits++;
        tcp_send_syn(tcp);
        tcp_retransmit_start(tcp);
        return;
    }
    tcp_recovery_timeout(tcp);
    tcp_retransmit_start(tcp);
    tcp_output(tcp);
    if (tcp->flight == 0)
        tcp_send_probe(tcp); /* the peer took its window back: probe it */
}

/* What should have been delivered by now is lost. */
static void reordered_timeout(struct tcp *tcp)
{
    tcp_recovery_progress(tcp, &(struct tcp_delivery){ 0 }, false);
    tcp_retransmit_start(tcp);
    tcp_output(tcp);
}

/* Once for each tail, also where there was no memory for the probe: then another one would be due at once. */
static void tail_timeout(struct tcp *tcp)
{
    tcp_send_tail_probe(tcp);
    start_retransmission(tcp);
}

static void probe_timeout(struct tcp *tcp)
{
    bool corked = tcp_held_by_cork(tcp);
    if (!corked && given_up(tcp, tcp->probes))
        return;
    tcp->probes += !corked;
    if (tcp->send_window > 0)
        tcp_send_into_small_window(tcp);
    else
        tcp_send_probe(tcp);
    if (tcp->retransmit_deadline == 0)
        tcp_probe_start(tcp);
}

static void timeout(struct tcp *tcp)
{
    switch (tcp->deadline) {
    case TCP_DEADLINE_RETRANSMIT:
        retransmit_timeout(tcp);
        return;
    case TCP_DEADLINE_REORDERED:
        reordered_timeout(tcp);
        return;
    case TCP_DEADLINE_TAIL:
        tail_timeout(tcp);
        return;
    case TCP_DEADLINE_WINDOW:
        probe_timeout(tcp);
        return;
    }
}

static void retransmit_expired(struct timer *timer)
{
    struct tcp *tcp = container_of(timer, struct tcp, retransmit_timer);
    net_lock();
    nanoseconds deadline = tcp->retransmit_deadline;
    if (tcp->state != TCP_CLOSED && deadline != 0) {
        if (deadline > net_now()) {
            start(tcp, timer, deadline);
        } else {
            tcp->retransmit_deadline = 0;
            timeout(tcp);
        }
    }
    tcp_put(tcp);
    net_unlock();
}

/* ---- Delayed acknowledgement -------------------------------------------------------------------------- */

void tcp_ack_delay(struct tcp *tcp)
{
    must_hold_net();
    if (!tcp->ack_timer.active)
        start(tcp, &tcp->ack_timer, net_now() + DELAYED_ACK);
}

/* The timer is left running: stopping and starting it for every segment would cost more than one
 * look at the flags when it expires. */
void tcp_ack_sent(struct tcp *tcp)
{
    must_hold_net();
    tcp->ack_now = tcp->ack_delayed = false;
}

static void ack_expired(struct timer *timer)
{
    struct tcp *tcp = container_of(timer, struct tcp, ack_timer);
    net_lock();
    if (tcp->state != TCP_CLOSED && tcp->ack_delayed)
        tcp_send_ack(tcp);
    tcp_put(tcp);
    net_unlock();
}

/* ---- Keep-alive, and the end of closed connections ---------------------------------------------------- */

void tcp_keep_alive_start(struct tcp *tcp)
{
    must_hold_net();
    bool open = tcp->state != TCP_CLOSED && tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECEIVED;
    if (tcp->keep_alive && open)
        start(tcp, &tcp->keep_timer, net_now() + tcp->kept.keep_idle);
}

/* How long to wait for the FIN of a peer that has ours: TCP_LINGER2, and never less than a few retransmissions take. */
static nanoseconds fin_wait(const struct tcp *tcp)
{
    nanoseconds wanted = tcp->kept.fin_wait > 0 ? (nanoseconds)tcp->kept.fin_wait * NS_PER_SECOND : TCP_FIN_TIMEOUT;
    return max_of(wanted, tcp->rto * 7 / 2);
}

void tcp_orphan_timer_start(struct tcp *tcp)
{
    must_hold_net();
    tcp->orphan_mark = tcp->send_unacknowledged;
    nanoseconds wait = tcp->state == TCP_FIN_WAIT_2 ? fin_wait(tcp) : TCP_FIN_TIMEOUT;
    start(tcp, &tcp->keep_timer, net_now() + wait);
}

void tcp_orphan_timer_expire(struct tcp *tcp)
{
    must_hold_net();
    tcp->orphan_mark = tcp->send_unacknowledged;
    start(tcp, &tcp->keep_timer, net_now());
}

/* A peer that neither takes the rest nor sends a FIN, but keeps answering, could hold the memory without a limit. */
static void orphan_timeout(struct tcp *tcp)
{
    if (tcp->state == TCP_FIN_WAIT_2)
        tcp_close(tcp, 0);
    else if (tcp->orphan_mark == tcp->send_unacknowledged)
        tcp_abort(tcp, 0);
    else
        tcp_orphan_timer_start(tcp);
}

static void keep_alive_timeout(struct tcp *tcp)
{
    nanoseconds now = net_now();
    nanoseconds silence = now - max_of(tcp->last_received, tcp->last_sent);
    bool busy = tcp->send_next != tcp->send_unacknowledged || tcp->deadline == TCP_DEADLINE_WINDOW;
    if (tcp->probes == 0 && (silence < tcp->kept.keep_idle || busy)) {
        start(tcp, &tcp->keep_timer, now + (busy ? tcp->kept.keep_idle : tcp->kept.keep_idle - silence));
        return;
    }
    nanoseconds limit = tcp->kept.user_timeout;
    bool too_long = limit != 0 && now - tcp->last_received >= limit && tcp->probes > 0;
    if (tcp->probes >= tcp->kept.keep_count || too_long) {
        tcp_abort(tcp, tcp->soft_error != 0 ? tcp->soft_error : ETIMEDOUT);
        return;
    }
    tcp->probes++;
    tcp_send_probe(tcp);
    start(tcp, &tcp->keep_timer, now + tcp->kept.keep_interval);
}

static void keep_expired(struct timer *timer)
{
    struct tcp *tcp = container_of(timer, struct tcp, keep_timer);
    net_lock();
    if (tcp->state != TCP_CLOSED) {
        if (!tcp->socket && !tcp->listener)
            orphan_timeout(tcp);
        else if (tcp->keep_alive)
            keep_alive_timeout(tcp);
    }
    tcp_put(tcp);
    net_unlock();
}

void tcp_timers_init(struct tcp *tcp)
{
    must_hold_net();
    timer_init(&tcp->retransmit_timer, retransmit_expired);
    timer_init(&tcp->ack_timer, ack_expired);
    timer_init(&tcp->keep_timer, keep_expired);
}

void tcp_timers_stop(struct tcp *tcp)
{
    must_hold_net();
    tcp->retransmit_deadline = 0;
    stop(tcp, &tcp->retransmit_timer);
    stop(tcp, &tcp->ack_timer);
    stop(tcp, &tcp->keep_timer);
}
