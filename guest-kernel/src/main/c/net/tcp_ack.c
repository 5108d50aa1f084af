#include "net/tcp_private.h"

#define DUPLICATES_FOR_LOSS 3u       /* RFC 5681 3.2 */
#define SEND_LIMIT_FACTOR 2u         /* the send buffer follows the congestion window */

/* RFC 6298 2. */
void tcp_sample_rtt(struct tcp *tcp, nanoseconds sample)
{
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

static void measure(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (tcp->timestamps && segment->options.timestamp_present && segment->options.timestamp_echo != 0) {
        uint32_t elapsed = tcp_clock_ms() + tcp->timestamp_offset - segment->options.timestamp_echo;
        if (elapsed < 10 * 60 * 1000)   /* an echo of nothing we sent lately measures nothing */
            tcp_sample_rtt(tcp, elapsed * NS_PER_MS);
    } else if (tcp->rtt_timing && seq_before(tcp->rtt_sequence, segment->acknowledgement)) {
        tcp->rtt_timing = false;
        tcp_sample_rtt(tcp, clock_monotonic() - tcp->rtt_started);
    }
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
    if (tcp->probing && tcp->send_window > 0)
        tcp_retransmit_stop(tcp);     /* tcp_output() goes on, or probes a window that is still too small */
}

static void leave_recovery(struct tcp *tcp)
{
    if (tcp->recovery == TCP_RECOVERY)
        tcp->congestion.window = max_of(tcp->congestion.slow_start_threshold, (uint32_t)tcp->mss);
    tcp->recovery = TCP_OPEN;
    tcp->duplicate_acks = 0;
}

static void enter_recovery(struct tcp *tcp)
{
    tcp->recovery = TCP_RECOVERY;
    tcp->recover = tcp->send_max;
    tcp->high_retransmitted = tcp->send_unacknowledged;
    tcp_congestion_loss(tcp);
    if (!tcp->sack)                   /* RFC 6582 3.2 step 2: three segments have left the network */
        tcp->congestion.window += DUPLICATES_FOR_LOSS * tcp->mss;
    tcp_retransmit_first(tcp);
    tcp_retransmit_start(tcp);
}

static void advance_in_recovery(struct tcp *tcp, uint32_t bytes)
{
    if (!seq_before(tcp->send_unacknowledged, tcp->recover)) {
        leave_recovery(tcp);
        return;
    }
    if (tcp->recovery == TCP_LOSS) {
        tcp->congestion.limited = true;
        tcp_congestion_acked(tcp, bytes);
        return;
    }
    if (tcp->sack)
        return;                       /* the scoreboard says what to send: tcp_output() */
    /* A partial acknowledgement: the next hole (RFC 6582 3.2 step 3). */
    struct tcp_congestion *c = &tcp->congestion;
    c->window -= min_of(bytes, c->window - min_of(c->window, (uint32_t)tcp->mss));
    if (bytes >= tcp->mss)
        c->window += tcp->mss;
    tcp_retransmit_first(tcp);
}

static void tune_send_limit(struct tcp *tcp)
{
    bool fixed = tcp->socket != NULL && tcp->socket->socket.send_buffer != 0;
    uint32_t wanted = min_of(SEND_LIMIT_FACTOR * tcp->congestion.window, socket_buffer_maximum());
    if (!fixed && wanted > tcp->send_limit && net_memory() == NET_MEMORY_PLENTY)
        tcp->send_limit = wanted;
}

static void fin_acknowledged(struct tcp *tcp)
{
    switch (tcp->state) {
    case TCP_FIN_WAIT_1:
        tcp->state = TCP_FIN_WAIT_2;
        if (tcp->socket == NULL && tcp->kept.fin_wait < 0)
            tcp_close(tcp, 0);
        else if (tcp->socket == NULL)
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

static void advance(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t bytes = segment->acknowledgement - tcp->send_unacknowledged;
    measure(tcp, segment);
    tcp->send_unacknowledged = segment->acknowledgement;
    tcp->send_next = seq_max(tcp->send_next, tcp->send_unacknowledged);
    tcp->high_retransmitted = seq_max(tcp->high_retransmitted, tcp->send_unacknowledged);
    tcp->small_end = seq_max(tcp->small_end, tcp->send_unacknowledged);
    tcp->push_end = seq_max(tcp->push_end, tcp->send_unacknowledged);
    if (tcp->urgent && seq_up_to(tcp->urgent_end, tcp->send_unacknowledged))
        tcp->urgent = false;
    tcp_queue_acknowledged(tcp, tcp->send_unacknowledged);
    tcp_sack_forget(tcp, tcp->send_unacknowledged);
    tcp->backoffs = 0;
    tcp->soft_error = 0;
    if (tcp->recovery != TCP_OPEN) {
        advance_in_recovery(tcp, bytes);
    } else {
        tcp->duplicate_acks = 0;
        tcp_congestion_acked(tcp, bytes);
    }
    tcp->congestion.limited = false;
    tune_send_limit(tcp);
    if (tcp->send_max == tcp->send_unacknowledged)
        tcp_retransmit_stop(tcp);
    else
        tcp_retransmit_start(tcp);
    tcp_wake_writer(tcp);
    if (tcp->fin_queued && seq_before(tcp->send_end, tcp->send_unacknowledged))
        fin_acknowledged(tcp);
}

static void duplicate(struct tcp *tcp, bool sack_news)
{
    tcp->duplicate_acks++;
    if (tcp->recovery == TCP_RECOVERY && !tcp->sack)
        tcp->congestion.window += tcp->mss;
    if (tcp->recovery != TCP_OPEN)
        return;
    /* Losses of a window that was already answered do not count again (RFC 6582 3.2 step 1). */
    bool new_episode = !seq_before(tcp->send_unacknowledged, tcp->recover);
    bool lost = tcp->sack ? (sack_news && tcp_sack_lost(tcp, tcp->send_unacknowledged))
                          : tcp->duplicate_acks >= DUPLICATES_FOR_LOSS;
    if (new_episode && lost)
        enter_recovery(tcp);
}

bool tcp_process_ack(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t ack = segment->acknowledgement;
    /* RFC 5961 5.2: blind injections have to guess this as well. */
    if (seq_before(tcp->send_max, ack) || seq_before(ack, tcp->send_unacknowledged - tcp->send_window_max)) {
        tcp_challenge(tcp);
        return false;
    }
    if (seq_before(ack, tcp->send_unacknowledged))
        return true;                  /* old: its data may still be new */
    tcp->probes = 0;
    uint32_t old_window = tcp->send_window;
    bool sack_news = tcp_sack_update(tcp, segment);
    update_window(tcp, segment);
    if (tcp->send_window == 0)
        tcp->backoffs = 0;            /* a peer that answers may stay closed for ever (RFC 1122 4.2.2.17) */
    if (seq_before(tcp->send_unacknowledged, ack)) {
        advance(tcp, segment);
        if (sack_news && tcp->state != TCP_CLOSED && tcp->recovery == TCP_OPEN)
            duplicate(tcp, true);
        return tcp->state != TCP_CLOSED;
    }
    bool outstanding = tcp->send_max != tcp->send_unacknowledged;
    bool pure = segment->length == 0 && !(segment->flags & (TCP_SYN | TCP_FIN)) && old_window == tcp->send_window;
    if (outstanding && (pure || sack_news))
        duplicate(tcp, sack_news);
    return true;
}
