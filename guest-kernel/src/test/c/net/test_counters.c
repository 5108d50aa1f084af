/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net/snmp, snmp6 and netstat: each kind of packet moves the numbers that Linux's names stand for, and no others.
 * sockstat and sockstat6: each number counts what Linux counts. arp. IPv6 goes over loopback, IPv4 over the wire. Run
 * by make test-net.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/network_view.h"
#include "host/host.h"
#include "lib/checksum.h"
#include "net/ip6.h"
#include "net/wire.h"

#define UDP 17
#define TCP 6

static char text[3][4096]; /* snmp, snmp6, netstat as they were printed last */

static void read_all(void)
{
    void (*const shows[3])(struct text *) = { network_view.counters, network_view.counters6,
                                              network_view.more_counters };
    for (unsigned i = 0; i < 3; i++) {
        struct text out;
        text_init(&out);
        shows[i](&out);
        CHECK(!out.failed && out.length < sizeof(text[i]));
        memcpy(text[i], out.data, out.length);
        text[i][out.length] = '\0';
        text_free(&out);
    }
}

/* The number under a name: in a line of names and the next of numbers after the same prefix. -1: there is none. */
static long in_table(const char *table, const char *prefix, const char *name)
{
    char start[32], names[1024], numbers[1024], *name_place, *number_place;
    snprintf(start, sizeof(start), "%s: ", prefix);
    const char *line = strstr(table, start);
    if (!line || sscanf(line, "%1023[^\n]\n%1023[^\n]", names, numbers) != 2)
        return -1;
    char *word = strtok_r(names, " ", &name_place), *number = strtok_r(numbers, " ", &number_place);
    while (word && number) {
        if (strcmp(word, name) == 0)
            return strtol(number, NULL, 10);
        word = strtok_r(NULL, " ", &name_place);
        number = strtok_r(NULL, " ", &number_place);
    }
    return -1;
}

/* As "Udp.NoPorts" of snmp or netstat, or as snmp6 has it. */
static long value(const char *name)
{
    char prefix[32], rest[64], found[64];
    long number;
    if (sscanf(name, "%31[^.].%63s", prefix, rest) == 2)
        return in_table(text[strcmp(prefix, "IpExt") == 0 ? 2 : 0], prefix, rest);
    for (const char *line = text[1]; *line; line = strchr(line, '\n') + 1)
        if (sscanf(line, "%63s %ld", found, &number) == 2 && strcmp(found, name) == 0)
            return number;
    return -1;
}

/* What is watched, and what it was at begin(). */
static const char *const names[] = {
    "Ip.InReceives",       "Ip.InHdrErrors",       "Ip.InAddrErrors",  "Ip.InUnknownProtos", "Ip.InDelivers",
    "Ip.OutRequests",      "Ip.ReasmReqds",        "Ip.ReasmOKs",      "Ip.ReasmFails",      "Ip.FragOKs",
    "Ip.FragCreates",      "Icmp.InMsgs",          "Icmp.InErrors",    "Icmp.InEchos",       "Icmp.OutMsgs",
    "Icmp.OutEchoReps",    "Icmp.OutDestUnreachs", "Udp.InDatagrams",  "Udp.NoPorts",        "Udp.InErrors",
    "Udp.InCsumErrors",    "Udp.RcvbufErrors",     "Udp.OutDatagrams", "Tcp.InSegs",         "Tcp.OutSegs",
    "Tcp.InErrs",          "Tcp.OutRsts",          "Tcp.PassiveOpens", "Tcp.CurrEstab",      "Tcp.EstabResets",
    "IpExt.InMcastPkts",   "Ip6InReceives",        "Ip6InDelivers",    "Ip6OutRequests",     "Ip6OutOctets",
    "Icmp6InDestUnreachs", "Icmp6OutDestUnreachs", "Udp6InDatagrams",  "Udp6NoPorts",        "Udp6OutDatagrams"
};
static long before[array_size(names)];

static void begin(void)
{
    wire_configure();
    read_all();
    for (unsigned i = 0; i < array_size(names); i++)
        before[i] = value(names[i]);
}

/* Since begin(), each name in `expected` has grown by the number after it, and all others have not moved. */
static void expect(const char *expected)
{
    read_all();
    for (unsigned i = 0; i < array_size(names); i++) {
        char wanted[80];
        long growth = 0;
        snprintf(wanted, sizeof(wanted), "%s ", names[i]);
        const char *found = strstr(expected, wanted);
        if (found)
            growth = strtol(found + strlen(wanted), NULL, 10);
        if (before[i] < 0 || value(names[i]) - before[i] != growth)
            host_fail(__FILE__, __LINE__, "%s: grew by %ld, not %ld", names[i], value(names[i]) - before[i], growth);
    }
}

static void inject_udp(uint16_t port, uint16_t checksum)
{
    uint8_t udp[12] = { 0,
                        9,
                        (uint8_t)(port >> 8),
                        (uint8_t)port,
                        0,
                        sizeof(udp),
                        (uint8_t)(checksum >> 8),
                        (uint8_t)checksum,
                        'd',
                        'a',
                        't',
                        'a' };
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 0, 0, udp, sizeof(udp));
}

static void datagrams(void)
{
    begin();
    struct file *file = stack_socket(SOCK_DGRAM);
    CHECK_EQUAL(stack_bind(file, IPV4_ANY, 7), 0);
    inject_udp(7, 0);
    expect("Ip.InReceives 1 Ip.InDelivers 1 Udp.InDatagrams 1 ");
    inject_udp(7, 0x1234);
    expect("Ip.InReceives 2 Ip.InDelivers 2 Udp.InDatagrams 1 Udp.InErrors 1 Udp.InCsumErrors 1 ");
    inject_udp(8, 0);
    expect("Ip.InReceives 3 Ip.InDelivers 3 Ip.OutRequests 1 Udp.InDatagrams 1 Udp.InErrors 1 Udp.InCsumErrors 1 "
           "Udp.NoPorts 1 Icmp.OutMsgs 1 Icmp.OutDestUnreachs 1 ");
    file_put(file);
}

static void packets(void)
{
    uint8_t icmp[8] = { 8, 0, 0xf7, 0xff }, data[16] = { 0 };
    begin();
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, sizeof(icmp));
    expect("Ip.InReceives 1 Ip.InDelivers 1 Ip.OutRequests 1 Icmp.InMsgs 1 Icmp.InEchos 1 Icmp.OutMsgs 1 "
           "Icmp.OutEchoReps 1 ");
    begin();
    icmp[2] = 0;
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, sizeof(icmp));
    wire_inject_ip(WIRE_PEER, 0x0a090003, UDP, 0, 0, data, sizeof(data)); /* another machine's */
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 99, 0, 0, data, sizeof(data));
    uint8_t frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45 }; /* without a length and a checksum */
    wire_inject(frame, sizeof(frame));
    expect("Ip.InReceives 4 Ip.InDelivers 1 Ip.InAddrErrors 1 Ip.InUnknownProtos 1 Ip.InHdrErrors 1 Icmp.InMsgs 1 "
           "Icmp.InErrors 1 Ip.OutRequests 1 Icmp.OutMsgs 1 Icmp.OutDestUnreachs 1 ");
}

static void fragments(void)
{
    uint8_t first[16] = { 0, 9, 0, 8, 0, 24 }, last[8] = { 0 };
    begin();
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 5, 0x2000, first, sizeof(first));
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 5, 2, last, sizeof(last));
    expect(
        "Ip.InReceives 2 Ip.InDelivers 1 Ip.ReasmReqds 2 Ip.ReasmOKs 1 Udp.NoPorts 1 Ip.OutRequests 1 Icmp.OutMsgs 1 "
        "Icmp.OutDestUnreachs 1 ");
    begin();
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 6, 0x2000, first, sizeof(first));
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 6, 1, last, sizeof(last)); /* they overlap */
    expect("Ip.InReceives 2 Ip.ReasmReqds 2 Ip.ReasmFails 1 ");
}

static void segments(void)
{
    struct hand hand = { .port = 900, .stack_port = 77, .sequence = 5, .window = 9000 };
    struct file *file;
    begin();
    hand_send(&hand, HAND_SYN, 0); /* no socket listens */
    expect("Ip.InReceives 1 Ip.InDelivers 1 Ip.OutRequests 1 Tcp.InSegs 1 Tcp.OutSegs 1 Tcp.OutRsts 1 ");
    begin();
    struct file *listener = stack_listener(5);
    hand = (struct hand){ .port = 901, .stack_port = stack_port(listener), .sequence = 5, .window = 9000 };
    CHECK(hand_open(&hand, listener, &file, "", 0));
    expect("Ip.InReceives 2 Ip.InDelivers 2 Ip.OutRequests 1 Tcp.InSegs 2 Tcp.OutSegs 1 Tcp.PassiveOpens 1 "
           "Tcp.CurrEstab 1 ");
    hand_send(&hand, HAND_RST, 0);
    expect("Ip.InReceives 3 Ip.InDelivers 3 Ip.OutRequests 1 Tcp.InSegs 3 Tcp.OutSegs 1 Tcp.PassiveOpens 1 "
           "Tcp.EstabResets 1 ");
    file_put(file);
    file_put(listener);
}

/* Over loopback: what is sent comes in, and a closed port is an error that comes in, too. */
static void datagrams_of_ipv6(void)
{
    struct socket_address here = { .family = AF_INET6, .in = { ip6_address(0, 1), 7 } };
    struct file *file, *other;
    begin();
    CHECK_EQUAL(socket_create(AF_INET6, SOCK_DGRAM, 0, 0, &file), 0);
    CHECK_EQUAL(socket_of(file)->operations->bind(socket_of(file), &here), 0);
    CHECK_EQUAL(socket_create(AF_INET6, SOCK_DGRAM, 0, 0, &other), 0);
    CHECK_EQUAL(socket_of(other)->operations->connect(socket_of(other), &here), 0);
    CHECK_EQUAL(stack_send(other, "data", 4, 0), 4);
    expect("Ip6InReceives 1 Ip6InDelivers 1 Ip6OutRequests 1 Ip6OutOctets 52 Udp6InDatagrams 1 Udp6OutDatagrams 1 ");
    file_put(file);
    CHECK_EQUAL(stack_send(other, "data", 4, 0), 4);
    expect("Ip6InReceives 3 Ip6InDelivers 3 Ip6OutRequests 3 Ip6OutOctets 204 Udp6InDatagrams 1 Udp6OutDatagrams 2 "
           "Udp6NoPorts 1 Icmp6InDestUnreachs 1 Icmp6OutDestUnreachs 1 ");
    file_put(other);
}

/* ---- sockstat, sockstat6 and arp ---- */

static const char *shown(void (*show)(struct text *out))
{
    static char shown_text[4096];
    struct text out;
    text_init(&out);
    show(&out);
    if (out.failed || out.length >= sizeof(shown_text))
        host_fail(__FILE__, __LINE__, "the text is missing or too long");
    memcpy(shown_text, out.data, out.length);
    shown_text[out.length] = '\0';
    text_free(&out);
    return shown_text;
}

/* The number after a name of the line that begins so, of sockstat or sockstat6; -1: there is none. */
static long in_use(const char *line_start, const char *name)
{
    char line[256], start[32], wanted[32];
    bool of_ipv6 = strchr(line_start, '6') != NULL;
    snprintf(start, sizeof(start), "%s: ", line_start);
    snprintf(wanted, sizeof(wanted), " %s ", name);
    const char *found = strstr(shown(of_ipv6 ? network_view.sockets6 : network_view.sockets), start);
    if (!found || sscanf(found, "%255[^\n]", line) != 1)
        return -1;
    const char *number = strstr(line, wanted);
    if (!number)
        return -1;
    return strtol(number + strlen(wanted), NULL, 10);
}

/* used, TCP's inuse, orphan, tw and alloc, UDP's inuse, and inuse of TCP6 and UDP6. */
#define SOCKET_NUMBERS 8
static void count_sockets(long numbers_now[SOCKET_NUMBERS])
{
    static const char *const lines[] = { "sockets", "TCP", "TCP", "TCP", "TCP", "UDP", "TCP6", "UDP6" };
    static const char *const what[] = { "used", "inuse", "orphan", "tw", "alloc", "inuse", "inuse", "inuse" };
    for (unsigned i = 0; i < SOCKET_NUMBERS; i++)
        numbers_now[i] = in_use(lines[i], what[i]);
}

static long sockets_before[SOCKET_NUMBERS];

static void expect_sockets(long used, long tcp, long orphans, long time_wait, long allocated, long udp, long tcp6,
                           long udp6)
{
    const long expected[SOCKET_NUMBERS] = { used, tcp, orphans, time_wait, allocated, udp, tcp6, udp6 };
    long now[SOCKET_NUMBERS];
    count_sockets(now);
    for (unsigned i = 0; i < SOCKET_NUMBERS; i++) {
        CHECK(now[i] >= 0);
        CHECK_EQUAL(now[i] - sockets_before[i], expected[i]);
    }
}

static void sockets_of_both_families(void)
{
    struct socket_address here = { .family = AF_INET6, .in = { ip6_address(0, 1), 7 } };
    struct file *files[5];
    wire_configure();
    count_sockets(sockets_before);
    CHECK_EQUAL(socket_create(AF_INET, SOCK_DGRAM, 0, 0, &files[0]), 0);
    CHECK_EQUAL(socket_create(AF_INET, SOCK_STREAM, 0, 0, &files[1]), 0);
    CHECK_EQUAL(socket_create(AF_INET6, SOCK_DGRAM, 0, 0, &files[2]), 0);
    CHECK_EQUAL(socket_create(AF_UNIX, SOCK_STREAM, 0, 0, &files[3]), 0);
    expect_sockets(4, 0, 0, 0, 1, 0, 0, 0); /* in use is what has a port */
    CHECK_EQUAL(stack_bind(files[0], IPV4_ANY, 7), 0);
    CHECK_EQUAL(socket_of(files[2])->operations->bind(socket_of(files[2]), &here), 0);
    CHECK_EQUAL(stack_bind(files[1], IPV4_ANY, 7), 0);
    expect_sockets(4, 0, 0, 0, 1, 1, 0, 1);
    CHECK_EQUAL(socket_of(files[1])->operations->listen(socket_of(files[1]), 5), 0);
    CHECK_EQUAL(socket_create(AF_INET6, SOCK_STREAM, 0, 0, &files[4]), 0);
    CHECK_EQUAL(
        socket_of(files[4])->operations->bind(
            socket_of(files[4]), &(struct socket_address){ .family = AF_INET6, .in = { ip6_address(0, 1), 8 } }),
        0);
    CHECK_EQUAL(socket_of(files[4])->operations->listen(socket_of(files[4]), 5), 0);
    expect_sockets(5, 1, 0, 0, 2, 1, 1, 1);
    for (unsigned i = 0; i < 5; i++)
        file_put(files[i]);
    expect_sockets(0, 0, 0, 0, 0, 0, 0, 0);
}

/* From a connection that waits to be accepted to one that is over. */
static void life_of_a_connection(void)
{
    struct hand hand = { .port = 902, .sequence = 5, .window = 9000 };
    struct hand_segment segment;
    struct file *file;
    begin();
    struct file *listener = stack_listener(5);
    hand.stack_port = stack_port(listener);
    count_sockets(sockets_before);
    hand_send(&hand, HAND_SYN, 0);
    CHECK(hand_receive(&segment));
    expect_sockets(0, 0, 0, 0, 0, 0, 0, 0); /* half-open */
    hand.sequence++;
    hand.acknowledgement = segment.sequence + 1;
    hand_send(&hand, HAND_ACK, 0);
    expect_sockets(1, 1, 0, 0, 1, 0, 0, 0); /* waits to be accepted */
    CHECK_EQUAL(socket_of(listener)->operations->accept(socket_of(listener), 0, &file, NULL), 0);
    expect_sockets(1, 1, 0, 0, 1, 0, 0, 0);
    long memory = in_use("TCP", "mem");
    for (unsigned i = 0; i < 8; i++) {
        hand_send(&hand, HAND_ACK, 1000);
        hand.sequence += 1000;
    }
    CHECK(in_use("TCP", "mem") > memory);
    char data[8000];
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), 0), (long)sizeof(data));
    CHECK_EQUAL(in_use("TCP", "mem"), memory);
    file_put(file);
    expect_sockets(1, 1, 1, 0, 1, 0, 0, 0); /* waits for the peer's FIN */
    hand.acknowledgement++;
    hand_send(&hand, HAND_FIN | HAND_ACK, 0);
    expect_sockets(0, 0, 0, 1, 0, 0, 0, 0);
    file_put(listener);
}

static void waiting_datagrams(void)
{
    uint8_t first[16] = { 0, 9, 0, 7, 0, 24 }, last[8] = { 0 };
    begin();
    struct file *file = stack_socket(SOCK_DGRAM);
    CHECK_EQUAL(stack_bind(file, IPV4_ANY, 7), 0);
    CHECK_EQUAL(in_use("UDP", "mem"), 0);
    long fragmented = in_use("FRAG", "inuse"), memory = in_use("FRAG", "memory"), tcp = in_use("TCP", "mem");
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 7, 0x2000, first, sizeof(first));
    CHECK_EQUAL(in_use("FRAG", "inuse"), fragmented + 1);
    CHECK(in_use("FRAG", "memory") > memory);
    CHECK_EQUAL(in_use("FRAG6", "inuse"), 0);
    wire_inject_ip(WIRE_PEER, WIRE_STACK, UDP, 7, 2, last, sizeof(last));
    CHECK_EQUAL(in_use("FRAG", "inuse"), fragmented);
    CHECK_EQUAL(in_use("FRAG", "memory"), memory);
    CHECK(in_use("UDP", "mem") > 0);
    CHECK_EQUAL(in_use("TCP", "mem"), tcp);
    file_put(file);
    CHECK_EQUAL(in_use("UDP", "mem"), 0);
}

static void neighbours(void)
{
    static const char header[] = "IP address       HW type     Flags       HW address            Mask     Device\n";
    struct socket_address silent = { .family = AF_INET, .in = { ip_of_ipv4(0x0a090009), 9 } };
    begin();
    const char *table = shown(network_view.neighbours);
    CHECK(strncmp(table, header, strlen(header)) == 0);
    CHECK(strstr(table, "\n10.9.0.1         0x1         0x2         02:00:00:00:00:01     *        eth0\n"));
    CHECK(!strstr(table, "10.9.0.9"));
    struct file *file = stack_socket(SOCK_DGRAM);
    CHECK_EQUAL(socket_of(file)->operations->connect(socket_of(file), &silent), 0);
    CHECK_EQUAL(stack_send(file, "data", 4, 0), 4);
    CHECK(strstr(shown(network_view.neighbours),
                 "\n10.9.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0\n"));
    file_put(file);
}

static void name_servers_changed(void) {}

int main(void)
{
    struct net_ipv6 wanted = { 0 };
    host_init();
    wire_start();
    net_start_ipv6(&wanted, name_servers_changed);
    host_test("counters: datagrams", datagrams);
    host_test("counters: packets", packets);
    host_test("counters: fragments", fragments);
    host_test("counters: segments", segments);
    host_test("counters: datagrams of IPv6", datagrams_of_ipv6);
    host_test("sockstat: sockets of both families", sockets_of_both_families);
    host_test("sockstat: life of a connection", life_of_a_connection);
    host_test("sockstat: waiting datagrams", waiting_datagrams);
    host_test("arp: neighbours", neighbours);
    return host_result();
}
