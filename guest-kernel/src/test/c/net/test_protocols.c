/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything but TCP's rules: parsers and sums against simple models, ARP, fragments, ICMP, UDP, the
 * local sockets, options, and the DHCP client against a server made of this test.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/capture.h"
#include "net/dhcp.h"
#include "net/tcp_private.h"
#include "net/wire.h"

/* ---- Sums and texts ------------------------------------------------------------------------------------------ */

static uint16_t simple_checksum(const uint8_t *data, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint64_t)data[i] << 8 : data[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void checksums(void)
{
    uint8_t data[300];
    pattern_fill(3, 0, data, sizeof(data));
    for (size_t start = 0; start < 9; start++)
        for (size_t length = 0; length + start <= sizeof(data); length++)
            CHECK_EQUAL(checksum_finish(checksum_add(0, data + start, length)), simple_checksum(data + start, length));
    memset(data, 0xff, sizeof(data));
    CHECK_EQUAL(checksum_finish(checksum_add(0, data, sizeof(data))), simple_checksum(data, sizeof(data)));
}

/* What shares a packet's pages, and a copy in pages of its own, outlive what was taken from the first. */
static void packets_are_shared(const struct packet *packet, const uint8_t *data)
{
    uint8_t copy[1000];
    struct packet *paged = packet_copy_paged(packet), *shared = packet_share(packet), *again = packet_share(paged);
    packet_free(paged);
    packet_drop_front(shared, 3);
    CHECK_EQUAL(shared->linear, packet->linear - 3);
    CHECK_EQUAL(shared->length, 997);
    packet_copy_out(shared, 0, copy, 997);
    CHECK(memcmp(copy, data + 3, 997) == 0);
    CHECK(shared->fragments[0].page == packet->fragments[0].page);
    packet_free(shared);
    CHECK_EQUAL(again->linear, 0);
    CHECK_EQUAL(again->fragment_count, 1);
    packet_copy_out(again, 0, copy, 1000);
    CHECK(memcmp(copy, data, 1000) == 0);
    packet_free(again);
}

/* A packet in odd pieces sums, copies and loses its front like one in one piece. */
static void packets_in_pieces(void)
{
    uint8_t data[1000], copy[1000];
    pattern_fill(4, 0, data, sizeof(data));
    struct packet *packet = packet_allocate_paged(7);
    memcpy(packet_put(packet, 7), data, 7);
    for (uint32_t at = 7, step = 1; at < sizeof(data); at += step, step = step * 2 + 1) {
        struct page *page = page_allocate();
        uint32_t length = min_of(step, (uint32_t)sizeof(data) - at);
        memcpy((uint8_t *)page_data(page) + 13, data + at, length);
        CHECK(packet_add_fragment(packet, page, 13, length));
        page_put(page);
    }
    CHECK_EQUAL(packet->length, sizeof(data));
    struct packet *linear = packet_allocate(7);
    CHECK(!packet_add_fragment(linear, packet->fragments[0].page, 0, 1));
    CHECK(packet_memory(linear) < packet_memory(packet));
    packet_free(linear);
    for (uint32_t at = 0; at < sizeof(data); at += 37)
        CHECK_EQUAL(checksum_finish(packet_checksum(packet, at, 0)), simple_checksum(data + at, sizeof(data) - at));
    packet_copy_out(packet, 5, copy, 900);
    CHECK(memcmp(copy, data + 5, 900) == 0);
    packets_are_shared(packet, data);
    CHECK(memcmp(packet_pull(packet, 300), data, 300) == 0);
    packet_drop_front(packet, 500);
    packet_trim(packet, 400);
    CHECK_EQUAL(packet->length, 400);
    CHECK(packet_pull(packet, 401) == NULL);
    CHECK(memcmp(packet_pull(packet, 400), data + 500, 400) == 0);
    packet_free(packet);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

static void static_configuration(void)
{
    struct net_configuration c;
    const char *problem;
    char text[200];
    CHECK(net_parse_static("10.0.0.2/24 gateway 10.0.0.1 dns 10.0.0.1,8.8.8.8 mtu 9000", &c, &problem));
    CHECK(c.address == 0x0a000002 && c.prefix == 24 && c.gateway == 0x0a000001 && c.dns_count == 2 && c.mtu == 9000);
    CHECK_EQUAL(net_hosts_text(text, sizeof(text), &c, "shop"), (int)strlen(text));
    CHECK(strcmp(text, "127.0.0.1 localhost\n10.0.0.2 shop\n") == 0);
    struct net_configuration none = { 0 };
    CHECK(net_hosts_text(text, sizeof(text), &none, "shop") > 0);
    CHECK(strcmp(text, "127.0.0.1 localhost\n127.0.1.1 shop\n") == 0);
    CHECK_EQUAL(net_resolver_text(text, sizeof(text), &c), (int)strlen("nameserver 10.0.0.1\nnameserver 8.8.8.8\n"));
    CHECK(strcmp(text, "nameserver 10.0.0.1\nnameserver 8.8.8.8\n") == 0);
    CHECK(net_parse_static("192.168.1.9/31", &c, &problem) && c.gateway == IPV4_ANY);
    static const char *const bad[] = {
        "",
        "10.0.0.2",
        "10.0.0.256/24",
        "10.0.0.2/33",
        "10.0.0.2/24x",
        "10.0.0.0/24",
        "10.0.0.255/24",
        "127.0.0.1/8",
        "224.0.0.1/24",
        "10.0.0.2/24 gateway",
        "10.0.0.2/24 gateway 10.0.1.1",
        "10.0.0.2/24 dns 1.1.1.1,",
        "10.0.0.2/24 dns 1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4",
        "10.0.0.2/24 mtu 100",
        "10.0.0.2/24 mtu 70000",
        "10.0.0.2/24 router 10.0.0.1",
        "10.0.0.2/24 gatewayx 10.0.0.1",
        "10.0.0.2/24 mtu 1500,",
    };
    for (unsigned i = 0; i < array_size(bad); i++) {
        CHECK(!net_parse_static(bad[i], &c, &problem));
        CHECK(problem != NULL);
    }
}

/* What the stack says of its MTU where it matters: in the option of a SYN. 0: it sent none. */
static uint16_t announced_mss(unsigned mtu)
{
    struct net_configuration configuration = { .address = WIRE_STACK, .prefix = 24, .gateway = WIRE_PEER, .mtu = mtu };
    struct tcp_options options = { 0 };
    struct hand_segment syn;
    wire_configure();
    net_configure_static(&configuration);
    struct file *file = stack_socket(SOCK_STREAM);
    stack_nonblocking(file);
    stack_connect(file, WIRE_PEER, 7);
    wire_drop_all(); /* the question for the peer, which is answered */
    file_put(file);
    file = stack_socket(SOCK_STREAM);
    stack_nonblocking(file);
    stack_connect(file, WIRE_PEER, 7);
    if (hand_receive(&syn))
        tcp_parse_options(syn.options, syn.option_length, &options);
    file_put(file);
    return options.mss;
}

/* The wire's device starts with 1500 and can do 9001, as in EC2. */
static void mtu_follows_the_configuration(void)
{
    struct net_configuration current;
    CHECK_EQUAL(announced_mss(0), 1460);
    CHECK_EQUAL(announced_mss(575), 1460);
    CHECK_EQUAL(announced_mss(576), 536);
    CHECK_EQUAL(announced_mss(9001), 8961);
    CHECK_EQUAL(announced_mss(65535), 8961);
    net_current(&current);
    CHECK_EQUAL(current.mtu, 9001);
    wire_configure();
    net_current(&current);
    CHECK_EQUAL(current.mtu, 1500);
}

static void tcp_options_are_parsed(void)
{
    struct tcp_options o;
    tcp_parse_options((const uint8_t *)"\x01\x02\x04\x05\xb4\x03\x03\x07\x04\x02\x08\x0a\0\0\0\x01\0\0\0\x02", 20, &o);
    CHECK(o.mss == 1460 && o.window_scale == 7 && o.sack_permitted && o.timestamp == 1 && o.timestamp_echo == 2);
    tcp_parse_options((const uint8_t *)"\x03\x03\x1f", 3, &o);
    CHECK_EQUAL(o.window_scale, 14);
    tcp_parse_options((const uint8_t *)"\x02\x03\x05\x02\x04\x05", 6, &o); /* wrong and cut lengths */
    CHECK_EQUAL(o.mss, 0);
    tcp_parse_options((const uint8_t *)"\x02\x00\x05\xb4", 4, &o);
    CHECK_EQUAL(o.mss, 0);
    tcp_parse_options((const uint8_t *)"\x08\x0a\0\0\0\x01\0\0\0", 9, &o);
    CHECK(!o.timestamp_present);
    tcp_parse_options((const uint8_t *)"\x05\x0a\0\0\0\x01\0\0\0\x09\x00\x02\x04\x05\xb4", 15, &o);
    CHECK(o.sack_count == 1 && o.sack[0].start == 1 && o.sack[0].end == 9 && o.mss == 0);
}

/* ---- ARP and IP ------------------------------------------------------------------------------------------------ */

static void inject_arp(uint8_t operation, const char *sender_mac, ipv4_t sender, ipv4_t target)
{
    uint8_t frame[42] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 7, 8, 6, 0, 1, 8, 0, 6, 4, 0, operation };
    memcpy(frame + 22, sender_mac, 6);
    write_be32(frame + 28, sender);
    write_be32(frame + 38, target);
    wire_inject(frame, sizeof(frame));
}

static void arp(void)
{
    const struct wire_frame *frame;
    wire_drop_all();
    inject_arp(1, "\2\0\0\0\0\7", 0x0a090007, WIRE_STACK);
    frame = wire_next();
    CHECK(frame != NULL && frame->bytes[21] == 2);
    CHECK(memcmp(frame->bytes, "\2\0\0\0\0\7\2\0\0\0\0\2\x08\x06", 14) == 0);
    CHECK(read_be32(frame->bytes + 28) == WIRE_STACK && read_be32(frame->bytes + 38) == 0x0a090007);
    inject_arp(1, "\2\0\0\0\0\7", 0x0a090007, WIRE_PEER); /* not for us */
    inject_arp(1, "\2\0\0\0\0\7", 0x0b090007, 0x0a0900ff);
    CHECK(wire_next() == NULL);

    struct file *file = stack_socket(SOCK_DGRAM);
    uint8_t byte = 1;
    inject_arp(2, "\2\0\0\0\0\x08", 0x0a090008, WIRE_STACK); /* an answer nobody asked for teaches nothing */
    CHECK_EQUAL(stack_send_to(file, &byte, 1, 0x0a090008, 9), 1);
    frame = wire_next();
    CHECK(frame != NULL && frame->bytes[13] == 6 && read_be32(frame->bytes + 38) == 0x0a090008);
    CHECK(wire_next() == NULL);
    inject_arp(2, "\2\0\0\0\0\x08", 0x0a090008, WIRE_STACK); /* now it does, and what waited goes */
    frame = wire_next();
    CHECK(frame != NULL && frame->bytes[13] == 0 && frame->bytes[5] == 8 && frame->bytes[23] == 17);
    file_put(file);
    host_advance(10 * NS_PER_SECOND);
}

/* The last byte of the address that a datagram to this neighbour goes to, or -1. */
static int goes_to(struct file *file, ipv4_t neighbour)
{
    uint8_t byte = 1;
    wire_drop_all();
    if (stack_send_to(file, &byte, 1, neighbour, 9) != 1)
        return -1;
    const struct wire_frame *frame = wire_next();
    return frame != NULL && frame->bytes[13] == 0 ? frame->bytes[5] : -1;
}

/* A known neighbour's place is taken only if he is silent: he is asked alone first, then all are. */
static void neighbours_are_not_replaced(void)
{
    const struct wire_frame *frame;
    struct file *file = stack_socket(SOCK_DGRAM);
    inject_arp(1, "\2\0\0\0\0\x08", 0x0a090008, WIRE_STACK);
    CHECK_EQUAL(goes_to(file, 0x0a090008), 8);
    inject_arp(2, "\2\0\0\0\0\x66", 0x0a090008, WIRE_STACK); /* so soon that it is not looked into */
    CHECK(wire_next() == NULL);
    for (unsigned operation = 1; operation <= 2; operation++) {
        host_advance(2 * NS_PER_SECOND);
        inject_arp((uint8_t)operation, "\2\0\0\0\0\x66", 0x0a090008, operation == 1 ? 0x0a090008 : WIRE_STACK);
        frame = wire_next();
        CHECK(frame != NULL && frame->bytes[13] == 6 && frame->bytes[21] == 1 && frame->bytes[5] == 8);
        inject_arp(2, "\2\0\0\0\0\x66", 0x0a090008, WIRE_STACK);
        CHECK_EQUAL(goes_to(file, 0x0a090008), 8);
        inject_arp(2, "\2\0\0\0\0\x08", 0x0a090008, WIRE_STACK);
        inject_arp(2, "\2\0\0\0\0\x66", 0x0a090008, WIRE_STACK);
        CHECK_EQUAL(goes_to(file, 0x0a090008), 8);
    }
    host_advance(2 * NS_PER_SECOND); /* the address moves */
    wire_drop_all();
    inject_arp(2, "\2\0\0\0\0\x66", 0x0a090008, WIRE_STACK);
    frame = wire_next();
    CHECK(frame != NULL && frame->bytes[5] == 8);
    host_advance(NS_PER_SECOND);
    frame = wire_next();
    CHECK(frame != NULL && frame->bytes[13] == 6 && frame->bytes[5] == 255);
    inject_arp(2, "\2\0\0\0\0\x66", 0x0a090008, WIRE_STACK);
    CHECK_EQUAL(goes_to(file, 0x0a090008), 0x66);
    file_put(file);
    host_advance(10 * NS_PER_SECOND);
    wire_drop_all();
}

/* ---- What strangers can make us send ----------------------------------------------------------------------- */

static unsigned frames_waiting(void)
{
    unsigned count = 0;
    while (wire_next() != NULL)
        count++;
    return count;
}

static unsigned echoes(ipv4_t from, unsigned requests)
{
    unsigned count = 0;
    uint8_t icmp[8] = { 8 };
    write_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, 8)));
    for (unsigned i = 0; i < requests; i++) {
        wire_inject_ip(from, WIRE_STACK, 1, 0, 0, icmp, 8);
        count += frames_waiting();
    }
    return count;
}

static unsigned resets(ipv4_t from, unsigned segments)
{
    unsigned count = 0;
    struct hand stranger = { .address = from, .port = 7, .window = 100, .stack_port = 3 };
    for (unsigned i = 0; i < segments; i++) {
        hand_send_options(&stranger, HAND_SYN, "", 0, 0);
        count += frames_waiting();
    }
    return count;
}

/* No address gets more than 1000 a second, nor a number that it could know, and takes nothing from the others. */
static void answers_to_strangers_are_limited(void)
{
    unsigned (*const kinds[])(ipv4_t, unsigned) = { echoes, resets };
    for (unsigned i = 0; i < 2 * array_size(kinds); i++) {
        wire_drop_all();
        inject_arp(1, "\2\0\0\0\0\x09", 0x0a090009, WIRE_STACK);
        wire_drop_all();
        unsigned count = kinds[i / 2](WIRE_PEER, 3000);
        CHECK(count >= 500 && count <= 1000);
        CHECK_EQUAL(kinds[i / 2](0x0a090009, 1), 1);
        host_advance(NS_PER_SECOND);
        wire_drop_all();
        unsigned again = kinds[i / 2](WIRE_PEER, 3000);
        CHECK(again >= 500 && again <= 1000);
        host_advance(NS_PER_SECOND);
    }
}

/* Another machine with our address is warned off, though not more often than every ten seconds. */
static void the_address_is_defended(void)
{
    const struct wire_frame *frame;
    host_log();
    inject_arp(1, "\2\0\0\0\0\2", WIRE_STACK, WIRE_PEER); /* our own, come round */
    CHECK(wire_next() == NULL && host_log()[0] == 0);
    inject_arp(1, "\2\0\0\0\0\x66", WIRE_STACK, WIRE_PEER);
    frame = wire_next();
    CHECK(frame != NULL && frame->bytes[21] == 1 && memcmp(frame->bytes + 22, "\2\0\0\0\0\2", 6) == 0);
    CHECK(read_be32(frame->bytes + 28) == WIRE_STACK && read_be32(frame->bytes + 38) == WIRE_STACK);
    CHECK(strcmp(host_log(), "another machine, 02:00:00:00:00:66, uses our address 10.9.0.2 too; give one of the two "
                             "another\n") == 0);
    inject_arp(2, "\2\0\0\0\0\x66", WIRE_STACK, WIRE_STACK);
    CHECK(wire_next() == NULL && host_log()[0] == 0);
    host_advance(10 * NS_PER_SECOND);
    inject_arp(2, "\2\0\0\0\0\x66", WIRE_STACK, WIRE_STACK);
    CHECK(wire_next() != NULL && host_log()[0] != 0);
}

static uint8_t datagram[4000];

static void inject_fragment(uint16_t identification, uint32_t start, uint32_t end, bool more)
{
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 17, identification, (uint16_t)(start / 8 | (more ? 0x2000 : 0)),
                   datagram + start, end - start);
}

static void fragments(void)
{
    static uint8_t in[5000];
    struct file *file = stack_socket(SOCK_DGRAM);
    CHECK_EQUAL(stack_bind(file, IPV4_ANY, 4000), 0);
    pattern_fill(9, 0, datagram, sizeof(datagram));
    write_be16(datagram, 1234);
    write_be16(datagram + 2, 4000);
    write_be16(datagram + 4, sizeof(datagram));
    write_be16(datagram + 6, 0); /* no checksum */
    uint64_t before = host_heap_blocks();

    inject_fragment(1, 2400, 4000, false); /* the last first */
    inject_fragment(1, 0, 1200, true);
    inject_fragment(1, 0, 1200, true); /* twice */
    CHECK_EQUAL(stack_receive(file, in, sizeof(in), MSG_DONTWAIT), -EAGAIN);
    inject_fragment(1, 1200, 2400, true);
    CHECK_EQUAL(stack_receive(file, in, sizeof(in), MSG_DONTWAIT), 3992);
    CHECK(memcmp(in, datagram + 8, 3992) == 0);

    inject_fragment(2, 0, 1200, true);
    inject_fragment(2, 1000, 2400, true); /* overlaps: the whole is dropped */
    inject_fragment(2, 1200, 2400, true);
    inject_fragment(2, 2400, 4000, false);
    CHECK_EQUAL(stack_receive(file, in, sizeof(in), MSG_DONTWAIT), -EAGAIN);
    inject_fragment(3, 0, 1200, true);
    inject_fragment(3, 1200, 2000, false);
    CHECK_EQUAL(stack_receive(file, in, sizeof(in), MSG_DONTWAIT), -EAGAIN); /* shorter than UDP says */
    inject_fragment(4, 1200, 1203, true);                                    /* not a multiple of 8 */
    for (uint16_t i = 0; i < 1000; i++)
        inject_fragment((uint16_t)(100 + i), 8, 1208, true);
    CHECK(host_heap_blocks() - before < 150);
    host_advance(31 * NS_PER_SECOND);
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_heap_blocks(), before);
    file_put(file);
    wire_drop_all();
}

static void impossible_packets(void)
{
    uint8_t icmp[8] = { 8 };
    write_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, 8)));
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, 8);
    CHECK(wire_next() != NULL); /* a good one is answered ... */
    wire_drop_all();
    wire_inject_ip(0x7f000001, WIRE_STACK, 1, 0, 0, icmp, 8); /* ... none of these is */
    wire_inject_ip(WIRE_STACK, WIRE_STACK, 1, 0, 0, icmp, 8);
    wire_inject_ip(WIRE_PEER, 0x7f000001, 1, 0, 0, icmp, 8);
    wire_inject_ip(0xe0000001, WIRE_STACK, 1, 0, 0, icmp, 8);
    wire_inject_ip(WIRE_PEER, 0x0a0900ff, 1, 0, 0, icmp, 8);
    wire_inject_ip(WIRE_PEER, 0x0a090003, 1, 0, 0, icmp, 8);
    icmp[7] = 1;
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, 8); /* checksum */
    wire_inject("\2\0\0\0\0\2\2\0\0\0\0\1\x08\0\x45", 15);
    wire_inject("", 0);
    CHECK(wire_next() == NULL);
}

/* Asks a closed port `count` times, from `sources` addresses beyond the gateway in turn; how many answers came. */
static unsigned ask_closed_port(unsigned count, unsigned sources)
{
    uint8_t udp[8] = { 4, 0, 0, 99, 0, 8, 0, 0 };
    unsigned answers = 0;
    wire_drop_all();
    for (unsigned i = 0; i < count; i++)
        wire_inject_ip(0xc6336401u + i % sources, WIRE_STACK, 17, 0, 0, udp, 8);
    while (wire_next() != NULL)
        answers++;
    return answers;
}

/* The limits are no oracle: what one address uses up others still have, and no second allows a known number. */
static void errors_are_limited(void)
{
    unsigned least = UINT32_MAX, most = 0;
    for (unsigned i = 0; i < 20; i++) {
        host_advance(2 * NS_PER_SECOND);
        unsigned answers = ask_closed_port(3000, 3000);
        least = min_of(least, answers);
        most = max_of(most, answers);
    }
    CHECK(least >= 400 && most <= 1000);
    CHECK(most - least > 50);
    host_advance(2 * NS_PER_SECOND);
    unsigned own = ask_closed_port(1000, 1);
    CHECK(own >= 10 && own <= 20);
    CHECK_EQUAL(ask_closed_port(1000, 1), 0);
    CHECK(ask_closed_port(1000, 1000) >= 400);
}

static uint16_t pick_port(struct endpoint server)
{
    net_lock();
    uint16_t port = tcp_pick_port(ip_of_ipv4(WIRE_STACK), server);
    net_unlock();
    return port;
}

/* Ports of connections to two servers: neither can be told from the other, nor from its own last one. */
static void ports_cannot_be_guessed(void)
{
    unsigned predicted = 0;
    uint16_t last[2] = { 0 };
    for (unsigned i = 0; i < 200; i++) {
        struct endpoint servers[2] = { { ip_of_ipv4(0xc6336401u), 53 }, { ip_of_ipv4(0xc6336402u), 53 } };
        uint16_t ports[2];
        for (unsigned j = 0; j < 2; j++)
            ports[j] = pick_port(servers[j]);
        predicted += ports[0] == last[0] + 1 || ports[0] == last[1] + 1 || ports[1] == ports[0] + 1;
        memcpy(last, ports, sizeof(last));
    }
    CHECK(predicted < 60);
}

/* ---- Sockets ---------------------------------------------------------------------------------------------------- */

static void ports_are_shared_as_allowed(void)
{
    struct file *a = stack_socket(SOCK_STREAM), *b = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_bind(a, IPV4_ANY, 7000), 0);
    CHECK_EQUAL(stack_bind(b, IPV4_ANY, 7000), -EADDRINUSE);
    CHECK_EQUAL(stack_bind(b, 0x01020304, 7000), -EADDRNOTAVAIL);
    CHECK_EQUAL(stack_bind(a, IPV4_ANY, 7001), -EINVAL);
    file_put(a);
    a = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_set(a, OPTION_SOCKET, 2, 1), 0);
    CHECK_EQUAL(stack_set(b, OPTION_SOCKET, 2, 1), 0);
    CHECK_EQUAL(stack_bind(a, IPV4_ANY, 7000), 0);
    CHECK_EQUAL(stack_bind(b, IPV4_LOOPBACK, 7000), 0);
    CHECK_EQUAL(stack_listen(a, 5), 0);
    CHECK_EQUAL(stack_listen(b, 5), -EADDRINUSE);
    file_put(a);
    CHECK_EQUAL(stack_listen(b, 5), 0);
    file_put(b);
}

/* All are given out, each once; then one that comes back is found, and one address does not take another's. */
static void ports_run_out(void)
{
    static struct port_table table;
    static struct port_binding bindings[PORT_EPHEMERAL_COUNT], more;
    struct endpoint here = { ip_of_ipv4(WIRE_STACK), 0 }, elsewhere = { ip_of_ipv4(WIRE_PEER), 0 };
    static bool seen[65536];
    port_table_init(&table);
    net_lock();
    for (unsigned i = 0; i < PORT_EPHEMERAL_COUNT; i++) {
        port_binding_init(&bindings[i]);
        CHECK_EQUAL(port_bind(&table, &bindings[i], here), 0);
        uint16_t port = bindings[i].local.port;
        CHECK(port >= PORT_EPHEMERAL_FIRST && port < PORT_EPHEMERAL_FIRST + PORT_EPHEMERAL_COUNT && !seen[port]);
        seen[port] = true;
    }
    port_binding_init(&more);
    CHECK_EQUAL(port_bind(&table, &more, here), -EADDRINUSE);
    CHECK_EQUAL(port_bind(&table, &more, (struct endpoint){ 0 }), -EADDRINUSE);
    CHECK_EQUAL(port_bind(&table, &more, elsewhere), 0);
    port_unbind(&more);
    port_unbind(&bindings[77]);
    CHECK_EQUAL(port_bind(&table, &more, here), 0);
    CHECK_EQUAL(more.local.port, bindings[77].local.port);
    net_unlock();
}

static void listening_is_reported(void)
{
    struct file *a = stack_socket(SOCK_STREAM), *b = stack_socket(SOCK_STREAM);
    host_reported_number = 0;
    CHECK_EQUAL(stack_bind(a, IPV4_ANY, 7000), 0);
    CHECK_EQUAL(host_reported_number, 0);
    CHECK_EQUAL(stack_listen(a, 5), 0);
    CHECK_EQUAL(host_reported, EVENT_LISTENING);
    CHECK_EQUAL(host_reported_number, 7000);
    CHECK_EQUAL(stack_listen(b, 5), 0);
    CHECK_EQUAL(host_reported_number, stack_port(b));
    file_put(a);
    file_put(b);
}

static void loopback_streams(void)
{
    static uint8_t out[300000], in[300000];
    struct file *listener = stack_listener(5), *client = stack_socket(SOCK_STREAM), *server;
    CHECK_EQUAL(stack_poll(listener), 0);
    CHECK_EQUAL(stack_send(client, out, 1, 0), -EPIPE);
    CHECK_EQUAL(stack_receive(client, in, 1, 0), -ENOTCONN);
    stack_nonblocking(client);
    CHECK_EQUAL(stack_connect(client, IPV4_LOOPBACK, stack_port(listener)), -EINPROGRESS);
    CHECK(stack_poll(client) & POLLOUT);
    CHECK_EQUAL(stack_get(client, OPTION_SOCKET, OPTION_ERROR), 0);
    CHECK_EQUAL(stack_connect(client, IPV4_LOOPBACK, stack_port(listener)), 0);
    CHECK_EQUAL(stack_connect(client, IPV4_LOOPBACK, stack_port(listener)), -EISCONN);
    CHECK_EQUAL(stack_poll(listener), POLLIN);
    CHECK_EQUAL(stack_accept(listener, &server), 0);
    stack_nonblocking(server);
    pattern_fill(8, 0, out, sizeof(out));
    size_t sent = 0, got = 0;
    while (got < sizeof(out)) {
        ssize_type moved = sent < sizeof(out) ? stack_send(client, out + sent, sizeof(out) - sent, 0) : 0;
        CHECK(moved >= 0 || moved == -EAGAIN);
        sent += moved > 0 ? (size_t)moved : 0;
        moved = stack_receive(server, in + got, sizeof(in) - got, 0);
        CHECK(moved > 0 || moved == -EAGAIN);
        got += moved > 0 ? (size_t)moved : 0;
        if (moved == -EAGAIN)
            host_advance(10 * NS_PER_MS);
    }
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    CHECK_EQUAL(stack_send(client, "abc", 3, 0), 3);
    CHECK_EQUAL(stack_receive(server, in, 10, MSG_PEEK), 3);
    CHECK_EQUAL(stack_receive(server, in, 2, 0), 2);
    CHECK_EQUAL(socket_of(server)->operations->readable_bytes(socket_of(server)), 1);
    CHECK_EQUAL(stack_receive(server, in, 2, 0), 1);
    CHECK_EQUAL(stack_shutdown(client, SHUT_WR), 0);
    CHECK_EQUAL(stack_receive(server, in, 2, 0), 0);
    CHECK((stack_poll(server) & (POLLIN | POLLRDHUP | POLLHUP)) == (POLLIN | POLLRDHUP));
    CHECK_EQUAL(stack_shutdown(server, SHUT_WR), 0);
    CHECK(stack_poll(server) & POLLHUP);
    file_put(server);
    file_put(client);
    client = stack_socket(SOCK_STREAM);
    uint16_t port = stack_port(listener);
    file_put(listener);
    CHECK_EQUAL(stack_connect(client, IPV4_LOOPBACK, port), -ECONNREFUSED);
    file_put(client);
    host_advance(120 * NS_PER_SECOND);
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

static void a_listeners_end(void)
{
    uint64_t before = host_heap_blocks();
    struct file *listener = stack_listener(2), *clients[6], *out;
    for (unsigned i = 0; i < 6; i++) {
        clients[i] = stack_socket(SOCK_STREAM);
        stack_nonblocking(clients[i]);
        CHECK_EQUAL(stack_connect(clients[i], IPV4_LOOPBACK, stack_port(listener)), -EINPROGRESS);
    }
    stack_nonblocking(listener);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQUAL(stack_accept(listener, &out), 0);
        file_put(out);
    }
    CHECK_EQUAL(stack_shutdown(listener, SHUT_RD), 0);
    file_put(listener);
    for (unsigned i = 0; i < 6; i++)
        file_put(clients[i]);
    host_advance(200 * NS_PER_SECOND);
    CHECK_EQUAL(host_heap_blocks(), before);
}

static void socket_pairs(void)
{
    static uint8_t out[100000], in[100000];
    struct file *ends[2];
    CHECK_EQUAL(socket_create_pair(AF_INET, SOCK_STREAM, 0, 0, ends), -EOPNOTSUPP);
    CHECK_EQUAL(socket_create_pair(AF_UNIX, SOCK_STREAM, 0, O_NONBLOCK, ends), 0);
    CHECK_EQUAL(stack_poll(ends[0]), POLLOUT);
    CHECK_EQUAL(stack_receive(ends[0], in, 1, 0), -EAGAIN);
    pattern_fill(6, 0, out, sizeof(out));
    size_t sent = 0, got = 0;
    while (got < sizeof(out)) {
        ssize_type moved = sent < sizeof(out) ? stack_send(ends[0], out + sent, sizeof(out) - sent, 0) : 0;
        sent += moved > 0 ? (size_t)moved : 0;
        moved = stack_receive(ends[1], in + got, 7777, 0);
        CHECK(moved > 0);
        got += (size_t)moved;
    }
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    CHECK_EQUAL(stack_send(ends[1], "x", 1, 0), 1);
    file_put(ends[1]);
    CHECK(stack_poll(ends[0]) & POLLHUP);
    CHECK_EQUAL(stack_receive(ends[0], in, 10, 0), 1);
    CHECK_EQUAL(stack_receive(ends[0], in, 10, 0), 0);
    CHECK_EQUAL(stack_send(ends[0], "x", 1, 0), -EPIPE);
    file_put(ends[0]);
}

static void abstract_names(void)
{
    struct socket_address name = { .family = AF_UNIX, .path_length = 4, .path = "\0abc" };
    struct socket_address path = { .family = AF_UNIX, .path_length = 4, .path = "/x/y" };
    struct file *listener, *client, *server;
    uint8_t byte;
    CHECK_EQUAL(socket_create(AF_UNIX, SOCK_STREAM, 0, 0, &listener), 0);
    CHECK_EQUAL(socket_create(AF_UNIX, SOCK_STREAM, 0, 0, &client), 0);
    const struct socket_operations *o = socket_of(client)->operations;
    CHECK_EQUAL(o->connect(socket_of(client), &name), -ECONNREFUSED);
    CHECK_EQUAL(o->connect(socket_of(client), &path), -ENOENT);
    CHECK_EQUAL(o->bind(socket_of(listener), &name), 0);
    CHECK_EQUAL(o->bind(socket_of(client), &name), -EADDRINUSE);
    CHECK_EQUAL(stack_listen(listener, 5), 0);
    CHECK_EQUAL(o->connect(socket_of(client), &name), 0);
    CHECK_EQUAL(stack_send(client, "z", 1, 0), 1);
    CHECK_EQUAL(stack_accept(listener, &server), 0);
    CHECK_EQUAL(stack_receive(server, &byte, 1, 0), 1);
    CHECK_EQUAL(byte, 'z');
    file_put(client);
    file_put(listener);
    CHECK_EQUAL(stack_receive(server, &byte, 1, 0), 0);
    file_put(server);
}

static void families(void)
{
    struct file *file;
    CHECK_EQUAL(socket_create(AF_INET6, SOCK_STREAM, 0, 0, &file), -EAFNOSUPPORT);
    CHECK_EQUAL(socket_create(AF_INET, SOCK_RAW, 1, 0, &file), -EPERM);
    CHECK_EQUAL(socket_create(AF_INET, SOCK_STREAM, 17, 0, &file), -EPROTONOSUPPORT);
    CHECK_EQUAL(socket_create(AF_UNIX, 4, 0, 0, &file), -ESOCKTNOSUPPORT);
}

static void timeouts(void)
{
    struct file *file = stack_socket(SOCK_DGRAM);
    int64_t time[2] = { 2, 500000 };
    uint8_t byte;
    CHECK_EQUAL(socket_set_option(socket_of(file), OPTION_SOCKET, 20, time, sizeof(time)), 0);
    CHECK_EQUAL(stack_bind(file, IPV4_ANY, 0), 0);
    nanoseconds start = clock_monotonic();
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), -EAGAIN);
    CHECK_EQUAL(clock_monotonic() - start, 2500 * NS_PER_MS);
    host_signal_pending = true;
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), -EINTR);
    file_put(file);
}

/* ---- DHCP -------------------------------------------------------------------------------------------------------- */

#define LEASED 0x0a090032u /* 10.9.0.50 */
#define OTHER_SERVER 0x0a090005u

static struct {
    jmp_buf end;
    uint8_t query[600];
    uint32_t query_length;
    ipv4_t query_to;
    ipv4_t probed; /* by ARP, since it was last looked at */
    nanoseconds declined;
    nanoseconds restored; /* the machine goes on from a snapshot; 0: not yet */
    bool unheard;         /* what it asked then came before its network device was connected */
    bool moved;           /* it goes on with another network device */
    unsigned step, changes;
    struct net_configuration last;
    const char *failure;
} dhcp;

static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 0x77 };

extern void (*thread_entry)(void *);
extern void *thread_argument;

static void dhcp_changed(const struct net_configuration *configuration)
{
    dhcp.changes++;
    dhcp.last = *configuration;
}

/* A frame of the client: kept, and answered when it sleeps. */
static void dhcp_sent(const uint8_t *frame, uint32_t length)
{
    if (read_be16(frame + 12) == 0x0806 && read_be32(frame + 28) == IPV4_ANY)
        dhcp.probed = read_be32(frame + 38);
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 17)
        return;
    dhcp.query_length = length - 42;
    dhcp.query_to = read_be32(frame + 30);
    memcpy(dhcp.query, frame + 42, min_of(dhcp.query_length, (uint32_t)sizeof(dhcp.query)));
}

static const uint8_t *dhcp_option(uint8_t code)
{
    for (uint32_t i = 240; i + 1 < dhcp.query_length && dhcp.query[i] != 255; i += 2u + dhcp.query[i + 1])
        if (dhcp.query[i] == code)
            return dhcp.query + i + 2;
    return NULL;
}

static void dhcp_answer(uint8_t type, ipv4_t server, ipv4_t gateway)
{
    uint8_t udp[8 + 320] = { 0, 67, 0, 68, 320 >> 8, 320 & 255 };
    uint8_t *message = udp + 8;
    write_be16(udp + 4, sizeof(udp));
    memcpy(message, dhcp.query, 240);
    message[0] = 2;
    write_be32(message + 16, type == 6 ? 0 : LEASED);
    uint8_t options[] = { 53,   1,  type, 54,  4,   0,   0,  0, 0,  51, 4, 0, 0,  0, 100, 1, 4, 255, 255, 255,
                          0,    3,  4,    0,   0,   0,   0,  6, 8,  8,  8, 8, 8,  1, 1,   1, 1, 26,  2,   5,
                          0x78, 15, 3,    'l', 'a', 'b', 42, 9, 10, 9,  0, 7, 10, 9, 0,   8, 1, 255 };
    write_be32(options + 5, server);
    write_be32(options + 23, gateway);
    memcpy(message + 240, options, sizeof(options));
    wire_inject_ip(server, IPV4_BROADCAST, 17, 0, 0, udp, sizeof(udp));
}

#define DHCP_EXPECT(condition) \
    do { \
        if (!(condition)) { \
            dhcp.failure = #condition; \
            longjmp(dhcp.end, 1); \
        } \
    } while (0)

/* The server: one step of the story for each query. */
static void dhcp_serve(void)
{
    uint8_t type = *dhcp_option(53);
    const uint8_t *wanted = dhcp_option(50), *server = dhcp_option(54);
    switch (dhcp.step++) {
    case 0: /* lost */
        DHCP_EXPECT(type == 1 && dhcp.query_to == IPV4_BROADCAST && dhcp_option(12) != NULL);
        DHCP_EXPECT(memcmp(dhcp_option(12), "guest", 5) == 0);
        return;
    case 1:
        DHCP_EXPECT(type == 1);
        dhcp.query[4] ^= 1;
        dhcp_answer(2, WIRE_PEER, WIRE_PEER); /* somebody else's transaction */
        dhcp.query[4] ^= 1;
        dhcp_answer(2, WIRE_PEER, WIRE_PEER);
        return;
    case 2:
        DHCP_EXPECT(type == 3 && wanted != NULL && read_be32(wanted) == LEASED);
        DHCP_EXPECT(server != NULL && read_be32(server) == WIRE_PEER && dhcp.query_to == IPV4_BROADCAST);
        DHCP_EXPECT(dhcp.probed == LEASED);
        dhcp_answer(5, WIRE_PEER, WIRE_PEER);
        if (dhcp.declined == 0)
            inject_arp(2, "\2\0\0\0\0\x66", LEASED, IPV4_ANY); /* somebody has it */
        return;
    case 3: /* declined; then renewed by our server: nothing is new */
        if (dhcp.declined == 0) {
            DHCP_EXPECT(type == 4 && dhcp.query_to == IPV4_BROADCAST && dhcp.changes == 0);
            DHCP_EXPECT(wanted != NULL && read_be32(wanted) == LEASED && read_be32(server) == WIRE_PEER);
            DHCP_EXPECT(read_be32(dhcp.query + 12) == IPV4_ANY);
            dhcp.declined = clock_monotonic();
            dhcp.step = 1; /* it begins again */
            return;
        }
        DHCP_EXPECT(clock_monotonic() - dhcp.declined >= 10 * NS_PER_SECOND);
        DHCP_EXPECT(dhcp.changes == 1 && dhcp.last.address == LEASED && dhcp.last.prefix == 24);
        DHCP_EXPECT(dhcp.last.gateway == WIRE_PEER && dhcp.last.dns_count == 2 && dhcp.last.mtu == 1400);
        DHCP_EXPECT(strcmp(dhcp.last.domain, "lab") == 0);
        DHCP_EXPECT(dhcp.last.time_server_count == 2 && dhcp.last.time_servers[0] == 0x0a090007);
        DHCP_EXPECT(dhcp.last.time_servers[1] == 0x0a090008);
        DHCP_EXPECT(type == 3 && dhcp.query_to == WIRE_PEER && wanted == NULL && server == NULL);
        DHCP_EXPECT(read_be32(dhcp.query + 12) == LEASED);
        dhcp_answer(5, WIRE_PEER, WIRE_PEER);
        return;
    case 4: /* at once, and any server, since it may be another one */
        DHCP_EXPECT(type == 3 && dhcp.query_to == IPV4_BROADCAST && read_be32(dhcp.query + 12) == LEASED);
        if (!dhcp.unheard) {
            DHCP_EXPECT(clock_monotonic() - dhcp.restored < NS_PER_SECOND);
            dhcp.unheard = true;
            dhcp.step = 4; /* it asks again */
            return;
        }
        DHCP_EXPECT(clock_monotonic() - dhcp.restored >= NS_PER_SECOND);
        DHCP_EXPECT(clock_monotonic() - dhcp.restored < 2 * NS_PER_SECOND);
        dhcp_answer(5, WIRE_PEER, WIRE_PEER);
        return;
    case 5: /* the same address was confirmed; no answer: it turns to everybody */
        DHCP_EXPECT(dhcp.changes == 2 && dhcp.last.address == LEASED && dhcp.query_to == WIRE_PEER);
        net_shut_down(NS_PER_SECOND, false);
        DHCP_EXPECT(*dhcp_option(53) == 3);
        net_shut_down(NS_PER_SECOND, true);
        DHCP_EXPECT(*dhcp_option(53) == 7 && dhcp.query_to == WIRE_PEER && read_be32(dhcp.query + 12) == LEASED);
        DHCP_EXPECT(read_be32(dhcp_option(54)) == WIRE_PEER && dhcp_option(50) == NULL);
        return;
    case 6:
        DHCP_EXPECT(type == 3 && dhcp.query_to == IPV4_BROADCAST && read_be32(dhcp.query + 12) == LEASED);
        dhcp_answer(5, OTHER_SERVER, OTHER_SERVER);
        return;
    case 7: /* refused */
        DHCP_EXPECT(dhcp.changes == 3 && dhcp.last.gateway == OTHER_SERVER);
        dhcp_answer(6, WIRE_PEER, 0);
        return;
    case 8:
        DHCP_EXPECT(dhcp.changes == 4 && dhcp.last.address == IPV4_ANY && type == 1);
        DHCP_EXPECT(strstr(host_log(), "the DHCP lease was lost: the server refused to extend it; ") != NULL);
        dhcp_release();
        DHCP_EXPECT(*dhcp_option(53) == 1); /* there is nothing to give back */
        dhcp_answer(2, WIRE_PEER, WIRE_PEER);
        return;
    case 9:
        DHCP_EXPECT(type == 3);
        dhcp_answer(5, WIRE_PEER, WIRE_PEER);
        return;
    default: /* the lease is that of the machine with the other address */
        DHCP_EXPECT(dhcp.moved && dhcp.changes == 6 && dhcp.last.address == IPV4_ANY && type == 1);
        DHCP_EXPECT(memcmp(dhcp.query + 28, other_mac, sizeof(other_mac)) == 0);
        const char *log = host_log();
        DHCP_EXPECT(strstr(log, " has another MAC address than before; ") != NULL && strstr(log, "lost") == NULL);
        longjmp(dhcp.end, 1);
    }
}

static bool dhcp_idle(void)
{
    wire_answer_arp();
    if (dhcp.query_length == 0 && dhcp.step == 4 && dhcp.restored == 0) {
        dhcp.restored = clock_monotonic();
        dhcp_restored();
        return true;
    }
    if (dhcp.query_length == 0 && dhcp.step == 10 && dhcp.changes == 5 && !dhcp.moved) {
        dhcp.moved = true;
        memcpy(wire_device()->mac, other_mac, sizeof(other_mac));
        wire_device()->link_changed(wire_device());
        dhcp_restored();
        return true;
    }
    if (dhcp.query_length == 0)
        return false;
    dhcp_serve();
    dhcp.query_length = 0;
    return true;
}

/* The last test: the client's endless loop is left by a jump. */
static void dhcp_life(void)
{
    struct net_configuration none = { 0 };
    net_configure_static(&none);
    wire_sent = dhcp_sent;
    host_idle = dhcp_idle;
    CHECK_EQUAL(net_configure_dhcp("guest", dhcp_changed), 0);
    CHECK_EQUAL(net_wait_configured(clock_monotonic()), -ETIMEDOUT);
    if (setjmp(dhcp.end) == 0)
        thread_entry(thread_argument);
    if (dhcp.failure != NULL)
        host_fail(__FILE__, __LINE__, "step %u: %s", dhcp.step - 1, dhcp.failure);
    CHECK_EQUAL(dhcp.step, 11);
}

static void dhcp_messages(void)
{
    uint8_t message[DHCP_MESSAGE_SIZE], mac[6] = { 2, 0, 0, 0, 0, 2 };
    struct dhcp_answer answer;
    struct dhcp_query query = { .type = DHCP_DISCOVER, .transaction = 77, .mac = mac, .hostname = "name" };
    size_t length = dhcp_make(message, &query);
    CHECK(length >= 300 && length <= DHCP_MESSAGE_SIZE);
    CHECK(!dhcp_read(message, length, 77, mac, &answer)); /* a query is no answer */
    message[0] = 2;
    message[16] = 10;
    uint8_t *options = message + 240;
    memset(options, 0, length - 240);
    memcpy(options,
           "\x35\x01\x02\x0f\x05"
           "a;b\nc\xff",
           11);
    CHECK(dhcp_read(message, length, 77, mac, &answer) && answer.type == DHCP_OFFER);
    CHECK(answer.configuration.domain[0] == 0); /* not into resolv.conf */
    CHECK_EQUAL(answer.configuration.prefix, 8);
    CHECK(!dhcp_read(message, length, 78, mac, &answer));
    CHECK(!dhcp_read(message, 239, 77, mac, &answer));
    memcpy(options, "\x35\x01\x02\x06\xff", 5);
    CHECK(!dhcp_read(message, 250, 77, mac, &answer)); /* runs over the end */
    memcpy(options, "\x35\x01\x02\x01\x04\xff\x00\xff\x00\xff", 10);
    CHECK(!dhcp_read(message, length, 77, mac, &answer)); /* a mask with holes */
}

/* ---- Capture ------------------------------------------------------------------------------------------------- */

/* The lines for the first `bytes` of a frame that comes now. */
static void expect_captured(const uint8_t *frame, uint32_t length, uint32_t bytes)
{
    char expected[3000];
    size_t at = 0;
    unsigned long now = clock_monotonic();
    for (uint32_t offset = 0; offset < bytes; offset += CAPTURE_LINE) {
        at += (size_t)sprintf(expected + at, "capture %lu.%06lu %u %u ", now / NS_PER_SECOND,
                              now % NS_PER_SECOND / NS_PER_US, length, offset);
        for (uint32_t i = offset; i < bytes && i < offset + CAPTURE_LINE; i++)
            at += (size_t)sprintf(expected + at, "%02x", frame[i]);
        at += (size_t)sprintf(expected + at, "\n");
    }
    (void)host_log();
    wire_inject(frame, length);
    CHECK(strstr(host_log(), expected) != NULL);
}

static void frames_are_captured(void)
{
    uint8_t frame[500];
    pattern_fill(9, 0, frame, sizeof(frame));
    memcpy(frame, wire_device()->mac, 6);
    frame[12] = 0x88, frame[13] = 0xb5; /* for experiments (IEEE 802): no one takes it */
    CHECK(!capture_parse("") && !capture_parse("65536") && !capture_parse("9x"));
    CHECK_EQUAL(capture_bytes, 0);
    (void)host_log();
    wire_inject(frame, sizeof(frame));
    CHECK(strstr(host_log(), "capture") == NULL);
    CHECK(capture_parse("1") && capture_parse("0"));
    CHECK_EQUAL(capture_bytes, 0);
    CHECK(capture_parse("450"));
    expect_captured(frame, sizeof(frame), 450);
    expect_captured(frame, 60, 60);
    CHECK(capture_parse("96"));
    expect_captured(frame, sizeof(frame), 96);
    /* Both ways: an echo and its reply, recognised by the type, the checksum and the identifier. */
    uint8_t icmp[8] = { 8, 0, 0xe5, 0xcb, 0x12, 0x34 };
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, sizeof(icmp));
    const char *log = host_log();
    CHECK(strstr(log, "0800e5cb12340000\n") != NULL && strstr(log, "0000edcb12340000\n") != NULL);
    wire_drop_all();
    capture_bytes = 0;
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    host_test("frames are captured", frames_are_captured);
    host_test("checksums", checksums);
    host_test("packets in pieces", packets_in_pieces);
    host_test("static configuration", static_configuration);
    host_test("mtu follows the configuration", mtu_follows_the_configuration);
    host_test("tcp options", tcp_options_are_parsed);
    host_test("arp", arp);
    host_test("arp: a known neighbour is not replaced", neighbours_are_not_replaced);
    host_test("answers to strangers are limited", answers_to_strangers_are_limited);
    host_test("the address is defended", the_address_is_defended);
    host_test("fragments", fragments);
    host_test("impossible packets", impossible_packets);
    host_test("errors are limited, and the limits no oracle", errors_are_limited);
    host_test("ports cannot be guessed", ports_cannot_be_guessed);
    host_test("ports are shared as allowed", ports_are_shared_as_allowed);
    host_test("ports run out", ports_run_out);
    host_test("listening is reported", listening_is_reported);
    host_test("streams over loopback", loopback_streams);
    host_test("a listener's end", a_listeners_end);
    host_test("socket pairs", socket_pairs);
    host_test("abstract names", abstract_names);
    host_test("families", families);
    host_test("timeouts and signals", timeouts);
    host_test("dhcp messages", dhcp_messages);
    host_test("dhcp: from discovery to refusal", dhcp_life);
    return host_result();
}
