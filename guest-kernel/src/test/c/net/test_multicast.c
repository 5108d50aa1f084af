/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups and broadcasts on a network: what is reported by IGMP and when, who has copies, and errors of the path, with
 * the test as the router.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/ip.h"
#include "net/multicast.h"
#include "net/wire.h"

#define GROUP 0xef010203u /* 239.1.2.3 */
#define ALL_ROUTERS 0xe0000002u
#define ALL_IGMPV3 0xe0000016u
#define SUBNET 0x0a0900ffu /* 10.9.0.255 */
#define PORT 5000
#define SOURCE 0x0a010107u /* 10.1.1.7, beyond a router */

enum {
    IP_MULTICAST_TTL = 33,
    IP_MULTICAST_LOOP,
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IP_UNBLOCK_SOURCE,
    IP_BLOCK_SOURCE
};
enum { IP_ADD_SOURCE_MEMBERSHIP = 39, IP_DROP_SOURCE_MEMBERSHIP, SO_REUSEADDR = 2, SO_BROADCAST = 6 };
enum { QUERY = 0x11, REPORT_V1 = 0x12, REPORT_V2 = 0x16, LEAVE_V2 = 0x17, REPORT_V3 = 0x22 };
enum { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW_NEW, BLOCK_OLD };

/* The next IP packet of this protocol that was sent; NULL: none. *payload: after its header. */
static const uint8_t *next_ip(uint8_t protocol, const uint8_t **payload, uint32_t *length)
{
    const struct wire_frame *frame;
    while ((frame = wire_next()) != NULL) {
        const uint8_t *ip = frame->bytes + 14;
        if (read_be16(frame->bytes + 12) != 0x0800 || ip[9] != protocol)
            continue;
        uint32_t header = (ip[0] & 15u) * 4;
        *payload = ip + header;
        *length = read_be16(ip + 2) - header;
        return frame->bytes;
    }
    return NULL;
}

struct report {
    ipv4_t to, group;
    uint8_t type, record;
    uint32_t count; /* of sources, of which the first two are kept */
    ipv4_t sources[2];
};

static struct report last;

/* The next message of IGMP, which is well formed, in `last`; type 0: none. */
static void next_report(void)
{
    const uint8_t *igmp;
    uint32_t length;
    const uint8_t *frame = next_ip(IP_PROTOCOL_IGMP, &igmp, &length);
    last = (struct report){ 0 };
    if (frame == NULL)
        return;
    const uint8_t *ip = frame + 14;
    CHECK_EQUAL(ip[0], 0x46);
    CHECK(memcmp(ip + 20, "\x94\x04\0\0", 4) == 0); /* router alert */
    CHECK_EQUAL(checksum_fold(checksum_add(0, ip, 24)), 0xffff);
    CHECK_EQUAL(ip[8], 1);
    CHECK_EQUAL(ip[1], 0xc0);
    CHECK_EQUAL(checksum_fold(checksum_add(0, igmp, length)), 0xffff);
    ipv4_t to = read_be32(ip + 16);
    const uint8_t mac[6] = { 1, 0, 0x5e, to >> 16 & 0x7f, (uint8_t)(to >> 8), (uint8_t)to };
    CHECK(memcmp(frame, mac, 6) == 0);
    bool third = igmp[0] == REPORT_V3;
    uint32_t count = third ? read_be16(igmp + 10) : 0;
    CHECK_EQUAL(length, third ? 16 + count * 4 : 8);
    CHECK(!third || read_be16(igmp + 6) == 1);
    last = (struct report){ to, read_be32(igmp + (third ? 12 : 4)), igmp[0], third ? igmp[8] : 0, count, { 0 } };
    for (uint32_t i = 0; i < count && i < 2; i++)
        last.sources[i] = read_be32(igmp + 16 + i * 4);
}

/* Without sources. */
static void expect_report(ipv4_t to, uint8_t type, uint8_t record, ipv4_t group)
{
    next_report();
    CHECK_EQUAL(last.type, type);
    CHECK_EQUAL(last.to, to);
    CHECK_EQUAL(last.record, record);
    CHECK_EQUAL(last.group, group);
    CHECK_EQUAL(last.count, 0);
}

/* Of one source, or of two in either order. */
static void expect_sources(uint8_t record, ipv4_t one, ipv4_t two)
{
    next_report();
    CHECK_EQUAL(last.type, REPORT_V3);
    CHECK_EQUAL(last.to, ALL_IGMPV3);
    CHECK_EQUAL(last.record, record);
    CHECK_EQUAL(last.group, GROUP);
    CHECK_EQUAL(last.count, two == IPV4_ANY ? 1 : 2);
    CHECK(last.sources[0] == one || last.sources[1] == one);
    CHECK_EQUAL(last.sources[0] ^ last.sources[1], one ^ two);
}

static void expect_silence(void)
{
    next_report();
    CHECK_EQUAL(last.type, 0);
}

static int change(struct file *file, int option, ipv4_t group)
{
    be32 value[2] = { be32_of(group), be32_of(WIRE_STACK) };
    return socket_set_option(socket_of(file), IPPROTO_IP, option, value, sizeof(value));
}

/* A source of GROUP. */
static int change_source(struct file *file, int option, ipv4_t source)
{
    be32 value[3] = { be32_of(GROUP), be32_of(WIRE_STACK), be32_of(source) };
    return socket_set_option(socket_of(file), IPPROTO_IP, option, value, sizeof(value));
}

static uint8_t query_robustness, query_interval; /* as they are on the wire */

/* A query of a version; for all groups, or one; `response` in tenths of a second. */
static void ask(unsigned version, uint8_t response, ipv4_t group)
{
    uint8_t message[12] = { QUERY, response };
    uint32_t length = version == 3 ? 12 : 8;
    write_be32(message + 4, group);
    message[8] = query_robustness;
    message[9] = query_interval;
    write_be16(message + 2, checksum_finish(checksum_add(0, message, length)));
    wire_inject_ip(WIRE_PEER, group == 0 ? MULTICAST_ALL_HOSTS : group, IP_PROTOCOL_IGMP, 0, 0, message, length);
}

static struct file *bound(uint16_t port)
{
    struct socket_address any = { .family = AF_INET, .in = { ip_of_ipv4(IPV4_ANY), port } };
    struct file *file = stack_socket(SOCK_DGRAM);
    stack_nonblocking(file);
    int error = stack_set(file, OPTION_SOCKET, SO_REUSEADDR, 1);
    if (error < 0 || socket_of(file)->operations->bind(socket_of(file), &any) < 0)
        abort();
    return file;
}

static void joins_and_leaves_are_reported(void)
{
    struct file *first = bound(PORT), *second = bound(PORT);
    wire_drop_all();
    CHECK_EQUAL(change(first, IP_ADD_MEMBERSHIP, GROUP), 0);
    expect_report(ALL_IGMPV3, REPORT_V3, TO_EXCLUDE, GROUP);
    CHECK_EQUAL(change(second, IP_ADD_MEMBERSHIP, GROUP), 0);
    expect_silence(); /* the network knows */
    host_advance(NS_PER_SECOND + 1);
    expect_report(ALL_IGMPV3, REPORT_V3, TO_EXCLUDE, GROUP);
    host_advance(60 * NS_PER_SECOND);
    expect_silence();
    CHECK_EQUAL(change(first, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_silence();
    file_put(second); /* leaves as well */
    expect_report(ALL_IGMPV3, REPORT_V3, TO_INCLUDE, GROUP);
    expect_report(ALL_IGMPV3, REPORT_V3, TO_INCLUDE, GROUP);
    expect_silence();
    CHECK_EQUAL(change(first, IP_ADD_MEMBERSHIP, MULTICAST_ALL_HOSTS), 0);
    host_advance(60 * NS_PER_SECOND);
    expect_silence(); /* everyone is in it */
    file_put(first);
    CHECK_EQUAL(host_next_timer(), NO_DEADLINE);
}

static void queries_are_answered_in_time(void)
{
    struct file *file = bound(PORT);
    CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP), 0);
    CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP + 1), 0);
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    ask(3, 50, GROUP + 1);
    expect_silence(); /* not at once: others answer too */
    host_advance(5 * NS_PER_SECOND + 1);
    expect_report(ALL_IGMPV3, REPORT_V3, IS_EXCLUDE, GROUP + 1);
    expect_silence();
    ask(3, 10, IPV4_ANY);
    host_advance(NS_PER_SECOND + 1);
    next_report();
    ipv4_t one = last.group;
    next_report();
    CHECK_EQUAL(one ^ last.group, GROUP ^ (GROUP + 1));
    ask(3, 10, GROUP + 7);
    host_advance(2 * NS_PER_SECOND);
    expect_silence();
    file_put(file);
    wire_drop_all();
}

static void older_routers_are_spoken_to_as_they_speak(void)
{
    struct file *file = bound(PORT);
    CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP), 0);
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
    ask(2, 10, IPV4_ANY);
    host_advance(NS_PER_SECOND + 1);
    expect_report(GROUP, REPORT_V2, 0, GROUP);
    CHECK_EQUAL(change(file, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_report(ALL_ROUTERS, LEAVE_V2, 0, GROUP);
    ask(1, 0, IPV4_ANY);
    CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP), 0);
    expect_report(GROUP, REPORT_V1, 0, GROUP);
    CHECK_EQUAL(change(file, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_silence(); /* version 1 has no such message */
    host_advance(261 * NS_PER_SECOND);
    CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP), 0);
    expect_report(ALL_IGMPV3, REPORT_V3, TO_EXCLUDE, GROUP);
    file_put(file);
    wire_drop_all();
}

/* The interval of its queries times its robustness, and its response time. */
static void an_older_router_counts_as_long_as_the_querier_says(void)
{
    static const struct {
        uint8_t robustness, interval, response;
        unsigned seconds;
    } cases[] = { { 3, 20, 50, 65 }, { 0, 0, 100, 260 }, { 2, 0x80, 10, 257 }, { 7, 1, 10, 8 }, { 9, 30, 10, 31 } };
    struct file *file = bound(PORT);
    for (unsigned i = 0; i < array_size(cases); i++) {
        query_robustness = cases[i].robustness;
        query_interval = cases[i].interval;
        ask(3, cases[i].response, IPV4_ANY);
        ask(2, 10, IPV4_ANY);
        host_advance((cases[i].seconds - 1) * NS_PER_SECOND);
        wire_drop_all();
        CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP), 0);
        expect_report(GROUP, REPORT_V2, 0, GROUP);
        CHECK_EQUAL(change(file, IP_DROP_MEMBERSHIP, GROUP), 0);
        host_advance(NS_PER_SECOND + 1);
        wire_drop_all();
        CHECK_EQUAL(change(file, IP_ADD_MEMBERSHIP, GROUP), 0);
        expect_report(ALL_IGMPV3, REPORT_V3, TO_EXCLUDE, GROUP);
        CHECK_EQUAL(change(file, IP_DROP_MEMBERSHIP, GROUP), 0);
    }
    query_robustness = query_interval = 0;
    ask(3, 100, IPV4_ANY); /* the defaults again */
    file_put(file);
    wire_drop_all();
}

static void sources_that_are_wanted_are_reported(void)
{
    struct file *first = bound(PORT), *second = bound(PORT), *all = bound(PORT);
    wire_drop_all();
    CHECK_EQUAL(change_source(first, IP_ADD_SOURCE_MEMBERSHIP, SOURCE), 0);
    expect_sources(ALLOW_NEW, SOURCE, IPV4_ANY);
    CHECK_EQUAL(change_source(second, IP_ADD_SOURCE_MEMBERSHIP, SOURCE), 0);
    expect_silence(); /* the network knows */
    CHECK_EQUAL(change_source(second, IP_ADD_SOURCE_MEMBERSHIP, SOURCE + 1), 0);
    expect_sources(ALLOW_NEW, SOURCE + 1, IPV4_ANY);
    host_advance(NS_PER_SECOND + 1);
    expect_sources(TO_INCLUDE, SOURCE, SOURCE + 1); /* repeats what is wanted, not the change */
    host_advance(60 * NS_PER_SECOND);
    expect_silence();
    ask(3, 10, GROUP);
    host_advance(NS_PER_SECOND + 1);
    expect_sources(IS_INCLUDE, SOURCE, SOURCE + 1);
    CHECK_EQUAL(change(all, IP_ADD_MEMBERSHIP, GROUP), 0);
    expect_report(ALL_IGMPV3, REPORT_V3, TO_EXCLUDE, GROUP);
    CHECK_EQUAL(change(all, IP_DROP_MEMBERSHIP, GROUP), 0);
    expect_sources(TO_INCLUDE, SOURCE, SOURCE + 1);
    CHECK_EQUAL(change_source(second, IP_DROP_SOURCE_MEMBERSHIP, SOURCE), 0);
    expect_silence(); /* the other one wants it */
    file_put(first);
    expect_sources(BLOCK_OLD, SOURCE, IPV4_ANY);
    CHECK_EQUAL(change_source(second, IP_DROP_SOURCE_MEMBERSHIP, SOURCE + 1), 0); /* leaves */
    expect_sources(BLOCK_OLD, SOURCE + 1, IPV4_ANY);
    expect_sources(BLOCK_OLD, SOURCE + 1, IPV4_ANY);
    CHECK_EQUAL(change(second, IP_DROP_MEMBERSHIP, GROUP), -EADDRNOTAVAIL);
    file_put(second);
    file_put(all);
    host_advance(NS_PER_SECOND + 1);
    expect_silence();
    CHECK_EQUAL(host_next_timer(), NO_DEADLINE);
}

static void sources_that_are_not_wanted_are_reported(void)
{
    struct file *first = bound(PORT), *second = bound(PORT);
    CHECK_EQUAL(change(first, IP_ADD_MEMBERSHIP, GROUP), 0);
    CHECK_EQUAL(change(second, IP_ADD_MEMBERSHIP, GROUP), 0);
    host_advance(2 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(change_source(first, IP_BLOCK_SOURCE, SOURCE), 0);
    CHECK_EQUAL(change_source(first, IP_BLOCK_SOURCE, SOURCE + 1), 0);
    expect_silence(); /* the other one wants both */
    CHECK_EQUAL(change_source(second, IP_BLOCK_SOURCE, SOURCE), 0);
    expect_sources(BLOCK_OLD, SOURCE, IPV4_ANY);
    ask(3, 10, IPV4_ANY);
    host_advance(NS_PER_SECOND + 1);
    next_report(); /* the repetition and the answer are one, or two */
    CHECK_EQUAL(last.count, 1);
    wire_drop_all();
    file_put(second);
    expect_sources(BLOCK_OLD, SOURCE + 1, IPV4_ANY);
    CHECK_EQUAL(change_source(first, IP_UNBLOCK_SOURCE, SOURCE), 0);
    expect_sources(ALLOW_NEW, SOURCE, IPV4_ANY);
    ask(2, 10, IPV4_ANY);
    CHECK_EQUAL(change_source(first, IP_UNBLOCK_SOURCE, SOURCE + 1), 0);
    expect_silence(); /* version 2 has no sources */
    host_advance(401 * NS_PER_SECOND);
    file_put(first);
    wire_drop_all();
}

/* More than one report holds: every source is asked for, and each socket gets its own. */
static void more_sources_than_a_report_names_are_all(void)
{
    struct file *files[MULTICAST_STATE_SOURCES / MULTICAST_SOURCES_4 + 1];
    for (uint32_t i = 0; i < array_size(files); i++) {
        files[i] = bound(PORT);
        for (uint32_t j = 0; j < MULTICAST_SOURCES_4; j++)
            CHECK_EQUAL(change_source(files[i], IP_ADD_SOURCE_MEMBERSHIP, SOURCE + i * MULTICAST_SOURCES_4 + j), 0);
    }
    CHECK_EQUAL(change_source(files[0], IP_ADD_SOURCE_MEMBERSHIP, SOURCE - 1), -ENOBUFS);
    host_advance(NS_PER_SECOND + 1);
    wire_drop_all();
    ask(3, 10, GROUP);
    host_advance(NS_PER_SECOND + 1);
    expect_report(ALL_IGMPV3, REPORT_V3, IS_EXCLUDE, GROUP);
    file_put(files[0]);
    next_report();
    CHECK_EQUAL(last.record, TO_INCLUDE);
    CHECK_EQUAL(last.count, (array_size(files) - 1) * MULTICAST_SOURCES_4);
    for (uint32_t i = 1; i < array_size(files); i++)
        file_put(files[i]);
    wire_drop_all();
}

/* ---- Datagrams ---- */

static void inject_from(ipv4_t from, ipv4_t to, const char *text)
{
    uint8_t udp[100] = { 0 };
    uint32_t length = 8 + (uint32_t)strlen(text);
    write_be16(udp, 7);
    write_be16(udp + 2, PORT);
    write_be16(udp + 4, (uint16_t)length);
    memcpy(udp + 8, text, strlen(text));
    wire_inject_ip(from, to, IP_PROTOCOL_UDP, 0, 0, udp, length);
}

static void inject_datagram(ipv4_t to, const char *text) { inject_from(WIRE_PEER, to, text); }

static bool has(struct file *file, const char *text)
{
    char bytes[100];
    ssize_type n = stack_receive(file, bytes, sizeof(bytes), 0);
    return text == NULL ? n == -EAGAIN : n == (ssize_type)strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

static void everyone_has_a_copy_from_the_network(void)
{
    struct file *first = bound(PORT), *second = bound(PORT), *other = bound(PORT + 1);
    inject_datagram(GROUP, "early");
    CHECK(has(first, NULL) && has(second, NULL));
    CHECK_EQUAL(change(first, IP_ADD_MEMBERSHIP, GROUP), 0);
    inject_datagram(GROUP, "group");
    CHECK(has(first, "group") && has(first, NULL));
    CHECK(has(second, "group") && has(second, NULL));
    inject_datagram(SUBNET, "all");
    inject_datagram(IPV4_BROADCAST, "more");
    CHECK(has(first, "all") && has(first, "more") && has(first, NULL));
    CHECK(has(second, "all") && has(second, "more") && has(second, NULL));
    inject_datagram(WIRE_STACK, "one");
    CHECK(has(first, "one") != has(second, "one"));
    CHECK(has(other, NULL));
    file_put(first);
    file_put(second);
    file_put(other);
    wire_drop_all();
}

static void a_filter_decides_who_has_a_copy(void)
{
    struct file *one = bound(PORT), *all = bound(PORT), *none = bound(PORT);
    CHECK_EQUAL(change_source(one, IP_ADD_SOURCE_MEMBERSHIP, SOURCE), 0);
    inject_from(SOURCE + 1, GROUP, "other");
    CHECK(has(one, NULL) && has(all, NULL) && has(none, NULL)); /* the interface does not take it */
    inject_from(SOURCE, GROUP, "one");
    CHECK(has(one, "one") && has(all, "one") && has(none, "one"));
    CHECK_EQUAL(change(all, IP_ADD_MEMBERSHIP, GROUP), 0);
    CHECK_EQUAL(change_source(all, IP_BLOCK_SOURCE, SOURCE), 0);
    inject_from(SOURCE + 1, GROUP, "other");
    inject_from(SOURCE, GROUP, "one");
    CHECK(has(one, "one") && has(one, NULL));
    CHECK(has(all, "other") && has(all, NULL));
    CHECK(has(none, "other") && has(none, "one") && has(none, NULL));
    file_put(one);
    inject_from(SOURCE, GROUP, "one");
    CHECK(has(all, NULL) && has(none, NULL)); /* blocked by the only member */
    CHECK_EQUAL(change_source(all, IP_UNBLOCK_SOURCE, SOURCE), 0);
    inject_from(SOURCE, GROUP, "one");
    CHECK(has(all, "one") && has(none, "one"));
    file_put(all);
    file_put(none);
    wire_drop_all();
}

static bool any_sent(void)
{
    const uint8_t *payload;
    uint32_t length;
    return next_ip(IP_PROTOCOL_UDP, &payload, &length) != NULL;
}

/* One datagram was sent. */
static void expect_sent(ipv4_t to, uint8_t lifetime)
{
    const uint8_t *payload;
    uint32_t length;
    const uint8_t *frame = next_ip(IP_PROTOCOL_UDP, &payload, &length);
    CHECK(frame != NULL);
    CHECK_EQUAL(read_be32(frame + 14 + 16), to);
    CHECK_EQUAL(frame[14 + 8], lifetime);
    CHECK(!any_sent());
}

static void our_own_have_copies_of_what_we_send(void)
{
    struct file *member = bound(PORT), *sender = bound(0);
    CHECK_EQUAL(stack_send_to(sender, "x", 1, GROUP, PORT), 1);
    expect_sent(GROUP, 1);
    CHECK(has(member, NULL)); /* nobody has joined */
    CHECK_EQUAL(change(member, IP_ADD_MEMBERSHIP, GROUP), 0);
    wire_drop_all();
    CHECK_EQUAL(stack_send_to(sender, "loop", 4, GROUP, PORT), 4);
    expect_sent(GROUP, 1);
    CHECK(has(member, "loop") && has(member, NULL));
    CHECK_EQUAL(stack_set(sender, IPPROTO_IP, IP_MULTICAST_LOOP, 0), 0);
    CHECK_EQUAL(stack_send_to(sender, "x", 1, GROUP, PORT), 1);
    expect_sent(GROUP, 1);
    CHECK(has(member, NULL));
    CHECK_EQUAL(stack_set(sender, IPPROTO_IP, IP_MULTICAST_LOOP, 1), 0);
    CHECK_EQUAL(stack_set(sender, IPPROTO_IP, IP_MULTICAST_TTL, 0), 0); /* not beyond this machine */
    CHECK_EQUAL(stack_send_to(sender, "here", 4, GROUP, PORT), 4);
    CHECK(!any_sent());
    CHECK(has(member, "here"));
    CHECK_EQUAL(stack_set(sender, OPTION_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQUAL(stack_send_to(sender, "all", 3, SUBNET, PORT), 3);
    expect_sent(SUBNET, 64);
    CHECK(has(member, "all"));
    file_put(member);
    file_put(sender);
    wire_drop_all();
}

/* However many sockets get a long datagram, its bytes are there once; each reads all of them. */
static void a_long_datagram_is_there_once(void)
{
    enum { LENGTH = 60000, MEMBERS = 20 };
    static uint8_t sent[LENGTH], got[LENGTH + 1];
    struct file *members[MEMBERS], *sender = bound(0);
    pattern_fill(9, 0, sent, LENGTH);
    CHECK_EQUAL(stack_set(sender, IPPROTO_IP, IP_MULTICAST_TTL, 0), 0);
    for (unsigned i = 0; i < MEMBERS; i++)
        members[i] = bound(PORT);
    CHECK_EQUAL(change(members[0], IP_ADD_MEMBERSHIP, GROUP), 0);
    wire_drop_all();
    uint64_t before = host_pages_in_use();
    CHECK_EQUAL(stack_send_to(sender, sent, LENGTH, GROUP, PORT), LENGTH);
    uint64_t pages = host_pages_in_use() - before;
    CHECK(pages >= LENGTH / PAGE_SIZE + 1 && pages < LENGTH / PAGE_SIZE + 1 + MEMBERS);
    for (unsigned i = 0; i < MEMBERS; i++) {
        CHECK_EQUAL(stack_receive(members[i], got, sizeof(got), 0), LENGTH);
        CHECK(memcmp(got, sent, LENGTH) == 0);
        CHECK(has(members[i], NULL));
        file_put(members[i]);
    }
    CHECK(host_pages_in_use() <= before);
    file_put(sender);
    wire_drop_all();
}

/* A datagram of ours that is too long for a router: it says so, and quotes it. */
static void routers_errors_are_queued(void)
{
    enum { IP_MTU_DISCOVER = 10 };
    uint8_t error[8 + 20 + 12] = { 3, 4, 0, 0, 0, 0, 1200 >> 8, 1200 & 255 }, bytes[20];
    struct file *file = bound(PORT);
    struct transfer transfer;
    struct socket_address to;
    CHECK_EQUAL(stack_set(file, IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_EQUAL(stack_set(file, IPPROTO_IP, IP_MTU_DISCOVER, 2), 0);
    CHECK_EQUAL(stack_send_to(file, "0123", 4, 0x08080808, 53), 4);
    const uint8_t *payload;
    uint32_t length;
    const uint8_t *frame = next_ip(IP_PROTOCOL_UDP, &payload, &length);
    CHECK(frame != NULL && length == 12);
    memcpy(error + 8, frame + 14, 32);
    write_be16(error + 2, checksum_finish(checksum_add(0, error, sizeof(error))));
    wire_inject_ip(0x0a010101, WIRE_STACK, IP_PROTOCOL_ICMP, 0, 0, error, sizeof(error));
    CHECK_EQUAL(stack_poll(file), POLLOUT | POLLERR);
    transfer_init_kernel(&transfer, bytes, sizeof(bytes));
    struct socket_message message = { .data = &transfer, .flags = MSG_ERRQUEUE, .address = &to };
    CHECK_EQUAL(socket_of(file)->operations->receive(socket_of(file), &message), 4);
    CHECK(memcmp(bytes, "0123", 4) == 0 && ipv4_of(to.in.address) == 0x08080808 && to.in.port == 53);
    const uint8_t *said = message.controls[0].value;
    uint32_t number, mtu;
    memcpy(&number, said, 4);
    memcpy(&mtu, said + 8, 4);
    CHECK_EQUAL(message.control_count, 1);
    CHECK(number == EMSGSIZE && said[4] == 2 && said[5] == 3 && said[6] == 4 && mtu == 1200);
    CHECK_EQUAL(read_be32(said + 20), 0x0a010101);
    CHECK_EQUAL(stack_poll(file), POLLOUT);
    char large[1473] = { 0 };
    CHECK_EQUAL(stack_send_to(file, large, sizeof(large), WIRE_PEER, 53), -EMSGSIZE);
    CHECK_EQUAL(stack_poll(file), POLLOUT | POLLERR);
    file_put(file); /* with what nobody read */
    wire_drop_all();
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    host_test("joins and leaves are reported", joins_and_leaves_are_reported);
    host_test("queries are answered in time", queries_are_answered_in_time);
    host_test("older routers are spoken to as they speak", older_routers_are_spoken_to_as_they_speak);
    host_test("older routers count as long as the querier says", an_older_router_counts_as_long_as_the_querier_says);
    host_test("sources that are wanted are reported", sources_that_are_wanted_are_reported);
    host_test("sources that are not wanted are reported", sources_that_are_not_wanted_are_reported);
    host_test("more sources than a report names are all", more_sources_than_a_report_names_are_all);
    host_test("a filter decides who has a copy", a_filter_decides_who_has_a_copy);
    host_test("everyone has a copy from the network", everyone_has_a_copy_from_the_network);
    host_test("our own have copies of what we send", our_own_have_copies_of_what_we_send);
    host_test("a long datagram is there once", a_long_datagram_is_there_once);
    host_test("routers' errors are queued", routers_errors_are_queued);
    return host_result();
}
