/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of AF_INET6 on the loopback interface: IPv6, and IPv4 through them. The options are a table whose answers are
 * printed, so that the runner compares them with those of Linux.
 */
#define _GNU_SOURCE
#include "connections.h"

#include <ifaddrs.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

static struct sockaddr_in6 six(const char *text, uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    CHECK_EQUAL(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    return address;
}

static int bind_six(int file, const char *text, uint16_t port)
{
    struct sockaddr_in6 address = six(text, port);
    return bind(file, (struct sockaddr *)&address, sizeof(address));
}

static int connect_six(int file, const char *text, uint16_t port)
{
    struct sockaddr_in6 address = six(text, port);
    return connect(file, (struct sockaddr *)&address, sizeof(address));
}

static int made(int type)
{
    int file = socket(AF_INET6, type, 0);
    CHECK(file >= 0);
    return file;
}

static void set(int file, int name, int value)
{
    CHECK_EQUAL(setsockopt(file, IPPROTO_IPV6, name, &value, sizeof(value)), 0);
}

/* The name that the call gives is this one; its port. */
static uint16_t named(int (*call)(int, struct sockaddr *, socklen_t *), int file, const char *text)
{
    struct sockaddr_in6 name, wanted = six(text, 0);
    socklen_t length = sizeof(name);
    CHECK_EQUAL(call(file, (struct sockaddr *)&name, &length), 0);
    CHECK_EQUAL(length, sizeof(name));
    CHECK_EQUAL(name.sin6_family, AF_INET6);
    CHECK_EQUAL(memcmp(&name.sin6_addr, &wanted.sin6_addr, sizeof(wanted.sin6_addr)), 0);
    CHECK_EQUAL(name.sin6_scope_id, 0);
    return ntohs(name.sin6_port);
}

static int listening_at(const char *text, uint16_t *port)
{
    int file = made(SOCK_STREAM);
    CHECK_EQUAL(bind_six(file, text, 0), 0);
    CHECK_EQUAL(listen(file, 8), 0);
    *port = named(getsockname, file, text);
    return file;
}

static void exchange(int client, int server)
{
    char text[4] = "";
    CHECK_EQUAL(write(client, "ping", 4), 4);
    CHECK_EQUAL(read(server, text, 4), 4);
    CHECK_EQUAL(write(server, text, 4), 4);
    CHECK_EQUAL(read(client, text, 4), 4);
    CHECK_EQUAL(memcmp(text, "ping", 4), 0);
}

/* ---- Streams ------------------------------------------------------------------------------------------------ */

static void a_stream_over_loopback(void)
{
    uint16_t port;
    int listening = listening_at("::1", &port), client = made(SOCK_STREAM);
    CHECK_EQUAL(connect_six(client, "::1", port), 0);
    int server = accept(listening, NULL, NULL);
    CHECK(server >= 0);
    CHECK_EQUAL(named(getpeername, client, "::1"), port);
    CHECK_EQUAL(named(getpeername, server, "::1"), named(getsockname, client, "::1"));
    exchange(client, server);
    close(client);
    close(server);
    close(listening);
}

static void both_families_on_one_socket(void)
{
    uint16_t port;
    int listening = listening_at("::", &port), client = connect_to(port);
    struct sockaddr_in6 from;
    socklen_t length = sizeof(from);
    int server = accept(listening, (struct sockaddr *)&from, &length);
    CHECK(server >= 0);
    CHECK_EQUAL(length, sizeof(from));
    CHECK(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    (void)named(getsockname, server, "::ffff:127.0.0.1");
    exchange(client, server);
    close(client);
    close(server);

    client = made(SOCK_STREAM);
    CHECK_EQUAL(connect_six(client, "::ffff:127.0.0.1", port), 0);
    (void)named(getsockname, client, "::ffff:127.0.0.1");
    close(client);
    client = made(SOCK_STREAM);
    CHECK_EQUAL(connect_six(client, "::", port), 0); /* this machine */
    (void)named(getpeername, client, "::1");
    close(client);
    close(listening);
}

static void a_client_of_ipv4_is_refused_by_ipv6_only(void)
{
    uint16_t port;
    int listening = made(SOCK_STREAM);
    set(listening, IPV6_V6ONLY, 1);
    CHECK_EQUAL(bind_six(listening, "::", 0), 0);
    CHECK_EQUAL(listen(listening, 8), 0);
    port = named(getsockname, listening, "::");
    struct sockaddr_in old = loopback(port);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(connect(client, (struct sockaddr *)&old, sizeof(old)), ECONNREFUSED);
    close(client);
    client = made(SOCK_STREAM);
    set(client, IPV6_V6ONLY, 1);
    CHECK_ERROR(connect_six(client, "::ffff:127.0.0.1", port), ENETUNREACH);
    CHECK_EQUAL(connect_six(client, "::1", port), 0);
    int server = accept(listening, NULL, NULL);
    CHECK(server >= 0);
    close(server);
    close(client);
    close(listening);
}

static void which_addresses_share_a_port(void)
{
    static const struct {
        const char *first, *second; /* without a colon: of AF_INET */
        int only_first, only_second, error;
    } tries[] = {
        { "::", "::", 0, 0, EADDRINUSE },
        { "::", "0.0.0.0", 0, 0, EADDRINUSE },
        { "::", "0.0.0.0", 1, 0, 0 },
        { "0.0.0.0", "::", 0, 0, EADDRINUSE },
        { "0.0.0.0", "::", 0, 1, 0 },
        { "::1", "127.0.0.1", 0, 0, 0 },
        { "::1", "::", 0, 0, EADDRINUSE },
        { "::", "127.0.0.1", 0, 0, EADDRINUSE },
        { "::", "127.0.0.1", 1, 0, 0 },
        { "::1", "0.0.0.0", 0, 0, 0 },
        { "127.0.0.1", "::ffff:127.0.0.1", 0, 0, EADDRINUSE },
    };
    for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        uint16_t port = 0;
        int files[2];
        for (unsigned k = 0; k < 2; k++) {
            const char *text = k == 0 ? tries[i].first : tries[i].second;
            struct sockaddr_in old = { .sin_family = AF_INET, .sin_port = htons(port) };
            int of_six = strchr(text, ':') != NULL, error = k == 0 ? 0 : tries[i].error;
            files[k] = socket(of_six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
            if (of_six)
                set(files[k], IPV6_V6ONLY, k == 0 ? tries[i].only_first : tries[i].only_second);
            inet_pton(AF_INET, text, &old.sin_addr);
            errno = 0;
            int result = of_six ? bind_six(files[k], text, port) : bind(files[k], (struct sockaddr *)&old, sizeof(old));
            if (result != (error == 0 ? 0 : -1) || (error != 0 && errno != error))
                test_failed(__FILE__, __LINE__, "%s after %s: %d, errno %d", tries[i].second, tries[i].first, result,
                            errno);
            if (k == 0)
                port = of_six ? named(getsockname, files[0], text) : port_of(files[0]);
        }
        close(files[0]);
        close(files[1]);
    }
}

static void names_that_are_wrong(void)
{
    struct sockaddr_in6 address = six("::1", 1);
    struct sockaddr_in old = loopback(1);
    int stream = made(SOCK_STREAM), four = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(bind_six(stream, "2001:db8::1", 0), EADDRNOTAVAIL);
    CHECK_ERROR(bind_six(stream, "fe80::1", 0), EINVAL); /* on which link? */
    CHECK_ERROR(connect_six(stream, "fe80::1", 1), EINVAL);
    CHECK_ERROR(connect_six(stream, "::1", 1), ECONNREFUSED);
    CHECK_ERROR(bind(stream, (struct sockaddr *)&address, 23), EINVAL);
    CHECK_ERROR(connect(stream, (struct sockaddr *)&address, 23), EINVAL);
    address.sin6_port = 0;
    CHECK_EQUAL(bind(stream, (struct sockaddr *)&address, 24), 0); /* RFC 2133 had no interface in it */
    CHECK_ERROR(connect(four, (struct sockaddr *)&address, sizeof(address)), EAFNOSUPPORT);
    CHECK_ERROR(bind(four, (struct sockaddr *)&address, sizeof(address)), EAFNOSUPPORT);
    close(stream);
    stream = made(SOCK_STREAM);
    CHECK_ERROR(bind(stream, (struct sockaddr *)&old, sizeof(address)), EAFNOSUPPORT);
    set(stream, IPV6_V6ONLY, 1);
    CHECK_ERROR(bind_six(stream, "::ffff:127.0.0.1", 0), EINVAL);
    CHECK_EQUAL(bind_six(stream, "::1", 0), 0);
    int no = 0;
    CHECK_ERROR(setsockopt(stream, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)), EINVAL);
    close(stream);
    close(four);
}

static void the_largest_segment(void)
{
    uint16_t port;
    int listening = listening_at("::1", &port), client = made(SOCK_STREAM), mss = 0;
    socklen_t length = sizeof(mss);
    CHECK_EQUAL(connect_six(client, "::1", port), 0);
    CHECK_EQUAL(getsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &mss, &length), 0);
    CHECK(mss > 1220 && mss <= 65535 - 60);
    close(client);
    close(listening);
}

/* ---- Datagrams ---------------------------------------------------------------------------------------------- */

/* Of the control message of this kind, an int or the start of a structure; -1: there is none. */
static int said(struct msghdr *message, int type, void *value, size_t length)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == type) {
            CHECK_EQUAL(c->cmsg_len, CMSG_LEN(length));
            memcpy(value, CMSG_DATA(c), length);
            return 0;
        }
    return -1;
}

static void receive_with_controls(int file, struct msghdr *message, char *control, size_t size)
{
    static char bytes[16];
    static struct iovec part = { bytes, sizeof(bytes) };
    *message = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size };
    CHECK_EQUAL(recvmsg(file, message, 0), 3);
}

static void what_is_said_of_a_datagram(void)
{
    int server = made(SOCK_DGRAM), client = made(SOCK_DGRAM), number;
    char control[256];
    struct msghdr message;
    struct in6_pktinfo info;
    CHECK_EQUAL(bind_six(server, "::", 0), 0);
    uint16_t port = named(getsockname, server, "::");
    set(server, IPV6_RECVPKTINFO, 1);
    set(server, IPV6_RECVHOPLIMIT, 1);
    set(server, IPV6_RECVTCLASS, 1);
    set(client, IPV6_UNICAST_HOPS, 33);
    set(client, IPV6_TCLASS, 0x20);
    CHECK_EQUAL(connect_six(client, "::1", port), 0);
    CHECK_EQUAL(send(client, "six", 3, 0), 3);
    receive_with_controls(server, &message, control, sizeof(control));
    CHECK_EQUAL(said(&message, IPV6_PKTINFO, &info, sizeof(info)), 0);
    CHECK(IN6_IS_ADDR_LOOPBACK(&info.ipi6_addr) && info.ipi6_ifindex == 1);
    CHECK_EQUAL(said(&message, IPV6_HOPLIMIT, &number, sizeof(number)), 0);
    CHECK_EQUAL(number, 33);
    CHECK_EQUAL(said(&message, IPV6_TCLASS, &number, sizeof(number)), 0);
    CHECK_EQUAL(number, 0x20);

    struct sockaddr_in old = loopback(port); /* an address of IPv4 in its own form, over a socket of AF_INET6 */
    close(client);
    client = made(SOCK_DGRAM);
    CHECK_EQUAL(sendto(client, "old", 3, 0, (struct sockaddr *)&old, sizeof(old)), 3);
    receive_with_controls(server, &message, control, sizeof(control));
    CHECK_EQUAL(said(&message, IPV6_PKTINFO, &info, sizeof(info)), 0);
    CHECK(IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr));
    close(client);
    close(server);
}

/* Sends three bytes to ::1 with one control message of IPv6; what sendmsg() returns. */
static ssize_t send_with(int file, uint16_t port, int type, const void *value, size_t length)
{
    struct sockaddr_in6 to = six("::1", port);
    struct iovec part = { "six", 3 };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(64)] = { 0 };
    struct msghdr message = { &to, sizeof(to), &part, 1, control, CMSG_SPACE(length), 0 };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){ CMSG_LEN(length), IPPROTO_IPV6, type };
    memcpy(CMSG_DATA(header), value, length);
    return sendmsg(file, &message, 0);
}

static ssize_t send_number(int file, uint16_t port, int type, int value)
{
    return send_with(file, port, type, &value, sizeof(value));
}

static void how_one_datagram_is_sent(void)
{
    int server = made(SOCK_DGRAM), client = made(SOCK_DGRAM), number;
    char control[256];
    struct msghdr message;
    struct in6_pktinfo info = { .ipi6_addr = IN6ADDR_LOOPBACK_INIT, .ipi6_ifindex = 1 };
    CHECK_EQUAL(bind_six(server, "::", 0), 0);
    uint16_t port = named(getsockname, server, "::");
    set(server, IPV6_RECVHOPLIMIT, 1);
    set(server, IPV6_RECVTCLASS, 1);
    set(client, IPV6_UNICAST_HOPS, 33);
    set(client, IPV6_TCLASS, 0x20);
    for (int limit = -1; limit < 256; limit += 64) {
        CHECK_EQUAL(send_number(client, port, IPV6_HOPLIMIT, limit), 3);
        receive_with_controls(server, &message, control, sizeof(control));
        CHECK_EQUAL(said(&message, IPV6_HOPLIMIT, &number, sizeof(number)), 0);
        CHECK_EQUAL(number, limit == -1 ? 33 : limit);
        CHECK_EQUAL(send_number(client, port, IPV6_TCLASS, limit), 3);
        receive_with_controls(server, &message, control, sizeof(control));
        CHECK_EQUAL(said(&message, IPV6_TCLASS, &number, sizeof(number)), 0);
        CHECK_EQUAL(number, limit & 0xff); /* -1 too, which is what the socket has elsewhere */
    }
    CHECK_ERROR(send_number(client, port, IPV6_HOPLIMIT, 256), EINVAL);
    CHECK_ERROR(send_number(client, port, IPV6_TCLASS, -2), EINVAL);
    CHECK_ERROR(send_number(client, port, IPV6_DONTFRAG, 2), EINVAL);
    CHECK_ERROR(send_number(client, port, 12345, 0), EINVAL);
    CHECK_ERROR(send_with(client, port, IPV6_HOPLIMIT, &number, 3), EINVAL);
    CHECK_EQUAL(send_number(client, port, IPV6_DONTFRAG, 1), 3);
    CHECK_EQUAL(send_with(client, port, IPV6_PKTINFO, &info, sizeof(info)), 3);
    CHECK_ERROR(send_with(client, port, IPV6_PKTINFO, &info, sizeof(info) - 1), EINVAL);
    info.ipi6_ifindex = 12345;
    CHECK_ERROR(send_with(client, port, IPV6_PKTINFO, &info, sizeof(info)), ENODEV);
    info.ipi6_ifindex = 0;
    CHECK_EQUAL(send_with(client, port, IPV6_PKTINFO, &info, sizeof(info)), 3);
    CHECK_EQUAL(inet_pton(AF_INET6, "2001:db8::77", &info.ipi6_addr), 1);
    CHECK_ERROR(send_with(client, port, IPV6_PKTINFO, &info, sizeof(info)), EINVAL); /* not ours */
    CHECK_EQUAL(inet_pton(AF_INET6, "fe80::77", &info.ipi6_addr), 1);
    CHECK_ERROR(send_with(client, port, IPV6_PKTINFO, &info, sizeof(info)), EINVAL); /* on which link? */
    close(client);
    close(server);
}

/* Of the queue of errors: what, and who reported it. */
struct queued {
    struct sock_extended_err what;
    struct sockaddr_in6 offender;
    struct sockaddr_in6 to;
    ssize_t length;
};

static struct queued next_queued(int file)
{
    struct queued error = { 0 };
    char bytes[100];
    _Alignas(struct cmsghdr) char control[256];
    struct iovec part = { bytes, sizeof(bytes) };
    struct msghdr message = { &error.to, sizeof(error.to), &part, 1, control, sizeof(control), 0 };
    error.length = recvmsg(file, &message, MSG_ERRQUEUE);
    if (error.length < 0)
        return error;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    CHECK(header != NULL && header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
    CHECK_EQUAL(header->cmsg_len, CMSG_LEN(sizeof(error.what) + sizeof(error.offender)));
    memcpy(&error.what, CMSG_DATA(header), sizeof(error.what));
    memcpy(&error.offender, CMSG_DATA(header) + sizeof(error.what), sizeof(error.offender));
    return error;
}

static void errors_are_queued(void)
{
    if (allocations_fail())
        return; /* reports are lost, as on Linux */
    static char bytes[65536];
    char byte;
    int server = made(SOCK_DGRAM), client = made(SOCK_DGRAM);
    CHECK_EQUAL(bind_six(server, "::1", 0), 0);
    uint16_t port = named(getsockname, server, "::1");
    struct sockaddr_in6 to = six("::1", port);
    struct sockaddr_in old = loopback(port);
    close(server);
    set(client, IPV6_RECVERR, 1);
    CHECK_EQUAL(sendto(client, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
    struct queued error = next_queued(client);
    CHECK_EQUAL(error.length, 5);
    CHECK_EQUAL(error.what.ee_errno, ECONNREFUSED);
    CHECK_EQUAL(error.what.ee_origin, SO_EE_ORIGIN_ICMP6);
    CHECK_EQUAL(error.what.ee_type, 1);
    CHECK_EQUAL(error.what.ee_code, 4);
    CHECK_EQUAL(error.what.ee_info, 0);
    CHECK(error.offender.sin6_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&error.offender.sin6_addr));
    CHECK(IN6_IS_ADDR_LOOPBACK(&error.to.sin6_addr) && error.to.sin6_port == to.sin6_port);
    CHECK_ERROR(recv(client, &byte, 1, MSG_DONTWAIT), EAGAIN); /* none is pending either */
    CHECK_EQUAL(setsockopt(client, IPPROTO_IP, IP_RECVERR, &(int){ 1 }, sizeof(int)), 0);
    CHECK_EQUAL(sendto(client, "four", 4, 0, (struct sockaddr *)&old, sizeof(old)), 4);
    error = next_queued(client);
    CHECK_EQUAL(error.length, 4);
    CHECK_EQUAL(error.what.ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK(IN6_IS_ADDR_V4MAPPED(&error.offender.sin6_addr) && IN6_IS_ADDR_V4MAPPED(&error.to.sin6_addr));
    set(client, IPV6_MTU, 1280);
    set(client, IPV6_DONTFRAG, 1);
    CHECK_ERROR(sendto(client, bytes, 1280 - 47, 0, (struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
    error = next_queued(client);
    CHECK_EQUAL(error.length, 0);
    CHECK_EQUAL(error.what.ee_errno, EMSGSIZE);
    CHECK_EQUAL(error.what.ee_origin, SO_EE_ORIGIN_LOCAL);
    CHECK_EQUAL(error.what.ee_info, 1280);
    CHECK_EQUAL(error.offender.sin6_family, 0);
    CHECK_EQUAL(error.to.sin6_port, to.sin6_port);
    set(client, IPV6_RECVERR, 0);
    CHECK_EQUAL(next_queued(client).length, -1);
    close(client);
}

static void fragments_are_as_large_as_asked(void)
{
    static char bytes[5000], read[6000];
    int server = made(SOCK_DGRAM), client = made(SOCK_DGRAM), mtu = 0;
    socklen_t length = sizeof(mtu);
    CHECK_EQUAL(bind_six(server, "::1", 0), 0);
    CHECK_EQUAL(connect_six(client, "::1", named(getsockname, server, "::1")), 0);
    memset(bytes, 'x', sizeof(bytes));
    set(client, IPV6_MTU, 1280);
    CHECK_EQUAL(getsockopt(client, IPPROTO_IPV6, IPV6_MTU, &mtu, &length), 0);
    CHECK(mtu > 1280); /* that of the way */
    CHECK_EQUAL(send(client, bytes, sizeof(bytes), 0), sizeof(bytes));
    CHECK_EQUAL(recv(server, read, sizeof(read), 0), sizeof(bytes));
    CHECK_EQUAL(memcmp(bytes, read, sizeof(bytes)), 0);
    close(client);
    close(server);
}

static void a_closed_port_is_reported(void)
{
    int server = made(SOCK_DGRAM), client = made(SOCK_DGRAM);
    CHECK_EQUAL(bind_six(server, "::1", 0), 0);
    uint16_t port = named(getsockname, server, "::1");
    close(server);
    CHECK_EQUAL(connect_six(client, "::1", port), 0);
    CHECK_EQUAL(send(client, "six", 3, 0), 3);
    CHECK_ERROR(send(client, "six", 3, 0), ECONNREFUSED);
    close(client);
}

/* ---- Around them -------------------------------------------------------------------------------------------- */

/* How the JDK finds out whether there is IPv6: it looks for a line in this file. */
static void the_loopback_address_is_listed(void)
{
    char line[200];
    int found = 0;
    FILE *file = fopen("/proc/net/if_inet6", "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file))
        found += strcmp(line, "00000000000000000000000000000001 01 80 10 80       lo\n") == 0;
    fclose(file);
    CHECK_EQUAL(found, 1);
}

/* By rtnetlink. */
static void the_loopback_address_is_one_of_the_interface(void)
{
    struct ifaddrs *all;
    int found = 0;
    CHECK_EQUAL(getifaddrs(&all), 0);
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        const struct sockaddr_in6 *address = (const void *)one->ifa_addr;
        if (address && address->sin6_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->sin6_addr)) {
            const struct sockaddr_in6 *mask = (const void *)one->ifa_netmask;
            CHECK_EQUAL(strcmp(one->ifa_name, "lo"), 0);
            CHECK_EQUAL(mask->sin6_addr.s6_addr[15], 255);
            found++;
        }
    }
    freeifaddrs(all);
    CHECK_EQUAL(found, 1);
}

static void names_have_addresses_of_ipv6(void)
{
    struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list;
    CHECK_EQUAL(getaddrinfo("::1", "80", &hints, &list), 0);
    CHECK_EQUAL(list->ai_family, AF_INET6);
    freeaddrinfo(list);
}

static void sockets_are_listed_by_family(void)
{
    char line[300], six_line[100];
    uint16_t port;
    int listening = listening_at("::", &port), found = 0;
    snprintf(six_line, sizeof(six_line),
             " 00000000000000000000000000000000:%04X 00000000000000000000000000000000:0000 0A", port);
    FILE *file = fopen("/proc/net/tcp6", "r");
    CHECK(file != NULL);
    CHECK(fgets(line, sizeof(line), file) != NULL);
    CHECK_EQUAL(
        strncmp(line, "  sl  local_address                         remote_address                        st ", 85), 0);
    while (fgets(line, sizeof(line), file))
        found += strstr(line, six_line) != NULL;
    fclose(file);
    CHECK_EQUAL(found, 1);
    close(listening);
}

/* ---- Options ------------------------------------------------------------------------------------------------ */

/* clang-format off */
#define OPTION(name) { name, #name }
/* clang-format on */
static const struct {
    int name;
    const char *text;
} options[] = {
    OPTION(IPV6_V6ONLY),        OPTION(IPV6_UNICAST_HOPS),   OPTION(IPV6_TCLASS),         OPTION(IPV6_RECVPKTINFO),
    OPTION(IPV6_RECVHOPLIMIT),  OPTION(IPV6_RECVTCLASS),     OPTION(IPV6_MTU_DISCOVER),   OPTION(IPV6_DONTFRAG),
    OPTION(IPV6_RECVERR),       OPTION(IPV6_MULTICAST_HOPS), OPTION(IPV6_MULTICAST_LOOP), OPTION(IPV6_MULTICAST_IF),
    OPTION(IPV6_MULTICAST_ALL), OPTION(IPV6_FREEBIND),       OPTION(IPV6_TRANSPARENT),    OPTION(IPV6_MTU),
};

static void print_value(int file, int name)
{
    int value = 0;
    socklen_t length = sizeof(value);
    if (getsockopt(file, IPPROTO_IPV6, name, &value, &length) < 0)
        printf(" %s", strerrorname_np(errno));
    else
        printf(" %d", value);
}

static void options_are_those_of_linux(void)
{
    static const int values[] = { INT_MIN, -2, -1, 0, 1, 2, 3, 5, 6, 64, 255, 256, 65535, INT_MAX };
    for (unsigned i = 0; i < 2 * sizeof(options) / sizeof(options[0]); i++) {
        int type = i % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM, name = options[i / 2].name;
        if (type == SOCK_DGRAM && name == IPV6_MULTICAST_IF)
            continue; /* which interfaces there are depends on the machine */
        int file = made(type);
        printf("ok ipv6.%s.%s", options[i / 2].text, type == SOCK_STREAM ? "stream" : "datagram");
        print_value(file, name);
        for (unsigned k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            printf(" %d:", values[k]);
            if (setsockopt(file, IPPROTO_IPV6, name, &values[k], sizeof(values[k])) < 0)
                printf(" %s", strerrorname_np(errno));
            else
                print_value(file, name);
        }
        printf(" short: %s\n", setsockopt(file, IPPROTO_IPV6, name, values, 3) < 0 ? strerrorname_np(errno) : "set");
        close(file);
    }
}

SUITE(ipv6, TEST(a_stream_over_loopback), TEST(both_families_on_one_socket),
      TEST(a_client_of_ipv4_is_refused_by_ipv6_only), TEST(which_addresses_share_a_port), TEST(names_that_are_wrong),
      TEST(the_largest_segment), TEST(what_is_said_of_a_datagram), TEST(how_one_datagram_is_sent),
      TEST(errors_are_queued), TEST(fragments_are_as_large_as_asked), TEST(a_closed_port_is_reported),
      TEST(the_loopback_address_is_listed), TEST(the_loopback_address_is_one_of_the_interface),
      TEST(names_have_addresses_of_ipv6), TEST(sockets_are_listed_by_family), TEST(options_are_those_of_linux));
