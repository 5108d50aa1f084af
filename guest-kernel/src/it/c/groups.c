/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multicast groups on loopback: who has a copy of a datagram to a group, by membership, by interface and by source.
 * Each test has groups and ports of its own sockets, and leaves nothing joined.
 */
#define _GNU_SOURCE
#include "datagrams.h"

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

SUITE(groups, TEST(every_member_has_a_copy), TEST(a_bystander_of_ipv6_has_none),
      TEST(groups_are_joined_by_the_number_of_the_interface), TEST(groups_that_cannot_be_joined),
      TEST(sources_are_joined_one_by_one), TEST(sources_are_blocked_one_by_one),
      TEST(sources_are_joined_by_the_number_of_the_interface));
