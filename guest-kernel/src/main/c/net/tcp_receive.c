/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Received data. What comes in order goes to `received`, for the reader, with what waited for it; what comes early goes
 * to tcp_out_of_order.c. This file also decides when to acknowledge and how much window to announce: never less than
 * was promised, and more while the reader keeps up.
 *
 * received_bytes is what the reader has not taken of `received`; received_memory is what the packets of both queues
 * hold, and is charged to the network's budget. A packet that is not affordable() is dropped: the peer sends it again.
 *
 * tcp_receive_data() is called by tcp_input.c with data that lies in the window; the others by tcp_output.c,
 * tcp_stream.c and tcp_urgent.c. Net lock. A reader that copies without it sets being_read (tcp_stream.c).
 */
#include "core/heap.h"
#include "lib/string.h"
#include "net/tcp_private.h"

#define QUICK_AFTER_LOSS 64u /* segments: the peer's window is small, and each acknowledgement lets it grow */
#define WINDOW_FACTOR 4u     /* the window, in what the reader takes in a round trip */
#define COUNTING_MAXIMUM NS_PER_SECOND
#define COMPACT_FACTOR 4u    /* a packet that holds this many times its data is copied */
#define COMPACT_HEADERS 128u /* but not for the sake of the headers that were taken off */

/* ---- The window ------------------------------------------------------------------------------------ */

/* Space for new data, never less than what was already promised (RFC 9293 3.8.6: do not shrink). */
uint32_t tcp_window_to_announce(const struct tcp *tcp)
{
    must_hold_net();
    uint32_t promised = seq_before(tcp->receive_next, tcp->receive_edge) ? tcp->receive_edge - tcp->receive_next : 0;
    uint32_t limit = tcp->receive_limit;
    if (tcp->kept.window_clamp != 0)
        limit = min_of(limit, tcp->kept.window_clamp);
    if (net_memory() != NET_MEMORY_PLENTY)
        limit = min_of(limit, 4u * tcp->receive_mss);
    uint32_t space = tcp->received_bytes < limit ? limit - tcp->received_bytes : 0;
    /* Receiver's silly window avoidance (RFC 9293 3.8.6.2.2): the edge moves in worthwhile steps. */
    uint32_t step = min_of((uint32_t)tcp->receive_mss, limit / 2);
    if (space < promised + step)
        return promised;
    uint32_t unit = 1u << tcp->receive_shift;
    return space > unit ? align_down(space, unit) : space;
}

/* The peer's timestamp says how long ago it got the acknowledgement to which it sends this. */
static void time_round_trip(struct tcp *tcp, const struct tcp_segment *segment)
{
    if (!tcp->timestamps || !segment->options.timestamp_present || segment->options.timestamp_echo == 0)
        return;
    uint32_t elapsed = max_of(tcp_clock_ms() + tcp->timestamp_offset - segment->options.timestamp_echo, 1u);
    if (tcp->shortest_rtt == 0 || elapsed < tcp->shortest_rtt)
        tcp->shortest_rtt = elapsed;
}

/* How long the reader's bytes are counted. A host that only receives measures no round trips of its own, and that of
 * the handshake came before the data filled queues. */
static nanoseconds counting_time(const struct tcp *tcp)
{
    if (tcp->receive_rtt != 0)
        return min_of(tcp->receive_rtt * NS_PER_MS, COUNTING_MAXIMUM);
    return tcp->smoothed_rtt != 0 ? tcp->smoothed_rtt : 50 * NS_PER_MS;
}

/* The reader keeps up with what comes: let the peer send further ahead. In slow start it sends twice as much in each
 * round trip, and what is counted may be one round trip old. */
static void tune(struct tcp *tcp, uint32_t copied)
{
    nanoseconds now = net_now();
    tcp->copied += copied;
    if (now - tcp->copied_since < counting_time(tcp))
        return;
    bool fixed = tcp->socket && tcp->socket->socket.receive_buffer != 0;
    uint64_t wanted = min_of(WINDOW_FACTOR * (uint64_t)tcp->copied, (uint64_t)socket_buffer_maximum());
    if (!fixed && net_memory() == NET_MEMORY_PLENTY && wanted > tcp->receive_limit)
        tcp->receive_limit = (uint32_t)wanted;
    tcp->copied = 0;
    tcp->copied_since = now;
    if (tcp->shortest_rtt != 0)
        tcp->receive_rtt = tcp->shortest_rtt;
    tcp->shortest_rtt = 0;
}

/* The reader took bytes: report the window to the peer if it grew much since it was last sent. */
void tcp_window_opened(struct tcp *tcp, uint32_t copied)
{
    must_hold_net();
    tune(tcp, copied);
    if (tcp->state == TCP_CLOSED || tcp->fin_received)
        return;
    uint32_t known = seq_before(tcp->receive_next, tcp->receive_edge) ? tcp->receive_edge - tcp->receive_next : 0;
    uint32_t window = tcp_window_to_announce(tcp);
    uint32_t worth = min_of(2u * tcp->receive_mss, tcp->receive_limit / 2);
    if (window >= known + worth && (known < tcp->receive_limit / 2 || window >= 2 * known))
        tcp_send_ack(tcp);
}

/* ---- Queues ------------------------------------------------------------------------------------------ */

static void charge(struct tcp *tcp, struct packet *packet)
{
    uint32_t memory = packet_memory(packet);
    tcp_piece(packet)->memory = memory;
    tcp->received_memory += memory;
    tcp_memory_charge(memory);
}

static void free_piece(struct tcp *tcp, struct packet *packet)
{
    tcp->received_memory -= tcp_piece(packet)->memory;
    net_uncharge(tcp_piece(packet)->memory);
    packet_free(packet);
}

void tcp_skip_byte(struct tcp *tcp)
{
    must_hold_net();
    struct packet *packet = list_entry(tcp->received.next, struct packet, link);
    tcp->received_bytes--;
    if (++tcp_piece(packet)->consumed < packet->length)
        return;
    list_remove(&packet->link);
    free_piece(tcp, packet);
}

/* A few bytes in a whole page would let a peer pin many times the window it was given. */
static struct packet *compact(struct packet *packet)
{
    uint32_t in_vain = sizeof(*packet) + PACKET_HEADROOM + COMPACT_HEADERS;
    if (packet_memory(packet) < COMPACT_FACTOR * packet->length + in_vain)
        return packet;
    struct packet *copy = packet_copy(packet, 0, packet->length);
    if (!copy)
        return packet;
    memcpy(copy->layer, packet->layer, sizeof(copy->layer));
    packet_free(packet);
    return copy;
}

static void take_in_order(struct tcp *tcp, struct packet *packet)
{
    tcp->receive_next = tcp_piece_end(packet);
    tcp->fin_received |= tcp_piece(packet)->fin;
    tcp->received_bytes += packet->length;
    if (packet->length == 0) {
        free_piece(tcp, packet);
        return;
    }
    list_push_back(&tcp->received, &packet->link);
}

/* What waited for the hole that was just filled. */
static void take_from_out_of_order(struct tcp *tcp)
{
    struct packet *packet;
    while (!tcp->fin_received && (packet = tcp_out_of_order_take(tcp)))
        take_in_order(tcp, packet);
    if (tcp->fin_received)
        tcp_out_of_order_clear(tcp); /* nothing comes after the end */
}

/* True if this much more may be held. Data in order for a reader that has nothing is taken for longest: otherwise no
 * connection would make progress when memory is short. */
static bool affordable(const struct tcp *tcp, bool in_order)
{
    bool own_share = tcp->received_memory < (COMPACT_FACTOR + 1) * tcp->receive_limit;
    if (net_memory() == NET_MEMORY_FULL || !own_share)
        return in_order && list_empty(&tcp->received) && net_memory_for_connection();
    return in_order || net_memory() == NET_MEMORY_PLENTY;
}

/* ---- Acknowledging ------------------------------------------------------------------------------------ */

/* A device that joins segments delivers more than the peer may put into one. */
static void estimate_peer_mss(struct tcp *tcp, uint32_t length)
{
    tcp->receive_mss = (uint16_t)max_of((uint32_t)tcp->receive_mss, min_of(length, (uint32_t)tcp->announced_mss));
}

static void decide_acknowledgement(struct tcp *tcp)
{
    bool two_segments = tcp->receive_next - tcp->last_ack_sent >= 2u * tcp->receive_mss; /* RFC 5681 4.2 */
    if (two_segments || tcp->quick_acks > 0 || tcp->fin_received)
        tcp->ack_now = true;
    else
        tcp->ack_delayed = true;
    if (tcp->quick_acks > 0)
        tcp->quick_acks--;
}

void tcp_receive_data(struct tcp *tcp, const struct tcp_segment *segment, struct packet *packet)
{
    must_hold_net();
    bool fin = segment->flags & TCP_FIN;
    *tcp_piece(packet) = (struct tcp_piece){ .sequence = segment->sequence, .arrived = tcp_clock_ms(), .fin = fin };
    estimate_peer_mss(tcp, packet->length);
    bool in_order = segment->sequence == tcp->receive_next;
    packet = compact(packet);
    if (!affordable(tcp, in_order)) {
        packet_free(packet);
        tcp->ack_now = true;
        return;
    }
    if (!in_order) {
        tcp_out_of_order_add(tcp, packet);
        tcp->quick_acks = max_of(tcp->quick_acks, QUICK_AFTER_LOSS);
        tcp->ack_now = true; /* a duplicate acknowledgement reports the hole to the peer (RFC 5681 4.2) */
        return;
    }
    time_round_trip(tcp, segment);
    bool filled_hole = tree_first(&tcp->out_of_order);
    charge(tcp, packet);
    take_in_order(tcp, packet);
    take_from_out_of_order(tcp);
    tcp->ack_now |= filled_hole;
    decide_acknowledgement(tcp);
    tcp_wake(tcp, POLLIN | (tcp->fin_received ? POLLRDHUP : 0));
}
