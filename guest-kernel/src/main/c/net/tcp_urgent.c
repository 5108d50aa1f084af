/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte out of band (tcp(7), RFC 6093): the peer's urgent pointer names the sequence number after it. As on Linux
 * there is one such byte at a time. It waits beside the stream for recv() with MSG_OOB, and the reader of the stream
 * stops before its place (the mark) and then steps over it; with SO_OOBINLINE it is read like any other byte.
 *
 * Invariant: unless the state is TCP_URGENT_NONE, urgent_sequence is not before the next byte to be read; or the reader
 * has just passed it, and tcp_urgent_passed() is about to be called. Net lock.
 */
#include "lib/errno.h"
#include "net/tcp_private.h"

uint32_t tcp_read_sequence(const struct tcp *tcp)
{
    must_hold_net();
    return tcp->receive_next - tcp->fin_received - tcp->received_bytes;
}

static bool in_line(const struct tcp *tcp) { return tcp->socket && tcp->socket->socket.kept.urgent_in_line; }

/* ---- From the peer --------------------------------------------------------------------------------------------- */

/* One more urgent byte at the mark of the last one: a reader that only waits for such bytes has not read that one, and
 * never will. */
static void step_over_previous(struct tcp *tcp)
{
    if (tcp_mark_skipped(tcp) && tcp->received_bytes > 0 && !tcp->being_read)
        tcp_skip_byte(tcp);
}

/* RFC 6093 3.1: the pointer is that of the byte after the urgent one. True if it is a new one. */
static bool note_pointer(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t byte = segment->sequence + (segment->urgent != 0 ? segment->urgent - 1u : 0);
    if (seq_before(byte, tcp->receive_next))
        return false;
    if (tcp->urgent_state != TCP_URGENT_NONE && seq_up_to(byte, tcp->urgent_sequence))
        return false;
    step_over_previous(tcp);
    tcp->urgent_sequence = byte;
    tcp->urgent_state = TCP_URGENT_AWAITED;
    return true;
}

void tcp_urgent_input(struct tcp *tcp, const struct tcp_segment *segment, const struct packet *packet)
{
    must_hold_net();
    if (segment->flags & TCP_URG && note_pointer(tcp, segment) && tcp->socket) {
        struct file *file = tcp->socket->socket.file;
        if (file && read_once(file->owner) != 0 && net_urgent)
            net_urgent();
        tcp_wake(tcp, POLLPRI);
    }
    uint32_t at = tcp->urgent_sequence - segment->sequence;
    if (tcp->urgent_state != TCP_URGENT_AWAITED || at >= segment->length)
        return;
    packet_copy_out(packet, at, &tcp->urgent_byte, 1);
    tcp->urgent_state = TCP_URGENT_HERE;
    tcp_wake(tcp, POLLPRI | POLLIN);
}

/* ---- For the reader -------------------------------------------------------------------------------------------- */

bool tcp_at_mark(const struct tcp *tcp)
{
    must_hold_net();
    return tcp->urgent_state != TCP_URGENT_NONE && tcp->urgent_sequence == tcp_read_sequence(tcp);
}

bool tcp_mark_skipped(const struct tcp *tcp)
{
    must_hold_net();
    return tcp_at_mark(tcp) && !in_line(tcp);
}

uint32_t tcp_readable(const struct tcp *tcp)
{
    must_hold_net();
    return tcp->received_bytes - (tcp->received_bytes > 0 && tcp_mark_skipped(tcp));
}

uint32_t tcp_receive_low(const struct tcp *tcp)
{
    must_hold_net();
    uint32_t wanted = tcp->socket ? tcp->socket->socket.kept.receive_low : 1;
    return max_of(min_of(wanted, tcp->receive_limit / 2), 1u);
}

uint32_t tcp_readable_to_mark(const struct tcp *tcp)
{
    must_hold_net();
    uint32_t ahead = tcp->urgent_sequence - tcp_read_sequence(tcp);
    bool before_end = tcp->urgent_state != TCP_URGENT_NONE && ahead < tcp->received_bytes;
    return before_end && !in_line(tcp) ? ahead : tcp->received_bytes;
}

void tcp_urgent_passed(struct tcp *tcp)
{
    must_hold_net();
    if (tcp->urgent_state != TCP_URGENT_NONE && seq_before(tcp->urgent_sequence, tcp_read_sequence(tcp)))
        tcp->urgent_state = TCP_URGENT_NONE;
}

int tcp_urgent_take(struct tcp *tcp, bool peek, uint8_t *byte)
{
    must_hold_net();
    if (in_line(tcp) || tcp->urgent_state == TCP_URGENT_NONE || tcp->urgent_state == TCP_URGENT_READ)
        return -EINVAL;
    if (tcp->state == TCP_CLOSED && !tcp->fin_received)
        return -ENOTCONN;
    if (tcp->urgent_state == TCP_URGENT_AWAITED)
        return tcp->state == TCP_CLOSED || tcp->shut_read || tcp->fin_received ? 0 : -EAGAIN;
    *byte = tcp->urgent_byte;
    if (!peek)
        tcp->urgent_state = TCP_URGENT_READ;
    return 1;
}
