/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of level IPPROTO_TCP (tcp(7)); values and layouts are those of linux/tcp.h. Those that are numbers are lines
 * of one table. Each is kept in the socket, and a connection takes a copy whenever one was set. Net lock.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/option.h"
#include "net/tcp_private.h"

enum {
    TCP_NODELAY = 1,
    TCP_MAXSEG = 2,
    TCP_CORK = 3,
    TCP_KEEPIDLE = 4,
    TCP_KEEPINTVL = 5,
    TCP_KEEPCNT = 6,
    TCP_SYNCNT = 7,
    TCP_LINGER2 = 8,
    TCP_DEFER_ACCEPT = 9,
    TCP_WINDOW_CLAMP = 10,
    TCP_INFO = 11,
    TCP_QUICKACK = 12,
    TCP_CONGESTION = 13,
    TCP_THIN_LINEAR_TIMEOUTS = 16,
    TCP_THIN_DUPACK = 17,
    TCP_USER_TIMEOUT = 18,
    TCP_FASTOPEN = 23,
    TCP_NOTSENT_LOWAT = 25,
    TCP_FASTOPEN_CONNECT = 30,
    TCP_FASTOPEN_NO_COOKIE = 34,
};

#define KEEP_IDLE_DEFAULT (7200 * NS_PER_SECOND)   /* RFC 9293 3.8.4: no less than two hours by default */
#define KEEP_INTERVAL_DEFAULT (75 * NS_PER_SECOND) /* tcp(7) */
#define KEEP_COUNT_DEFAULT 9
#define SECONDS_LIMIT 32767 /* tcp(7): keep-alive times */
#define QUICK_ACKS_ON_REQUEST 16
#define SEGMENT_LIMIT 32767       /* MAX_TCP_WINDOW of Linux */
#define SYN_RETRIES_LIMIT 127     /* MAX_TCP_SYNCNT */
#define FIN_WAIT_LIMIT 120        /* seconds: TCP_FIN_TIMEOUT_MAX */
#define DEFER_PERIODS 255u        /* of an answer to a SYN, each twice as long as the one before */
#define DEFER_PERIOD_LIMIT 120u   /* seconds: TCP_RTO_MAX */
#define WINDOW_CLAMP_MINIMUM 1152 /* SOCK_MIN_RCVBUF / 2 */
#define CONGESTION_NAME 16u       /* TCP_CA_NAME_MAX */

/* The part of struct tcp_info that is older than Linux 2.6.20, which is what programs ask for. */
struct tcp_information {
    uint8_t state, congestion_state, retransmits, probes, backoff, options, scales, flags;
    uint32_t rto, ack_timeout, send_mss, receive_mss;
    uint32_t unacknowledged, sacked, lost, retransmitted, forward_acknowledged;
    uint32_t last_data_sent, last_ack_sent, last_data_received, last_ack_received;
    uint32_t path_mtu, receive_threshold, rtt, rtt_variation, send_threshold, send_window, advertised_mss, reordering;
    uint32_t receive_rtt, receive_space, total_retransmits;
};
_Static_assert(sizeof(struct tcp_information) <= SOCKET_OPTION_SIZE, "TCP_INFO fits the option buffer");

void tcp_socket_init(struct tcp_socket *socket)
{
    socket->kept.keep_idle = KEEP_IDLE_DEFAULT;
    socket->kept.keep_interval = KEEP_INTERVAL_DEFAULT;
    socket->kept.keep_count = KEEP_COUNT_DEFAULT;
}

static void apply(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (!tcp)
        return;
    bool restart = socket->socket.kept.keep_alive &&
                   (!tcp->keep_alive || tcp->kept.keep_idle != socket->kept.keep_idle);
    uint32_t receive_limit = tcp->receive_limit, send_limit = tcp->send_limit;
    tcp_take_options(tcp, socket);
    if (socket->socket.receive_buffer == 0)
        tcp->receive_limit = receive_limit;
    if (socket->socket.send_buffer == 0)
        tcp->send_limit = send_limit;
    if (tcp->state == TCP_CLOSED)
        return;
    if (restart)
        tcp_keep_alive_start(tcp);
    tcp_output(tcp); /* what Nagle or a cork held back may go now */
}

void tcp_socket_options_changed(struct socket *base)
{
    must_hold_net();
    apply(tcp_socket_of(base));
}

/* ---- What more than keeping is needed for ------------------------------------------------------------------ */

static int set_no_delay(void *base, int value)
{
    struct tcp_socket *socket = base;
    socket->kept.no_delay = value != 0;
    if (value != 0 && socket->connection)
        socket->connection->push_end = socket->connection->send_end; /* also through a cork */
    return 0;
}

static int set_max_segment(void *socket, int value)
{
    if (value != 0 && value < (int)TCP_MINIMUM_MSS)
        return -EINVAL;
    ((struct tcp_socket *)socket)->kept.max_segment = (uint32_t)value;
    return 0;
}

static int get_max_segment(const void *base)
{
    const struct tcp_socket *socket = base;
    if (socket->connection && socket->connection->mss != 0)
        return socket->connection->mss;
    return (int)(socket->kept.max_segment != 0 ? socket->kept.max_segment : TCP_DEFAULT_MSS);
}

static int get_syn_retries(const void *base)
{
    uint32_t set = ((const struct tcp_socket *)base)->kept.syn_retries;
    return (int)(set != 0 ? set : TCP_SYN_RETRIES);
}

static int set_fin_wait(void *base, int value)
{
    ((struct tcp_socket *)base)->kept.fin_wait = value < 0 ? -1 : min_of(value, FIN_WAIT_LIMIT);
    return 0;
}

static int get_fin_wait(const void *base)
{
    int set = ((const struct tcp_socket *)base)->kept.fin_wait;
    return set != 0 ? set : (int)(TCP_FIN_TIMEOUT / NS_PER_SECOND);
}

/* Seconds become the number of answers to a SYN in that time: 1, 3, 7, 15 seconds. */
static int set_defer_accept(void *base, int value)
{
    uint32_t *count = &((struct tcp_socket *)base)->kept.defer_accept;
    int64_t wait = 1, passed = 1;
    for (*count = value > 0; passed < value && *count < DEFER_PERIODS; ++*count) {
        wait = min_of(2 * wait, (int64_t)DEFER_PERIOD_LIMIT);
        passed += wait;
    }
    return 0;
}

static int get_defer_accept(const void *base)
{
    int wait = 1, passed = 0;
    for (uint32_t left = ((const struct tcp_socket *)base)->kept.defer_accept; left > 0; left--) {
        passed += wait;
        wait = min_of(2 * wait, (int)DEFER_PERIOD_LIMIT);
    }
    return passed;
}

static int set_window_clamp(void *base, int value)
{
    struct tcp_socket *socket = base;
    if (value == 0 && (socket->listening || (socket->connection && socket->connection->state != TCP_CLOSED)))
        return -EINVAL;
    socket->kept.window_clamp = value == 0 ? 0 : (uint32_t)max_of(value, WINDOW_CLAMP_MINIMUM);
    return 0;
}

static int get_window_clamp(const void *base)
{
    const struct tcp_socket *socket = base;
    bool automatic = socket->kept.window_clamp == 0 && socket->connection;
    return (int)(automatic ? socket_buffer_maximum() : socket->kept.window_clamp);
}

static int set_quick_ack(void *base, int value)
{
    struct tcp_socket *socket = base;
    struct tcp *tcp = socket->connection;
    socket->kept.delayed_acks = value == 0;
    if (!tcp)
        return 0;
    tcp->quick_acks = value != 0 ? QUICK_ACKS_ON_REQUEST : 0;
    if (value != 0 && tcp->ack_delayed && tcp->state != TCP_CLOSED)
        tcp_send_ack(tcp);
    return 0;
}

static int get_quick_ack(const void *base)
{
    const struct tcp_socket *socket = base;
    return socket->connection ? socket->connection->quick_acks > 0 : !socket->kept.delayed_acks;
}

static int set_not_sent_low(void *base, int value)
{
    struct tcp_socket *socket = base;
    socket->kept.not_sent_low = (uint32_t)value;
    wake(&socket->socket.queue, POLLOUT);
    return 0;
}

static bool before_connection(const struct tcp_socket *socket) { return !socket->connection; }

static int set_fast_open_queue(void *base, int value)
{
    struct tcp_socket *socket = base;
    if (!before_connection(socket))
        return -EINVAL;
    socket->kept.fast_open_queue = min_of((uint32_t)value, TCP_BACKLOG_MAXIMUM);
    return 0;
}

static int set_fast_open_connect(void *base, int value)
{
    struct tcp_socket *socket = base;
    if (!before_connection(socket) || socket->listening)
        return -EINVAL;
    socket->kept.fast_open_connect = value != 0;
    return 0;
}

#define KEPT(name, shape, field, ...) OPTION_AT(name, shape, struct tcp_socket, kept.field, __VA_ARGS__)

static const struct option lines[] = {
    KEPT(TCP_NODELAY, OPTION_FLAG, no_delay, .set = set_no_delay),
    OPTION_OF(TCP_MAXSEG, .set = set_max_segment, .get = get_max_segment, .lowest = 0, .highest = SEGMENT_LIMIT),
    KEPT(TCP_CORK, OPTION_FLAG, cork),
    KEPT(TCP_KEEPIDLE, OPTION_SECONDS, keep_idle, .lowest = 1, .highest = SECONDS_LIMIT),
    KEPT(TCP_KEEPINTVL, OPTION_SECONDS, keep_interval, .lowest = 1, .highest = SECONDS_LIMIT),
    KEPT(TCP_KEEPCNT, OPTION_NUMBER, keep_count, .lowest = 1, .highest = 127),
    KEPT(TCP_SYNCNT, OPTION_NUMBER, syn_retries, .get = get_syn_retries, .lowest = 1, .highest = SYN_RETRIES_LIMIT),
    KEPT(TCP_LINGER2, OPTION_NUMBER, fin_wait, .set = set_fin_wait, .get = get_fin_wait),
    KEPT(TCP_DEFER_ACCEPT, OPTION_NUMBER, defer_accept, .set = set_defer_accept, .get = get_defer_accept),
    KEPT(TCP_WINDOW_CLAMP, OPTION_NUMBER, window_clamp, .set = set_window_clamp, .get = get_window_clamp),
    OPTION_OF(TCP_QUICKACK, .set = set_quick_ack, .get = get_quick_ack),
    KEPT(TCP_THIN_LINEAR_TIMEOUTS, OPTION_FLAG, thin_timeouts, .lowest = 0, .highest = 1),
    OPTION_OF(TCP_THIN_DUPACK, .set = option_set_nothing, .get = option_get_zero, .lowest = 0, .highest = 1),
    KEPT(TCP_USER_TIMEOUT, OPTION_MILLISECONDS, user_timeout, .lowest = 0, .highest = INT32_MAX),
    KEPT(TCP_FASTOPEN, OPTION_NUMBER, fast_open_queue, .set = set_fast_open_queue, .lowest = 0, .highest = INT32_MAX),
    KEPT(TCP_NOTSENT_LOWAT, OPTION_NUMBER, not_sent_low, .set = set_not_sent_low),
    KEPT(TCP_FASTOPEN_CONNECT, OPTION_FLAG, fast_open_connect, .set = set_fast_open_connect, .lowest = 0, .highest = 1),
    KEPT(TCP_FASTOPEN_NO_COOKIE, OPTION_FLAG, fast_open_without_cookie, .lowest = 0, .highest = 1),
};
static const struct option_table options = { lines, array_size(lines) };

/* There is one algorithm (tcp_congestion.c). */
static int choose_congestion(const void *value, uint32_t length)
{
    char name[CONGESTION_NAME] = { 0 };
    if (length < 1)
        return -EINVAL;
    memcpy(name, value, min_of(length, CONGESTION_NAME - 1));
    return strcmp(name, "cubic") == 0 ? 0 : -ENOENT;
}

int tcp_socket_set_option(struct socket *base, int name, const void *value, uint32_t length)
{
    must_hold_net();
    int32_t number;
    if (name == TCP_CONGESTION)
        return choose_congestion(value, length);
    if (length < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    struct tcp_socket *socket = tcp_socket_of(base);
    int result = option_set(&options, socket, name, number);
    if (result == 0)
        apply(socket);
    return result;
}

/* ---- TCP_INFO ----------------------------------------------------------------------------------------------- */

static uint32_t milliseconds_since(nanoseconds when) { return (uint32_t)((net_now() - when) / NS_PER_MS); }

static void describe(const struct tcp_socket *socket, struct tcp_information *out)
{
    const struct tcp *tcp = socket->connection;
    *out = (struct tcp_information){ .state = socket->listening ? TCP_LISTEN : TCP_CLOSED };
    if (!tcp)
        return;
    out->state = (uint8_t)tcp->state;
    out->congestion_state = tcp->recovery == TCP_OPEN ? 0 : tcp->recovery == TCP_RECOVERY ? 3 : 4;
    out->retransmits = (uint8_t)tcp->backoffs;
    out->probes = (uint8_t)tcp->probes;
    out->options = (uint8_t)(tcp->timestamps | tcp->sack << 1 | tcp->scaling << 2);
    out->scales = (uint8_t)(tcp->send_shift | tcp->receive_shift << 4);
    out->rto = (uint32_t)(tcp->rto / NS_PER_US);
    out->send_mss = tcp->mss;
    out->receive_mss = tcp->receive_mss;
    out->advertised_mss = tcp->announced_mss;
    out->unacknowledged = (tcp->send_next - tcp->send_unacknowledged + tcp->mss - 1) / max_of(tcp->mss, (uint16_t)1);
    out->sacked = tcp->delivered / max_of(tcp->mss, (uint16_t)1);
    out->last_data_sent = milliseconds_since(tcp->last_sent);
    out->last_data_received = out->last_ack_received = milliseconds_since(tcp->last_received);
    out->path_mtu = tcp->path_mtu;
    out->rtt = (uint32_t)(tcp->smoothed_rtt / NS_PER_US);
    out->rtt_variation = (uint32_t)(tcp->rtt_variation / NS_PER_US);
    out->send_window = tcp->congestion.window / max_of(tcp->mss, (uint16_t)1);
    out->send_threshold = tcp->congestion.slow_start_threshold / max_of(tcp->mss, (uint16_t)1);
    out->reordering = 3;
    out->receive_space = tcp->receive_limit;
    out->total_retransmits = tcp->total_retransmits;
}

int tcp_socket_get_option(struct socket *base, int name, void *value)
{
    must_hold_net();
    const struct tcp_socket *socket = tcp_socket_of(base);
    if (name == TCP_INFO) {
        describe(socket, value);
        return sizeof(struct tcp_information);
    }
    if (name == TCP_CONGESTION) { /* a name, padded to TCP_CA_NAME_MAX */
        memset(value, 0, CONGESTION_NAME);
        memcpy(value, "cubic", 5);
        return CONGESTION_NAME;
    }
    int result = option_get(&options, socket, name, value);
    return result < 0 ? result : (int)sizeof(int);
}
