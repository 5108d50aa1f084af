/*
 * Options of levels SOL_SOCKET (socket(7)) and IPPROTO_IP (ip(7)), and the way to IPPROTO_TCP's.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/interface.h"
#include "net/socket.h"

#define SOL_SOCKET 1                 /* asm-generic/socket.h */
#define SO_REUSEADDR 2
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_DONTROUTE 5
#define SO_BROADCAST 6
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_OOBINLINE 10
#define SO_PRIORITY 12
#define SO_LINGER 13
#define SO_REUSEPORT 15
#define SO_PEERCRED 17
#define SO_RCVLOWAT 18
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_TIMESTAMP 29
#define SO_ACCEPTCONN 30
#define SO_PROTOCOL 38
#define SO_DOMAIN 39
#define SO_INCOMING_NAPI_ID 56

#define IP_TOS 1                     /* linux/in.h */
#define IP_TTL 2
#define IP_PKTINFO 8
#define IP_MTU_DISCOVER 10
#define IP_RECVERR 11
#define IP_RECVTOS 13
#define IP_MTU 14
#define IP_MULTICAST_IF 32
#define IP_MULTICAST_TTL 33
#define IP_MULTICAST_LOOP 34
#define IP_MULTICAST_ALL 49

struct linger_value { int32_t on, seconds; };
struct time_value { int64_t seconds, microseconds; };
struct credentials { int32_t process; uint32_t user, group; };

static uint32_t clamp_buffer(int value)
{
    /* Doubled for the bookkeeping, as Linux does and programs know (socket(7)). */
    uint64_t wanted = 2 * (uint64_t)(uint32_t)max_of(value, 0);
    return (uint32_t)min_of(max_of(wanted, (uint64_t)SOCKET_BUFFER_MINIMUM), (uint64_t)socket_buffer_maximum());
}

static int set_linger(struct socket *socket, const void *value, uint32_t length)
{
    struct linger_value linger;
    if (length < sizeof(linger))
        return -EINVAL;
    memcpy(&linger, value, sizeof(linger));
    socket->linger = linger.on != 0;
    socket->linger_seconds = (uint32_t)max_of(linger.seconds, 0);
    return 0;
}

static int set_timeout(nanoseconds *to, const void *value, uint32_t length)
{
    struct time_value time;
    if (length < sizeof(time))
        return -EINVAL;
    memcpy(&time, value, sizeof(time));
    if (time.microseconds < 0 || time.microseconds >= 1000000)
        return -EDOM;
    bool endless = time.seconds < 0 || time.seconds > INT32_MAX;
    *to = endless ? 0 : (nanoseconds)time.seconds * NS_PER_SECOND + (nanoseconds)time.microseconds * NS_PER_US;
    return 0;
}

static int set_general(struct socket *socket, int name, int value)
{
    switch (name) {
    case SO_REUSEADDR:
        socket->reuse_address = value != 0;
        return 0;
    case SO_REUSEPORT:
        socket->reuse_port = value != 0;
        return 0;
    case SO_BROADCAST:
        socket->broadcast = value != 0;
        return 0;
    case SO_KEEPALIVE:
        socket->keep_alive = value != 0;
        return 0;
    case SO_SNDBUF:
        socket->send_buffer = clamp_buffer(value);
        return 0;
    case SO_RCVBUF:
        socket->receive_buffer = clamp_buffer(value);
        return 0;
    case SO_OOBINLINE:
        socket->urgent_in_line = value != 0;
        return 0;
    case SO_DONTROUTE:                /* these change nothing here */
    case SO_PRIORITY:
    case SO_RCVLOWAT:
    case SO_TIMESTAMP:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

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
    return set_general(socket, name, number);
}

static int set_ip_level(struct socket *socket, int name, const void *value, uint32_t length)
{
    int32_t number = 0;
    memcpy(&number, value, min_of(length, (uint32_t)sizeof(number)));   /* a byte or an int: ip(7) */
    switch (name) {
    case IP_TOS:
        socket->type_of_service = (uint8_t)number;
        return 0;
    case IP_TTL:
        if (number != -1 && (number < 1 || number > 255))
            return -EINVAL;
        socket->time_to_live = number == -1 ? 64 : (uint8_t)number;
        return 0;
    case IP_PKTINFO:                  /* nothing is told or done, which these allow */
    case IP_RECVERR:
    case IP_RECVTOS:
    case IP_MTU_DISCOVER:
    case IP_MULTICAST_IF:
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_LOOP:
    case IP_MULTICAST_ALL:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_protocol_level(struct socket *socket, int name, const void *value, uint32_t length)
{
    int32_t number;
    if (socket->operations->set_option == NULL)
        return -ENOPROTOOPT;
    if (length < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    return socket->operations->set_option(socket, name, number);
}

static int set_locked(struct socket *socket, int level, int name, const void *value, uint32_t length)
{
    int result;
    switch (level) {
    case SOL_SOCKET:
        result = set_socket_level(socket, name, value, length);
        break;
    case IPPROTO_IP:
        result = socket->family == AF_INET ? set_ip_level(socket, name, value, length) : -EOPNOTSUPP;
        break;
    case IPPROTO_TCP:
        return set_protocol_level(socket, name, value, length);
    default:
        return -ENOPROTOOPT;
    }
    if (result == 0 && socket->operations->options_changed != NULL)
        socket->operations->options_changed(socket);
    return result;
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
    /* Only a listener can be asked for bytes in vain. */
    return socket->type == SOCK_STREAM && socket->operations->readable_bytes(socket) == -EINVAL;
}

static uint32_t buffer_size(uint32_t set)
{
    return set != 0 ? set : min_of(64u * 1024, socket_buffer_maximum());
}

/* The value of an option that is a number, or -ENOPROTOOPT. */
static int64_t get_number(struct socket *socket, int name)
{
    switch (name) {
    case SO_REUSEADDR:
        return socket->reuse_address;
    case SO_REUSEPORT:
        return socket->reuse_port;
    case SO_BROADCAST:
        return socket->broadcast;
    case SO_KEEPALIVE:
        return socket->keep_alive;
    case SO_SNDBUF:
        return buffer_size(socket->send_buffer);
    case SO_RCVBUF:
        return buffer_size(socket->receive_buffer);
    case SO_TYPE:
        return socket->type;
    case SO_DOMAIN:
        return socket->family;
    case SO_PROTOCOL:
        return socket->protocol;
    case SO_ERROR:
        return socket->operations->take_error(socket);
    case SO_OOBINLINE:
        return socket->urgent_in_line;
    case SO_RCVLOWAT:
        return 1;
    case SO_DONTROUTE:
    case SO_PRIORITY:
    case SO_TIMESTAMP:
    case SO_INCOMING_NAPI_ID:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int fill(void *to, const void *from, uint32_t length)
{
    memcpy(to, from, length);
    return (int)length;
}

static int get_timeout(void *to, nanoseconds timeout)
{
    struct time_value time = { (int64_t)(timeout / NS_PER_SECOND), (int64_t)(timeout % NS_PER_SECOND / NS_PER_US) };
    return fill(to, &time, sizeof(time));
}

static int get_socket_level(struct socket *socket, int name, void *value)
{
    struct linger_value linger = { socket->linger, (int32_t)socket->linger_seconds };
    struct credentials peer = { .process = 1 };       /* unix(7): the one process, as root */
    if (name == SO_LINGER)
        return fill(value, &linger, sizeof(linger));
    if (name == SO_RCVTIMEO)
        return get_timeout(value, socket->receive_timeout);
    if (name == SO_SNDTIMEO)
        return get_timeout(value, socket->send_timeout);
    if (name == SO_PEERCRED)
        return fill(value, &peer, sizeof(peer));
    int64_t number = get_number(socket, name);
    int32_t narrow = (int32_t)number;
    return number < 0 ? (int)number : fill(value, &narrow, sizeof(narrow));
}

static int get_ip_level(struct socket *socket, int name, void *value)
{
    int32_t number = 0;
    struct interface *device = interface_first_device();
    switch (name) {
    case IP_TOS:
        number = socket->type_of_service;
        break;
    case IP_TTL:
        number = socket->time_to_live;
        break;
    case IP_MTU:
        number = device != NULL ? device->mtu : interface_at(0)->mtu;
        break;
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_LOOP:
        number = 1;
        break;
    case IP_PKTINFO:
    case IP_RECVERR:
    case IP_RECVTOS:
    case IP_MTU_DISCOVER:
    case IP_MULTICAST_IF:
        break;
    default:
        return -ENOPROTOOPT;
    }
    return fill(value, &number, sizeof(number));
}

static int get_locked(struct socket *socket, int level, int name, void *value)
{
    switch (level) {
    case SOL_SOCKET:
        return get_socket_level(socket, name, value);
    case IPPROTO_IP:
        return socket->family == AF_INET ? get_ip_level(socket, name, value) : -EOPNOTSUPP;
    case IPPROTO_TCP:
        return socket->operations->get_option != NULL ? socket->operations->get_option(socket, name, value)
                                                      : -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}

int socket_get_option(struct socket *socket, int level, int name, void *value, uint32_t *length)
{
    _Alignas(8) uint8_t buffer[SOCKET_OPTION_SIZE];
    if (level == SOL_SOCKET && name == SO_ACCEPTCONN) {
        int32_t number = listening(socket);
        *length = min_of(*length, (uint32_t)sizeof(number));
        memcpy(value, &number, *length);
        return 0;
    }
    net_lock();
    int filled = get_locked(socket, level, name, buffer);
    net_unlock();
    if (filled < 0)
        return filled;
    *length = min_of(*length, (uint32_t)filled);
    memcpy(value, buffer, *length);
    return 0;
}
