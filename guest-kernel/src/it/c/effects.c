/* SPDX-License-Identifier: Apache-2.0 */
/* What socket options do, where a program can see it. */
#define _GNU_SOURCE
#include "connections.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

static void set(int socket, int level, int name, int value)
{
    CHECK_EQUAL(setsockopt(socket, level, name, &value, sizeof(value)), 0);
}

static int get(int socket, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    CHECK_EQUAL(getsockopt(socket, level, name, &value, &length), 0);
    return value;
}

static int bound(int type, uint32_t address, uint16_t port, int option)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
    int made = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    CHECK(made >= 0);
    set(made, SOL_SOCKET, option, 1);
    CHECK_EQUAL(bind(made, (struct sockaddr *)&name, sizeof(name)), 0);
    return made;
}

enum { SHARERS = 4, FLOWS = 120 };

static void connections_are_spread_over_listeners(void)
{
    int listeners[SHARERS], flows[FLOWS], accepted[SHARERS] = { 0 }, taken = 0;
    listeners[0] = bound(SOCK_STREAM, INADDR_LOOPBACK, 0, SO_REUSEPORT);
    for (int i = 1; i < SHARERS; i++)
        listeners[i] = bound(SOCK_STREAM, INADDR_LOOPBACK, port_of(listeners[0]), SO_REUSEPORT);
    for (int i = 0; i < SHARERS; i++)
        CHECK_EQUAL(listen(listeners[i], FLOWS), 0);
    for (int i = 0; i < FLOWS; i++)
        flows[i] = connect_to(port_of(listeners[0]));
    while (taken < FLOWS)
        for (int i = 0; i < SHARERS; i++)
            for (int server; (server = accept(listeners[i], NULL, NULL)) >= 0; accepted[i]++, taken++)
                close(server);
    /* None of them at all would happen by chance once in 10^14 times. */
    for (int i = 0; i < SHARERS; i++) {
        CHECK(accepted[i] > 0);
        close(listeners[i]);
    }
    for (int i = 0; i < FLOWS; i++)
        close(flows[i]);
}

static void datagrams_are_spread_over_sockets(void)
{
    char byte;
    int sharers[SHARERS], flows[FLOWS], owner[FLOWS], received[SHARERS] = { 0 };
    sharers[0] = bound(SOCK_DGRAM, INADDR_LOOPBACK, 0, SO_REUSEPORT);
    for (int i = 1; i < SHARERS; i++)
        sharers[i] = bound(SOCK_DGRAM, INADDR_LOOPBACK, port_of(sharers[0]), SO_REUSEPORT);
    struct sockaddr_in address = loopback(port_of(sharers[0]));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FLOWS; i++) {
            if (round == 0)
                flows[i] = bound(SOCK_DGRAM, INADDR_LOOPBACK, 0, SO_BROADCAST);
            CHECK_EQUAL(sendto(flows[i], "x", 1, 0, (struct sockaddr *)&address, sizeof(address)), 1);
            int found = -1;
            while (found < 0)
                for (int s = 0; s < SHARERS; s++)
                    if (recv(sharers[s], &byte, 1, 0) == 1)
                        found = s;
            /* A flow stays with its socket. */
            CHECK(round == 0 || owner[i] == found);
            owner[i] = found;
            received[found]++;
        }
    }
    for (int i = 0; i < SHARERS; i++) {
        CHECK(received[i] > 0);
        close(sharers[i]);
    }
    for (int i = 0; i < FLOWS; i++)
        close(flows[i]);
}

static void datagrams_go_to_the_socket_bound_last(void)
{
    char byte;
    int first = bound(SOCK_DGRAM, INADDR_LOOPBACK, 0, SO_REUSEADDR);
    int second = bound(SOCK_DGRAM, INADDR_LOOPBACK, port_of(first), SO_REUSEADDR);
    struct sockaddr_in address = loopback(port_of(first));
    CHECK_EQUAL(sendto(first, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)), 1);
    CHECK_EQUAL(events_of(second, POLLIN, -1), POLLIN);
    CHECK_EQUAL(recv(second, &byte, 1, 0), 1);
    CHECK_ERROR(recv(first, &byte, 1, 0), EAGAIN);
    close(first);
    close(second);
}

static void accept_waits_for_data(void)
{
    char byte;
    int listening = listener();
    CHECK_EQUAL(fcntl(listening, F_SETFL, O_NONBLOCK), 0);
    set(listening, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30);
    int silent = connect_to(port_of(listening)), speaking = connect_to(port_of(listening));
    CHECK_ERROR(accept(listening, NULL, NULL), EAGAIN);
    CHECK_EQUAL(send(speaking, "x", 1, 0), 1);
    CHECK_EQUAL(events_of(listening, POLLIN, -1), POLLIN);
    int server = accept(listening, NULL, NULL);
    CHECK(server >= 0);
    CHECK_EQUAL(recv(server, &byte, 1, 0), 1);
    CHECK_ERROR(accept(listening, NULL, NULL), EAGAIN);
    close(server);
    close(silent);
    close(speaking);
    close(listening);
}

static void accept_waits_no_longer_than_asked(void)
{
    int listening = listener();
    set(listening, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    int64_t begin = now_ms();
    int client = connect_to(port_of(listening));
    int server = accept(listening, NULL, NULL);
    CHECK(server >= 0);
    CHECK(now_ms() - begin >= 900);
    close(server);
    close(client);
    close(listening);
}

/* With a limit on what is not sent yet, a socket stops being writable long before its buffer is full. */
static void unsent_bytes_are_limited(void)
{
    static char block[4096];
    int client, server, unsent, total = 0;
    connected_pair(&client, &server);
    set(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 8192);
    CHECK_EQUAL(fcntl(client, F_SETFL, O_NONBLOCK), 0);
    for (ssize_t sent; (sent = send(client, block, sizeof(block), 0)) > 0; total += (int)sent)
        ;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(ioctl(client, SIOCOUTQNSD, &unsent), 0);
    CHECK(unsent >= 8192 && unsent <= 8192 + 65536);
    CHECK_EQUAL(events_of(client, POLLOUT, 0), 0);
    while (!(events_of(client, POLLOUT, 0) & POLLOUT)) {
        ssize_t got = recv(server, block, sizeof(block), MSG_DONTWAIT);
        total -= got > 0 ? (int)got : 0;
    }
    CHECK_EQUAL(ioctl(client, SIOCOUTQNSD, &unsent), 0);
    CHECK(unsent < 8192);
    close(client);
    close(server);
}

static void readers_wait_for_enough(void)
{
    char text[16];
    int client, server;
    connected_pair(&client, &server);
    set(server, SOL_SOCKET, SO_RCVLOWAT, 5);
    CHECK_EQUAL(send(client, "abcd", 4, 0), 4);
    int waiting = 0;
    while (waiting < 4)
        CHECK_EQUAL(ioctl(server, FIONREAD, &waiting), 0);
    CHECK_EQUAL(events_of(server, POLLIN, 0), 0);
    CHECK_EQUAL(recv(server, text, sizeof(text), MSG_DONTWAIT), 4);
    CHECK_EQUAL(send(client, "abcd", 4, 0), 4);
    CHECK_EQUAL(send(client, "efgh", 4, 0), 4);
    CHECK_EQUAL(events_of(server, POLLIN, -1), POLLIN);
    ssize_t got = recv(server, text, sizeof(text), 0);
    CHECK(got >= 5);
    if (got < 8)
        CHECK_EQUAL(recv(server, text, (size_t)(8 - got), MSG_WAITALL), 8 - got);
    CHECK_EQUAL(send(client, "ij", 2, 0), 2);
    CHECK_EQUAL(shutdown(client, SHUT_WR), 0);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 2);
    close(client);
    close(server);
}

static void accepted_sockets_inherit(void)
{
    static const struct {
        int level, name, value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { SOL_SOCKET, SO_OOBINLINE, 1 },
        { SOL_SOCKET, SO_RCVLOWAT, 7 },
        { SOL_SOCKET, SO_REUSEADDR, 1 },
        { SOL_SOCKET, SO_MARK, 9 },
        { IPPROTO_IP, IP_TOS, 0x10 },
        { IPPROTO_IP, IP_TTL, 33 },
        { IPPROTO_IP, IP_PKTINFO, 1 },
        { IPPROTO_IP, IP_MTU_DISCOVER, 0 },
        { IPPROTO_TCP, TCP_NODELAY, 1 },
        { IPPROTO_TCP, TCP_CORK, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, 11 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 12 },
        { IPPROTO_TCP, TCP_KEEPCNT, 3 },
        { IPPROTO_TCP, TCP_LINGER2, 4 },
        { IPPROTO_TCP, TCP_SYNCNT, 3 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, 4000 },
        { IPPROTO_TCP, TCP_NOTSENT_LOWAT, 999 },
    };
    struct timeval timeout = { .tv_sec = 5 }, got = { 0 };
    socklen_t length = sizeof(got);
    int listening = listener();
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        set(listening, options[i].level, options[i].name, options[i].value);
    CHECK_EQUAL(setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    int client = connect_to(port_of(listening)), server = accept(listening, NULL, NULL);
    CHECK(server >= 0);
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        CHECK_EQUAL(get(server, options[i].level, options[i].name), options[i].value);
    CHECK_EQUAL(getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &got, &length), 0);
    CHECK_EQUAL(got.tv_sec, 5);
    close(client);
    close(server);
    close(listening);
}

static void port_is_chosen_when_it_is_needed(void)
{
    int listening = listener();
    struct sockaddr_in address = loopback(port_of(listening)), any = loopback(0);
    int client = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
    set(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    CHECK_EQUAL(bind(client, (struct sockaddr *)&any, sizeof(any)), 0);
    CHECK_EQUAL(port_of(client), 0);
    CHECK_EQUAL(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK(port_of(client) != 0);
    set(other, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    CHECK_EQUAL(bind(other, (struct sockaddr *)&any, sizeof(any)), 0);
    CHECK_EQUAL(listen(other, 1), 0);
    CHECK(port_of(other) != 0);
    close(client);
    close(other);
    close(listening);
}

static void foreign_addresses_can_be_bound_on_request(void)
{
    struct sockaddr_in foreign = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) };
    int names[] = { IP_FREEBIND, IP_TRANSPARENT };
    for (unsigned i = 0; i < 2; i++)
        for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
            int made = socket(AF_INET, type, 0);
            CHECK_ERROR(bind(made, (struct sockaddr *)&foreign, sizeof(foreign)), EADDRNOTAVAIL);
            set(made, IPPROTO_IP, names[i], 1);
            CHECK_EQUAL(bind(made, (struct sockaddr *)&foreign, sizeof(foreign)), 0);
            CHECK(port_of(made) != 0);
            close(made);
        }
}

static const struct cmsghdr *find_control(struct msghdr *message, int type)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == type)
            return c;
    test_failed(__FILE__, __LINE__, "no control message %d", type);
}

/* Four messages of 32, 24, 24 and 32 bytes; one of which not even the header fits is left out. */
static void said_in_less_room(int server, int client, const struct sockaddr_in *address)
{
    union {
        struct cmsghdr header;
        char bytes[256];
    } control;
    char byte;
    struct iovec span = { &byte, 1 };
    struct msghdr message = { .msg_iov = &span, .msg_iovlen = 1, .msg_control = &control };
    for (size_t room = 0; room <= 64; room += 4) {
        CHECK_EQUAL(sendto(client, "x", 1, 0, (const struct sockaddr *)address, sizeof(*address)), 1);
        CHECK_EQUAL(events_of(server, POLLIN, -1), POLLIN);
        message.msg_controllen = room;
        CHECK_EQUAL(recvmsg(server, &message, 0), 1);
        CHECK_EQUAL(message.msg_flags, MSG_CTRUNC);
        size_t expected = room < 16 ? 0 : room < 32 ? room : room < 48 ? 32 : room < 56 ? room : 56;
        CHECK_EQUAL(message.msg_controllen, expected);
    }
}

static void datagrams_say_where_they_went(void)
{
    union {
        struct cmsghdr header;
        char bytes[256];
    } control;
    char text[8];
    struct iovec span = { text, sizeof(text) };
    struct msghdr message = {
        .msg_iov = &span, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    int server = bound(SOCK_DGRAM, INADDR_ANY, 0, SO_BROADCAST), client = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port_of(server)),
                                   .sin_addr.s_addr = htonl(0x7f000005) };
    int names[] = { IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR };
    for (unsigned i = 0; i < 4; i++)
        set(server, IPPROTO_IP, names[i], 1);
    set(client, IPPROTO_IP, IP_TTL, 42);
    set(client, IPPROTO_IP, IP_TOS, 0x28);
    CHECK_EQUAL(sendto(client, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)), 1);
    CHECK_EQUAL(events_of(server, POLLIN, -1), POLLIN);
    CHECK_EQUAL(recvmsg(server, &message, 0), 1);
    CHECK_EQUAL(message.msg_flags, 0);
    struct in_pktinfo info;
    struct sockaddr_in original;
    memcpy(&info, CMSG_DATA(find_control(&message, IP_PKTINFO)), sizeof(info));
    CHECK_EQUAL(info.ipi_ifindex, 1);
    CHECK_EQUAL(ntohl(info.ipi_spec_dst.s_addr), 0x7f000005);
    CHECK_EQUAL(ntohl(info.ipi_addr.s_addr), 0x7f000005);
    CHECK_EQUAL(*(const int *)(const void *)CMSG_DATA(find_control(&message, IP_TTL)), 42);
    CHECK_EQUAL(*CMSG_DATA(find_control(&message, IP_TOS)), 0x28);
    memcpy(&original, CMSG_DATA(find_control(&message, IP_ORIGDSTADDR)), sizeof(original));
    CHECK_EQUAL(ntohs(original.sin_port), port_of(server));
    said_in_less_room(server, client, &address);
    close(client);
    close(server);
}

static void datagrams_leave_as_their_message_says(void)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    char byte;
    struct iovec span = { &byte, 1 };
    struct sockaddr_in address = loopback(0), from;
    socklen_t length = sizeof(from);
    int server = bound(SOCK_DGRAM, INADDR_ANY, 0, SO_BROADCAST), client = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_port = htons(port_of(server));
    struct msghdr message = { .msg_name = &address,
                              .msg_namelen = sizeof(address),
                              .msg_iov = &span,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo)) };
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0x7f000007) };
    memset(&control, 0, sizeof(control));
    control.header = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
    memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
    CHECK_EQUAL(sendmsg(client, &message, 0), 1);
    CHECK_EQUAL(events_of(server, POLLIN, -1), POLLIN);
    CHECK_EQUAL(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &length), 1);
    CHECK_EQUAL(ntohl(from.sin_addr.s_addr), 0x7f000007);
    info.ipi_spec_dst.s_addr = htonl(0xc0000201);
    memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
    CHECK_ERROR(sendmsg(client, &message, 0), ENETUNREACH);
    close(client);
    close(server);
}

static void interfaces_for_multicast(void)
{
    struct in_addr address = { htonl(INADDR_LOOPBACK) }, got = { 0 };
    struct ip_mreqn whole = { .imr_address = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof(got);
    int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERROR(setsockopt(stream, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof(address)), EINVAL);
    CHECK_EQUAL(getsockopt(datagram, IPPROTO_IP, IP_MULTICAST_IF, &got, &length), 0);
    CHECK_EQUAL(got.s_addr, 0);
    CHECK_EQUAL(setsockopt(datagram, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof(address)), 0);
    CHECK_EQUAL(getsockopt(datagram, IPPROTO_IP, IP_MULTICAST_IF, &got, &length), 0);
    CHECK_EQUAL(got.s_addr, address.s_addr);
    CHECK_EQUAL(setsockopt(datagram, IPPROTO_IP, IP_MULTICAST_IF, &whole, sizeof(whole)), 0);
    address.s_addr = htonl(0xc0000201);
    CHECK_ERROR(setsockopt(datagram, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof(address)), EADDRNOTAVAIL);
    CHECK_ERROR(setsockopt(datagram, IPPROTO_IP, IP_MULTICAST_IF, &address, 3), EINVAL);
    close(stream);
    close(datagram);
}

static void names_and_numbers_of_a_connection(void)
{
    int client, server;
    char name[32] = "";
    uint64_t one = 0, other = 0;
    socklen_t length = sizeof(name);
    connected_pair(&client, &server);
    CHECK(get(client, IPPROTO_IP, IP_MTU) >= 576);
    CHECK_EQUAL(setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5), 0);
    CHECK_EQUAL(getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
    CHECK_EQUAL(length, 16);
    CHECK_EQUAL(strcmp(name, "cubic"), 0);
    CHECK_ERROR(setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "no-such", 7), ENOENT);
    length = sizeof(one);
    CHECK_EQUAL(getsockopt(client, SOL_SOCKET, SO_COOKIE, &one, &length), 0);
    CHECK_EQUAL(getsockopt(server, SOL_SOCKET, SO_COOKIE, &other, &length), 0);
    CHECK(one != other);
    length = 4;
    CHECK_ERROR(getsockopt(client, SOL_SOCKET, SO_COOKIE, &one, &length), EINVAL);
    CHECK_ERROR(recv(client, name, 1, MSG_ERRQUEUE), EAGAIN);
    close(client);
    close(server);
}

static void time_stamps_out_of_range_are_refused(void)
{
    struct timeval bad = { .tv_usec = 1000000 };
    int made = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)), EDOM);
    CHECK_ERROR(setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &bad, 4), EINVAL);
    close(made);
}

SUITE(effects, TEST(connections_are_spread_over_listeners), TEST(datagrams_are_spread_over_sockets),
      TEST(datagrams_go_to_the_socket_bound_last), TEST(accept_waits_for_data), TEST(accept_waits_no_longer_than_asked),
      TEST(unsent_bytes_are_limited), TEST(readers_wait_for_enough), TEST(accepted_sockets_inherit),
      TEST(port_is_chosen_when_it_is_needed), TEST(foreign_addresses_can_be_bound_on_request),
      TEST(datagrams_say_where_they_went), TEST(datagrams_leave_as_their_message_says), TEST(interfaces_for_multicast),
      TEST(names_and_numbers_of_a_connection), TEST(time_stamps_out_of_range_are_refused));
