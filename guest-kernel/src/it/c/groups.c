/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multicast groups on loopback: who has a copy of a datagram to a group, by membership, by interface and by source.
 * Each test has groups and ports of its own sockets, and leaves nothing joined.
 */
#define _GNU_SOURCE
#include "datagrams.h"

#include <stdio.h>
#include <unistd.h>

#define GROUP 0xef010203u /* 239.1.2.3 */

static int membership(int socket, int option, uint32_t group, uint32_t interface)
{
    struct ip_mreq wanted = { { htonl(group) }, { htonl(interface) } };
    return setsockopt(socket, IPPROTO_IP, option, &wanted, sizeof(wanted));
}

static int group_sender(void)
{
    int sender = bound_to(INADDR_ANY, 0);
    struct in_addr interface = { htonl(INADDR_LOOPBACK) };
    CHECK_EQUAL(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface)), 0);
    return sender;
}

static void every_member_has_a_copy(void)
{
    if (allocations_fail())
        return; /* copies are lost, as on Linux */
    int sender = group_sender(), first = bound_to(INADDR_ANY, 0);
    uint16_t port = port_of(first);
    int second = bound_to(INADDR_ANY, port), named = bound_to(GROUP, port), own = bound_to(INADDR_LOOPBACK, port);
    int bystander = bound_to(INADDR_ANY, port);
    set(bystander, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    send_to(sender, GROUP, port, "none");
    expect_none(first);
    CHECK_EQUAL(membership(first, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    send_to(sender, GROUP, port, "one");
    expect(first, "one");
    expect(second, "one"); /* IP_MULTICAST_ALL: what any has joined */
    expect(named, "one");
    expect_none(own);
    expect_none(bystander);
    CHECK_EQUAL(membership(bystander, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_EQUAL(membership(first, IP_DROP_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    set(first, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    send_to(sender, GROUP, port, "two");
    expect_none(first);
    expect(second, "two");
    expect(bystander, "two");
    expect(named, "two");
    close(bystander); /* the last member */
    send_to(sender, GROUP, port, "three");
    expect_none(second);
    expect_none(named);
    close(first);
    close(second);
    close(named);
    close(own);
    close(sender);
}

/* A socket of IPv6 gets what it has joined itself. */
static void a_bystander_of_ipv6_has_none(void)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
    int sender = group_sender(), first = bound_to(INADDR_ANY, 0),
        second = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), all = -1;
    socklen_t length = sizeof(all);
    any.sin6_port = htons(port_of(first));
    set(second, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQUAL(bind(second, (struct sockaddr *)&any, sizeof(any)), 0);
    CHECK_EQUAL(getsockopt(second, IPPROTO_IP, IP_MULTICAST_ALL, &all, &length), 0);
    CHECK_EQUAL(all, 0);
    CHECK_EQUAL(membership(first, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    send_to(sender, GROUP, port_of(first), "one");
    expect(first, "one");
    expect_none(second);
    CHECK_EQUAL(membership(second, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    send_to(sender, GROUP, port_of(first), "two");
    expect(first, "two");
    expect(second, "two");
    close(first);
    close(second);
    close(sender);
}

static void groups_are_joined_by_the_number_of_the_interface(void)
{
    int sender = group_sender(), member = bound_to(INADDR_ANY, 0);
    struct group_req request = { .gr_interface = 1 };
    struct sockaddr_in group = name_of(GROUP, 0);
    struct ip_mreqn numbered = { .imr_multiaddr.s_addr = htonl(GROUP + 1), .imr_ifindex = 1 };
    memcpy(&request.gr_group, &group, sizeof(group));
    set(member, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof(request)), 0);
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &numbered, sizeof(numbered)), 0);
    CHECK_EQUAL(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &numbered, sizeof(numbered)), 0);
    send_to(sender, GROUP, port_of(member), "a");
    expect(member, "a");
    send_to(sender, GROUP + 1, port_of(member), "b");
    expect(member, "b");
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, MCAST_LEAVE_GROUP, &request, sizeof(request)), 0);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_LEAVE_GROUP, &request, sizeof(request)), EADDRNOTAVAIL);
    send_to(sender, GROUP, port_of(member), "c");
    expect_none(member);
    request.gr_group.ss_family = AF_UNIX;
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof(request)), EINVAL);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_JOIN_GROUP, &request, 100), EINVAL);
    close(member);
    close(sender);
}

static void groups_that_cannot_be_joined(void)
{
    int member = bound_to(INADDR_ANY, 0), stream = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(membership(member, IP_ADD_MEMBERSHIP, 0x0a000001, INADDR_LOOPBACK), EINVAL);
    CHECK_ERROR(membership(member, IP_ADD_MEMBERSHIP, GROUP, 0x01020304), ENODEV);
    CHECK_ERROR(membership(stream, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), EPROTO);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, 4), EINVAL);
    CHECK_ERROR(membership(member, IP_DROP_MEMBERSHIP, GROUP, INADDR_LOOPBACK), EADDRNOTAVAIL);
    CHECK_EQUAL(membership(member, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_ERROR(membership(member, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), EADDRINUSE);
    for (uint32_t i = 1; i < 20; i++)
        CHECK_EQUAL(membership(member, IP_ADD_MEMBERSHIP, GROUP + i, INADDR_LOOPBACK), 0);
    CHECK_ERROR(membership(member, IP_ADD_MEMBERSHIP, GROUP + 20, INADDR_LOOPBACK), ENOBUFS);
    close(member);
    close(stream);
}

/* ---- Sources of groups ---- */

#define ONE INADDR_LOOPBACK
#define OTHER (INADDR_LOOPBACK + 1)

static int source(int socket, int option, uint32_t address)
{
    struct ip_mreq_source wanted = { .imr_multiaddr.s_addr = htonl(GROUP),
                                     .imr_interface.s_addr = htonl(INADDR_LOOPBACK),
                                     .imr_sourceaddr.s_addr = htonl(address) };
    return setsockopt(socket, IPPROTO_IP, option, &wanted, sizeof(wanted));
}

static int sender_from(uint32_t address)
{
    int sender = bound_to(address, 0);
    struct in_addr interface = { htonl(INADDR_LOOPBACK) };
    CHECK_EQUAL(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface)), 0);
    return sender;
}

/* Sends from both sources; the member has these of the two datagrams. */
static void expect_sources(int member, bool from_one, bool from_other)
{
    int one = sender_from(ONE), other = sender_from(OTHER);
    send_to(one, GROUP, port_of(member), "one");
    if (from_one)
        expect(member, "one");
    send_to(other, GROUP, port_of(member), "other");
    if (from_other)
        expect(member, "other");
    expect_none(member);
    close(one);
    close(other);
}

static void sources_are_joined_one_by_one(void)
{
    if (allocations_fail())
        return; /* copies are lost, as on Linux */
    int member = bound_to(INADDR_ANY, 0), second = bound_to(INADDR_ANY, 0);
    CHECK_ERROR(source(member, IP_DROP_SOURCE_MEMBERSHIP, ONE), EINVAL);
    CHECK_ERROR(source(member, IP_BLOCK_SOURCE, ONE), EINVAL);
    CHECK_EQUAL(source(member, IP_ADD_SOURCE_MEMBERSHIP, ONE), 0);
    CHECK_ERROR(source(member, IP_ADD_SOURCE_MEMBERSHIP, ONE), EADDRNOTAVAIL);
    CHECK_ERROR(source(member, IP_BLOCK_SOURCE, OTHER), EINVAL);
    CHECK_ERROR(membership(member, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), EADDRINUSE);
    expect_sources(member, true, false);
    CHECK_EQUAL(source(second, IP_ADD_SOURCE_MEMBERSHIP, OTHER), 0);
    expect_sources(member, true, false);
    expect_sources(second, false, true);
    CHECK_EQUAL(source(member, IP_ADD_SOURCE_MEMBERSHIP, OTHER), 0);
    CHECK_EQUAL(source(member, IP_DROP_SOURCE_MEMBERSHIP, ONE), 0);
    expect_sources(member, false, true);
    CHECK_EQUAL(source(member, IP_DROP_SOURCE_MEMBERSHIP, OTHER), 0);
    CHECK_ERROR(membership(member, IP_DROP_MEMBERSHIP, GROUP, INADDR_LOOPBACK), EADDRNOTAVAIL);
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQUAL(source(member, IP_ADD_SOURCE_MEMBERSHIP, ONE + i), 0);
    CHECK_ERROR(source(member, IP_ADD_SOURCE_MEMBERSHIP, ONE + 10), ENOBUFS);
    CHECK_EQUAL(membership(member, IP_DROP_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    close(member);
    close(second);
}

static void sources_are_blocked_one_by_one(void)
{
    if (allocations_fail())
        return; /* copies are lost, as on Linux */
    int member = bound_to(INADDR_ANY, 0);
    CHECK_EQUAL(membership(member, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_ERROR(source(member, IP_UNBLOCK_SOURCE, ONE), EADDRNOTAVAIL);
    expect_sources(member, true, true);
    CHECK_EQUAL(source(member, IP_BLOCK_SOURCE, ONE), 0);
    CHECK_ERROR(source(member, IP_BLOCK_SOURCE, ONE), EADDRNOTAVAIL);
    CHECK_ERROR(source(member, IP_ADD_SOURCE_MEMBERSHIP, ONE), EINVAL);
    CHECK_ERROR(source(member, IP_DROP_SOURCE_MEMBERSHIP, ONE), EINVAL);
    expect_sources(member, false, true);
    CHECK_EQUAL(source(member, IP_UNBLOCK_SOURCE, ONE), 0);
    expect_sources(member, true, true);
    CHECK_EQUAL(membership(member, IP_DROP_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_EQUAL(membership(member, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_EQUAL(source(member, IP_ADD_SOURCE_MEMBERSHIP, OTHER), 0); /* instead of every source */
    expect_sources(member, false, true);
    close(member);
}

static void sources_are_joined_by_the_number_of_the_interface(void)
{
    if (allocations_fail())
        return; /* copies are lost, as on Linux */
    int member = bound_to(INADDR_ANY, 0);
    struct group_source_req request = { .gsr_interface = 1 };
    struct sockaddr_in group = name_of(GROUP, 0), one = name_of(ONE, 0);
    memcpy(&request.gsr_group, &group, sizeof(group));
    memcpy(&request.gsr_source, &one, sizeof(one));
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &request, sizeof(request)), 0);
    expect_sources(member, true, false);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_BLOCK_SOURCE, &request, sizeof(request)), EINVAL);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &request, sizeof(request) - 1), EINVAL);
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &request, sizeof(request)), 0);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &request, sizeof(request)), EINVAL);
    request.gsr_source.ss_family = AF_UNIX;
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &request, sizeof(request)), EADDRNOTAVAIL);
    close(member);
}

/* ---- Filters as a whole ---- */

static void filters_of_ipv4(void)
{
    if (allocations_fail())
        return; /* copies are lost, as on Linux */
    struct {
        struct ip_msfilter filter;
        struct in_addr more[11];
    } value = { .filter = { .imsf_multiaddr.s_addr = htonl(GROUP),
                            .imsf_interface.s_addr = htonl(INADDR_LOOPBACK),
                            .imsf_fmode = MCAST_INCLUDE,
                            .imsf_numsrc = 1,
                            .imsf_slist[0].s_addr = htonl(ONE) } };
    socklen_t length = sizeof(value);
    int member = bound_to(INADDR_ANY, 0);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, sizeof(value)), EINVAL);
    CHECK_ERROR(getsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, &length), EADDRNOTAVAIL);
    CHECK_EQUAL(membership(member, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, IP_MSFILTER_SIZE(1)), 0);
    expect_sources(member, true, false);
    value.filter.imsf_fmode = 9;
    value.filter.imsf_slist[0].s_addr = 0;
    CHECK_EQUAL(getsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, &length), 0);
    CHECK_EQUAL(length, IP_MSFILTER_SIZE(1));
    CHECK_EQUAL(value.filter.imsf_fmode, MCAST_INCLUDE);
    CHECK_EQUAL(value.filter.imsf_slist[0].s_addr, htonl(ONE));
    value.filter.imsf_fmode = MCAST_EXCLUDE;
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, IP_MSFILTER_SIZE(1)), 0);
    expect_sources(member, false, true);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, IP_MSFILTER_SIZE(1) - 1), EINVAL);
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, IP_MSFILTER_SIZE(0) - 1), EINVAL);
    value.filter.imsf_numsrc = 11;
    CHECK_ERROR(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, sizeof(value)), ENOBUFS);
    value.filter.imsf_numsrc = 0;
    value.filter.imsf_fmode = MCAST_INCLUDE;
    CHECK_EQUAL(setsockopt(member, IPPROTO_IP, IP_MSFILTER, &value, IP_MSFILTER_SIZE(0)), 0); /* leaves */
    CHECK_ERROR(membership(member, IP_DROP_MEMBERSHIP, GROUP, INADDR_LOOPBACK), EADDRNOTAVAIL);
    close(member);
}

/* ---- IPv6 ---- */

static struct sockaddr_in6 six(const char *text, uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    CHECK_EQUAL(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    return address;
}

static unsigned link_number; /* of the interface that groups go out by: see find_link() */
static char link_address[INET6_ADDRSTRLEN];

/* Reads which interface that is; false: its address is tentative still. */
static int read_link(void)
{
    char bytes[33];
    unsigned number, prefix, scope, flags;
    int settled = 1;
    FILE *file = fopen("/proc/net/if_inet6", "r");
    CHECK(file != NULL);
    while (link_number == 0 && settled &&
           fscanf(file, "%32s %x %x %x %x %*s", bytes, &number, &prefix, &scope, &flags) == 5) {
        struct in6_addr address;
        if (scope != 0x20)
            continue;
        for (unsigned i = 0; i < 16; i++)
            sscanf(bytes + 2 * i, "%2hhx", &address.s6_addr[i]);
        inet_ntop(AF_INET6, &address, link_address, sizeof(link_address));
        settled = !(flags & 0x40); /* IFA_F_TENTATIVE: for a second */
        if (settled)
            link_number = number;
    }
    fclose(file);
    return settled;
}

/* The first interface with an address of its link, once that is no longer tentative; loopback carries no groups of
 * IPv6, on Linux too. False: there is none. */
static int find_link(void)
{
    link_number = 0;
    while (!read_link())
        usleep(50000);
    return link_number != 0;
}

static int bound_six(uint16_t port)
{
    struct sockaddr_in6 name = six("::", port);
    int made = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(made >= 0);
    set(made, SOL_SOCKET, SO_REUSEADDR, 1);
    set(made, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)link_number);
    CHECK_EQUAL(bind(made, (struct sockaddr *)&name, sizeof(name)), 0);
    return made;
}

static uint16_t port_of_six(int socket)
{
    struct sockaddr_in6 name;
    socklen_t length = sizeof(name);
    CHECK_EQUAL(getsockname(socket, (struct sockaddr *)&name, &length), 0);
    return ntohs(name.sin6_port);
}

static int membership6(int socket, int option, const char *group, unsigned interface)
{
    struct sockaddr_in6 name = six(group, 0);
    struct ipv6_mreq wanted = { name.sin6_addr, interface };
    return setsockopt(socket, IPPROTO_IPV6, option, &wanted, sizeof(wanted));
}

static int source6(int socket, int option, const char *group, const char *address, unsigned interface)
{
    struct group_source_req request = { .gsr_interface = interface };
    struct sockaddr_in6 of = six(group, 0), one = six(address, 0);
    memcpy(&request.gsr_group, &of, sizeof(of));
    memcpy(&request.gsr_source, &one, sizeof(one));
    return setsockopt(socket, IPPROTO_IPV6, option, &request, sizeof(request));
}

static void send_to_six(int socket, const char *group, uint16_t port, const char *text)
{
    struct sockaddr_in6 name = six(group, port);
    CHECK_EQUAL(sendto(socket, text, strlen(text), 0, (struct sockaddr *)&name, sizeof(name)), strlen(text));
}

#define GROUP6 "ff12::7701"
#define ONE6 "::1"
#define OTHER6 "2001:db8::1"

static void members_of_a_group_of_ipv6(void)
{
    if (allocations_fail() || !find_link())
        return; /* copies are lost, as on Linux */
    int sender = bound_six(0), first = bound_six(0);
    uint16_t port = port_of_six(first);
    int second = bound_six(port);
    set(second, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    send_to_six(sender, GROUP6, port, "none");
    expect_none(first);
    CHECK_EQUAL(membership6(first, IPV6_ADD_MEMBERSHIP, GROUP6, link_number), 0);
    send_to_six(sender, GROUP6, port, "one");
    expect(first, "one");
    expect_none(second);
    CHECK_EQUAL(membership6(second, IPV6_ADD_MEMBERSHIP, GROUP6, link_number), 0);
    CHECK_EQUAL(source6(second, MCAST_BLOCK_SOURCE, GROUP6, OTHER6, link_number), 0);
    send_to_six(sender, GROUP6, port, "two");
    expect(first, "two");
    expect(second, "two");
    CHECK_EQUAL(source6(second, MCAST_BLOCK_SOURCE, GROUP6, link_address, link_number), 0);
    send_to_six(sender, GROUP6, port, "three");
    expect(first, "three");
    expect_none(second);
    close(first);
    send_to_six(sender, GROUP6, port, "four");
    expect_none(second);
    CHECK_EQUAL(source6(second, MCAST_UNBLOCK_SOURCE, GROUP6, link_address, link_number), 0);
    send_to_six(sender, GROUP6, port, "five");
    expect(second, "five");
    CHECK_EQUAL(membership6(second, IPV6_DROP_MEMBERSHIP, GROUP6, 0), 0);
    send_to_six(sender, GROUP6, port, "six");
    expect_none(second);
    CHECK_EQUAL(source6(second, MCAST_JOIN_SOURCE_GROUP, GROUP6, link_address, link_number), 0);
    send_to_six(sender, GROUP6, port, "seven");
    expect(second, "seven");
    close(second);
    close(sender);
}

static void loopback_carries_no_groups_of_ipv6(void)
{
    struct sockaddr_in6 name = six(GROUP6, 7);
    link_number = 1;
    int sender = bound_six(0);
    CHECK_ERROR(sendto(sender, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), ENETUNREACH);
    set(sender, IPPROTO_IPV6, IPV6_MULTICAST_IF, 0);
    name.sin6_scope_id = 1;
    CHECK_ERROR(sendto(sender, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), ENETUNREACH);
    CHECK_ERROR(connect(sender, (struct sockaddr *)&name, sizeof(name)), ENETUNREACH);
    close(sender);
}

static void groups_of_ipv6_that_cannot_be_joined(void)
{
    int member = bound_six(0), stream = socket(AF_INET6, SOCK_STREAM, 0);
    struct group_req request = { .gr_interface = 1 };
    struct sockaddr_in of_four = name_of(GROUP, 0);
    struct sockaddr_in6 of_six = six(GROUP6, 0);
    CHECK_ERROR(membership6(member, IPV6_ADD_MEMBERSHIP, "::1", 1), EINVAL);
    CHECK_ERROR(membership6(member, IPV6_DROP_MEMBERSHIP, "::1", 1), EINVAL);
    CHECK_ERROR(membership6(member, IPV6_ADD_MEMBERSHIP, GROUP6, 12345), ENODEV);
    CHECK_ERROR(membership6(member, IPV6_DROP_MEMBERSHIP, GROUP6, 1), EADDRNOTAVAIL);
    CHECK_ERROR(membership6(stream, IPV6_ADD_MEMBERSHIP, GROUP6, 1), EPROTO);
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, 19), EINVAL);
    CHECK_EQUAL(membership6(member, IPV6_ADD_MEMBERSHIP, GROUP6, 1), 0);
    CHECK_ERROR(membership6(member, IPV6_ADD_MEMBERSHIP, GROUP6, 1), EADDRINUSE);
    CHECK_ERROR(membership6(member, IPV6_ADD_MEMBERSHIP, GROUP6, 0), EADDRINUSE);
    memcpy(&request.gr_group, &of_four, sizeof(of_four));
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_JOIN_GROUP, &request, sizeof(request)), EADDRNOTAVAIL);
    memcpy(&request.gr_group, &of_six, sizeof(of_six));
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_JOIN_GROUP, &request, sizeof(request)), EADDRINUSE);
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_JOIN_GROUP, &request, sizeof(request) - 1), EINVAL);
    CHECK_EQUAL(setsockopt(stream, IPPROTO_IPV6, MCAST_JOIN_GROUP, &request, sizeof(request)), 0);
    CHECK_EQUAL(setsockopt(stream, IPPROTO_IPV6, MCAST_LEAVE_GROUP, &request, sizeof(request)), 0);
    CHECK_EQUAL(source6(member, MCAST_BLOCK_SOURCE, GROUP6, ONE6, 1), 0);
    CHECK_ERROR(source6(member, MCAST_BLOCK_SOURCE, GROUP6, ONE6, 1), EADDRNOTAVAIL);
    CHECK_ERROR(source6(member, MCAST_JOIN_SOURCE_GROUP, GROUP6, ONE6, 1), EINVAL);
    CHECK_EQUAL(source6(member, MCAST_UNBLOCK_SOURCE, GROUP6, ONE6, 1), 0);
    CHECK_ERROR(source6(member, MCAST_UNBLOCK_SOURCE, GROUP6, ONE6, 1), EADDRNOTAVAIL);
    CHECK_ERROR(source6(member, MCAST_JOIN_SOURCE_GROUP, GROUP6, ONE6, 1), EINVAL); /* it has had a filter */
    CHECK_ERROR(source6(member, MCAST_LEAVE_SOURCE_GROUP, "ff15::7702", ONE6, 1), EINVAL);
    close(member);
    close(stream);
}

static void filters_of_ipv6(void)
{
    _Alignas(8) char bytes[GROUP_FILTER_SIZE(65)] = { 0 };
    struct group_filter *filter = (void *)bytes;
    struct sockaddr_in6 group = six(GROUP6, 0), sources = six("2001:db8::7", 0);
    int member = bound_six(0);
    socklen_t length = sizeof(bytes);
    filter->gf_interface = 1;
    filter->gf_fmode = MCAST_INCLUDE;
    filter->gf_numsrc = 64;
    memcpy(&filter->gf_group, &group, sizeof(group));
    for (unsigned i = 0; i < 64; i++) {
        sources.sin6_addr.s6_addr[15] = (uint8_t)i;
        memcpy(&filter->gf_slist[i], &sources, sizeof(sources));
    }
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(64)), EINVAL);
    CHECK_EQUAL(membership6(member, IPV6_ADD_MEMBERSHIP, GROUP6, 1), 0);
    CHECK_EQUAL(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(64)), 0);
    memset(filter->gf_slist, 0, sizeof(sources));
    filter->gf_numsrc = 2;
    CHECK_EQUAL(getsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, &length), 0);
    CHECK_EQUAL(length, GROUP_FILTER_SIZE(2));
    CHECK_EQUAL(filter->gf_numsrc, 64);
    CHECK_EQUAL(filter->gf_fmode, MCAST_INCLUDE);
    sources.sin6_addr.s6_addr[15] = 1;
    CHECK_EQUAL(memcmp(&filter->gf_slist[1], &sources, sizeof(sources)), 0);
    filter->gf_numsrc = 65;
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, sizeof(bytes)), ENOBUFS);
    filter->gf_numsrc = 2;
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(2) - 1), EINVAL);
    filter->gf_interface = 0;
    length = sizeof(bytes);
    CHECK_ERROR(getsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, &length), EADDRNOTAVAIL);
    CHECK_ERROR(getsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, &(socklen_t){ 143 }), EINVAL);
    filter->gf_interface = 12345;
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(2)), ENODEV);
    filter->gf_interface = 1;
    filter->gf_group.ss_family = AF_INET;
    CHECK_ERROR(getsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, &length), EADDRNOTAVAIL);
    filter->gf_group.ss_family = AF_INET6;
    filter->gf_numsrc = 0;
    CHECK_EQUAL(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(0)), 0); /* leaves */
    CHECK_ERROR(setsockopt(member, IPPROTO_IPV6, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(0)), EADDRNOTAVAIL);
    close(member);
}

/* How many lines of the file are this one. */
static int lines_of(const char *path, const char *wanted)
{
    char line[200];
    int found = 0;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file))
        found += strcmp(line, wanted) == 0;
    fclose(file);
    return found;
}

static void groups_are_listed(void)
{
    int first = bound_six(0), second = bound_six(0), old = bound_to(INADDR_ANY, 0);
    CHECK_EQUAL(lines_of("/proc/net/igmp6", "1    lo              ff020000000000000000000000000001     1 0000000C 0\n"),
                1);
    CHECK_EQUAL(lines_of("/proc/net/igmp6", "1    lo              ff010000000000000000000000000001     1 00000008 0\n"),
                1);
    CHECK_EQUAL(membership6(first, IPV6_ADD_MEMBERSHIP, "ff01::7701", 1), 0);
    CHECK_EQUAL(membership6(second, IPV6_ADD_MEMBERSHIP, "ff01::7701", 1), 0);
    CHECK_EQUAL(lines_of("/proc/net/igmp6", "1    lo              ff010000000000000000000000007701     2 00000008 0\n"),
                1);
    CHECK_EQUAL(source6(first, MCAST_BLOCK_SOURCE, "ff01::7701", ONE6, 1), 0);
    CHECK_EQUAL(lines_of("/proc/net/mcfilter6", "  1     lo ff010000000000000000000000007701 "
                                                "00000000000000000000000000000001      0      1\n"),
                1);
    CHECK_EQUAL(membership(old, IP_ADD_MEMBERSHIP, GROUP, INADDR_LOOPBACK), 0);
    CHECK_EQUAL(source(old, IP_BLOCK_SOURCE, ONE), 0);
    CHECK_EQUAL(lines_of("/proc/net/mcfilter", "  1     lo 0xef010203 0x7f000001      0      1\n"), 1);
    CHECK_EQUAL(lines_of("/proc/net/igmp", "1\tlo        :     2      V3\n"), 1);
    close(first);
    close(second);
    close(old);
}

SUITE(groups, TEST(every_member_has_a_copy), TEST(a_bystander_of_ipv6_has_none),
      TEST(groups_are_joined_by_the_number_of_the_interface), TEST(groups_that_cannot_be_joined),
      TEST(sources_are_joined_one_by_one), TEST(sources_are_blocked_one_by_one),
      TEST(sources_are_joined_by_the_number_of_the_interface), TEST(filters_of_ipv4), TEST(members_of_a_group_of_ipv6),
      TEST(loopback_carries_no_groups_of_ipv6), TEST(groups_of_ipv6_that_cannot_be_joined), TEST(filters_of_ipv6),
      TEST(groups_are_listed));
