/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP beyond sending and receiving, on loopback: the queue of errors, datagrams in parts, times of arrival. Groups are
 * in groups.c.
 */
#define _GNU_SOURCE
#include "datagrams.h"

#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/time.h>
#include <time.h>

#define GROUP_OF_ALL 0xe0000001u /* 224.0.0.1 */

/* ---- The queue of errors ---- */

struct read_error {
    struct sockaddr_in to, offender;
    struct sock_extended_err what;
    char bytes[1000];
    ssize_t length;
    int flags;
};

static struct read_error next_error(int socket)
{
    struct read_error error = { 0 };
    _Alignas(struct cmsghdr) char control[256];
    struct iovec bytes = { error.bytes, sizeof(error.bytes) };
    struct msghdr message = { .msg_name = &error.to,
                              .msg_namelen = sizeof(error.to),
                              .msg_iov = &bytes,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof(control) };
    error.length = recvmsg(socket, &message, MSG_ERRQUEUE);
    if (error.length < 0)
        return error;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    CHECK(header != NULL && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR);
    memcpy(&error.what, CMSG_DATA(header), sizeof(error.what));
    memcpy(&error.offender, CMSG_DATA(header) + sizeof(error.what), sizeof(error.offender));
    error.flags = message.msg_flags;
    return error;
}

static uint16_t closed_port(void)
{
    int socket = bound_to(INADDR_LOOPBACK, 0);
    uint16_t port = port_of(socket);
    close(socket);
    return port;
}

static void refused_datagrams_are_queued(void)
{
    if (allocations_fail())
        return; /* reports are lost, as on Linux */
    char byte;
    int client = bound_to(INADDR_ANY, 0);
    uint16_t port = closed_port();
    set(client, IPPROTO_IP, IP_RECVERR, 1);
    CHECK_ERROR(recv(client, &byte, 1, MSG_ERRQUEUE), EAGAIN);
    send_to(client, INADDR_LOOPBACK, port, "hello");
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT, 0), POLLOUT | POLLERR);
    struct read_error error = next_error(client);
    CHECK_EQUAL(error.length, 5);
    CHECK(memcmp(error.bytes, "hello", 5) == 0);
    CHECK_EQUAL(error.flags, MSG_ERRQUEUE);
    CHECK(error.to.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && error.to.sin_port == htons(port));
    CHECK_EQUAL(error.what.ee_errno, ECONNREFUSED);
    CHECK_EQUAL(error.what.ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK_EQUAL(error.what.ee_type, ICMP_DEST_UNREACH);
    CHECK_EQUAL(error.what.ee_code, ICMP_PORT_UNREACH);
    CHECK_EQUAL(error.what.ee_info, 0);
    CHECK(error.offender.sin_family == AF_INET && error.offender.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT, 0), POLLOUT);
    CHECK_ERROR(recv(client, &byte, 1, 0), EAGAIN); /* none is pending either */
    send_to(client, INADDR_LOOPBACK, port, "again");
    CHECK_ERROR(recv(client, &byte, 1, 0), ECONNREFUSED);
    CHECK_EQUAL(recv(client, &byte, 1, MSG_ERRQUEUE), 1); /* the pending one is reported; the queue keeps it */
    CHECK_EQUAL(byte, 'a');
    close(client);
}

static void errors_are_told_as_asked(void)
{
    if (allocations_fail())
        return; /* reports are lost, as on Linux */
    char byte;
    uint16_t port = closed_port();
    int client = bound_to(INADDR_ANY, 0);
    send_to(client, INADDR_LOOPBACK, port, "x");
    CHECK_ERROR(recv(client, &byte, 1, 0), EAGAIN); /* not connected, not asked */
    struct sockaddr_in name = name_of(INADDR_LOOPBACK, port);
    CHECK_EQUAL(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
    CHECK_EQUAL(send(client, "x", 1, 0), 1);
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT, 0), POLLOUT | POLLERR);
    CHECK_ERROR(recv(client, &byte, 1, MSG_ERRQUEUE), EAGAIN);
    CHECK_ERROR(send(client, "x", 1, 0), ECONNREFUSED);
    set(client, IPPROTO_IP, IP_RECVERR, 1);
    CHECK_EQUAL(send(client, "xy", 2, 0), 2);
    CHECK_ERROR(send(client, "x", 1, 0), ECONNREFUSED);
    CHECK_EQUAL(send(client, "z", 1, 0), 1);
    CHECK_EQUAL(next_error(client).length, 2); /* the second is pending still */
    CHECK_ERROR(send(client, "x", 1, 0), ECONNREFUSED);
    set(client, IPPROTO_IP, IP_RECVERR, 0); /* empties the queue */
    CHECK_EQUAL(next_error(client).length, -1);
    close(client);
}

static void too_long_datagrams_are_queued(void)
{
    if (allocations_fail())
        return; /* reports are lost, as on Linux */
    static char bytes[70000];
    int client = bound_to(INADDR_ANY, 0), server = bound_to(INADDR_LOOPBACK, 0);
    struct sockaddr_in name = name_of(INADDR_LOOPBACK, port_of(server));
    CHECK_ERROR(sendto(client, bytes, 65508, 0, (struct sockaddr *)&name, sizeof(name)), EMSGSIZE);
    CHECK_EQUAL(next_error(client).length, -1);
    set(client, IPPROTO_IP, IP_RECVERR, 1);
    set(client, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    CHECK_ERROR(sendto(client, bytes, 70000, 0, (struct sockaddr *)&name, sizeof(name)), EMSGSIZE);
    CHECK_EQUAL(next_error(client).length, -1); /* no datagram could be that long */
    CHECK_ERROR(sendto(client, bytes, 65508, 0, (struct sockaddr *)&name, sizeof(name)), EMSGSIZE);
    CHECK_EQUAL(events_of(client, POLLIN | POLLOUT, 0), POLLOUT | POLLERR);
    struct read_error error = next_error(client);
    CHECK_EQUAL(error.length, 0);
    CHECK(error.to.sin_port == 0 && error.to.sin_addr.s_addr == name.sin_addr.s_addr); /* not connected: no port */
    CHECK_EQUAL(error.what.ee_errno, EMSGSIZE);
    CHECK_EQUAL(error.what.ee_origin, SO_EE_ORIGIN_LOCAL);
    CHECK_EQUAL(error.what.ee_info, 65535); /* loopback's MTU, as far as IP goes */
    CHECK_EQUAL(error.offender.sin_family, 0);
    CHECK_EQUAL(sendto(client, bytes, 65507, 0, (struct sockaddr *)&name, sizeof(name)), 65507);
    close(client);
    close(server);
}

/* ---- In parts ---- */

static void parts_make_one_datagram(void)
{
    static char bytes[65507];
    int client = bound_to(INADDR_ANY, 0), server = bound_to(INADDR_LOOPBACK, 0), other = bound_to(INADDR_LOOPBACK, 0);
    struct sockaddr_in name = name_of(INADDR_LOOPBACK, port_of(server));
    struct sockaddr_in elsewhere = name_of(INADDR_LOOPBACK, port_of(other));
    CHECK_EQUAL(sendto(client, "one ", 4, MSG_MORE, (struct sockaddr *)&name, sizeof(name)), 4);
    expect_none(server);
    CHECK_EQUAL(send(client, "two ", 4, MSG_MORE), 4); /* without a destination: the first part has one */
    CHECK_EQUAL(sendto(client, "three", 5, 0, (struct sockaddr *)&elsewhere, sizeof(elsewhere)), 5);
    expect(server, "one two three");
    expect_none(other);
    CHECK_ERROR(send(client, "x", 1, 0), EDESTADDRREQ);
    set(client, IPPROTO_UDP, UDP_CORK, 1);
    send_to(client, INADDR_LOOPBACK, port_of(server), "ab");
    send_to(client, INADDR_LOOPBACK, port_of(server), "cd");
    expect_none(server);
    set(client, IPPROTO_UDP, UDP_CORK, 0);
    expect(server, "abcd");
    CHECK_EQUAL(sendto(client, bytes, 65507, MSG_MORE, (struct sockaddr *)&name, sizeof(name)), 65507);
    CHECK_ERROR(send(client, "x", 1, 0), EMSGSIZE); /* and all of it is lost */
    CHECK_ERROR(send(client, "x", 1, 0), EDESTADDRREQ);
    expect_none(server);
    close(client);
    close(server);
    close(other);
}

/* ---- One datagram alone, and many at once ---- */

/* Sends `length` bytes to loopback with one control message; what sendmsg() returns. */
static ssize_t send_with(int socket, uint16_t port, int level, int type, const void *value, size_t size, size_t length)
{
    static char bytes[65507];
    struct sockaddr_in to = name_of(INADDR_LOOPBACK, port);
    struct iovec part = { bytes, length };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(64)] = { 0 };
    struct msghdr message = { &to, sizeof(to), &part, 1, control, CMSG_SPACE(size), 0 };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){ CMSG_LEN(size), level, type };
    memcpy(CMSG_DATA(header), value, size);
    return sendmsg(socket, &message, 0);
}

static void one_datagram_has_its_own_way(void)
{
    int server = bound_to(INADDR_ANY, 0), client = bound_to(INADDR_ANY, 0);
    uint16_t port = port_of(server);
    struct in_pktinfo info = { .ipi_ifindex = 1, .ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK + 4) };
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    char byte;
    CHECK_EQUAL(send_with(client, port, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info), 1), 1);
    CHECK_EQUAL(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &length), 1);
    CHECK_EQUAL(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK + 4);
    info.ipi_ifindex = 12345;
    CHECK_ERROR(send_with(client, port, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info), 1), ENODEV);
    info = (struct in_pktinfo){ .ipi_spec_dst.s_addr = htonl(0x01020304) };
    CHECK_ERROR(send_with(client, port, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info), 1), ENETUNREACH);
    info.ipi_spec_dst.s_addr = htonl(GROUP_OF_ALL);
    CHECK_ERROR(send_with(client, port, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info), 1), EINVAL);
    CHECK_ERROR(send_with(client, port, IPPROTO_IP, IP_TTL, &(int){ 0 }, sizeof(int), 1), EINVAL);
    CHECK_EQUAL(send_with(client, port, IPPROTO_IP, IP_TTL, &(int){ 9 }, sizeof(int), 1), 1);
    CHECK_EQUAL(recv(server, &byte, 1, 0), 1);
    CHECK_EQUAL(send_with(client, port, IPPROTO_IPV6, IPV6_HOPLIMIT, &(int){ 9 }, sizeof(int), 1),
                1); /* not looked at */
    close(client);
    close(server);
}

/* The server has as many datagrams of these lengths. */
static void expect_pieces(int server, size_t whole, size_t segment)
{
    char bytes[2000];
    for (size_t left = whole; left > 0; left -= left < segment ? left : segment)
        CHECK_EQUAL(recv(server, bytes, sizeof(bytes), 0), left < segment ? left : segment);
    expect_none(server);
}

static ssize_t send_segments(int client, int server, uint16_t segment, size_t length)
{
    return send_with(client, port_of(server), IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment), length);
}

static void a_message_is_cut_into_segments(void)
{
    if (allocations_fail())
        return; /* pieces are lost, as on Linux */
    static const struct {
        uint16_t segment;
        size_t length;
    } tries[] = { { 100, 250 }, { 100, 100 }, { 100, 50 }, { 0, 300 }, { 1, 100 }, { 65535, 100 }, { 1000, 20500 } };
    static char bytes[2000];
    int server = bound_to(INADDR_LOOPBACK, 0), client = bound_to(INADDR_ANY, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
    for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        CHECK_EQUAL(send_segments(client, server, tries[i].segment, tries[i].length), tries[i].length);
        expect_pieces(server, tries[i].length, tries[i].segment ? tries[i].segment : tries[i].length);
    }
    CHECK_EQUAL(send_segments(client, server, 1, 128), 128);
    expect_pieces(server, 128, 1);
    CHECK_ERROR(send_segments(client, server, 1, 129), EINVAL);
    CHECK_ERROR(send_with(client, port_of(server), IPPROTO_UDP, UDP_SEGMENT, &(int){ 9 }, sizeof(int), 9), EINVAL);
    CHECK_ERROR(send_with(client, port_of(server), IPPROTO_UDP, 99, &(int){ 9 }, 2, 9), EINVAL);
    expect_none(server);
    set(client, IPPROTO_UDP, UDP_SEGMENT, 400);
    struct sockaddr_in to = name_of(INADDR_LOOPBACK, port_of(server));
    CHECK_EQUAL(sendto(client, bytes, 900, 0, (struct sockaddr *)&to, sizeof(to)), 900);
    expect_pieces(server, 900, 400);
    CHECK_EQUAL(send_segments(client, server, 0, 900), 900); /* not this one */
    expect_pieces(server, 900, 900);
    CHECK_EQUAL(sendto(client, bytes, 500, MSG_MORE, (struct sockaddr *)&to, sizeof(to)), 500);
    CHECK_EQUAL(sendto(client, bytes, 400, 0, (struct sockaddr *)&to, sizeof(to)), 400);
    expect_pieces(server, 900, 400);
    close(server);
    close(client);

    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t size = sizeof(address);
    server = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQUAL(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(getsockname(server, (struct sockaddr *)&address, &size), 0);
    set(six, IPPROTO_UDP, UDP_SEGMENT, 400);
    CHECK_EQUAL(sendto(six, bytes, 900, 0, (struct sockaddr *)&address, sizeof(address)), 900);
    expect_pieces(server, 900, 400);
    close(server);
    close(six);
}

/* ---- Times ---- */

static ssize_t control_of(int socket, int level, int type, void *value, size_t size)
{
    char bytes[100];
    _Alignas(struct cmsghdr) char control[256];
    struct iovec vector = { bytes, sizeof(bytes) };
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
    };
    CHECK(recvmsg(socket, &message, 0) >= 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL)
        return -1;
    CHECK(header->cmsg_level == level && header->cmsg_type == type && header->cmsg_len == CMSG_LEN(size));
    memcpy(value, CMSG_DATA(header), size);
    return (ssize_t)size;
}

static int option_of(int socket, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    CHECK_EQUAL(getsockopt(socket, SOL_SOCKET, name, &value, &length), 0);
    return value;
}

static void times_of_arrival_are_told(void)
{
    struct timeval coarse, before, after;
    struct timespec fine;
    int server = bound_to(INADDR_LOOPBACK, 0);
    uint16_t port = port_of(server);
    set(server, SOL_SOCKET, SO_TIMESTAMP, 1);
    gettimeofday(&before, NULL);
    send_to(server, INADDR_LOOPBACK, port, "x");
    CHECK_EQUAL(control_of(server, SOL_SOCKET, SO_TIMESTAMP, &coarse, sizeof(coarse)), sizeof(coarse));
    gettimeofday(&after, NULL);
    CHECK(!timercmp(&coarse, &before, <) && !timercmp(&coarse, &after, >));
    set(server, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    CHECK(option_of(server, SO_TIMESTAMP) == 0 && option_of(server, SO_TIMESTAMPNS) == 1);
    send_to(server, INADDR_LOOPBACK, port, "x");
    CHECK_EQUAL(control_of(server, SOL_SOCKET, SO_TIMESTAMPNS, &fine, sizeof(fine)), sizeof(fine));
    CHECK(fine.tv_sec >= after.tv_sec && fine.tv_nsec >= 0 && fine.tv_nsec < 1000000000);
    set(server, SOL_SOCKET, SO_TIMESTAMP, 0);
    CHECK(option_of(server, SO_TIMESTAMP) == 0 && option_of(server, SO_TIMESTAMPNS) == 0);
    send_to(server, INADDR_LOOPBACK, port, "x");
    CHECK_EQUAL(control_of(server, SOL_SOCKET, SO_TIMESTAMP, &coarse, sizeof(coarse)), -1);
    close(server);
}

SUITE(datagrams, TEST(refused_datagrams_are_queued), TEST(errors_are_told_as_asked),
      TEST(too_long_datagrams_are_queued), TEST(parts_make_one_datagram), TEST(one_datagram_has_its_own_way),
      TEST(a_message_is_cut_into_segments), TEST(times_of_arrival_are_told));
