/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Birth and death of connections. tcp_create() gives the first reference to its caller, which passes it on to the
 * table. tcp_close() is the only way to TCP_CLOSED for one that was open: it stops timers, empties the queues for
 * sending, wakes all that wait and takes the connection out of the table and the listener's queue, which give their
 * references back, and off the list of orphans. The last tcp_put() frees the memory, also what was received and not
 * read.
 *
 * An orphan has no socket any more and waits for its peer; there are at most ORPHANS_LIMIT, by age. accept_link is in
 * the listener's queue or in the list of orphans, never in both.
 *
 * Called by tcp_socket.c, tcp_listen.c, tcp_input.c, tcp_ack.c, tcp_timer.c, tcp_memory.c and tcp_shutdown.c. Net lock.
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "net/interface.h"
#include "net/tcp_private.h"

#define RECEIVE_LIMIT_INITIAL (64u * 1024)
#define SEND_LIMIT_INITIAL (64u * 1024)
#define QUICK_ACKS 16u      /* while the peer is in slow start, as Linux */
#define ORPHANS_LIMIT 4096u /* net.ipv4.tcp_max_orphans of a small Linux machine */

uint32_t tcp_receive_limit_initial(uint32_t wanted)
{
    must_hold_net();
    return wanted != 0 ? wanted : min_of(RECEIVE_LIMIT_INITIAL, socket_buffer_maximum());
}

uint16_t tcp_first_window(uint32_t limit, const struct tcp_kept *kept)
{
    must_hold_net();
    uint32_t window = kept->window_clamp != 0 ? min_of(limit, kept->window_clamp) : limit;
    return (uint16_t)min_of(window, 65535u);
}

/* The scale that can express the largest window this connection may grow to. */
uint8_t tcp_receive_shift(uint32_t wanted)
{
    uint32_t largest = wanted != 0 ? wanted : socket_buffer_maximum();
    uint8_t shift = 0;
    while (largest >> shift > 65535)
        shift++;
    return shift;
}

uint16_t tcp_mss_for(const struct ip_route *route)
{
    must_hold_net();
    return (uint16_t)(ip_mtu(route) - ip_header_length(route->next_hop) - TCP_HEADER_LENGTH);
}

struct tcp_counts tcp_counts;

struct tcp *tcp_create(struct endpoint local, struct endpoint remote)
{
    must_hold_net();
    struct tcp *tcp = heap_allocate_zeroed_at(sizeof(*tcp), PAGES_NEEDED);
    if (!tcp)
        return NULL;
    tcp_memory_charge(sizeof(*tcp));
    tcp->entry = (struct tcp_entry){ .kind = TCP_ENTRY_CONNECTION, .local = local, .remote = remote };
    list_init(&tcp->entry.link);
    list_init(&tcp->accept_link);
    tcp->references = 1;
    tcp->state = TCP_CLOSED;
    tcp->timestamp_offset = tcp_timestamp_offset(local, remote);
    tcp->peer_mss = TCP_DEFAULT_MSS;
    tcp->receive_mss = TCP_DEFAULT_MSS;
    tcp->quick_acks = QUICK_ACKS;
    tcp->send_limit = SEND_LIMIT_INITIAL;
    tcp->receive_limit = tcp_receive_limit_initial(0);
    tcp->last_received = tcp->last_sent = tcp->copied_since = net_now();
    list_init(&tcp->received);
    tcp_out_of_order_init(tcp);
    tcp_queue_init(tcp);
    tcp_sent_init(tcp);
    tcp_rack_init(tcp);
    tcp_timers_init(tcp);
    tcp_congestion_init(tcp);
    return tcp;
}

void tcp_free_received(struct tcp *tcp)
{
    must_hold_net();
    if (tcp->being_read)
        return; /* goes with the connection */
    packet_free_all(&tcp->received);
    tcp_out_of_order_clear(tcp);
    net_uncharge(tcp->received_memory);
    tcp->received_memory = 0;
    tcp->received_bytes = 0;
}

void tcp_put(struct tcp *tcp)
{
    must_hold_net();
    if (--tcp->references > 0)
        return;
    tcp_free_received(tcp);
    tcp_queue_clear(tcp);
    tcp_sent_clear(tcp);
    net_uncharge(sizeof(*tcp));
    heap_free(tcp);
}

void tcp_take_options(struct tcp *tcp, const struct tcp_socket *socket)
{
    must_hold_net();
    tcp->kept = socket->kept;
    tcp->keep_alive = socket->socket.kept.keep_alive;
    tcp->type_of_service = socket_service(&socket->socket.kept, tcp->entry.remote.address);
    tcp->time_to_live = socket_time_to_live(&socket->socket.kept, tcp->entry.remote.address);
    tcp->receive_limit = tcp_receive_limit_initial(socket->socket.receive_buffer);
    if (socket->socket.send_buffer != 0)
        tcp->send_limit = socket->socket.send_buffer;
}

void tcp_update_mss(struct tcp *tcp)
{
    must_hold_net();
    struct ip_route route;
    uint32_t mss = tcp->peer_mss;
    if (ip_route(tcp->entry.remote.address, &route) == 0)
        mss = min_of(mss, (uint32_t)tcp_mss_for(&route));
    if (tcp->path_mtu != 0)
        mss = min_of(mss, (uint32_t)tcp->path_mtu - ip_header_length(tcp->entry.remote.address) - TCP_HEADER_LENGTH);
    if (tcp->kept.max_segment != 0)
        mss = min_of(mss, tcp->kept.max_segment);
    mss = max_of(mss, TCP_MINIMUM_MSS);
    tcp->mss = (uint16_t)(mss - (tcp->timestamps ? TCP_TIMESTAMP_LENGTH : 0));
}

void tcp_negotiate(struct tcp *tcp, const struct tcp_options *peer)
{
    must_hold_net();
    tcp->peer_mss = peer->mss != 0 ? max_of(peer->mss, (uint16_t)TCP_MINIMUM_MSS) : TCP_DEFAULT_MSS;
    tcp->timestamps = peer->timestamp_present;
    tcp->sack = peer->sack_permitted;
    tcp->scaling = peer->window_scale_present;
    tcp->send_shift = tcp->scaling ? peer->window_scale : 0;
    if (!tcp->scaling)
        tcp->receive_shift = 0;
    if (tcp->timestamps) {
        tcp->timestamp_recent = peer->timestamp;
        tcp->timestamp_recent_time = net_now();
    }
    tcp_update_mss(tcp);
    tcp_congestion_init(tcp);
}

void tcp_wake(struct tcp *tcp, unsigned events)
{
    must_hold_net();
    struct wait_queue *queue = tcp->socket ? &tcp->socket->socket.queue : NULL;
    if (queue && events & (POLLHUP | POLLRDHUP | POLLERR))
        wake_all(queue, events);
    else if (queue)
        wake(queue, events);
}

/* Leaves the table; the table's reference goes. The caller holds another one. */
static void leave_table(struct tcp *tcp)
{
    if (list_empty(&tcp->entry.link))
        return;
    tcp_table_remove(&tcp->entry);
    tcp_put(tcp);
}

static void leave_listener(struct tcp *tcp)
{
    struct tcp_socket *listener = tcp->listener;
    if (!listener)
        return;
    list_remove(&tcp->accept_link);
    listener->waiting_count--;
    tcp->listener = NULL;
    tcp_put(tcp);
}

/* ---- Orphans: closed by the application, not yet by the peer ------------------------------------------ */

static struct list orphans = LIST_INIT(orphans);
static unsigned orphan_count;

static void leave_orphans(struct tcp *tcp)
{
    if (list_empty(&tcp->accept_link))
        return; /* nor is it in a listener's queue any more */
    list_remove(&tcp->accept_link);
    orphan_count--;
}

/* A peer may make as many as it likes by leaving its FIN out: the oldest one is dropped, by its timer, since the caller
 * may be walking the table. */
static void join_orphans(struct tcp *tcp)
{
    if (orphan_count == ORPHANS_LIMIT) {
        struct tcp *oldest = list_entry(orphans.next, struct tcp, accept_link);
        leave_orphans(oldest);
        tcp_orphan_timer_expire(oldest);
    }
    list_push_back(&orphans, &tcp->accept_link);
    orphan_count++;
}

unsigned tcp_orphans(void)
{
    must_hold_net();
    return orphan_count;
}

void tcp_close(struct tcp *tcp, int error)
{
    must_hold_net();
    if (tcp->state == TCP_CLOSED)
        return;
    tcp->references++; /* it must outlive what follows */
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
        tcp_counts.failed_attempts++;
    else if (tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT)
        tcp_counts.established_resets++;
    tcp->state = TCP_CLOSED;
    if (error != 0)
        tcp->error = error;
    tcp_timers_stop(tcp);
    tcp_queue_clear(tcp);
    tcp_sent_clear(tcp);
    tcp_wake(tcp, POLLIN | POLLOUT | POLLRDHUP | POLLHUP | (error != 0 ? POLLERR : 0));
    leave_listener(tcp);
    leave_orphans(tcp);
    leave_table(tcp);
    tcp_put(tcp);
}

void tcp_abort(struct tcp *tcp, int error)
{
    must_hold_net();
    if (tcp->state != TCP_SYN_SENT && tcp->state != TCP_CLOSED)
        tcp_send_reset(tcp);
    tcp_close(tcp, error);
}

void tcp_enter_time_wait(struct tcp *tcp)
{
    must_hold_net();
    tcp->references++;
    if (tcp->ack_now || tcp->ack_delayed)
        tcp_send_ack(tcp); /* the record does not know what is still unacknowledged */
    leave_table(tcp);
    (void)tcp_time_wait_add(tcp); /* without memory the pair is merely free sooner */
    tcp_close(tcp, 0);
    tcp_put(tcp);
}

void tcp_orphan(struct tcp *tcp, bool reset)
{
    must_hold_net();
    if (!tcp->socket)
        return; /* tcp_close_all() came first */
    tcp->socket = NULL;
    if (tcp->state == TCP_CLOSED)
        return;
    /* RFC 1122 4.2.2.13: closing with unread data shows the peer that it was lost. */
    if (reset || tcp->received_bytes > 0 || tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED) {
        tcp_abort(tcp, 0);
        return;
    }
    if (tcp->state == TCP_FIN_WAIT_2 && tcp->kept.fin_wait < 0) {
        tcp_abort(tcp, 0);
        return;
    }
    tcp_free_received(tcp);
    tcp->shut_read = true;
    tcp->keep_alive = false;
    if (timer_stop(&tcp->keep_timer))
        tcp_put(tcp);
    if (!tcp->fin_queued) {
        tcp->fin_queued = true;
        tcp->state = tcp->state == TCP_CLOSE_WAIT ? TCP_LAST_ACK : TCP_FIN_WAIT_1;
        tcp->kept.cork = false;
        tcp_output(tcp);
    }
    if (tcp->state != TCP_CLOSED) {
        tcp_orphan_timer_start(tcp);
        join_orphans(tcp);
    }
}
