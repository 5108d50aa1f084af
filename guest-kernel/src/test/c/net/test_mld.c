/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of IPv6 on a network: what is reported by MLD and when, which queries are answered, and who has datagrams,
 * with the test as the router.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/icmp6.h"
#include "net/mld.h"
#include "net/multicast.h"
#include "net/nd.h"
#include "net/wire.h"

#define HEADERS 54u
#define PORT 5000
#define GROUP ip6_address(0xff05000000000000u, 0x77)
#define STACK_LOCAL ip6_address(0xfe80000000000000u, 0x000000fffe000002u) /* of 02:00:00:00:00:02 */
#define SOLICITED ip6_address(0xff02000000000000u, 0x1ff000002u)          /* of the same */
#define OTHER_SOLICITED ip6_address(0xff02000000000000u, 0x1ff000777u)
#define PEER_LOCAL ip6_address(0xfe80000000000000u, 1)
#define SOURCE ip6_address(0x20010db800090000u, 7)
#define OTHER ip6_address(0x20010db800090000u, 8)
#define ALL_MLDV2 ip6_address(0xff02000000000000u, 0x16)

enum { IPV6_MULTICAST_IF = 17, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP, IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP };
enum { IPV6_MULTICAST_ALL = 29, MCAST_JOIN_GROUP = 42, MCAST_BLOCK_SOURCE, MCAST_UNBLOCK_SOURCE, MCAST_LEAVE_GROUP };
enum { MCAST_JOIN_SOURCE_GROUP = 46, MCAST_LEAVE_SOURCE_GROUP, MCAST_MSFILTER };
enum { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW_NEW, BLOCK_OLD };
enum { DEVICE = 2 }; /* its number */

static bool same(struct ip_address a, struct ip_address b) { return ip_same(a, b); }

static struct ip_address read_address(const uint8_t *from)
{
    struct ip6_bytes bytes;
    memcpy(&bytes, from, sizeof(bytes));
    return ip6_read(bytes);
}

static void write_address(uint8_t *to, struct ip_address address)
{
    struct ip6_bytes bytes = ip6_bytes_of(address);
    memcpy(to, &bytes, sizeof(bytes));
}

/* ---- Reports ------------------------------------------------------------------------------------------------ */

static struct {
    uint8_t type, record; /* type 0: there is none */
    struct ip_address from, to, group, sources[2];
    uint32_t count; /* of sources, of which the first two are kept */
} last;

/* The next message about groups, which is well formed, in `last`. */
static void next_report(void)
{
    static const uint8_t alert[] = { IP6_PROTOCOL_ICMP, 0, 5, 2, 0, 0, 1, 0 };
    const struct wire_frame *frame;
    memset(&last, 0, sizeof(last));
    while ((frame = wire_next()) && (read_be16(frame->bytes + 12) != 0x86dd || frame->bytes[20] != 0))
        ;
    if (!frame)
        return;
    const uint8_t *icmp = frame->bytes + HEADERS + sizeof(alert);
    uint32_t length = read_be16(frame->bytes + 18) - (uint32_t)sizeof(alert);
    last.from = read_address(frame->bytes + 22);
    last.to = read_address(frame->bytes + 38);
    uint64_t pseudo = checksum_pseudo(last.from, last.to, IP6_PROTOCOL_ICMP, length);
    CHECK(memcmp(frame->bytes + HEADERS, alert, sizeof(alert)) == 0);
    CHECK_EQUAL(frame->bytes[21], 1); /* the hop limit */
    CHECK_EQUAL(checksum_fold(checksum_add(pseudo, icmp, length)), 0xffff);
    CHECK(memcmp(frame->bytes, "\x33\x33", 2) == 0 && memcmp(frame->bytes + 2, frame->bytes + 50, 4) == 0);
    last.type = icmp[0];
    if (last.type != MLD_REPORT_V2) {
        CHECK_EQUAL(length, 24);
        last.group = read_address(icmp + 8);
        return;
    }
    CHECK_EQUAL(read_be16(icmp + 6), 1); /* record */
    last.record = icmp[8];
    last.count = read_be16(icmp + 10);
    last.group = read_address(icmp + 12);
    CHECK_EQUAL(length, 28 + last.count * 16);
    for (uint32_t i = 0; i < last.count && i < 2; i++)
        last.sources[i] = read_address(icmp + 28 + i * 16);
}

static void expect_record(uint8_t record, struct ip_address group)
{
    next_report();
    CHECK_EQUAL(last.type, MLD_REPORT_V2);
    CHECK(same(last.to, ALL_MLDV2));
    CHECK_EQUAL(last.record, record);
    CHECK(same(last.group, group));
    CHECK_EQUAL(last.count, 0);
}

static void expect_source(uint8_t record, struct ip_address source)
{
    next_report();
    CHECK_EQUAL(last.type, MLD_REPORT_V2);
    CHECK_EQUAL(last.record, record);
    CHECK(same(last.group, GROUP));
    CHECK_EQUAL(last.count, 1);
    CHECK(same(last.sources[0], source));
}

static void expect_old(uint8_t type, struct ip_address to)
{
    next_report();
    CHECK_EQUAL(last.type, type);
    CHECK(same(last.to, to));
    CHECK(same(last.group, GROUP));
}

static void expect_silence(void)
{
    next_report();
    CHECK_EQUAL(last.type, 0);
}

/* How many reports of this group there are among all that were sent. */
static unsigned reports_of(struct ip_address group)
{
    unsigned count = 0;
    for (next_report(); last.type != 0; next_report())
        count += same(last.group, group);
    return count;
}

/* ---- What the router sends ---------------------------------------------------------------------------------- */

enum query_fault { RIGHT, NO_ALERT, FORWARDED, FROM_AFAR, CUT, NO_GROUP, FAULTS };

static uint8_t query_robustness, query_interval; /* of version 2, as they are on the wire */

/* `version` 1 or 2; of all groups, or one; `response` in milliseconds. */
static void ask_wrongly(unsigned version, uint16_t response, struct ip_address group, enum query_fault fault)
{
    uint8_t frame[HEADERS + 8 + 28] = { 0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60 };
    uint8_t *alert = frame + HEADERS, *icmp = alert + 8;
    uint32_t length = (version == 1 ? 24 : 28) - (fault == CUT ? 1 : 0);
    struct ip_address from = fault == FROM_AFAR ? SOURCE : PEER_LOCAL;
    struct ip_address to = same(group, IP6_ANY) ? IP6_ALL_NODES : group;
    write_be16(frame + 18, (uint16_t)(8 + length));
    frame[20] = IP6_PROTOCOL_HOP_BY_HOP;
    frame[21] = fault == FORWARDED ? 2 : 1;
    write_address(frame + 22, from);
    write_address(frame + 38, to);
    memcpy(alert, (uint8_t[8]){ IP6_PROTOCOL_ICMP, 0, fault == NO_ALERT ? 1 : 5, 2, 0, 0, 1, 0 }, 8);
    icmp[0] = MLD_QUERY;
    write_be16(icmp + 4, response);
    write_address(icmp + 8, fault == NO_GROUP ? STACK_LOCAL : group);
    if (version == 2) {
        icmp[24] = query_robustness;
        icmp[25] = query_interval;
    }
    uint64_t pseudo = checksum_pseudo(from, to, IP6_PROTOCOL_ICMP, length);
    write_be16(icmp + 2, checksum_finish(checksum_add(pseudo, icmp, length)));
    wire_inject(frame, HEADERS + 8 + length);
}

static void ask(unsigned version, uint16_t response, struct ip_address group)
{
    ask_wrongly(version, response, group, RIGHT);
}

static void inject_datagram(struct ip_address from, struct ip_address to, const char *text)
{
    uint8_t frame[HEADERS + 8 + 32] = { 0x33, 0x33, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60 };
    uint8_t *udp = frame + HEADERS;
    uint32_t length = 8 + (uint32_t)strlen(text);
    write_be16(frame + 18, (uint16_t)length);
    frame[20] = IP_PROTOCOL_UDP;
    frame[21] = 9;
    write_address(frame + 22, from);
    write_address(frame + 38, to);
    memcpy(frame + 2, frame + 50, 4);
    write_be16(udp, 7);
    write_be16(udp + 2, PORT);
    write_be16(udp + 4, (uint16_t)length);
    memcpy(udp + 8, text, strlen(text));
    uint64_t pseudo = checksum_pseudo(from, to, IP_PROTOCOL_UDP, length);
    write_be16(udp + 6, checksum_finish(checksum_add(pseudo, udp, length)));
    wire_inject(frame, HEADERS + length);
}

/* ---- Sockets ------------------------------------------------------------------------------------------------ */

static struct file *bound(void)
{
    struct socket_address any = { .family = AF_INET6, .in = { IP6_ANY, PORT } };
    struct file *file;
    if (socket_create(AF_INET6, SOCK_DGRAM, 0, 0, &file) < 0)
        abort();
    stack_nonblocking(file);
    if (stack_set(file, SOL_SOCKET, 2, 1) < 0 || socket_of(file)->operations->bind(socket_of(file), &any) < 0)
        abort();
    return file;
}

static int change(struct file *file, int option, struct ip_address group, int index)
{
    struct {
        struct ip6_bytes group;
        int32_t index;
    } value = { ip6_bytes_of(group), index };
    return socket_set_option(socket_of(file), IPPROTO_IPV6, option, &value, sizeof(value));
}

static int join(struct file *file) { return change(file, IPV6_ADD_MEMBERSHIP, GROUP, DEVICE); }
static int leave(struct file *file) { return change(file, IPV6_DROP_MEMBERSHIP, GROUP, DEVICE); }

static void put_storage(uint8_t *to, struct ip_address address)
{
    to[0] = AF_INET6;
    write_address(to + 8, address);
}

/* A source of GROUP. */
static int change_source(struct file *file, int option, struct ip_address source)
{
    uint8_t value[264] = { DEVICE };
    put_storage(value + 8, GROUP);
    put_storage(value + 136, source);
    return socket_set_option(socket_of(file), IPPROTO_IPV6, option, value, sizeof(value));
}

static int set_filter(struct file *file, bool include, const struct ip_address *sources, uint32_t count)
{
    _Alignas(8) uint8_t value[SOCKET_FILTER_SIZE] = { DEVICE };
    put_storage(value + 8, GROUP);
    value[136] = include;
    value[140] = (uint8_t)count;
    for (uint32_t i = 0; i < count && i < MULTICAST_SOURCES_6; i++)
        put_storage(value + 144 + i * 128, sources[i]);
    return socket_set_option(socket_of(file), IPPROTO_IPV6, MCAST_MSFILTER, value,
                             min_of(144 + count * 128u, SOCKET_FILTER_SIZE));
}

static bool has(struct file *file, const char *text)
{
    char bytes[100];
    ssize_type n = stack_receive(file, bytes, sizeof(bytes), 0);
    return text == NULL ? n == -EAGAIN : n == (ssize_type)strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

static ssize_type send_to(struct file *file, const char *text, struct ip_address to)
{
    struct transfer transfer;
    struct socket_address address = { .family = AF_INET6, .in = { ip6_inside(to, DEVICE), PORT } };
    transfer_init_kernel(&transfer, (void *)text, strlen(text));
    struct socket_message message = { .data = &transfer, .address = &address };
    return socket_of(file)->operations->send(socket_of(file), &message);
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void name_servers_changed(void) {}

static void own_groups_are_reported(void)
{
    net_start_ipv6(&(struct net_ipv6){ 0 }, name_servers_changed);
    expect_record(TO_EXCLUDE, SOLICITED);
    CHECK(same(last.from, IP6_ANY)); /* the address is tentative */
    wire_drop_all();
    host_advance(NS_PER_SECOND + 1);
    wire_drop_all();
    host_advance(NS_PER_SECOND + 1);
    expect_record(TO_EXCLUDE, SOLICITED);
    CHECK(same(last.from, STACK_LOCAL));
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    host_advance(300 * NS_PER_SECOND);
    expect_silence();
}

static void joins_and_leaves_are_reported(void)
{
    struct file *first = bound(), *second = bound();
    CHECK_EQUAL(join(first), 0);
    expect_record(TO_EXCLUDE, GROUP);
    CHECK(same(last.from, STACK_LOCAL));
    CHECK_EQUAL(join(second), 0);
    expect_silence(); /* the network knows */
    host_advance(NS_PER_SECOND + 1);
    expect_record(TO_EXCLUDE, GROUP);
    host_advance(60 * NS_PER_SECOND);
    expect_silence();
    CHECK_EQUAL(leave(first), 0);
    expect_silence();
    file_put(second); /* the last member */
    expect_record(TO_INCLUDE, GROUP);
    expect_record(TO_INCLUDE, GROUP);
    CHECK_EQUAL(change(first, IPV6_ADD_MEMBERSHIP, ip6_address(0xff01000000000000u, 9), DEVICE), 0);
    CHECK_EQUAL(change(first, IPV6_ADD_MEMBERSHIP, IP6_ALL_NODES, DEVICE), 0);
    CHECK_EQUAL(change(first, IPV6_ADD_MEMBERSHIP, GROUP, 1), 0); /* loopback */
    expect_silence();
    file_put(first);
    host_advance(60 * NS_PER_SECOND);
    expect_silence();
}

static void errors_are_those_of_linux(void)
{
    struct file *file = bound();
    CHECK_EQUAL(change(file, IPV6_ADD_MEMBERSHIP, STACK_LOCAL, DEVICE), -EINVAL);
    CHECK_EQUAL(change(file, IPV6_DROP_MEMBERSHIP, STACK_LOCAL, DEVICE), -EINVAL);
    CHECK_EQUAL(change(file, IPV6_ADD_MEMBERSHIP, GROUP, 9), -ENODEV);
    CHECK_EQUAL(leave(file), -EADDRNOTAVAIL);
    CHECK_EQUAL(change(file, IPV6_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQUAL(join(file), -EADDRINUSE);
    CHECK_EQUAL(change(file, IPV6_ADD_MEMBERSHIP, GROUP, 1), 0);
    CHECK_EQUAL(change(file, IPV6_DROP_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQUAL(change(file, IPV6_DROP_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQUAL(change(file, IPV6_DROP_MEMBERSHIP, GROUP, 0), -EADDRNOTAVAIL);
    for (unsigned i = 0; i < MULTICAST_MEMBERSHIPS_6; i++)
        CHECK_EQUAL(change(file, IPV6_ADD_MEMBERSHIP, ip6_address(0xff15000000000000u, i + 1), 1), 0);
    CHECK_EQUAL(join(file), -ENOMEM);
    file_put(file);
    wire_drop_all();
}

/* All sockets together have MULTICAST_MEMBERSHIPS_ALL, and leave nothing. */
static void the_machine_has_a_limit(void)
{
    struct file *files[MULTICAST_MEMBERSHIPS_ALL / MULTICAST_MEMBERSHIPS_6 + 1];
    unsigned count = 0;
    for (unsigned i = 0; i < array_size(files); i++) {
        files[i] = bound();
        for (unsigned k = 0; k < MULTICAST_MEMBERSHIPS_6; k++)
            count += change(files[i], IPV6_ADD_MEMBERSHIP, ip6_address(0xff15000000000000u, k + 1), 1) == 0;
    }
    CHECK_EQUAL(count, MULTICAST_MEMBERSHIPS_ALL);
    for (unsigned i = 0; i < array_size(files); i++)
        file_put(files[i]);
    struct file *again = bound();
    CHECK_EQUAL(join(again), 0);
    file_put(again);
    wire_drop_all();
}

static void sources_are_reported(void)
{
    struct file *one = bound(), *all = bound();
    CHECK_EQUAL(change_source(one, MCAST_JOIN_SOURCE_GROUP, SOURCE), 0);
    expect_source(ALLOW_NEW, SOURCE);
    host_advance(NS_PER_SECOND + 1);
    expect_source(TO_INCLUDE, SOURCE);
    CHECK_EQUAL(change_source(one, MCAST_JOIN_SOURCE_GROUP, OTHER), 0);
    expect_source(ALLOW_NEW, OTHER);
    CHECK_EQUAL(change_source(one, MCAST_LEAVE_SOURCE_GROUP, SOURCE), 0);
    expect_source(BLOCK_OLD, SOURCE);
    CHECK_EQUAL(join(all), 0);
    expect_record(TO_EXCLUDE, GROUP);
    CHECK_EQUAL(change_source(all, MCAST_BLOCK_SOURCE, SOURCE), 0);
    expect_source(BLOCK_OLD, SOURCE);
    CHECK_EQUAL(change_source(all, MCAST_UNBLOCK_SOURCE, SOURCE), 0);
    expect_source(ALLOW_NEW, SOURCE);
    file_put(all);
    expect_source(TO_INCLUDE, OTHER);
    file_put(one);
    expect_source(BLOCK_OLD, OTHER);
    wire_drop_all();
    host_advance(10 * NS_PER_SECOND);
    expect_silence();
}

static void filters_are_set_and_read(void)
{
    struct ip_address sources[MULTICAST_SOURCES_6 + 1];
    _Alignas(8) uint8_t value[SOCKET_FILTER_SIZE] = { DEVICE };
    uint32_t length = 144 + 128; /* with room for one source */
    struct file *file = bound();
    for (uint32_t i = 0; i < array_size(sources); i++)
        sources[i] = ip6_address(0x20010db800090000u, i + 7);
    put_storage(value + 8, GROUP);
    value[140] = 1;
    CHECK_EQUAL(set_filter(file, false, sources, 1), -EINVAL); /* not joined */
    CHECK_EQUAL(socket_get_option(socket_of(file), IPPROTO_IPV6, MCAST_MSFILTER, value, &length), -EADDRNOTAVAIL);
    CHECK_EQUAL(join(file), 0);
    wire_drop_all();
    CHECK_EQUAL(set_filter(file, false, sources, MULTICAST_SOURCES_6 + 1), -ENOBUFS);
    CHECK_EQUAL(set_filter(file, true, sources, MULTICAST_SOURCES_6), 0);
    next_report();
    CHECK(last.record == TO_INCLUDE && last.count == MULTICAST_SOURCES_6 && same(last.sources[1], OTHER));
    CHECK_EQUAL(socket_get_option(socket_of(file), IPPROTO_IPV6, MCAST_MSFILTER, value, &length), 0);
    CHECK(length == 144 + 128 && value[136] == 1 && value[140] == MULTICAST_SOURCES_6 && value[144] == AF_INET6);
    CHECK(same(read_address(value + 152), SOURCE));
    CHECK_EQUAL(set_filter(file, false, sources, 1), 0);
    expect_source(TO_EXCLUDE, SOURCE);
    CHECK_EQUAL(set_filter(file, true, sources, 0), 0); /* leaves */
    next_report();
    CHECK(last.record == TO_INCLUDE && last.count == 0);
    CHECK_EQUAL(leave(file), -EADDRNOTAVAIL);
    file_put(file);
    wire_drop_all();
}

static void queries_are_answered_in_time(void)
{
    struct file *file = bound();
    CHECK_EQUAL(join(file), 0);
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    ask(2, 1000, IP6_ANY);
    expect_silence();
    host_advance(NS_PER_SECOND + 1);
    CHECK_EQUAL(reports_of(GROUP), 1);
    ask(2, 1000, GROUP);
    host_advance(NS_PER_SECOND + 1);
    expect_record(IS_EXCLUDE, GROUP);
    expect_silence();
    ask(2, 0x9000, GROUP); /* (0x1000 | 0) << (1 + 3) ms: 65.5 s */
    host_advance(66 * NS_PER_SECOND);
    expect_record(IS_EXCLUDE, GROUP);
    for (enum query_fault fault = NO_ALERT; fault < FAULTS; fault++) {
        ask_wrongly(2, 1000, GROUP, fault);
        host_advance(2 * NS_PER_SECOND);
        expect_silence();
    }
    ask_wrongly(1, 1000, GROUP, CUT);
    host_advance(2 * NS_PER_SECOND);
    expect_silence();
    CHECK_EQUAL(change_source(file, MCAST_BLOCK_SOURCE, SOURCE), 0);
    wire_drop_all();
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    ask(2, 1000, GROUP);
    host_advance(NS_PER_SECOND + 1);
    expect_source(IS_EXCLUDE, SOURCE);
    file_put(file);
    wire_drop_all();
}

static void version_1_is_spoken_after_its_queries(void)
{
    struct file *file = bound();
    CHECK_EQUAL(join(file), 0);
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    ask(1, 1000, IP6_ANY);
    host_advance(NS_PER_SECOND + 1);
    CHECK_EQUAL(reports_of(GROUP), 1);
    ask(1, 1000, GROUP);
    host_advance(NS_PER_SECOND + 1);
    expect_old(MLD_REPORT_V1, GROUP);
    CHECK_EQUAL(leave(file), 0);
    expect_old(MLD_DONE_V1, IP6_ALL_ROUTERS);
    CHECK_EQUAL(change_source(file, MCAST_JOIN_SOURCE_GROUP, SOURCE), 0);
    expect_old(MLD_REPORT_V1, GROUP); /* it has no sources */
    host_advance(261 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(leave(file), 0);
    expect_source(BLOCK_OLD, SOURCE);
    file_put(file);
    wire_drop_all();
}

static void version_1_counts_as_long_as_the_querier_says(void)
{
    struct file *file = bound();
    query_robustness = 3;
    query_interval = 20;
    ask(2, 5000, IP6_ANY);
    ask(1, 1000, IP6_ANY);
    host_advance(64 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(change_source(file, MCAST_JOIN_SOURCE_GROUP, SOURCE), 0);
    expect_old(MLD_REPORT_V1, GROUP);
    host_advance(NS_PER_SECOND + 1);
    wire_drop_all();
    CHECK_EQUAL(leave(file), 0);
    expect_source(BLOCK_OLD, SOURCE);
    query_robustness = query_interval = 0;
    ask(2, 10000, IP6_ANY);
    file_put(file);
    wire_drop_all();
}

static void datagrams_come_to_members(void)
{
    struct file *member = bound(), *bystander = bound();
    inject_datagram(SOURCE, GROUP, "early");
    CHECK(has(member, NULL) && has(bystander, NULL));
    CHECK_EQUAL(join(member), 0);
    inject_datagram(SOURCE, GROUP, "one");
    CHECK(has(member, "one") && has(bystander, "one"));
    CHECK_EQUAL(stack_set(bystander, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0), 0);
    inject_datagram(SOURCE, GROUP, "two");
    CHECK(has(member, "two") && has(bystander, NULL));
    CHECK_EQUAL(change_source(member, MCAST_BLOCK_SOURCE, SOURCE), 0);
    inject_datagram(SOURCE, GROUP, "blocked");
    inject_datagram(OTHER, GROUP, "other");
    CHECK(has(member, "other") && has(member, NULL));
    CHECK_EQUAL(change_source(bystander, MCAST_JOIN_SOURCE_GROUP, SOURCE), 0);
    inject_datagram(SOURCE, GROUP, "one");
    CHECK(has(bystander, "one") && has(member, NULL));
    CHECK_EQUAL(change_source(bystander, MCAST_LEAVE_SOURCE_GROUP, SOURCE), 0);
    CHECK_EQUAL(leave(member), 0);
    inject_datagram(OTHER, GROUP, "late");
    CHECK(has(member, NULL) && has(bystander, NULL));
    file_put(member);
    file_put(bystander);
    wire_drop_all();
}

static unsigned datagrams_sent(void)
{
    unsigned count = 0;
    for (const struct wire_frame *frame; (frame = wire_next());)
        count += read_be16(frame->bytes + 12) == 0x86dd && frame->bytes[20] == IP_PROTOCOL_UDP;
    return count;
}

static void our_own_have_copies_of_what_we_send(void)
{
    struct ip_address here = ip6_address(0xff01000000000000u, 9);
    struct file *member = bound();
    CHECK_EQUAL(send_to(member, "none", GROUP), 4);
    CHECK_EQUAL(datagrams_sent(), 1);
    CHECK(has(member, NULL)); /* nobody has joined */
    CHECK_EQUAL(join(member), 0);
    CHECK_EQUAL(change(member, IPV6_ADD_MEMBERSHIP, here, DEVICE), 0);
    CHECK_EQUAL(send_to(member, "loop", GROUP), 4);
    CHECK_EQUAL(datagrams_sent(), 1);
    CHECK(has(member, "loop") && has(member, NULL));
    CHECK_EQUAL(send_to(member, "here", here), 4);
    CHECK_EQUAL(datagrams_sent(), 0); /* its scope is this machine */
    CHECK(has(member, "here"));
    CHECK_EQUAL(stack_set(member, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0), 0);
    CHECK_EQUAL(send_to(member, "none", GROUP), 4);
    CHECK_EQUAL(datagrams_sent(), 1);
    CHECK(has(member, NULL));
    CHECK_EQUAL(stack_set(member, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1), 0);
    CHECK_EQUAL(stack_set(member, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0), 0);
    CHECK_EQUAL(send_to(member, "zero", GROUP), 4);
    CHECK_EQUAL(datagrams_sent(), 0);
    CHECK(has(member, "zero"));
    file_put(member);
    wire_drop_all();
}

/* An address that ran out needs its group no more: routers learn of it when they ask. */
static void groups_end_with_their_address(void)
{
    struct ip_address address = ip6_address(0x20010db800090000u, 0x777);
    net_lock();
    CHECK(ip6_add(interface_first_device(), address, 64, NO_DEADLINE, net_now() + 5 * NS_PER_SECOND));
    net_unlock();
    expect_record(TO_EXCLUDE, OTHER_SOLICITED);
    host_advance(4 * NS_PER_SECOND);
    wire_drop_all();
    host_advance(2 * NS_PER_SECOND);
    ask(2, 1000, IP6_ANY);
    host_advance(NS_PER_SECOND + 1);
    unsigned left = 0;
    for (next_report(); last.type != 0; next_report()) {
        CHECK(same(last.group, SOLICITED) || last.record == TO_INCLUDE);
        left += same(last.group, OTHER_SOLICITED);
    }
    CHECK_EQUAL(left, 2);
}

static void groups_are_reported_again_after_a_restore(void)
{
    struct file *file = bound();
    CHECK_EQUAL(join(file), 0);
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    net_lock();
    interface_restored(interface_first_device());
    net_unlock();
    host_advance(3 * NS_PER_SECOND);
    CHECK_EQUAL(reports_of(GROUP), 2);
    file_put(file);
    wire_drop_all();
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    host_test("MLD, own groups are reported", own_groups_are_reported);
    host_test("MLD, joins and leaves are reported", joins_and_leaves_are_reported);
    host_test("MLD, errors are those of Linux", errors_are_those_of_linux);
    host_test("MLD, the machine has a limit", the_machine_has_a_limit);
    host_test("MLD, sources are reported", sources_are_reported);
    host_test("MLD, filters are set and read", filters_are_set_and_read);
    host_test("MLD, queries are answered in time", queries_are_answered_in_time);
    host_test("MLD, version 1 is spoken after its queries", version_1_is_spoken_after_its_queries);
    host_test("MLD, version 1 counts as long as the querier says", version_1_counts_as_long_as_the_querier_says);
    host_test("MLD, datagrams come to members", datagrams_come_to_members);
    host_test("MLD, our own have copies of what we send", our_own_have_copies_of_what_we_send);
    host_test("MLD, groups end with their address", groups_end_with_their_address);
    host_test("MLD, groups are reported again after a restore", groups_are_reported_again_after_a_restore);
    return host_result();
}
