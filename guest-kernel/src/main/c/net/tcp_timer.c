#include "lib/errno.h"
#include "net/tcp_private.h"

#define RETRIES 15u                  /* tcp_retries2 of Linux: about 15 minutes (RFC 1122 4.2.3.5: >= 100 s) */
#define ORPHAN_RETRIES 7u            /* nobody waits for the outcome */
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

/* ---- Retransmission and probes: one timer, since only one can be needed ------------------------ */

static void start_retransmit_timer(struct tcp *tcp, nanoseconds wait, bool probing)
{
    tcp->probing = probing;
    tcp->retransmit_deadline = clock_monotonic() + wait;
    /* Moving the deadline back is the common case and costs nothing: the timer finds the new one. */
    if (!tcp->retransmit_timer.active || tcp->retransmit_timer.deadline > tcp->retransmit_deadline)
        start(tcp, &tcp->retransmit_timer, tcp->retransmit_deadline);
}

static nanoseconds backed_off(const struct tcp *tcp, unsigned times)
{
    nanoseconds rto = tcp->rto != 0 ? tcp->rto : TCP_RTO_INITIAL;
    return min_of(rto << min_of(times, 16u), (nanoseconds)TCP_RTO_MAXIMUM);
}

void tcp_retransmit_start(struct tcp *tcp)
{
    start_retransmit_timer(tcp, backed_off(tcp, tcp->backoffs), false);
}

void tcp_probe_start(struct tcp *tcp)
{
    start_retransmit_timer(tcp, tcp_held_by_cork(tcp) ? TCP_CORK_TIME : backed_off(tcp, tcp->probes), true);
}

void tcp_retransmit_stop(struct tcp *tcp)
{
    tcp->retransmit_deadline = 0;
    tcp->probing = false;
    stop(tcp, &tcp->retransmit_timer);
}

static unsigned retry_limit(const struct tcp *tcp)
{
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
        return tcp->kept.syn_retries != 0 ? tcp->kept.syn_retries : TCP_SYN_RETRIES;
    return tcp->socket == NULL && tcp->listener == NULL ? ORPHAN_RETRIES : RETRIES;
}

/* Has the peer been silent for too long? Then the connection is gone. */
static bool given_up(struct tcp *tcp, unsigned tries)
{
    nanoseconds now = clock_monotonic();
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
    tcp_congestion_timeout(tcp);
    tcp->recovery = TCP_LOSS;
    tcp->recover = tcp->send_max;
    tcp->duplicate_acks = 0;
    tcp->rtt_timing = false;
    tcp_sack_clear(tcp);              /* the peer may have thrown away what it reported (RFC 2018 8) */
    tcp->send_next = tcp->send_unacknowledged;
    tcp->high_retransmitted = tcp->send_unacknowledged;
    tcp_retransmit_start(tcp);
    tcp_output(tcp);
    if (tcp->send_next == tcp->send_unacknowledged)
        tcp_send_probe(tcp);          /* the peer took its window back: ask for it */
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

static void retransmit_expired(struct timer *timer)
{
    struct tcp *tcp = container_of(timer, struct tcp, retransmit_timer);
    net_lock();
    nanoseconds deadline = tcp->retransmit_deadline;
    if (tcp->state != TCP_CLOSED && deadline != 0) {
        if (deadline > clock_monotonic()) {
            start(tcp, timer, deadline);
        } else {
            tcp->retransmit_deadline = 0;
            if (tcp->probing)
                probe_timeout(tcp);
            else
                retransmit_timeout(tcp);
        }
    }
    tcp_put(tcp);
    net_unlock();
}

/* ---- Delayed acknowledgement -------------------------------------------------------------------------- */

void tcp_ack_delay(struct tcp *tcp)
{
    if (!tcp->ack_timer.active)
        start(tcp, &tcp->ack_timer, clock_monotonic() + DELAYED_ACK);
}

/* The timer is left running: stopping and starting it for every segment would cost more than one
 * look at the flags when it expires. */
void tcp_ack_sent(struct tcp *tcp)
{
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
    bool open = tcp->state != TCP_CLOSED && tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECEIVED;
    if (tcp->keep_alive && open)
        start(tcp, &tcp->keep_timer, clock_monotonic() + tcp->kept.keep_idle);
}

/* How long to wait for the FIN of a peer that has ours: TCP_LINGER2, and never less than a few retransmissions take. */
static nanoseconds fin_wait(const struct tcp *tcp)
{
    nanoseconds wanted = tcp->kept.fin_wait > 0 ? (nanoseconds)tcp->kept.fin_wait * NS_PER_SECOND : TCP_FIN_TIMEOUT;
    return max_of(wanted, tcp->rto * 7 / 2);
}

void tcp_orphan_timer_start(struct tcp *tcp)
{
    tcp->orphan_mark = tcp->send_unacknowledged;
    nanoseconds wait = tcp->state == TCP_FIN_WAIT_2 ? fin_wait(tcp) : TCP_FIN_TIMEOUT;
    start(tcp, &tcp->keep_timer, clock_monotonic() + wait);
}

void tcp_orphan_timer_expire(struct tcp *tcp)
{
    tcp->orphan_mark = tcp->send_unacknowledged;
    start(tcp, &tcp->keep_timer, clock_monotonic());
}

/* A peer that neither takes the rest nor says FIN, but keeps answering, could hold the memory for ever. */
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
    nanoseconds now = clock_monotonic();
    nanoseconds silence = now - max_of(tcp->last_received, tcp->last_sent);
    bool busy = tcp->send_max != tcp->send_unacknowledged || tcp->probing;
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
        if (tcp->socket == NULL && tcp->listener == NULL)
            orphan_timeout(tcp);
        else if (tcp->keep_alive)
            keep_alive_timeout(tcp);
    }
    tcp_put(tcp);
    net_unlock();
}

void tcp_timers_init(struct tcp *tcp)
{
    timer_init(&tcp->retransmit_timer, retransmit_expired);
    timer_init(&tcp->ack_timer, ack_expired);
    timer_init(&tcp->keep_timer, keep_expired);
}

void tcp_timers_stop(struct tcp *tcp)
{
    tcp->retransmit_deadline = 0;
    stop(tcp, &tcp->retransmit_timer);
    stop(tcp, &tcp->ack_timer);
    stop(tcp, &tcp->keep_timer);
}
