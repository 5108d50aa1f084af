/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A received segment. It belongs to what the table has for its addresses, a connection, a half-open request or a record
 * of TIME-WAIT, or else to a listener; if there is none it is refused. For a connection the steps are those of RFC 9293
 * 3.10.7, with the checks of RFC 5961 and RFC 7323: acceptable() answers or drops what it does not accept, and a reset
 * ends the connection there. Then come the acknowledgement, the data cut to the window and the FIN, and at last
 * tcp_output().
 *
 * Each step may close the connection, which functions report as false, so tcp_connection_input() holds a reference. The
 * function that is given the packet frees it. ICMP is believed only about sequence numbers that are under way.
 *
 * Called by ip_input.c and icmp.c, and by tcp_listen.c with the segment that completes a handshake. Net lock.
 */
#include "lib/errno.h"
#include "net/ip6.h"
#include "net/tcp_private.h"

#define TIMESTAMP_LIFETIME (24ULL * 24 * 3600 * NS_PER_SECOND) /* RFC 7323 5.5 */

void tcp_init(void)
{
    tcp_segment_init();
    tcp_table_init();
    tcp_time_wait_init();
    tcp_memory_init();
}

void tcp_challenge(struct tcp *tcp)
{
    must_hold_net();
    nanoseconds now = net_now();
    if (tcp->last_challenge != 0 && now - tcp->last_challenge < TCP_CHALLENGE_INTERVAL)
        return;
    tcp->last_challenge = now;
    tcp_send_ack(tcp);
}

/* ---- Finding the owner ------------------------------------------------------------------------------- */

static void to_listener(struct tcp_segment *segment, struct packet *packet)
{
    struct tcp_socket *listener = tcp_find_listener(segment->local, segment->remote);
    if (listener) {
        tcp_listener_input(listener, segment, packet);
        return;
    }
    tcp_refuse(segment);
    packet_free(packet);
}

static void to_entry(struct tcp_entry *entry, struct tcp_segment *segment, struct packet *packet)
{
    switch (entry->kind) {
    case TCP_ENTRY_CONNECTION:
        tcp_connection_input(container_of(entry, struct tcp, entry), segment, packet);
        return;
    case TCP_ENTRY_REQUEST:
        tcp_request_input(entry, segment, packet);
        return;
    case TCP_ENTRY_TIME_WAIT:
        if (tcp_time_wait_input(entry, segment))
            to_listener(segment, packet);
        else
            packet_free(packet);
        return;
    }
}

void tcp_input(const struct ip_info *info, struct packet *packet)
{
    struct tcp_segment segment;
    tcp_counts.in_segments++;
    if (!info->unicast || !tcp_parse(info, packet, &segment) || segment.remote.port == 0) {
        tcp_counts.in_errors++;
        packet_free(packet);
        return;
    }
    struct tcp_entry *entry = tcp_table_find(segment.local, segment.remote);
    if (entry)
        to_entry(entry, &segment, packet);
    else
        to_listener(&segment, packet);
}

/* ---- SYN-SENT (RFC 9293 3.10.7.3) ---------------------------------------------------------------- */

static void become_established(struct tcp *tcp, const struct tcp_segment *segment)
{
    tcp->state = TCP_ESTABLISHED;
    tcp->backoffs = 0;
    tcp->soft_error = 0;
    tcp_retransmit_stop(tcp);
    tcp->window_sequence = segment->sequence;
    tcp->window_acknowledgement = segment->acknowledgement;
    tcp_keep_alive_start(tcp);
    tcp_wake(tcp, POLLOUT);
}

static void note_their_syn(struct tcp *tcp, const struct tcp_segment *segment)
{
    tcp_negotiate(tcp, &segment->options);
    tcp->receive_next = segment->sequence + 1;
    tcp->receive_edge = tcp->receive_next + tcp_first_window(tcp->receive_limit, &tcp->kept);
    tcp->last_ack_sent = tcp->receive_next;
    tcp->send_window = tcp->send_window_max = segment->window; /* never scaled in a SYN */
}

static void syn_sent_input(struct tcp *tcp, const struct tcp_segment *segment)
{
    bool ack = segment->flags & TCP_ACK;
    if (ack && segment->acknowledgement != tcp->send_next) {
        tcp_refuse(segment);
        return;
    }
    if (segment->flags & TCP_RST) {
        if (ack)
            tcp_close(tcp, ECONNREFUSED);
        return;
    }
    if (!(segment->flags & TCP_SYN))
        return;
    note_their_syn(tcp, segment);
    if (!ack) { /* both ends opened at once */
        tcp->state = TCP_SYN_RECEIVED;
        tcp_send_syn(tcp);
        tcp_retransmit_start(tcp);
        return;
    }
    tcp->send_unacknowledged = tcp->send_next = segment->acknowledgement;
    if (tcp->backoffs == 0)
        tcp_sample_rtt(tcp, net_now() - tcp->last_sent);
    become_established(tcp, segment);
    tcp->ack_now = true;
    tcp_output(tcp);
}

/* ---- All other states (RFC 9293 3.10.7.4) -------------------------------------------------------------- */

/* RFC 7323 5: a timestamp older than the last one belongs to a segment of the past. */
static bool timestamp_outdated(const struct tcp *tcp, const struct tcp_segment *segment)
{
    return tcp->timestamps && segment->options.timestamp_present && !(segment->flags & TCP_RST) &&
           seq_before(segment->options.timestamp, tcp->timestamp_recent) &&
           net_now() - tcp->timestamp_recent_time < TIMESTAMP_LIFETIME;
}

static bool in_window(const struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment);
    uint32_t edge = seq_max(tcp->receive_edge, tcp->receive_next);
    if (end == segment->sequence) /* empty: may lie at the edge, as window probes do */
        return seq_up_to(tcp->receive_next, segment->sequence) && seq_up_to(segment->sequence, edge);
    return seq_before(segment->sequence, edge) && seq_before(tcp->receive_next, end);
}

static void reset_by_peer(struct tcp *tcp)
{
    int error = tcp->state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET;
    if (tcp->state == TCP_SYN_RECEIVED)
        error = ECONNREFUSED;
    tcp_close(tcp, error);
}

/* RFC 2883 4: what comes twice is reported, so that the peer learns that it need not have sent it again. */
static void note_duplicate(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->length > 0 && seq_before(segment->sequence, tcp->receive_next))
        tcp->duplicate = (struct tcp_range){ segment->sequence,
                                             seq_min(segment->sequence + segment->length, tcp->receive_next) };
}

/* True if this is data that the peer may send again, since our acknowledgement was lost or our window is shut. Other
 * hosts, which do not know our sequence numbers, hardly ever come near them. */
static bool perhaps_repeated(const struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t window = max_of(tcp->receive_limit, 65535u);
    bool near = segment->sequence - (tcp->receive_next - window) <= 2 * window;
    return near && (segment->length > 0 || segment->flags & TCP_FIN);
}

static void answer_unacceptable(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->flags & TCP_RST)
        return;
    if (!perhaps_repeated(tcp, segment)) {
        tcp_challenge(tcp);
        return;
    }
    note_duplicate(tcp, segment);
    tcp_send_ack(tcp);
}

/* RFC 9293 3.10.7.4 first to fourth; false: the segment was dealt with. */
static bool acceptable(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (timestamp_outdated(tcp, segment) || !in_window(tcp, segment)) {
        answer_unacceptable(tcp, segment);
        return false;
    }
    if (segment->flags & TCP_RST) { /* RFC 5961 3.2 */
        if (segment->sequence == tcp->receive_next)
            reset_by_peer(tcp);
        else
            tcp_challenge(tcp);
        return false;
    }
    if (segment->flags & TCP_SYN) { /* RFC 5961 4.2 */
        tcp_challenge(tcp);
        return false;
    }
    return segment->flags & TCP_ACK;
}

/* RFC 7323 4.3. */
static void note_timestamp(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (!tcp->timestamps || !segment->options.timestamp_present)
        return;
    if (seq_up_to(segment->sequence, tcp->last_ack_sent) &&
        !seq_before(segment->options.timestamp, tcp->timestamp_recent)) {
        tcp->timestamp_recent = segment->options.timestamp;
        tcp->timestamp_recent_time = net_now();
    }
}

/* Cuts the segment to the window; what is left starts at or after receive_next. */
static void cut_to_window(struct tcp *tcp, struct tcp_segment *segment, struct packet *packet)
{
    note_duplicate(tcp, segment);
    if (seq_before(segment->sequence, tcp->receive_next)) {
        uint32_t known = min_of(tcp->receive_next - segment->sequence, segment->length);
        packet_drop_front(packet, known);
        segment->sequence += known;
        segment->length -= known;
    }
    uint32_t edge = seq_max(tcp->receive_edge, tcp->receive_next);
    if (seq_before(edge, segment->sequence + segment->length)) {
        segment->length = edge - segment->sequence;
        segment->flags &= (uint8_t)~TCP_FIN;
        packet_trim(packet, segment->length);
    }
}

static void fin_from_peer(struct tcp *tcp)
{
    switch (tcp->state) {
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
        tcp->state = TCP_CLOSE_WAIT;
        break;
    case TCP_FIN_WAIT_1:
        tcp->state = TCP_CLOSING; /* had our FIN been acknowledged, it would be FIN-WAIT-2 */
        break;
    case TCP_FIN_WAIT_2:
        tcp_enter_time_wait(tcp);
        break;
    default:
        break;
    }
}

static bool wants_data(const struct tcp *tcp)
{
    return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_FIN_WAIT_1 || tcp->state == TCP_FIN_WAIT_2;
}

/* Takes the packet. False: the connection is gone. */
static bool take_data(struct tcp *tcp, struct tcp_segment *segment, struct packet *packet)
{
    if (!wants_data(tcp) || (segment->length == 0 && !(segment->flags & TCP_FIN))) {
        packet_free(packet);
        return true;
    }
    /* It will not be read, so the peer gets a reset instead of an acknowledgement (RFC 1122 4.2.2.13). */
    if (segment->length > 0 && !tcp->socket && !tcp->listener) {
        packet_free(packet);
        tcp_abort(tcp, 0);
        return false;
    }
    /* The program closed both ways: as Linux, and as for one that let go. */
    if (segment->length > 0 && tcp->fin_queued && tcp->shut_read &&
        seq_before(tcp->receive_next, segment->sequence + segment->length)) {
        packet_free(packet);
        tcp_abort(tcp, ECONNRESET);
        return false;
    }
    tcp_urgent_input(tcp, segment, packet);
    cut_to_window(tcp, segment, packet);
    bool had_fin = tcp->fin_received;
    tcp_receive_data(tcp, segment, packet);
    if (tcp->fin_received && !had_fin)
        fin_from_peer(tcp);
    return tcp->state != TCP_CLOSED;
}

static void synchronised_input(struct tcp *tcp, struct tcp_segment *segment, struct packet *packet)
{
    if (!acceptable(tcp, segment)) {
        packet_free(packet);
        return;
    }
    tcp->last_received = net_now();
    if (tcp->state == TCP_SYN_RECEIVED) {
        if (segment->acknowledgement != tcp->send_next) {
            tcp_refuse(segment);
            packet_free(packet);
            return;
        }
        tcp->send_unacknowledged = tcp->send_next = segment->acknowledgement;
        tcp->send_window = (uint32_t)segment->window << tcp->send_shift;
        become_established(tcp, segment);
    }
    note_timestamp(tcp, segment);
    if (!tcp_process_ack(tcp, segment)) {
        packet_free(packet);
        return;
    }
    if (take_data(tcp, segment, packet))
        tcp_output(tcp);
}

void tcp_connection_input(struct tcp *tcp, struct tcp_segment *segment, struct packet *packet)
{
    must_hold_net();
    tcp->references++; /* it may close on the way */
    if (tcp->state == TCP_SYN_SENT) {
        syn_sent_input(tcp, segment);
        packet_free(packet);
    } else {
        synchronised_input(tcp, segment, packet);
    }
    tcp_put(tcp);
}

/* ---- ICMP ---------------------------------------------------------------------------------------------- */

/* RFC 1191 6.4; the next-hop MTU is believed down to a bound, and only ever makes it smaller. */
static void path_mtu_shrank(struct tcp *tcp, unsigned mtu)
{
    unsigned ip_header = ip_header_length(tcp->entry.remote.address);
    unsigned believed = max_of(mtu, ip_is_ipv4(tcp->entry.remote.address) ? (unsigned)IP_MINIMUM_MTU : IP6_MINIMUM_MTU);
    unsigned current = tcp->mss + ip_header + TCP_HEADER_LENGTH + (tcp->timestamps ? TCP_TIMESTAMP_LENGTH : 0);
    if (believed >= current)
        return;
    tcp->path_mtu = (uint16_t)believed;
    tcp_update_mss(tcp);
    tcp_sent_lose_all(tcp); /* what was too large */
    tcp->recover = tcp->send_next;
    tcp->recovery = TCP_LOSS;
    tcp_output(tcp);
}

void tcp_icmp_error(const struct icmp_error *error)
{
    struct endpoint local = { error->local, read_be16(error->transport) };
    struct endpoint remote = { error->remote, read_be16(error->transport + 2) };
    uint32_t sequence = read_be32(error->transport + 4);
    struct tcp_entry *entry = tcp_table_find(local, remote);
    if (!entry || entry->kind != TCP_ENTRY_CONNECTION)
        return;
    struct tcp *tcp = container_of(entry, struct tcp, entry);
    /* Only what is about something in flight is believed (RFC 5927 4.1). */
    if (seq_before(sequence, tcp->send_unacknowledged) || !seq_before(sequence, tcp->send_next))
        return;
    if (error->mtu != 0 && error->mtu < error->length) /* one that it would have fitted is a lie */
        path_mtu_shrank(tcp, error->mtu);
    else if (error->mtu != 0)
        return;
    else if (tcp->state == TCP_SYN_SENT)
        tcp_close(tcp, error->error);
    else
        tcp->soft_error = error->error; /* RFC 1122 4.2.3.9: reported if the connection fails */
}
