#include "net/interface.h"
#include "net/tcp_private.h"

#define SEGMENTATION_LIMIT 61440u    /* payload given to the device at once: 15 pages */

static struct tcp_header_fields header_of(struct tcp *tcp, uint32_t sequence, uint8_t flags)
{
    struct tcp_header_fields header = {
        .local = tcp->entry.local, .remote = tcp->entry.remote, .sequence = sequence, .flags = flags,
        .type_of_service = tcp->type_of_service, .time_to_live = tcp->time_to_live,
    };
    if (flags & TCP_ACK)
        header.acknowledgement = tcp->receive_next;
    if (tcp->timestamps) {
        header.options.timestamp_present = true;
        header.options.timestamp = tcp_clock_ms() + tcp->timestamp_offset;
        header.options.timestamp_echo = tcp->timestamp_recent;
    }
    return header;
}

static void announce_window(struct tcp *tcp, struct tcp_header_fields *header)
{
    uint32_t window = tcp_window_to_announce(tcp);
    header->window = (uint16_t)min_of(window >> tcp->receive_shift, 65535u);
    uint32_t edge = tcp->receive_next + ((uint32_t)header->window << tcp->receive_shift);
    tcp->receive_edge = seq_max(tcp->receive_edge, edge);
}

static void add_sack(struct tcp *tcp, struct tcp_header_fields *header)
{
    if (tcp->sack)
        header->options.sack_count = tcp_sack_blocks(tcp, header->options.sack, tcp->timestamps ? 3 : 4);
}

static void note_acknowledged(struct tcp *tcp)
{
    tcp->last_ack_sent = tcp->receive_next;
    tcp_ack_sent(tcp);
}

void tcp_send_ack(struct tcp *tcp)
{
    struct tcp_header_fields header = header_of(tcp, tcp->send_next, TCP_ACK);
    /* After a timeout send_next lies back; the peer must not take this for old news. */
    header.sequence = seq_max(tcp->send_next, tcp->send_max);
    announce_window(tcp, &header);
    add_sack(tcp, &header);
    tcp_transmit_bare(&header);
    note_acknowledged(tcp);
}

void tcp_send_probe(struct tcp *tcp)
{
    /* An old sequence number makes the peer answer with its acknowledgement and window (RFC 9293 3.8.4). */
    struct tcp_header_fields header = header_of(tcp, tcp->send_unacknowledged - 1, TCP_ACK);
    announce_window(tcp, &header);
    tcp_transmit_bare(&header);
    tcp->last_sent = clock_monotonic();
}

static bool send_segment(struct tcp *tcp, uint32_t sequence, uint32_t *length, bool fin);

bool tcp_held_by_cork(const struct tcp *tcp)
{
    uint32_t window_end = tcp->send_unacknowledged + tcp->send_window;
    return seq_before(tcp->send_next, tcp->send_end) && seq_up_to(tcp->send_end, window_end);
}

void tcp_send_into_small_window(struct tcp *tcp)
{
    uint32_t text = seq_before(tcp->send_next, tcp->send_end) ? tcp->send_end - tcp->send_next : 0;
    uint32_t length = min_of(min_of(text, (uint32_t)tcp->mss), tcp->send_window);
    uint32_t sequence = tcp->send_next;
    if (length > 0 && send_segment(tcp, sequence, &length, false))
        tcp->send_next += length;
}

void tcp_send_reset(struct tcp *tcp)
{
    struct tcp_header_fields header = header_of(tcp, tcp->send_max, TCP_RST | TCP_ACK);
    tcp_transmit_bare(&header);
}

void tcp_send_syn(struct tcp *tcp)
{
    bool answer = tcp->state == TCP_SYN_RECEIVED;      /* simultaneous open */
    struct tcp_header_fields header =
        header_of(tcp, tcp->send_unacknowledged, answer ? TCP_SYN | TCP_ACK : TCP_SYN);
    header.window = tcp_first_window(tcp->receive_limit, &tcp->kept);
    header.options.mss = tcp->announced_mss;
    header.options.sack_permitted = tcp->sack;
    header.options.window_scale_present = tcp->scaling;
    header.options.window_scale = tcp->receive_shift;
    tcp_transmit_bare(&header);
    tcp->send_next = tcp->send_max = tcp->send_unacknowledged + 1;
    tcp->last_sent = clock_monotonic();
    if (answer)
        tcp->receive_edge = tcp->receive_next + header.window;
}

static void time_segment(struct tcp *tcp, uint32_t sequence, nanoseconds now)
{
    if (tcp->timestamps || tcp->rtt_timing || seq_before(sequence, tcp->send_max))
        return;                       /* Karn: never one that is sent again (RFC 6298 3) */
    tcp->rtt_timing = true;
    tcp->rtt_sequence = sequence;
    tcp->rtt_started = now;
}

static bool device_segments(struct tcp *tcp)
{
    struct ip_route route;
    /* One pointer cannot be right for all of a device's segments. */
    if (tcp->urgent || ip_route(tcp->entry.remote.address, &route) < 0 || route.interface->loopback)
        return false;
    return route.interface->device->segmentation_offload;
}

/* Sends up to *length bytes from `sequence`, with FIN behind them if asked; false: no memory. */
static bool send_segment(struct tcp *tcp, uint32_t sequence, uint32_t *length, bool fin)
{
    uint32_t wanted = *length;
    struct packet *packet = tcp_queue_packet(tcp, sequence, length);
    if (packet == NULL)
        return false;
    fin = fin && *length == wanted;
    uint32_t end = sequence + *length + fin;
    nanoseconds now = clock_monotonic();
    struct tcp_header_fields header = header_of(tcp, sequence, TCP_ACK | (fin ? TCP_FIN : 0));
    if (*length > 0 && sequence + *length == tcp->send_end)
        header.flags |= TCP_PSH;
    if (tcp->urgent && seq_before(sequence, tcp->urgent_end) && tcp->urgent_end - sequence <= 65535) {
        header.flags |= TCP_URG;
        header.urgent = (uint16_t)(tcp->urgent_end - sequence);
    }
    announce_window(tcp, &header);
    header.segment_size = tcp->mss;
    time_segment(tcp, sequence, now);
    tcp_transmit(packet, &header);
    note_acknowledged(tcp);
    tcp->last_sent = now;
    if (*length > 0 && *length % tcp->mss != 0)
        tcp->small_end = sequence + *length;
    if (*length > 0 && tcp->accepted_side)
        net_milestone_reached(NET_FIRST_RESPONSE);
    if (seq_before(sequence, tcp->send_max)) {
        tcp->total_retransmits++;
        if (tcp->rtt_timing && seq_before(tcp->rtt_sequence, end) && !seq_before(tcp->rtt_sequence, sequence))
            tcp->rtt_timing = false;
    }
    tcp->send_max = seq_max(tcp->send_max, end);
    if (tcp->retransmit_deadline == 0 || tcp->probing)
        tcp_retransmit_start(tcp);
    return true;
}

/* Bytes that are on their way, as far as is known. */
static uint32_t flight_of(const struct tcp *tcp)
{
    if (tcp->recovery == TCP_RECOVERY && tcp->sack)
        return tcp_sack_pipe(tcp);
    uint32_t flight = tcp->send_next - tcp->send_unacknowledged;
    /* Duplicates say that something has left the network (RFC 3042, RFC 6582). */
    uint32_t left = tcp->sack ? tcp_sack_bytes(tcp) : tcp->duplicate_acks * (uint32_t)tcp->mss;
    if (tcp->recovery != TCP_OPEN)
        left = 0;
    return flight - min_of(flight, left);
}

void tcp_retransmit_first(struct tcp *tcp)
{
    uint32_t sequence = tcp->send_unacknowledged;
    uint32_t text = seq_before(sequence, tcp->send_end) ? tcp->send_end - sequence : 0;
    uint32_t length = min_of(text, (uint32_t)tcp->mss);
    uint32_t ahead = length;
    tcp_sack_skip(tcp, &sequence, &ahead);
    if (sequence != tcp->send_unacknowledged)
        return;
    length = min_of(length, ahead);
    bool fin = tcp->fin_queued && sequence + length == tcp->send_end && seq_before(tcp->send_end, tcp->send_max);
    if (send_segment(tcp, sequence, &length, fin))
        tcp->high_retransmitted = seq_max(tcp->high_retransmitted, sequence + length + fin);
}

/* Fills holes the peer reported as long as the window allows (RFC 6675 5, step C). */
static bool fill_hole(struct tcp *tcp)
{
    struct tcp_range hole;
    if (!tcp_sack_next_lost(tcp, &hole))
        return false;
    uint32_t length = min_of(hole.end - hole.start, (uint32_t)tcp->mss);
    if (seq_before(tcp->send_end, hole.start + length))        /* the hole is the FIN's */
        length = seq_before(hole.start, tcp->send_end) ? tcp->send_end - hole.start : 0;
    bool fin = tcp->fin_queued && hole.start + length == tcp->send_end && seq_before(tcp->send_end, hole.end);
    if (!send_segment(tcp, hole.start, &length, fin))
        return false;
    tcp->high_retransmitted = hole.start + length + fin;
    return length + fin > 0;
}

/* Nagle's algorithm in Minshall's form: a short segment waits while another one is unacknowledged. Corked ones wait for
 * more, for the end of the cork, or TCP_CORK_TIME. */
static bool short_segment_may_go(const struct tcp *tcp)
{
    if (tcp->fin_queued || tcp->urgent || seq_up_to(tcp->send_end, tcp->push_end))
        return true;
    if (tcp->kept.cork || tcp->more)
        return false;
    return tcp->kept.no_delay || seq_up_to(tcp->small_end, tcp->send_unacknowledged);
}

/* How much of `length` bytes to send now: whole segments, and a short rest only if that may go. */
static uint32_t whole_segments(const struct tcp *tcp, uint32_t length, bool is_rest)
{
    uint32_t rest = length % tcp->mss;
    bool again = seq_before(tcp->send_next, tcp->send_max);
    if (rest == 0 || again)           /* what is sent again was once worth sending */
        return length;
    if (is_rest && short_segment_may_go(tcp))
        return length;
    /* Sender's silly window avoidance (RFC 9293 3.8.6.2.1): half of the largest window is worth it. */
    if (length == rest && !is_rest && length >= tcp->send_window_max / 2)
        return length;
    return length - rest;
}

/* The next segment from send_next on; false when nothing may be sent now. */
static bool next_segment(struct tcp *tcp, uint32_t *length, bool *fin)
{
    uint32_t sequence = tcp->send_next;
    uint32_t text = seq_before(sequence, tcp->send_end) ? tcp->send_end - sequence : 0;
    uint32_t ahead = text;
    tcp_sack_skip(tcp, &tcp->send_next, &ahead);
    if (tcp->send_next != sequence)
        return next_segment(tcp, length, fin);

    uint32_t window_end = tcp->send_unacknowledged + tcp->send_window;
    uint32_t by_window = seq_before(sequence, window_end) ? window_end - sequence : 0;
    uint32_t flight = flight_of(tcp);
    uint32_t by_congestion = flight < tcp->congestion.window ? tcp->congestion.window - flight : 0;
    /* Whole segments only: otherwise the congestion window would cut silly ones. */
    if (by_congestion < tcp->mss && flight > 0)
        by_congestion = 0;
    uint32_t limit = device_segments(tcp) ? max_of(SEGMENTATION_LIMIT / tcp->mss, 1u) * tcp->mss : tcp->mss;
    uint32_t most = min_of(min_of(ahead, limit), min_of(by_window, by_congestion));
    if (by_congestion < min_of(ahead, by_window))
        tcp->congestion.limited = true;
    *length = whole_segments(tcp, most, most == text);
    *fin = tcp->fin_queued && sequence + *length == tcp->send_end && seq_up_to(sequence, tcp->send_end);
    return *length > 0 || *fin;
}

static bool may_send_text(const struct tcp *tcp)
{
    switch (tcp->state) {
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT:
    case TCP_FIN_WAIT_1:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        return true;
    default:
        return false;
    }
}

static void send_new(struct tcp *tcp)
{
    uint32_t length;
    bool fin;
    while (next_segment(tcp, &length, &fin)) {
        uint32_t wanted = length;
        if (!send_segment(tcp, tcp->send_next, &length, fin)) {
            /* No memory: the retransmission timer tries again. */
            if (tcp->retransmit_deadline == 0)
                tcp_retransmit_start(tcp);
            return;
        }
        tcp->send_next += length + (fin && length == wanted);
    }
}

/* Something waits, nothing is under way, and the window or a cork keeps it back: a timer is needed. */
static bool something_is_held_back(const struct tcp *tcp)
{
    return seq_before(tcp->send_next, tcp->send_end + tcp->fin_queued) &&
           tcp->send_max == tcp->send_unacknowledged && tcp->retransmit_deadline == 0;
}

void tcp_output(struct tcp *tcp)
{
    if (may_send_text(tcp)) {
        nanoseconds now = clock_monotonic();
        bool idle = tcp->send_max == tcp->send_unacknowledged && tcp->rto != 0 && now - tcp->last_sent > tcp->rto;
        if (idle && seq_before(tcp->send_next, tcp->send_end))
            tcp_congestion_idle(tcp);
        if (tcp->recovery == TCP_RECOVERY && tcp->sack)
            while (tcp_sack_pipe(tcp) + tcp->mss <= tcp->congestion.window && fill_hole(tcp))
                ;
        send_new(tcp);
        if (tcp->kept.not_sent_low != 0)
            tcp_wake_writer(tcp);
        if (something_is_held_back(tcp))
            tcp_probe_start(tcp);
    }
    if (tcp->ack_now && tcp->state != TCP_CLOSED)
        tcp_send_ack(tcp);
    else if (tcp->ack_delayed)
        tcp_ack_delay(tcp);
}
