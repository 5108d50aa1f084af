/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest datagram that gets to a destination, for both families: a router reports it with a quotation of what the
 * stack sent, and the test looks at what is sent next. Reports by who has not seen the datagram are not believed.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/icmp6.h"
#include "net/ip6.h"
#include "net/nd.h"
#include "net/neighbour.h"
#include "net/path_mtu.h"
#include "net/wire.h"

#define ETHERNET 14u
#define LOCAL6 ip6_address(0x20010db800770000u, 7)
#define FAR6 ip6_address(0x20010db800770000u, 9)
#define FAR4 ip_of_ipv4(0x0a0900c8u) /* 10.9.0.200, behind nothing: the test answers for all */
#define PORT 5000
#define LENGTH 1400 /* of a datagram: it fits the interface, but not what routers report */
#define REPORTED 1300u

enum { IP_MTU_DISCOVER = 10, IP_MTU = 14, IPV6_MTU_DISCOVER = 23, IPV6_MTU = 24 };
enum { DONT, WANT, DO, PROBE, INTERFACE, OMIT };

static bool ipv4;              /* which family the test is of */
static struct wire_frame sent; /* the last datagram, or its last fragment */
static unsigned pieces;        /* of it */
static uint32_t longest;       /* of these, with the IP header */

static struct ip_address far(void) { return ipv4 ? FAR4 : FAR6; }

static struct file *open_socket(uint8_t discovery)
{
    struct file *file;
    if (socket_create(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0, 0, &file) < 0)
        abort();
    int error = ipv4 ? stack_set(file, IPPROTO_IP, IP_MTU_DISCOVER, discovery)
                     : stack_set(file, IPPROTO_IPV6, IPV6_MTU_DISCOVER, discovery);
    struct socket_address any = { .family = ipv4 ? AF_INET : AF_INET6,
                                  .in = { ipv4 ? ip_of_ipv4(IPV4_ANY) : IP6_ANY, PORT } };
    if (error < 0 || socket_of(file)->operations->bind(socket_of(file), &any) < 0)
        abort();
    return file;
}

/* The neighbours' MAC addresses are known, whatever is sent to whom. */
static void know(struct ip_address address)
{
    net_lock();
    neighbour_heard(interface_first_device(), address, (const uint8_t[6]){ 2, 0, 0, 0, 0, 1 }, true, true);
    net_unlock();
}

static void look_at_what_is_sent(void)
{
    const struct wire_frame *frame;
    pieces = 0;
    longest = 0;
    while ((frame = wire_next())) {
        const uint8_t *ip = frame->bytes + ETHERNET;
        bool datagram = ipv4 ? read_be16(ip - 2) == 0x0800 && ip[9] == IP_PROTOCOL_UDP
                             : read_be16(ip - 2) == 0x86dd &&
                                   (ip[6] == IP_PROTOCOL_UDP || ip[6] == IP6_PROTOCOL_FRAGMENT);
        if (!datagram)
            continue;
        sent = *frame;
        pieces++;
        longest = max_of(longest, frame->length - ETHERNET);
    }
}

static ssize_type send_to(struct file *file, struct ip_address to, size_t length)
{
    static char bytes[4000];
    struct transfer transfer;
    struct socket_address address = { .family = ipv4 ? AF_INET : AF_INET6, .in = { to, PORT } };
    transfer_init_kernel(&transfer, bytes, length);
    struct socket_message message = { .data = &transfer, .address = &address };
    know(to);
    ssize_type result = socket_of(file)->operations->send(socket_of(file), &message);
    look_at_what_is_sent();
    return result;
}

/* A router says that what was sent last was too long. `change` is added to the number that says it is ours. */
static void report(uint16_t mtu, uint32_t change)
{
    uint8_t frame[200] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60 }, quoted[60];
    memcpy(quoted, sent.bytes + ETHERNET, sizeof(quoted));
    if (ipv4) {
        uint8_t error[8 + sizeof(quoted)] = { ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED };
        write_be16(quoted + 4, (uint16_t)(read_be16(quoted + 4) + change));
        write_be16(error + 6, mtu);
        memcpy(error + 8, quoted, sizeof(quoted));
        write_be16(error + 2, checksum_finish(checksum_add(0, error, sizeof(error))));
        wire_inject_ip(WIRE_PEER, WIRE_STACK, IP_PROTOCOL_ICMP, 0, 0, error, sizeof(error));
        return;
    }
    uint8_t *icmp = frame + ETHERNET + IP6_HEADER_LENGTH;
    struct ip6_bytes from = ip6_bytes_of(FAR6), to = ip6_bytes_of(LOCAL6);
    uint32_t length = 8 + sizeof(quoted);
    write_be32(quoted, read_be32(quoted) + change);
    write_be16(frame + 18, (uint16_t)length);
    frame[20] = IP6_PROTOCOL_ICMP;
    frame[21] = 64;
    memcpy(frame + 22, &from, 16);
    memcpy(frame + 38, &to, 16);
    icmp[0] = ICMP6_TOO_BIG;
    write_be32(icmp + 4, mtu);
    memcpy(icmp + 8, quoted, sizeof(quoted));
    uint64_t sum = checksum_pseudo(FAR6, LOCAL6, IP6_PROTOCOL_ICMP, length);
    write_be16(icmp + 2, checksum_finish(checksum_add(sum, icmp, length)));
    wire_inject(frame, ETHERNET + IP6_HEADER_LENGTH + length);
}

static unsigned known_mtu(struct ip_address to)
{
    net_lock();
    unsigned mtu = path_mtu_of(to);
    net_unlock();
    return mtu;
}

static void forget(void)
{
    net_lock();
    path_mtu_forget();
    net_unlock();
}

static int mtu_option(struct file *file)
{
    struct socket_address to = { .family = ipv4 ? AF_INET : AF_INET6, .in = { far(), PORT } };
    if (socket_of(file)->operations->connect(socket_of(file), &to) < 0)
        return -1;
    int mtu = ipv4 ? stack_get(file, IPPROTO_IP, IP_MTU) : stack_get(file, IPPROTO_IPV6, IPV6_MTU);
    (void)socket_of(file)->operations->connect(socket_of(file), &(struct socket_address){ .family = AF_UNSPEC });
    return mtu;
}

/* Sends a datagram that is too long, and has it reported. */
static void learn(uint16_t mtu)
{
    struct file *file = open_socket(WANT);
    CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH);
    CHECK_EQUAL(pieces, 1);
    report(mtu, 0);
    file_put(file);
}

static void reports_make_datagrams_smaller(void)
{
    learn(REPORTED);
    CHECK_EQUAL(known_mtu(far()), REPORTED);
    struct file *file = open_socket(WANT);
    CHECK_EQUAL(mtu_option(file), REPORTED);
    CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH);
    CHECK_EQUAL(pieces, 2);
    CHECK(longest <= REPORTED && longest > REPORTED - 16);
    CHECK_EQUAL(send_to(file, far(), 1000), 1000);
    CHECK_EQUAL(pieces, 1);
    file_put(file);
    file = open_socket(DO);
    CHECK_EQUAL(send_to(file, far(), LENGTH), -EMSGSIZE);
    CHECK_EQUAL(pieces, 0);
    file_put(file);
    file = open_socket(PROBE);
    CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH); /* whatever routers say */
    CHECK_EQUAL(pieces, 1);
    CHECK_EQUAL(send_to(file, far(), 1500), -EMSGSIZE); /* longer than the interface takes */
    file_put(file);
    file = open_socket(INTERFACE);
    CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH);
    CHECK_EQUAL(pieces, 1);
    CHECK_EQUAL(send_to(file, far(), 1500), -EMSGSIZE);
    file_put(file);
    file = open_socket(OMIT);
    CHECK_EQUAL(send_to(file, far(), 1500), 1500);
    CHECK_EQUAL(pieces, 2);
    file_put(file);
    forget();
}

static void what_is_known_ends(void)
{
    learn(REPORTED);
    host_advance(590 * NS_PER_SECOND);
    CHECK_EQUAL(known_mtu(far()), REPORTED);
    host_advance(11 * NS_PER_SECOND);
    CHECK_EQUAL(known_mtu(far()), 0);
    learn(REPORTED);
    net_restored();
    CHECK_EQUAL(known_mtu(far()), 0);
    host_advance(2 * NS_PER_SECOND);
    wire_configure();
}

static void who_has_not_seen_it_is_not_believed(void)
{
    struct file *file = open_socket(WANT);
    for (uint32_t i = 1; i < 40; i++) {
        CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH);
        report(REPORTED, i);
        host_advance(NS_PER_SECOND / 2);
        CHECK_EQUAL(known_mtu(far()), 0);
        net_lock();
        (void)socket_of(file)->operations->take_error(socket_of(file));
        net_unlock();
    }
    CHECK_EQUAL(send_to(file, far(), 1000), 1000);
    report(REPORTED, 0); /* it was not too long for that */
    CHECK_EQUAL(known_mtu(far()), 0);
    CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH);
    report(0, 0); /* the least that there is */
    CHECK_EQUAL(known_mtu(far()), ipv4 ? IP_MINIMUM_MTU : IP6_MINIMUM_MTU);
    file_put(file);
    forget();
    file = open_socket(OMIT);
    CHECK_EQUAL(send_to(file, far(), LENGTH), LENGTH);
    report(REPORTED, 0); /* this socket does not listen to routers */
    CHECK_EQUAL(known_mtu(far()), 0);
    file_put(file);
}

/* Right reports about many destinations, and many wrong ones: the table stays what it is. */
static void the_table_is_bounded(void)
{
    struct file *file = open_socket(WANT);
    unsigned known = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct ip_address to = ipv4 ? ip_of_ipv4(0x0a090064u + i) : ip6_address(0x20010db800770000u, 0x100 + i);
        CHECK_EQUAL(send_to(file, to, LENGTH), LENGTH);
        report(REPORTED, 0);
        host_advance(NS_PER_SECOND / 4);
        CHECK_EQUAL(known_mtu(to), REPORTED);
        net_lock();
        (void)socket_of(file)->operations->take_error(socket_of(file));
        net_unlock();
    }
    for (unsigned i = 0; i < 100; i++)
        known += known_mtu(ipv4 ? ip_of_ipv4(0x0a090064u + i) : ip6_address(0x20010db800770000u, 0x100 + i)) != 0;
    CHECK_EQUAL(known, 64);
    file_put(file);
    forget();
}

static void name_servers_changed(void) {}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    net_start_ipv6(&(struct net_ipv6){ .address = LOCAL6, .prefix = 64 }, name_servers_changed);
    host_advance(3 * NS_PER_SECOND);
    wire_drop_all();
    for (unsigned family = 0; family < 2; family++) {
        ipv4 = family == 0;
        host_test(ipv4 ? "IPv4, reports make datagrams smaller" : "IPv6, reports make datagrams smaller",
                  reports_make_datagrams_smaller);
        host_test(ipv4 ? "IPv4, what is known of a path ends" : "IPv6, what is known of a path ends",
                  what_is_known_ends);
        host_test(ipv4 ? "IPv4, reports of strangers" : "IPv6, reports of strangers",
                  who_has_not_seen_it_is_not_believed);
        host_test(ipv4 ? "IPv4, many paths" : "IPv6, many paths", the_table_is_bounded);
    }
    return host_result();
}
