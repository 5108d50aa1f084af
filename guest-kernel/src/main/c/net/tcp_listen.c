/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passive opens. A SYN makes a small request until the handshake is complete; when a listener has too
 * many of them, or memory is short, the SYN's options are coded into the answer's sequence number
 * and timestamp instead and nothing is stored (RFC 4987 3.6).
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "net/tcp_private.h"

#define SYN_ACK_RETRIES 5u   /* then the request is dropped: after a minute */
#define REQUESTS_MINIMUM 16u /* half-open connections of a listener, whatever its backlog */
#define REQUESTS_MAXIMUM 1024u
#define DEFER_PERIOD_MAXIMUM (120 * NS_PER_SECOND) /* TCP_RTO_MAX of Linux */
#define COOKIE_PERIOD (64 * NS_PER_SECOND)         /* a cookie is good for one to two periods */

struct tcp_request {
    struct tcp_entry entry;
    struct list listener_link;
    struct tcp_socket *listener; /* NULL once it left the table */
    unsigned references;         /* the table's and the timer's */
    struct timer timer;
    unsigned retries;
    bool resent;
    bool acknowledged; /* and left to wait for data: TCP_DEFER_ACCEPT */
    nanoseconds started;
    uint32_t their_sequence, our_sequence;
    struct tcp_options options; /* of their SYN */
};

/* What both ends said in the handshake. */
struct handshake {
    uint32_t their_sequence, our_sequence;
    struct tcp_options options;
    nanoseconds rtt; /* 0: unknown */
};

static struct tcp_request *request_of(struct tcp_entry *entry)
{
    return container_of(entry, struct tcp_request, entry);
}

static void request_put(struct tcp_request *request)
{
    if (--request->references == 0)
        heap_free(request);
}

static void drop_request(struct tcp_request *request)
{
    if (!request->listener)
        return;
    tcp_table_remove(&request->entry);
    list_remove(&request->listener_link);
    request->listener->request_count--;
    request->listener = NULL;
    if (timer_stop(&request->timer))
        request_put(request);
    request_put(request);
}

/* ---- The answer to a SYN ----------------------------------------------------------------------- */

static uint16_t announced_mss(const struct tcp_socket *listener, struct ip_address remote)
{
    struct ip_route route;
    uint32_t mss = ip_route(remote, &route) == 0 ? tcp_mss_for(&route) : TCP_DEFAULT_MSS;
    return (uint16_t)(listener->kept.max_segment != 0 ? min_of(mss, listener->kept.max_segment) : mss);
}

static void send_syn_ack(struct tcp_socket *listener, struct endpoint local, struct endpoint remote,
                         uint32_t our_sequence, uint32_t their_sequence, const struct tcp_options *syn,
                         uint32_t timestamp)
{
    struct tcp_header_fields header = {
        .local = local, .remote = remote, .sequence = our_sequence, .acknowledgement = their_sequence + 1,
        .flags = TCP_SYN | TCP_ACK, .time_to_live = socket_time_to_live(&listener->socket.kept, remote.address),
        .type_of_service = socket_service(&listener->socket.kept, remote.address),
        .window = tcp_first_window(tcp_receive_limit_initial(listener->socket.receive_buffer), &listener->kept),
        .options = {
            .mss = announced_mss(listener, remote.address),
            .sack_permitted = syn->sack_permitted,
            .timestamp_present = syn->timestamp_present,
            .timestamp = timestamp,
            .timestamp_echo = syn->timestamp,
            .window_scale_present = syn->window_scale_present,
            .window_scale = tcp_receive_shift(listener->socket.receive_buffer),
        },
    };
    tcp_transmit_bare(&header);
}

static void answer(struct tcp_request *request)
{
    uint32_t timestamp = tcp_clock_ms() + tcp_timestamp_offset(request->entry.local, request->entry.remote);
    send_syn_ack(request->listener, request->entry.local, request->entry.remote, request->our_sequence,
                 request->their_sequence, &request->options, timestamp);
}

static void start_timer(struct tcp_request *request)
{
    if (!request->timer.active)
        request->references++;
    nanoseconds wait = TCP_RTO_INITIAL << min_of(request->retries, 7u);
    timer_start(&request->timer, net_now() + min_of(wait, DEFER_PERIOD_MAXIMUM));
}

/* A peer that acknowledged is left alone until its time is over; then the answer is sent again, for it to acknowledge
 * once more and be accepted. */
static void repeat_answer(struct tcp_request *request)
{
    unsigned defer = request->listener->kept.defer_accept;
    unsigned limit = request->acknowledged ? max_of(defer, SYN_ACK_RETRIES) : SYN_ACK_RETRIES;
    if (request->retries++ >= limit) {
        drop_request(request);
        return;
    }
    if (!request->acknowledged || request->retries >= defer) {
        request->resent = true;
        answer(request);
    }
    start_timer(request);
}

static void request_expired(struct timer *timer)
{
    struct tcp_request *request = container_of(timer, struct tcp_request, timer);
    net_lock();
    if (request->listener)
        repeat_answer(request);
    request_put(request);
    net_unlock();
}

static bool create_request(struct tcp_socket *listener, const struct tcp_segment *syn)
{
    struct tcp_request *request = heap_allocate_zeroed_at(sizeof(*request), PAGES_RESERVED);
    if (!request)
        return false;
    request->entry = (struct tcp_entry){ .kind = TCP_ENTRY_REQUEST, .local = syn->local, .remote = syn->remote };
    request->listener = listener;
    request->references = 1;
    request->started = net_now();
    request->their_sequence = syn->sequence;
    request->our_sequence = tcp_initial_sequence(syn->local, syn->remote);
    request->options = syn->options;
    timer_init(&request->timer, request_expired);
    tcp_table_add(&request->entry);
    list_push_back(&listener->requests, &request->listener_link);
    listener->request_count++;
    start_timer(request);
    answer(request);
    return true;
}

/* ---- Cookies ---------------------------------------------------------------------------------------
 *
 * Sequence number: 5 bits period, 3 bits index of the MSS, 24 bits keyed hash. Timestamp: its low 6 bits
 * carry the options: 4 bits window scale (15: none), 1 bit SACK, 1 bit always 0.
 */

static const uint16_t cookie_mss[8] = { 536, 1200, 1300, 1360, 1400, 1440, 1460, 8960 };
#define COOKIE_OPTION_BITS 0x3fu
#define COOKIE_NO_SCALE 15u

static uint32_t cookie_period(void) { return (uint32_t)(net_now() / COOKIE_PERIOD); }

static uint32_t make_cookie(struct endpoint local, struct endpoint remote, uint32_t their_sequence, uint32_t period,
                            unsigned mss_index)
{
    uint32_t hash = (uint32_t)tcp_secret_hash(local, remote, their_sequence, period << 3 | mss_index);
    return (period & 31) << 27 | mss_index << 24 | (hash & 0xffffff);
}

static uint32_t cookie_timestamp(const struct tcp_segment *syn)
{
    const struct tcp_options *options = &syn->options;
    uint32_t scale = options->window_scale_present ? options->window_scale : COOKIE_NO_SCALE;
    uint32_t now = tcp_clock_ms();
    uint32_t coded = (now & ~COOKIE_OPTION_BITS) | scale << 2 | (uint32_t)options->sack_permitted << 1;
    if (coded > now)
        coded -= COOKIE_OPTION_BITS + 1; /* timestamps may not lie ahead of the clock */
    return coded + tcp_timestamp_offset(syn->local, syn->remote);
}

static void answer_with_cookie(struct tcp_socket *listener, const struct tcp_segment *syn)
{
    unsigned index = array_size(cookie_mss) - 1;
    uint16_t mss = syn->options.mss != 0 ? syn->options.mss : TCP_DEFAULT_MSS;
    while (index > 0 && cookie_mss[index] > mss)
        index--;
    struct tcp_options options = syn->options;
    if (!options.timestamp_present) /* nowhere to keep them */
        options.window_scale_present = options.sack_permitted = false;
    listener->cookie_sent = net_now();
    uint32_t cookie = make_cookie(syn->local, syn->remote, syn->sequence, cookie_period(), index);
    send_syn_ack(listener, syn->local, syn->remote, cookie, syn->sequence, &options, cookie_timestamp(syn));
}

static bool cookie_may_come(const struct tcp_socket *listener)
{
    return listener->cookie_sent != 0 && net_now() - listener->cookie_sent <= 2 * COOKIE_PERIOD;
}

/* True if this is the acknowledgement of a cookie of ours. */
static bool read_cookie(struct tcp_socket *listener, const struct tcp_segment *segment, struct handshake *out)
{
    if (!cookie_may_come(listener))
        return false;
    uint32_t cookie = segment->acknowledgement - 1, their_sequence = segment->sequence - 1;
    unsigned index = cookie >> 24 & 7;
    uint32_t period = cookie_period();
    if ((period & 31) != cookie >> 27)
        period--;
    if (make_cookie(segment->local, segment->remote, their_sequence, period, index) != cookie)
        return false;
    *out = (struct handshake){ .their_sequence = their_sequence, .our_sequence = cookie };
    out->options.mss = cookie_mss[index];
    if (!segment->options.timestamp_present)
        return true;
    uint32_t coded = segment->options.timestamp_echo - tcp_timestamp_offset(segment->local, segment->remote);
    out->options.timestamp_present = true;
    out->options.timestamp = segment->options.timestamp;
    out->options.window_scale = coded >> 2 & 15;
    out->options.window_scale_present = out->options.window_scale != COOKIE_NO_SCALE;
    out->options.sack_permitted = coded & 2;
    return true;
}

/* ---- The end of the handshake ---------------------------------------------------------------------- */

/* Makes a connection of one that tcp_create() has just made for the segment's addresses. */
static void establish(struct tcp *tcp, struct tcp_socket *listener, const struct tcp_segment *segment,
                      const struct handshake *handshake)
{
    tcp_take_options(tcp, listener);
    tcp->receive_shift = tcp_receive_shift(listener->socket.receive_buffer);
    tcp_negotiate(tcp, &handshake->options);
    tcp->announced_mss = announced_mss(listener, segment->remote.address);
    tcp->accepted_side = !listener->socket.kept.kernels_own;
    tcp_counts.passive_opens++;
    tcp->receive_next = tcp->last_ack_sent = handshake->their_sequence + 1;
    tcp->receive_edge = tcp->receive_next + tcp_first_window(tcp->receive_limit, &tcp->kept);
    tcp->send_unacknowledged = tcp->send_next = tcp->send_end = handshake->our_sequence + 1;
    tcp->small_end = tcp->push_end = tcp->send_unacknowledged;
    tcp->recover = tcp->slow_start.round_end = tcp->send_unacknowledged;
    tcp->send_window = tcp->send_window_max = (uint32_t)segment->window << tcp->send_shift;
    tcp->window_sequence = segment->sequence;
    tcp->window_acknowledgement = segment->acknowledgement;
    if (handshake->rtt != 0)
        tcp_sample_rtt(tcp, handshake->rtt);
    tcp->state = TCP_ESTABLISHED;
    tcp_table_add(&tcp->entry); /* takes over the first reference */
    tcp->references++;          /* the accept queue's */
    tcp->listener = listener;
    list_push_back(&listener->waiting, &tcp->accept_link);
    listener->waiting_count++;
    tcp_keep_alive_start(tcp);
    wake(&listener->socket.queue, POLLIN);
}

static bool accept_queue_full(const struct tcp_socket *listener)
{
    return listener->waiting_count > listener->backlog || !net_memory_for_connection();
}

/* TCP_DEFER_ACCEPT: is this acknowledgement without data too early to be accepted? */
static bool deferred(const struct tcp_request *request, const struct tcp_segment *segment)
{
    bool bare = segment->length == 0 && !(segment->flags & TCP_FIN);
    return bare && request->retries < request->listener->kept.defer_accept;
}

/* The answer to their first SYN was a cookie, and a SYN that they sent again became a request: the first one counts,
 * which they have acknowledged. */
static void acknowledges_cookie(struct tcp_request *request, struct tcp_segment *segment, struct packet *packet)
{
    struct tcp_socket *listener = request->listener;
    struct handshake handshake;
    if (read_cookie(listener, segment, &handshake))
        drop_request(request);
    tcp_listener_input(listener, segment, packet);
}

void tcp_request_input(struct tcp_entry *entry, struct tcp_segment *segment, struct packet *packet)
{
    must_hold_net();
    struct tcp_request *request = request_of(entry);
    struct tcp_socket *listener = request->listener;
    uint32_t expected = request->their_sequence + 1;
    if (segment->flags & TCP_RST) {
        if (segment->sequence == expected)
            drop_request(request);
    } else if (segment->flags & TCP_SYN) {
        if (segment->sequence == request->their_sequence)
            answer(request); /* ours was lost */
    } else if (!(segment->flags & TCP_ACK)) {
        ; /* nothing to do with it: RFC 9293 3.10.7.4 */
    } else if (segment->acknowledgement != request->our_sequence + 1) {
        acknowledges_cookie(request, segment, packet);
        return;
    } else if (deferred(request, segment)) {
        request->acknowledged = true;
    } else if (segment->sequence - expected < 65535 && !accept_queue_full(listener)) {
        struct handshake handshake = { request->their_sequence, request->our_sequence, request->options,
                                       request->resent ? 0 : net_now() - request->started };
        struct tcp *tcp = tcp_create(segment->local, segment->remote);
        if (tcp) { /* without memory the request stays, and its timer asks for the acknowledgement again */
            drop_request(request);
            establish(tcp, listener, segment, &handshake);
            tcp_connection_input(tcp, segment, packet);
            return;
        }
    }
    packet_free(packet);
}

static void handle_syn(struct tcp_socket *listener, const struct tcp_segment *syn)
{
    if (!syn->ip->unicast || accept_queue_full(listener))
        return;
    unsigned limit = min_of(max_of(listener->backlog, REQUESTS_MINIMUM), REQUESTS_MAXIMUM);
    bool room = listener->request_count < limit && net_memory() == NET_MEMORY_PLENTY;
    if (!room || !create_request(listener, syn))
        answer_with_cookie(listener, syn);
}

void tcp_listener_input(struct tcp_socket *listener, struct tcp_segment *segment, struct packet *packet)
{
    must_hold_net();
    struct handshake handshake;
    if (segment->flags & TCP_RST) {
        ;
    } else if (segment->flags & TCP_ACK) {
        bool known = !(segment->flags & TCP_SYN) && read_cookie(listener, segment, &handshake);
        bool wanted = known && !accept_queue_full(listener);
        struct tcp *tcp = wanted ? tcp_create(segment->local, segment->remote) : NULL;
        if (tcp) {
            establish(tcp, listener, segment, &handshake);
            tcp_connection_input(tcp, segment, packet);
            return;
        }
        /* A peer whose cookie was lost, or came while the queue was full, sends it again with its first data. What
         * it sends before that has later sequence numbers, and must not be refused. */
        if (!known && !cookie_may_come(listener))
            tcp_refuse(segment);
    } else if (segment->flags & TCP_SYN && !(segment->flags & TCP_FIN)) {
        handle_syn(listener, segment);
    }
    packet_free(packet);
}

/* How well a listener fits: 0 not at all, 2 for its own address. */
static unsigned fitness(const struct port_binding *binding, struct endpoint local)
{
    if (!binding->listening || binding->local.port != local.port || !port_covers(binding, local.address))
        return 0;
    return ip_is_any(binding->local.address) ? 1 : 2;
}

/* The listener at this place among those that fit so well; they share the port. */
static struct tcp_socket *listener_at(struct endpoint local, unsigned wanted, unsigned position)
{
    list_for_each (node, port_bucket(&tcp_ports, local.port)) {
        struct port_binding *binding = list_entry(node, struct port_binding, link);
        if (fitness(binding, local) == wanted && position-- == 0)
            return container_of(binding, struct tcp_socket, binding);
    }
    return NULL;
}

struct tcp_socket *tcp_find_listener(struct endpoint local, struct endpoint remote)
{
    must_hold_net();
    unsigned counts[3] = { 0 };
    list_for_each (node, port_bucket(&tcp_ports, local.port))
        counts[fitness(list_entry(node, struct port_binding, link), local)]++;
    unsigned best = counts[2] > 0 ? 2 : 1;
    if (counts[best] == 0)
        return NULL;
    return listener_at(local, best, counts[best] > 1 ? port_share(local, remote, counts[best]) : 0);
}

void tcp_listener_close(struct tcp_socket *listener)
{
    must_hold_net();
    listener->listening = listener->binding.listening = false;
    while (!list_empty(&listener->requests))
        drop_request(list_entry(listener->requests.next, struct tcp_request, listener_link));
    while (!list_empty(&listener->waiting))
        tcp_abort(list_entry(listener->waiting.next, struct tcp, accept_link), ECONNRESET);
}
