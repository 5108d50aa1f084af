/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket options, from one table: what each is at first, and what becomes of it when values and lengths of all kinds
 * are set. The answers are part of the lines that are printed, so the runner compares them with those of Linux.
 */
#define _GNU_SOURCE
#include "connections.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>

enum kind { STREAM, LISTENER, CONNECTED, DATAGRAM, KINDS };
#define ALL (1u << STREAM | 1u << LISTENER | 1u << CONNECTED | 1u << DATAGRAM)
#define UNCONNECTED (ALL & ~(1u << CONNECTED))
static const char *const kind_names[KINDS] = { "stream", "listener", "connected", "datagram" };

struct option {
    int level, name;
    const char *text;
    unsigned kinds; /* for which nothing depends on the machine */
};
/* clang-format off */
#define OPTION(level, name, kinds) { level, name, #name, kinds }
/* clang-format on */
#define TCP_FASTOPEN_NO_COOKIE_ 34
static const struct option options[] = {
    OPTION(SOL_SOCKET, SO_REUSEADDR, ALL),
    OPTION(SOL_SOCKET, SO_REUSEPORT, ALL),
    OPTION(SOL_SOCKET, SO_TYPE, ALL),
    OPTION(SOL_SOCKET, SO_DOMAIN, ALL),
    OPTION(SOL_SOCKET, SO_PROTOCOL, ALL),
    OPTION(SOL_SOCKET, SO_ERROR, ALL),
    OPTION(SOL_SOCKET, SO_ACCEPTCONN, ALL),
    OPTION(SOL_SOCKET, SO_DONTROUTE, ALL),
    OPTION(SOL_SOCKET, SO_DEBUG, ALL),
    OPTION(SOL_SOCKET, SO_BROADCAST, ALL),
    OPTION(SOL_SOCKET, SO_KEEPALIVE, ALL),
    OPTION(SOL_SOCKET, SO_OOBINLINE, ALL),
    OPTION(SOL_SOCKET, SO_BSDCOMPAT, 0),
    OPTION(SOL_SOCKET, SO_PRIORITY, ALL),
    OPTION(SOL_SOCKET, SO_SNDLOWAT, ALL),
    OPTION(SOL_SOCKET, SO_TIMESTAMP, ALL),
    OPTION(SOL_SOCKET, SO_MARK, ALL),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL, ALL),
    OPTION(SOL_SOCKET, SO_BUSY_POLL, ALL),
    OPTION(SOL_SOCKET, SO_PREFER_BUSY_POLL, ALL),
    OPTION(SOL_SOCKET, SO_BUSY_POLL_BUDGET, ALL),
    OPTION(SOL_SOCKET, SO_INCOMING_CPU, 1u << STREAM),
    OPTION(SOL_SOCKET, SO_INCOMING_NAPI_ID, UNCONNECTED),
    OPTION(SOL_SOCKET, 999, ALL),
    OPTION(IPPROTO_IP, IP_TOS, ALL),
    OPTION(IPPROTO_IP, IP_TTL, ALL),
    OPTION(IPPROTO_IP, IP_PKTINFO, ALL),
    OPTION(IPPROTO_IP, IP_MTU_DISCOVER, ALL),
    OPTION(IPPROTO_IP, IP_RECVERR, ALL),
    OPTION(IPPROTO_IP, IP_RECVTTL, ALL),
    OPTION(IPPROTO_IP, IP_RECVTOS, ALL),
    OPTION(IPPROTO_IP, IP_RECVOPTS, ALL),
    OPTION(IPPROTO_IP, IP_RETOPTS, ALL),
    OPTION(IPPROTO_IP, IP_FREEBIND, ALL),
    OPTION(IPPROTO_IP, IP_TRANSPARENT, ALL),
    OPTION(IPPROTO_IP, IP_MTU, UNCONNECTED),
    OPTION(IPPROTO_IP, IP_RECVORIGDSTADDR, ALL),
    OPTION(IPPROTO_IP, IP_MINTTL, UNCONNECTED),
    OPTION(IPPROTO_IP, IP_CHECKSUM, ALL),
    OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ALL),
    OPTION(IPPROTO_IP, IP_RECVERR_RFC4884, ALL),
    OPTION(IPPROTO_IP, IP_MULTICAST_TTL, ALL),
    OPTION(IPPROTO_IP, IP_MULTICAST_LOOP, ALL),
    OPTION(IPPROTO_IP, IP_MULTICAST_ALL, ALL),
    OPTION(IPPROTO_IP, 222, ALL),
    OPTION(IPPROTO_TCP, TCP_NODELAY, ALL),
    OPTION(IPPROTO_TCP, TCP_MAXSEG, UNCONNECTED),
    OPTION(IPPROTO_TCP, TCP_CORK, ALL),
    OPTION(IPPROTO_TCP, TCP_KEEPIDLE, ALL),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL, ALL),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT, ALL),
    OPTION(IPPROTO_TCP, TCP_SYNCNT, ALL),
    OPTION(IPPROTO_TCP, TCP_LINGER2, ALL),
    OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT, ALL),
    OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP, 1u << STREAM | 1u << DATAGRAM),
    OPTION(IPPROTO_TCP, TCP_QUICKACK, UNCONNECTED),
    OPTION(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, ALL),
    OPTION(IPPROTO_TCP, TCP_THIN_DUPACK, ALL),
    OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT, ALL),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN, ALL),
    OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT, ALL),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, ALL),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE_, UNCONNECTED),
    OPTION(IPPROTO_TCP, 999, ALL),
    OPTION(IPPROTO_UDP, UDP_GRO, ALL),
    OPTION(IPPROTO_UDP, UDP_SEGMENT, ALL),
    OPTION(IPPROTO_UDP, 999, ALL),
    OPTION(77, 1, ALL),
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))
static const int values[] = {
    INT_MIN, -2,  -1,  0,   1,   2,    3,    5,    6,    7,     30,    64,    87,    88,
    127,     128, 255, 256, 536, 1152, 2000, 4096, 5000, 32767, 32768, 65535, 65536, INT_MAX
};

static int peer; /* of the connected socket */

static int make(enum kind kind)
{
    int made;
    if (kind == LISTENER)
        return listener();
    if (kind == CONNECTED) {
        connected_pair(&made, &peer);
        return made;
    }
    made = socket(AF_INET, kind == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM, 0);
    CHECK(made >= 0);
    return made;
}

static void dispose(enum kind kind, int made)
{
    close(made);
    if (kind == CONNECTED)
        close(peer);
}

/* What getsockopt() with so much room says, and how much it filled. */
static void print_value(int made, const struct option *option, socklen_t room)
{
    unsigned char bytes[16];
    int number = 0;
    socklen_t length = room;
    memset(bytes, 0x55, sizeof(bytes));
    if (getsockopt(made, option->level, option->name, bytes, &length) < 0) {
        printf(" %s", strerrorname_np(errno));
        return;
    }
    memcpy(&number, bytes, length < sizeof(number) ? length : sizeof(number));
    printf(" %d", number);
    if (length != sizeof(number))
        printf("/%u", length);
}

static void print_values(const struct option *option, enum kind kind)
{
    int made = make(kind);
    printf("ok options.%s.%s", option->text, kind_names[kind]);
    print_value(made, option, sizeof(int));
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        printf(" %d:", values[i]);
        if (setsockopt(made, option->level, option->name, &values[i], sizeof(values[i])) < 0)
            printf(" %s", strerrorname_np(errno));
        else
            print_value(made, option, sizeof(int));
    }
    printf("\n");
    dispose(kind, made);
}

static void print_lengths(const struct option *option, enum kind kind)
{
    long value = 1;
    int made = make(kind);
    printf("ok options.%s.%s.lengths", option->text, kind_names[kind]);
    for (socklen_t length = 0; length <= 8; length++) {
        int result = setsockopt(made, option->level, option->name, &value, length);
        printf(" %s", result < 0 ? strerrorname_np(errno) : "set");
    }
    for (socklen_t room = 0; room <= 8; room++)
        print_value(made, option, room);
    printf("\n");
    dispose(kind, made);
}

static void every_option_takes_and_gives_what_linux_does(void)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        for (enum kind kind = 0; kind < KINDS; kind++)
            if (options[i].kinds & 1u << kind) {
                print_values(&options[i], kind);
                print_lengths(&options[i], kind);
            }
}

SUITE(options, TEST(every_option_takes_and_gives_what_linux_does));
