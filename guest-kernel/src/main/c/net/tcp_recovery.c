/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loss does to the rate. A recovery begins with the first loss and ends when everything sent by then is
 * acknowledged: losses of one window count once. Meanwhile the window is what proportional rate reduction (RFC 6937)
 * allows, so that sending goes on at the new rate without a pause or a burst. After the retransmission timer has
 * expired it is slow start.
 *
 * A recovery is taken back when nothing was lost: the first acknowledgement answers what was sent first (RFC 3522), or
 * all that was sent again is reported as duplicate (RFC 3708). Then the window is what it was before (RFC 4015), and
 * more reordering is allowed for. Net lock.
 */
#include "net/tcp_private.h"

/* Each acknowledgement of this much is a whole segment's worth of progress. */
static uint32_t segment_of(const struct tcp *tcp) { return max_of((uint32_t)tcp->mss, 1u); }

/* ---- Taking it back ----------------------------------------------------------------------------------- */

static void remember(struct tcp *tcp)
{
    tcp->undo = (struct tcp_undo){ .possible = true, .start = tcp->send_unacknowledged, .before = tcp->congestion };
}

static void undo(struct tcp *tcp)
{
    tcp_sent_lost_nothing(tcp);
    tcp->congestion = tcp->undo.before;
    tcp->undo.possible = false;
    tcp->recovery = TCP_OPEN;
    tcp_rack_widen(tcp);
}

/* True if the first acknowledgement of a recovery is one of what was sent first. */
static bool spurious(const struct tcp *tcp, const struct tcp_delivery *delivery)
{
    return !tcp->undo.retransmitted || (delivery->echo_present && seq_before(delivery->echo, tcp->undo.stamp));
}

void tcp_recovery_duplicate(struct tcp *tcp, const struct tcp_range *range)
{
    must_hold_net();
    struct tcp_undo *u = &tcp->undo;
    if (seq_before(tcp->recover, range->end) || seq_before(range->start, u->start))
        return; /* not of the last recovery */
    tcp_rack_widen(tcp);
    u->unreported -= min_of(u->unreported, range->end - range->start);
    if (u->possible && u->retransmitted && u->unreported == 0)
        undo(tcp);
}

/* ---- Proportional rate reduction ---------------------------------------------------------------------- */

void tcp_recovery_sent(struct tcp *tcp, uint32_t bytes)
{
    must_hold_net();
    tcp->reduction.sent += bytes;
}

void tcp_recovery_sent_again(struct tcp *tcp, uint32_t bytes)
{
    must_hold_net();
    struct tcp_undo *u = &tcp->undo;
    tcp->total_retransmits++;
    tcp_counts.retransmits++;
    tcp->reduction.sent += bytes;
    u->unreported += bytes;
    if (u->retransmitted)
        return;
    u->retransmitted = true;
    u->stamp = tcp_clock_ms() + tcp->timestamp_offset;
}

/* RFC 6937 3.1, with the slow start bound only while all goes well (its section 3, and RFC 9937's SafeACK). */
static uint32_t may_send(const struct tcp *tcp, uint32_t delivered, bool safe)
{
    const struct tcp_reduction *r = &tcp->reduction;
    uint32_t threshold = tcp->congestion.slow_start_threshold;
    uint32_t more = r->delivered > r->sent ? r->delivered - r->sent : 0;
    if (tcp->flight > threshold) {
        uint64_t share = ((uint64_t)r->delivered * threshold + r->flight - 1) / max_of(r->flight, 1u);
        return share > r->sent ? (uint32_t)(share - r->sent) : 0;
    }
    if (safe)
        more = max_of(more, delivered) + segment_of(tcp);
    return min_of(threshold - tcp->flight, more);
}

static void reduce_window(struct tcp *tcp, uint32_t delivered, bool safe)
{
    tcp->reduction.delivered += delivered;
    uint32_t count = may_send(tcp, delivered, safe);
    if (tcp->reduction.sent == 0 || tcp->flight == 0) /* the first is sent again at once; and never stop */
        count = max_of(count, segment_of(tcp));
    tcp->congestion.window = tcp->flight + count;
}

/* ---- Beginning and end -------------------------------------------------------------------------------- */

static void enter(struct tcp *tcp, const struct tcp_delivery *delivery)
{
    remember(tcp);
    tcp_congestion_loss(tcp);
    tcp->recovery = TCP_RECOVERY;
    tcp->recover = tcp->send_next;
    tcp->reduction = (struct tcp_reduction){ .flight = tcp->send_next - tcp->send_unacknowledged };
    reduce_window(tcp, delivery->bytes, false);
}

static void leave(struct tcp *tcp)
{
    if (tcp->recovery == TCP_RECOVERY)
        tcp->congestion.window = tcp->congestion.slow_start_threshold;
    tcp->recovery = TCP_OPEN;
    tcp_rack_recovered(tcp);
}

static void go_on(struct tcp *tcp, const struct tcp_delivery *delivery, bool advanced, bool more_lost)
{
    if (tcp->recovery == TCP_RECOVERY) {
        reduce_window(tcp, delivery->bytes, advanced && !more_lost);
        return;
    }
    tcp->congestion.limited = true;
    tcp_congestion_acked(tcp, delivery->bytes, 0);
}

void tcp_recovery_progress(struct tcp *tcp, const struct tcp_delivery *delivery, bool advanced)
{
    must_hold_net();
    const struct tcp_sent *lost = tcp_sent_lost(tcp);
    bool in_recovery = tcp->recovery != TCP_OPEN;
    if (in_recovery && advanced && tcp->undo.possible && spurious(tcp, delivery))
        undo(tcp);
    else if (in_recovery && advanced && tcp->timestamps)
        tcp->undo.possible = false;
    if (advanced && !tcp->sack)
        tcp_sent_disown_first(tcp); /* it was not what the duplicates were about (RFC 6582) */
    tcp_rack_detect(tcp);
    if (tcp->recovery != TCP_OPEN && !seq_before(tcp->send_unacknowledged, tcp->recover))
        leave(tcp);
    if (tcp->recovery != TCP_OPEN)
        go_on(tcp, delivery, advanced, !lost && tcp_sent_lost(tcp));
    else if (tcp_sent_lost(tcp))
        enter(tcp, delivery);
    else if (advanced || tcp->rack.reordering_seen) /* else a hole may be a loss: RFC 3042 */
        tcp_congestion_acked(tcp, delivery->bytes, delivery->rtt);
}

void tcp_recovery_timeout(struct tcp *tcp)
{
    must_hold_net();
    if (tcp->recovery == TCP_OPEN) {
        remember(tcp);
        tcp_congestion_loss(tcp);
        tcp->recover = tcp->send_next;
    }
    tcp->recovery = TCP_LOSS;
    tcp_rack_timeout(tcp);
    tcp->congestion.window = tcp->flight + segment_of(tcp);
}
