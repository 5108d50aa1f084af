/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to send now. tcp_output() may be called at any time, after whatever may let something go: it sends what is lost
 * first, then new data, as far as both windows and the rules about short segments allow, and sees to it that a timer
 * runs while something is under way or held back.
 *
 * A transmission has a record in the scoreboard (tcp_sent.c) before it goes; without memory for that or for the packet
 * it does not go, and a timer tries again. What was promised to the peer, receive_edge, never moves back. Data and
 * plain acknowledgements carry everything that is to be acknowledged, so no acknowledgement is due after them.
 *
 * Called by tcp_input.c, tcp_stream.c, tcp_socket.c, tcp_socket_options.c, tcp_timer.c, tcp_connection.c and, for
 * single segments, other files of TCP. Net lock.
 */
#include "net/interface.h"
#include "net/tcp_private.h"

#define SEGMENTATION_LIMIT 61440u /* payload given to the device at once: 15 pages */

static struct tcp_header_fields header_of(struct tcp *tcp, uint32_t sequence, uint8_t flags)
{
    struct tcp_header_fields header = {
        .local = tcp->entry.local,
        .remote = tcp->entry.remote,
        .sequence = sequence,
        .flags = flags,
        .type_of_service = tcp->type_of_service,
        .time_to_live = tcp->time_to_live,
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

/* A duplicate comes first (RFC 2883 4), then what was received out of order. */
static void add_sack(struct tcp *tcp, struct tcp_header_fields *header)
{
    struct tcp_options *options = &header->options;
    unsigned limit = tcp->timestamps ? 3 : 4;
    if (!tcp->sack)
        return;
    if (seq_before(tcp->duplicate.start, tcp->duplicate.end))
        options->sack[options->sack_count++] = tcp->duplicate;
    tcp->duplicate = (struct tcp_range){ 0 };
    options->sack_count += tcp_sack_blocks(tcp, options->sack + options->sack_count, limit - options->sack_count);
}

static void note_acknowledged(struct tcp *tcp)
{
    tcp->last_ack_sent = tcp->receive_next;
    tcp_ack_sent(tcp);
}

void tcp_send_ack(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_header_fields header = header_of(tcp, tcp->send_next, TCP_ACK);
    announce_window(tcp, &header);
    add_sack(tcp, &header);
    tcp_transmit_bare(&header);
    note_acknowledged(tcp);
}

void tcp_send_probe(struct tcp *tcp)
{
    must_hold_net();
    /* An old sequence number makes the peer answer with its acknowledgement and window (RFC 9293 3.8.4). */
    struct tcp_header_fields header = header_of(tcp, tcp->send_unacknowledged - 1, TCP_ACK);
    announce_window(tcp, &header);
    tcp_transmit_bare(&header);
    tcp->last_sent = net_now();
}

static bool send_segment(struct tcp *tcp, uint32_t length, bool fin);

bool tcp_held_by_cork(const struct tcp *tcp)
{
    must_hold_net();
    uint32_t window_end = tcp->send_unacknowledged + tcp->send_window;
    return seq_before(tcp->send_next, tcp->send_end) && seq_up_to(tcp->send_end, window_end);
}

void tcp_send_into_small_window(struct tcp *tcp)
{
    must_hold_net();
    uint32_t payload = seq_before(tcp->send_next, tcp->send_end) ? tcp->send_end - tcp->send_next : 0;
    uint32_t length = min_of(min_of(payload, (uint32_t)tcp->mss), tcp->send_window);
    if (length > 0)
        (void)send_segment(tcp, length, false);
}

void tcp_send_reset(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_header_fields header = header_of(tcp, tcp->send_next, TCP_RST | TCP_ACK);
    tcp_transmit_reset(&header);
}

void tcp_send_syn(struct tcp *tcp)
{
    must_hold_net();
    bool answer = tcp->state == TCP_SYN_RECEIVED; /* simultaneous open */
    struct tcp_header_fields header = header_of(tcp, tcp->send_unacknowledged, answer ? TCP_SYN | TCP_ACK : TCP_SYN);
    header.window = tcp_first_window(tcp->receive_limit, &tcp->kept);
    header.options.mss = tcp->announced_mss;
    header.options.sack_permitted = tcp->sack;
    header.options.window_scale_present = tcp->scaling;
    header.options.window_scale = tcp->receive_shift;
    tcp_transmit_bare(&header);
    tcp->send_next = tcp->send_unacknowledged + 1;
    tcp->last_sent = net_now();
    if (answer)
        tcp->receive_edge = tcp->receive_next + header.window;
}

static bool device_segments(struct tcp *tcp)
{
    struct ip_route route;
    /* One pointer cannot be right for all of a device's segments. */
    if (tcp->urgent || ip_route(tcp->entry.remote.address, &route) < 0 || route.interface->loopback)
        return false;
    const struct network_device *device = route.interface->device;
    return ip_is_ipv4(tcp->entry.remote.address) ? device->segmentation_offload : device->segmentation_offload_ipv6;
}

/* Sends a packet, new or again. */
static void transmit(struct tcp *tcp, struct packet *packet, uint32_t sequence, uint32_t length, bool fin)
{
    struct tcp_header_fields header = header_of(tcp, sequence, TCP_ACK | (fin ? TCP_FIN : 0));
    if (length > 0 && sequence + length == tcp->send_end)
        header.flags |= TCP_PSH;
    if (tcp->urgent && seq_before(sequence, tcp->urgent_end) && tcp->urgent_end - sequence <= 65535) {
        header.flags |= TCP_URG;
        header.urgent = (uint16_t)(tcp->urgent_end - sequence);
    }
    announce_window(tcp, &header);
    header.segment_size = tcp->mss;
    tcp_transmit(packet, &header);
    note_acknowledged(tcp);
    tcp->last_sent = net_now();
    if (length > 0 && tcp->accepted_side)
        net_milestone_reached(NET_FIRST_RESPONSE);
}

/* Sends up to `length` bytes of what was not sent yet, and FIN after them if asked; false: no memory. */
static bool send_segment(struct tcp *tcp, uint32_t length, bool fin)
{
    struct tcp_sent *sent = tcp_sent_new(tcp);
    if (!sent)
        return false;
    uint32_t sequence = tcp->send_next, wanted = length;
    struct packet *packet = tcp_queue_packet(tcp, &tcp->send_chunk, sequence, &length);
    if (!packet) {
        tcp_sent_free(tcp, sent);
        return false;
    }
    fin = fin && length == wanted;
    sent->chunk = length > 0 ? tcp->send_chunk : NULL;
    sent->start = sequence;
    sent->end = tcp->send_next = sequence + length + fin;
    tcp_sent_add(tcp, sent, net_now());
    tcp_recovery_sent(tcp, length);
    if (length % tcp->mss != 0)
        tcp->small_end = sequence + length;
    transmit(tcp, packet, sequence, length, fin);
    return true;
}

/* What is given to the device at once of so much, at most: whole segments. */
static uint32_t most_at_once(struct tcp *tcp, uint32_t payload)
{
    return payload > tcp->mss && device_segments(tcp) ? max_of(SEGMENTATION_LIMIT / tcp->mss, 1u) * tcp->mss : tcp->mss;
}

/* Sends up to `most` bytes of a record again, which is cut to that; false: no memory. */
static bool send_again(struct tcp *tcp, struct tcp_sent *sent, uint32_t most)
{
    bool fin = seq_before(tcp->send_end, sent->end);
    uint32_t payload = sent->end - sent->start - fin, length = min_of(payload, most);
    struct packet *packet = tcp_queue_packet(tcp, &sent->chunk, sent->start, &length);
    if (!packet)
        return false;
    fin = fin && length == payload;
    if (seq_before(sent->start + length + fin, sent->end) && !tcp_sent_split(tcp, sent, sent->start + length)) {
        packet_free(packet);
        return false;
    }
    tcp_sent_again(tcp, sent, net_now());
    tcp_recovery_sent_again(tcp, length + fin);
    transmit(tcp, packet, sent->start, length, fin);
    return true;
}

static uint32_t in_window(const struct tcp *tcp, uint32_t sequence)
{
    uint32_t window_end = tcp->send_unacknowledged + tcp->send_window;
    return seq_before(sequence, window_end) ? window_end - sequence : 0;
}

/* What the congestion window has room for: whole segments only, or it would cut silly ones. */
static uint32_t congestion_room(const struct tcp *tcp)
{
    uint32_t room = tcp->flight < tcp->congestion.window ? tcp->congestion.window - tcp->flight : 0;
    return room < tcp->mss && tcp->flight > 0 ? 0 : room;
}

/* What was lost goes first. False: no more of it may be sent now. */
static bool send_lost(struct tcp *tcp)
{
    struct tcp_sent *sent = tcp_sent_lost(tcp);
    uint32_t room = congestion_room(tcp);
    if (!sent || room == 0)
        return false;
    bool only_fin = sent->start == tcp->send_end;
    uint32_t most = min_of(in_window(tcp, sent->start), most_at_once(tcp, sent->end - sent->start));
    if (most == 0 && !only_fin)
        return false;
    if (room < most)
        most = max_of(room / tcp->mss, 1u) * tcp->mss;
    return send_again(tcp, sent, most);
}

void tcp_send_tail_probe(struct tcp *tcp)
{
    must_hold_net();
    uint32_t payload = seq_before(tcp->send_next, tcp->send_end) ? tcp->send_end - tcp->send_next : 0;
    uint32_t length = min_of(min_of(payload, (uint32_t)tcp->mss), in_window(tcp, tcp->send_next));
    if (length > 0) {
        if (send_segment(tcp, length, false))
            tcp_rack_probed(tcp, false);
        return;
    }
    struct tcp_sent *last = tcp_sent_last(tcp);
    uint32_t size = last->end - last->start;
    if (size > tcp->mss && tcp_sent_split(tcp, last, last->end - ((size - 1) % tcp->mss + 1)))
        last = tcp_sent_last(tcp);
    if (last->state == TCP_SENT_IN_FLIGHT && send_again(tcp, last, tcp->mss))
        tcp_rack_probed(tcp, true);
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
    if (rest == 0 || (is_rest && short_segment_may_go(tcp)))
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
    uint32_t payload = seq_before(sequence, tcp->send_end) ? tcp->send_end - sequence : 0;
    if (payload == 0 && !tcp->fin_queued)
        return false;
    uint32_t by_window = in_window(tcp, sequence), by_congestion = congestion_room(tcp);
    uint32_t most = min_of(min_of(payload, most_at_once(tcp, payload)), min_of(by_window, by_congestion));
    if (by_congestion < min_of(payload, by_window))
        tcp->congestion.limited = true;
    *length = whole_segments(tcp, most, most == payload);
    *fin = tcp->fin_queued && sequence + *length == tcp->send_end && seq_up_to(sequence, tcp->send_end);
    return *length > 0 || *fin;
}

static bool may_send_data(const struct tcp *tcp)
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

/* False: there was no memory for all that may be sent. */
static bool send_new(struct tcp *tcp)
{
    uint32_t length;
    bool fin;
    while (next_segment(tcp, &length, &fin))
        if (!send_segment(tcp, length, fin))
            return false;
    return true;
}

/* The tail may be probed only so long after it was sent; other deadlines stay, unless there was none. */
static void start_timer_after(struct tcp *tcp, bool sent_new, bool no_memory)
{
    bool outstanding = tcp->send_next != tcp->send_unacknowledged;
    bool none = tcp->retransmit_deadline == 0 || tcp->deadline == TCP_DEADLINE_WINDOW;
    bool moves = sent_new && tcp->deadline == TCP_DEADLINE_TAIL;
    if ((none && outstanding) || moves || (no_memory && tcp->retransmit_deadline == 0))
        tcp_retransmit_start(tcp); /* without memory, it tries again */
}

static void send_data(struct tcp *tcp)
{
    uint32_t before = tcp->send_next;
    while (send_lost(tcp))
        ;
    bool no_memory = !send_new(tcp);
    start_timer_after(tcp, tcp->send_next != before, no_memory);
}

/* Something waits, nothing is in flight, and the window or a cork keeps it back: a timer is needed. */
static bool something_is_held_back(const struct tcp *tcp)
{
    return seq_before(tcp->send_next, tcp->send_end + tcp->fin_queued) && tcp->send_next == tcp->send_unacknowledged &&
           tcp->retransmit_deadline == 0;
}

void tcp_output(struct tcp *tcp)
{
    must_hold_net();
    if (may_send_data(tcp)) {
        nanoseconds now = net_now();
        bool idle = tcp->send_next == tcp->send_unacknowledged && tcp->rto != 0 && now - tcp->last_sent > tcp->rto;
        if (idle && seq_before(tcp->send_next, tcp->send_end))
            tcp_congestion_idle(tcp);
        send_data(tcp);
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
