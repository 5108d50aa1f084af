/*
 * Options of level IPPROTO_TCP (tcp(7)); values and layouts are those of linux/tcp.h. Net lock.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/tcp_private.h"

#define TCP_NODELAY 1
#define TCP_MAXSEG 2
#define TCP_CORK 3
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define TCP_SYNCNT 7
#define TCP_LINGER2 8
#define TCP_DEFER_ACCEPT 9
#define TCP_WINDOW_CLAMP 10
#define TCP_INFO 11
#define TCP_QUICKACK 12
#define TCP_CONGESTION 13
#define TCP_USER_TIMEOUT 18

#define KEEP_IDLE_DEFAULT (7200 * NS_PER_SECOND)      /* RFC 9293 3.8.4: no less than two hours by default */
#define KEEP_INTERVAL_DEFAULT (75 * NS_PER_SECOND)    /* tcp(7) */
#define KEEP_COUNT_DEFAULT 9
#define SECONDS_LIMIT 32767          /* tcp(7): keep-alive times */
#define QUICK_ACKS_ON_REQUEST 16

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
    socket->keep_idle = KEEP_IDLE_DEFAULT;
    socket->keep_interval = KEEP_INTERVAL_DEFAULT;
    socket->keep_count = KEEP_COUNT_DEFAULT;
}

static void apply(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (tcp == NULL)
        return;
    bool restart = socket->socket.keep_alive && (!tcp->keep_alive || tcp->keep_idle != socket->keep_idle);
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
    tcp_output(tcp);                  /* what Nagle or a cork held back may go now */
}

void tcp_socket_options_changed(struct socket *base)
{
    apply(tcp_socket_of(base));
}

static int set_seconds(nanoseconds *to, int value)
{
    if (value < 1 || value > SECONDS_LIMIT)
        return -EINVAL;
    *to = (nanoseconds)value * NS_PER_SECOND;
    return 0;
}

static int set_quick_ack(struct tcp *tcp, bool on)
{
    if (tcp == NULL)
        return 0;
    tcp->quick_acks = on ? QUICK_ACKS_ON_REQUEST : 0;
    if (on && tcp->ack_delayed && tcp->state != TCP_CLOSED)
        tcp_send_ack(tcp);
    return 0;
}

static int set_value(struct tcp_socket *socket, int name, int value)
{
    switch (name) {
    case TCP_NODELAY:
        socket->no_delay = value != 0;
        if (value != 0 && socket->connection != NULL)
            socket->connection->push_end = socket->connection->send_end;     /* also through a cork */
        return 0;
    case TCP_CORK:
        socket->cork = value != 0;
        return 0;
    case TCP_MAXSEG:
        if (value != 0 && (value < (int)TCP_MINIMUM_MSS || value > 32767))
            return -EINVAL;
        socket->max_segment = (uint32_t)value;
        return 0;
    case TCP_KEEPIDLE:
        return set_seconds(&socket->keep_idle, value);
    case TCP_KEEPINTVL:
        return set_seconds(&socket->keep_interval, value);
    case TCP_KEEPCNT:
        if (value < 1 || value > 127)
            return -EINVAL;
        socket->keep_count = (unsigned)value;
        return 0;
    case TCP_USER_TIMEOUT:
        if (value < 0)
            return -EINVAL;
        socket->user_timeout = (nanoseconds)value * NS_PER_MS;
        return 0;
    case TCP_QUICKACK:
        return set_quick_ack(socket->connection, value != 0);
    case TCP_DEFER_ACCEPT:            /* hints: connections are as right without them */
    case TCP_LINGER2:
    case TCP_SYNCNT:
    case TCP_WINDOW_CLAMP:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_socket_set_option(struct socket *base, int name, int value)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    int result = set_value(socket, name, value);
    if (result == 0)
        apply(socket);
    return result;
}

static uint32_t milliseconds_since(nanoseconds when)
{
    return (uint32_t)((clock_monotonic() - when) / NS_PER_MS);
}

static void describe(const struct tcp_socket *socket, struct tcp_information *out)
{
    const struct tcp *tcp = socket->connection;
    *out = (struct tcp_information){ .state = socket->listening ? TCP_LISTEN : TCP_CLOSED };
    if (tcp == NULL)
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
    out->unacknowledged = (tcp->send_max - tcp->send_unacknowledged + tcp->mss - 1) / max_of(tcp->mss, (uint16_t)1);
    out->sacked = tcp_sack_bytes(tcp) / max_of(tcp->mss, (uint16_t)1);
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

static int get_value(const struct tcp_socket *socket, int name, int *value)
{
    const struct tcp *tcp = socket->connection;
    switch (name) {
    case TCP_NODELAY:
        *value = socket->no_delay;
        return 0;
    case TCP_CORK:
        *value = socket->cork;
        return 0;
    case TCP_MAXSEG:
        *value = tcp != NULL ? tcp->mss : (int)TCP_DEFAULT_MSS;
        return 0;
    case TCP_KEEPIDLE:
        *value = (int)(socket->keep_idle / NS_PER_SECOND);
        return 0;
    case TCP_KEEPINTVL:
        *value = (int)(socket->keep_interval / NS_PER_SECOND);
        return 0;
    case TCP_KEEPCNT:
        *value = (int)socket->keep_count;
        return 0;
    case TCP_USER_TIMEOUT:
        *value = (int)(socket->user_timeout / NS_PER_MS);
        return 0;
    case TCP_QUICKACK:
        *value = tcp == NULL || tcp->quick_acks > 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_socket_get_option(struct socket *base, int name, void *value)
{
    const struct tcp_socket *socket = tcp_socket_of(base);
    if (name == TCP_INFO) {
        describe(socket, value);
        return sizeof(struct tcp_information);
    }
    if (name == TCP_CONGESTION) {     /* a name, padded to TCP_CA_NAME_MAX */
        memset(value, 0, 16);
        memcpy(value, "cubic", 5);
        return 16;
    }
    int result = get_value(socket, name, value);
    return result < 0 ? result : (int)sizeof(int);
}
