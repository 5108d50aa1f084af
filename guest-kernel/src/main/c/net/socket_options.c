/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of levels SOL_SOCKET (socket(7)), IPPROTO_IP (ip(7)) and IPPROTO_UDP (udp(7)), and the way to IPPROTO_TCP's.
 * Those that are numbers are lines of three tables; the others have a layout of their own. Checks, defaults and errors
 * are those of Linux. Net lock, but for the two functions that the system calls use.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/timeval.h"
#include "net/interface.h"
#include "net/ip.h"
#include "net/ip6_options.h"
#include "net/multicast.h"
#include "net/option.h"
#include "net/path_mtu.h"
#include "net/socket.h"
#include "net/udp.h"

enum {
    SO_DEBUG = 1,
    SO_REUSEADDR = 2,
    SO_TYPE = 3,
    SO_ERROR = 4,
    SO_DONTROUTE = 5,
    SO_BROADCAST = 6,
    SO_SNDBUF = 7,
    SO_RCVBUF = 8,
    SO_KEEPALIVE = 9,
    SO_OOBINLINE = 10,
    SO_PRIORITY = 12,
    SO_LINGER = 13,
    SO_BSDCOMPAT = 14,
    SO_REUSEPORT = 15,
    SO_PEERCRED = 17,
    SO_RCVLOWAT = 18,
    SO_SNDLOWAT = 19,
    SO_RCVTIMEO = 20,
    SO_SNDTIMEO = 21,
    SO_ACCEPTCONN = 30,
    SO_SNDBUFFORCE = 32,
    SO_RCVBUFFORCE = 33,
    SO_MARK = 36,
    SO_PROTOCOL = 38,
    SO_DOMAIN = 39,
    SO_RXQ_OVFL = 40,
    SO_BUSY_POLL = 46,
    SO_INCOMING_CPU = 49,
    SO_INCOMING_NAPI_ID = 56,
    SO_COOKIE = 57,
    SO_PREFER_BUSY_POLL = 69,
    SO_BUSY_POLL_BUDGET = 70,
};
enum { /* linux/in.h; the rest is in net/socket.h */
       IP_RECVOPTS = 6,
       IP_RETOPTS = 7,
       IP_MTU_DISCOVER = 10,
       IP_RECVTTL = 12,
       IP_RECVTOS = 13,
       IP_MTU = 14,
       IP_FREEBIND = 15,
       IP_TRANSPARENT = 19,
       IP_MINTTL = 21,
       IP_CHECKSUM = 23,
       IP_BIND_ADDRESS_NO_PORT = 24,
       IP_RECVERR_RFC4884 = 26,
       IP_MULTICAST_IF = 32,
       IP_MULTICAST_TTL = 33,
       IP_MULTICAST_LOOP = 34,
       IP_MULTICAST_ALL = 49,
};
#define UDP_CORK 1 /* linux/udp.h */
#define UDP_GRO 104
#define UDP_SEGMENT_MOST 65535
#define ECN_MASK 3u     /* RFC 3168: the transport's part of the type of service */
#define IPV6_MTU 24     /* linux/in6.h */
#define PMTUDISC_LAST 5 /* IP_PMTUDISC_OMIT */

struct linger_value {
    int32_t on, seconds;
};
struct credentials {
    int32_t process;
    uint32_t user, group;
};

static uint32_t clamp_buffer(int value)
{
    /* Doubled for the bookkeeping, as Linux does and programs know (socket(7)). */
    uint64_t wanted = 2 * (uint64_t)(uint32_t)max_of(value, 0);
    return (uint32_t)min_of(max_of(wanted, (uint64_t)SOCKET_BUFFER_MINIMUM), (uint64_t)socket_buffer_maximum());
}

static int buffer_size(uint32_t set) { return (int)(set != 0 ? set : min_of(64u * 1024, socket_buffer_maximum())); }

static int set_linger(struct socket *socket, const void *value, uint32_t length)
{
    struct linger_value linger;
    if (length < sizeof(linger))
        return -EINVAL;
    memcpy(&linger, value, sizeof(linger));
    socket->kept.linger = linger.on != 0;
    socket->kept.linger_seconds = (uint32_t)max_of(linger.seconds, 0);
    return 0;
}

static int set_timeout(nanoseconds *to, const void *value, uint32_t length)
{
    struct abi_timeval time;
    if (length < sizeof(time))
        return -EINVAL;
    memcpy(&time, value, sizeof(time));
    if (!timeval_valid(&time))
        return -EDOM;
    bool endless = time.seconds < 0 || time.seconds > INT32_MAX;
    *to = endless ? 0 : timeval_duration(&time);
    return 0;
}

/* ---- Tables ---------------------------------------------------------------------------------------------- */

static int set_send_buffer(void *socket, int value)
{
    ((struct socket *)socket)->send_buffer = clamp_buffer(value);
    return 0;
}

static int set_receive_buffer(void *socket, int value)
{
    ((struct socket *)socket)->receive_buffer = clamp_buffer(value);
    return 0;
}

static int get_send_buffer(const void *socket) { return buffer_size(((const struct socket *)socket)->send_buffer); }
static int get_receive_buffer(const void *socket)
{
    return buffer_size(((const struct socket *)socket)->receive_buffer);
}
static int get_type(const void *socket) { return ((const struct socket *)socket)->type; }
static int get_family(const void *socket) { return ((const struct socket *)socket)->family; }
static int get_protocol(const void *socket) { return ((const struct socket *)socket)->protocol; }
static int get_one(const void *socket)
{
    (void)socket;
    return 1;
}

static int get_error(const void *socket)
{
    struct socket *taken_from = (struct socket *)socket; /* reading this one clears it */
    return taken_from->operations->take_error(taken_from);
}

static bool is_inet(const struct socket *socket) { return socket->family == AF_INET || socket->family == AF_INET6; }

static int set_reuse_port(void *socket, int value)
{
    if (value != 0 && !is_inet(socket))
        return -EOPNOTSUPP;
    ((struct socket *)socket)->kept.reuse_port = value != 0;
    return 0;
}

static int set_receive_low(void *socket, int value)
{
    ((struct socket *)socket)->kept.receive_low = value < 0 ? INT32_MAX : (uint32_t)max_of(value, 1);
    return 0;
}

/* Each form ends the other. */
static int set_timestamp(void *socket, int value)
{
    ((struct socket *)socket)->kept.timestamp = value != 0;
    ((struct socket *)socket)->kept.timestamp_ns = false;
    return 0;
}

static int set_timestamp_ns(void *socket, int value)
{
    ((struct socket *)socket)->kept.timestamp_ns = value != 0;
    ((struct socket *)socket)->kept.timestamp = false;
    return 0;
}

#define KEPT(name, shape, field, ...) OPTION_AT(name, shape, struct socket, kept.field, __VA_ARGS__)

static const struct option socket_lines[] = {
    KEPT(SO_DEBUG, OPTION_FLAG, debug),
    KEPT(SO_REUSEADDR, OPTION_FLAG, reuse_address),
    KEPT(SO_REUSEPORT, OPTION_FLAG, reuse_port, .set = set_reuse_port),
    KEPT(SO_DONTROUTE, OPTION_FLAG, dont_route),
    KEPT(SO_BROADCAST, OPTION_FLAG, broadcast),
    KEPT(SO_KEEPALIVE, OPTION_FLAG, keep_alive),
    KEPT(SO_OOBINLINE, OPTION_FLAG, urgent_in_line),
    KEPT(SO_PRIORITY, OPTION_NUMBER, priority),
    KEPT(SO_RCVLOWAT, OPTION_NUMBER, receive_low, .set = set_receive_low),
    KEPT(SO_TIMESTAMP, OPTION_FLAG, timestamp, .set = set_timestamp),
    KEPT(SO_TIMESTAMPNS, OPTION_FLAG, timestamp_ns, .set = set_timestamp_ns),
    KEPT(SO_MARK, OPTION_NUMBER, mark),
    KEPT(SO_RXQ_OVFL, OPTION_FLAG, queue_overflow),
    KEPT(SO_BUSY_POLL, OPTION_NUMBER, busy_poll, .lowest = 0, .highest = INT32_MAX),
    KEPT(SO_INCOMING_CPU, OPTION_NUMBER, incoming_cpu),
    KEPT(SO_PREFER_BUSY_POLL, OPTION_FLAG, prefer_busy_poll),
    OPTION_OF(SO_BUSY_POLL_BUDGET, .set = option_set_nothing, .lowest = 0, .highest = UINT16_MAX), /* never read
                                                                                                         back */
    OPTION_OF(SO_SNDBUF, .set = set_send_buffer, .get = get_send_buffer),
    OPTION_OF(SO_RCVBUF, .set = set_receive_buffer, .get = get_receive_buffer),
    OPTION_OF(SO_SNDBUFFORCE, .set = set_send_buffer),
    OPTION_OF(SO_RCVBUFFORCE, .set = set_receive_buffer),
    OPTION_OF(SO_BSDCOMPAT, .set = option_set_nothing),
    OPTION_OF(SO_SNDLOWAT, .get = get_one),
    OPTION_OF(SO_TYPE, .get = get_type),
    OPTION_OF(SO_DOMAIN, .get = get_family),
    OPTION_OF(SO_PROTOCOL, .get = get_protocol),
    OPTION_OF(SO_ERROR, .get = get_error),
    OPTION_OF(SO_INCOMING_NAPI_ID, .get = option_get_zero),
};
static const struct option_table socket_options = { socket_lines, array_size(socket_lines) };

/* A stream sets the bits for congestion itself. */
static int set_type_of_service(void *base, int value)
{
    struct socket *socket = base;
    uint8_t wanted = (uint8_t)value;
    if (socket->type == SOCK_STREAM)
        wanted = (uint8_t)((wanted & ~ECN_MASK) | (socket->kept.type_of_service & ECN_MASK));
    socket->kept.type_of_service = wanted;
    return 0;
}

static int set_time_to_live(void *socket, int value)
{
    if (value != -1 && value < 1)
        return -EINVAL;
    ((struct socket *)socket)->kept.time_to_live = value == -1 ? IP_DEFAULT_TTL : (uint8_t)value;
    return 0;
}

static int set_multicast_ttl(void *socket, int value)
{
    if (((struct socket *)socket)->type == SOCK_STREAM)
        return -EINVAL;
    ((struct socket *)socket)->kept.multicast_ttl = value == -1 ? 1 : (uint8_t)value;
    return 0;
}

static const struct option ip_lines[] = {
    KEPT(IP_TOS, OPTION_BYTE, type_of_service, .set = set_type_of_service),
    KEPT(IP_TTL, OPTION_BYTE, time_to_live, .set = set_time_to_live, .lowest = -1, .highest = 255, .not_empty = true),
    KEPT(IP_RECVOPTS, OPTION_FLAG, receive_options),
    KEPT(IP_RETOPTS, OPTION_FLAG, retain_options),
    KEPT(IP_PKTINFO, OPTION_FLAG, packet_info),
    KEPT(IP_MTU_DISCOVER, OPTION_BYTE, path_discovery, .lowest = 0, .highest = PMTUDISC_LAST),
    KEPT(IP_RECVERR, OPTION_FLAG, receive_errors),
    KEPT(IP_RECVTTL, OPTION_FLAG, tell_ttl),
    KEPT(IP_RECVTOS, OPTION_FLAG, tell_tos),
    KEPT(IP_FREEBIND, OPTION_FLAG, free_bind, .not_empty = true),
    KEPT(IP_TRANSPARENT, OPTION_FLAG, transparent, .not_empty = true),
    KEPT(IP_RECVORIGDSTADDR, OPTION_FLAG, tell_destination),
    KEPT(IP_MINTTL, OPTION_BYTE, minimum_ttl, .lowest = 0, .highest = 255, .not_empty = true),
    KEPT(IP_CHECKSUM, OPTION_FLAG, checksum_offset),
    KEPT(IP_BIND_ADDRESS_NO_PORT, OPTION_FLAG, no_port),
    KEPT(IP_RECVERR_RFC4884, OPTION_FLAG, extended_errors, .lowest = 0, .highest = 1),
    KEPT(IP_MULTICAST_TTL, OPTION_BYTE, multicast_ttl, .set = set_multicast_ttl, .lowest = -1, .highest = 255,
         .not_empty = true),
    KEPT(IP_MULTICAST_LOOP, OPTION_FLAG, multicast_loop, .not_empty = true),
    KEPT(IP_MULTICAST_ALL, OPTION_FLAG, multicast_all, .lowest = 0, .highest = 1, .not_empty = true),
};
static const struct option_table ip_options = { ip_lines, array_size(ip_lines) };

static int set_segment(void *socket, int value)
{
    if (value < 0)
        return -EINVAL;
    ((struct socket *)socket)->kept.segment = (uint16_t)value;
    return 0;
}
static int get_segment(const void *socket) { return ((const struct socket *)socket)->kept.segment; }

/* Datagrams may be joined for a reader that asks for it; here they never are. */
static const struct option udp_lines[] = {
    KEPT(UDP_CORK, OPTION_FLAG, cork, .set = udp_set_cork),
    OPTION_OF(UDP_SEGMENT, .set = set_segment, .get = get_segment, .lowest = -1, .highest = UDP_SEGMENT_MOST),
    KEPT(UDP_GRO, OPTION_FLAG, join_datagrams),
};
static const struct option_table udp_options = { udp_lines, array_size(udp_lines) };

/* ---- Setting ---------------------------------------------------------------------------------------------- */

static int set_socket_level(struct socket *socket, int name, const void *value, uint32_t length)
{
    int32_t number = 0;
    if (name == SO_LINGER)
        return set_linger(socket, value, length);
    if (name == SO_RCVTIMEO)
        return set_timeout(&socket->receive_timeout, value, length);
    if (name == SO_SNDTIMEO)
        return set_timeout(&socket->send_timeout, value, length);
    if (length < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    return option_set(&socket_options, socket, name, number);
}

/* A byte or an int: ip(7). */
static int set_ip_level(struct socket *socket, int name, const void *value, uint32_t length)
{
    int32_t number = 0;
    if (multicast_is_option(IPPROTO_IP, name))
        return multicast_set_option(socket, IPPROTO_IP, name, value, length);
    if (length == 0 && !option_may_be_empty(&ip_options, name))
        return -EINVAL;
    if (length >= sizeof(number))
        memcpy(&number, value, sizeof(number));
    else if (length > 0)
        number = *(const uint8_t *)value;
    return option_set(&ip_options, socket, name, number);
}

static int set_ip6_level(struct socket *socket, int name, const void *value, uint32_t length)
{
    if (multicast_is_option(IPPROTO_IPV6, name))
        return multicast_set_option(socket, IPPROTO_IPV6, name, value, length);
    return ip6_set_option(socket, name, value, length);
}

static int set_udp_level(struct socket *socket, int name, const void *value, uint32_t length)
{
    int32_t number;
    if (socket->protocol != IPPROTO_UDP)
        return -ENOPROTOOPT;
    if (length < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    return option_set(&udp_options, socket, name, number);
}

static int set_locked(struct socket *socket, int level, int name, const void *value, uint32_t length)
{
    must_hold_net();
    int result;
    switch (level) {
    case SOL_SOCKET:
        result = set_socket_level(socket, name, value, length);
        break;
    case IPPROTO_IP:
        result = is_inet(socket) ? set_ip_level(socket, name, value, length) : -EOPNOTSUPP;
        break;
    case IPPROTO_IPV6:
        result = socket->family == AF_INET6 ? set_ip6_level(socket, name, value, length) : -ENOPROTOOPT;
        break;
    case IPPROTO_TCP:
        return socket->operations->set_option ? socket->operations->set_option(socket, name, value, length)
                                              : -ENOPROTOOPT;
    case IPPROTO_UDP:
        return set_udp_level(socket, name, value, length);
    default:
        return -ENOPROTOOPT;
    }
    if (result == 0 && socket->operations->options_changed)
        socket->operations->options_changed(socket);
    return result;
}

uint32_t socket_option_size(int level, int name)
{
    return multicast_is_filter(level, name) ? SOCKET_FILTER_SIZE : SOCKET_OPTION_SIZE;
}

int socket_set_option(struct socket *socket, int level, int name, const void *value, uint32_t length)
{
    net_lock();
    int result = set_locked(socket, level, name, value, length);
    net_unlock();
    return result;
}

static int listening(struct socket *socket)
{
    /* FIONREAD fails for listeners only. */
    return socket->type == SOCK_STREAM && socket->operations->readable_bytes(socket) == -EINVAL;
}

static int fill(void *to, const void *from, uint32_t length)
{
    memcpy(to, from, length);
    return (int)length;
}

static int get_from(const struct option_table *table, const struct socket *socket, int name, void *value)
{
    int number;
    int error = option_get(table, socket, name, &number);
    return error < 0 ? error : fill(value, &number, sizeof(number));
}

static int get_timeout(void *to, nanoseconds timeout)
{
    struct abi_timeval time = timeval_of(timeout);
    return fill(to, &time, sizeof(time));
}

static int get_socket_level(struct socket *socket, int name, void *value)
{
    struct linger_value linger = { socket->kept.linger, (int32_t)socket->kept.linger_seconds };
    struct credentials peer = { .process = 1 }; /* unix(7): the one process, as root */
    if (name == SO_LINGER)
        return fill(value, &linger, sizeof(linger));
    if (name == SO_RCVTIMEO)
        return get_timeout(value, socket->receive_timeout);
    if (name == SO_SNDTIMEO)
        return get_timeout(value, socket->send_timeout);
    if (name == SO_PEERCRED)
        return fill(value, &peer, sizeof(peer));
    if (name == SO_COOKIE)
        return fill(value, &socket->number, sizeof(socket->number));
    return get_from(&socket_options, socket, name, value);
}

static int get_ip_level(struct socket *socket, int name, void *value)
{
    if (name != IP_MULTICAST_IF)
        return get_from(&ip_options, socket, name, value);
    be32 address = be32_of(socket->kept.multicast_interface);
    return fill(value, &address, sizeof(address));
}

static int get_ip6_level(struct socket *socket, int name, void *value)
{
    int32_t number;
    int error = ip6_get_option(socket, name, &number);
    return error < 0 ? error : fill(value, &number, sizeof(number));
}

/* IP_MTU: of the way to the peer, which must be known. Without the lock. */
static int get_mtu(struct socket *socket, void *value)
{
    struct socket_address peer;
    struct ip_route route;
    if (!is_inet(socket))
        return -EOPNOTSUPP;
    if (socket->operations->peer_address(socket, &peer) < 0)
        return -ENOTCONN;
    net_lock();
    int32_t mtu = 0;
    if (ip_route(peer.in.address, &route) == 0) {
        route.path_mtu = route.interface->loopback ? 0 : path_mtu_of(peer.in.address);
        mtu = (int32_t)ip_mtu(&route);
    }
    net_unlock();
    return mtu == 0 ? -ENOTCONN : fill(value, &mtu, sizeof(mtu));
}

static int get_locked(struct socket *socket, int level, int name, void *value)
{
    must_hold_net();
    switch (level) {
    case SOL_SOCKET:
        return get_socket_level(socket, name, value);
    case IPPROTO_IP:
        return is_inet(socket) ? get_ip_level(socket, name, value) : -EOPNOTSUPP;
    case IPPROTO_IPV6:
        return socket->family == AF_INET6 ? get_ip6_level(socket, name, value) : -EOPNOTSUPP;
    case IPPROTO_TCP:
        return socket->operations->get_option ? socket->operations->get_option(socket, name, value) : -EOPNOTSUPP;
    case IPPROTO_UDP:
        return socket->protocol == IPPROTO_UDP ? get_from(&udp_options, socket, name, value) : -EOPNOTSUPP;
    default:
        return -EOPNOTSUPP;
    }
}

/* An int of IP whose room is less than that is given as a byte, if it is one: ip(7). */
static uint32_t narrowed(int level, uint32_t room, uint32_t filled, void *value)
{
    int32_t number;
    memcpy(&number, value, sizeof(number));
    if (level != IPPROTO_IP || filled != sizeof(number) || room == 0 || room >= sizeof(number) || number < 0 ||
        number > 255)
        return min_of(room, filled);
    *(uint8_t *)value = (uint8_t)number;
    return 1;
}

static int get_filter(const struct socket *socket, int level, int name, void *value, uint32_t *length)
{
    net_lock();
    int filled = is_inet(socket) && (level == IPPROTO_IP || socket->family == AF_INET6)
                     ? multicast_get_option(socket, level, name, value, *length)
                     : -EOPNOTSUPP;
    net_unlock();
    if (filled < 0)
        return filled;
    *length = (uint32_t)filled;
    return 0;
}

int socket_get_option(struct socket *socket, int level, int name, void *value, uint32_t *length)
{
    _Alignas(8) uint8_t buffer[SOCKET_OPTION_SIZE];
    if (multicast_is_filter(level, name))
        return get_filter(socket, level, name, value, length);
    if (level == SOL_SOCKET && name == SO_ACCEPTCONN) {
        int32_t number = listening(socket);
        *length = min_of(*length, (uint32_t)sizeof(number));
        memcpy(value, &number, *length);
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_COOKIE && *length < sizeof(socket->number))
        return -EINVAL;
    int filled;
    if ((level == IPPROTO_IP && name == IP_MTU) ||
        (level == IPPROTO_IPV6 && name == IPV6_MTU && socket->family == AF_INET6)) {
        filled = get_mtu(socket, buffer);
    } else {
        net_lock();
        filled = get_locked(socket, level, name, buffer);
        net_unlock();
    }
    if (filled < 0)
        return filled;
    *length = narrowed(level, *length, (uint32_t)filled, buffer);
    memcpy(value, buffer, *length);
    return 0;
}
