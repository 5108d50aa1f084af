/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What peers can do to the stack on purpose: make segments expensive, hold memory, exhaust tables, guess numbers.
 * Frames are made by hand on a virtual clock; costs are counted in instructions, so nothing depends on the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/interface.h"
#include "net/tcp_private.h"
#include "net/wire.h"

#define WINDOW (4u << 20)

static const uint8_t syn_all[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 1, 1 }; /* MSS 1460, window scale 7, SACK */

static const uint8_t syn_mss[4] = { 2, 4, 5, 0xb4 };

static struct file *listener, *file;
static struct hand hand;
static struct hand_segment got;

static bool open_wide(void)
{
    if (!hand_open(&hand, listener, &file, syn_all, sizeof(syn_all)))
        return false;
    hand.window = 1000;
    hand_send(&hand, HAND_ACK, 1); /* the answer announces the whole window */
    hand.sequence++;
    uint8_t byte;
    return stack_receive(file, &byte, 1, 0) == 1 && hand_receive(&got);
}

static void finish(void)
{
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

/* ---- Holes -------------------------------------------------------------------------------------------------- */

static uint32_t scattered; /* single bytes sent so far, with holes between them */

static void scatter_one(void)
{
    struct hand far = hand;
    far.sequence += 2 * ++scattered;
    hand_send(&far, HAND_ACK, 1);
}

/* The same before all that is there: a list is searched from its end. */
static void scatter_near(void)
{
    struct hand near = hand;
    near.sequence += 1;
    hand_send(&near, HAND_ACK, 1);
}

static void scatter(uint32_t count)
{
    while (scattered < count) {
        scatter_one();
        if (scattered % 1000 == 0)
            wire_drop_all();
    }
    wire_drop_all();
}

static void holes_cost_the_same(void)
{
    CHECK(open_wide());
    scattered = 10;
    scatter(100);
    uint64_t few = host_steps(scatter_near);
    uint64_t few_at_end = host_steps(scatter_one);
    scatter(10000);
    uint64_t many = host_steps(scatter_near);
    uint64_t many_at_end = host_steps(scatter_one);
    printf("# %lu and %lu instructions with 100 holes, %lu and %lu with 10000\n", (unsigned long)few,
           (unsigned long)few_at_end, (unsigned long)many, (unsigned long)many_at_end);
    CHECK(many < few + few / 4);
    CHECK(many_at_end < few_at_end + few_at_end / 4);
    finish();
}

enum { STREAM = 40000 };
static uint8_t times_sent[STREAM + 1];

static void note_sent(uint32_t at, uint32_t length)
{
    for (uint32_t i = at; i < at + length; i++)
        times_sent[i] = (uint8_t)min_of(times_sent[i] + 1, 2);
}

static bool all_sent(uint32_t start, uint32_t end, uint8_t times)
{
    for (uint32_t i = start; i < end; i++)
        if (times_sent[i] < times)
            return false;
    return true;
}

/* Block number `n` of the acknowledgement `got`, from `first` on. */
static struct tcp_range block(unsigned n, uint32_t first)
{
    return (struct tcp_range){ read_be32(got.options + 4 + 8 * n) - first, read_be32(got.options + 8 + 8 * n) - first };
}

/* The blocks of `got` are right, the latest piece having come at `at`: a duplicate (RFC 2883), then whole runs. */
static void blocks_are_right(uint32_t first, uint32_t at)
{
    uint32_t reported = got.acknowledgement - first;
    unsigned count = got.option_length / 8, duplicates = 0;
    if (count > 0) {
        struct tcp_range one = block(0, first), two = count > 1 ? block(1, first) : (struct tcp_range){ 0 };
        duplicates = one.end <= reported || (two.start <= one.start && one.end <= two.end);
        CHECK(!duplicates || all_sent(one.start, one.end, 2));
    }
    for (unsigned n = duplicates; n < count; n++) {
        struct tcp_range run = block(n, first);
        CHECK(run.start < run.end && run.end <= STREAM && run.start > reported);
        CHECK(all_sent(run.start, run.end, 1));
        CHECK(times_sent[run.start - 1] == 0 && times_sent[run.end] == 0); /* a block is all there is */
        CHECK(n > duplicates || reported > at || (at >= run.start && at < run.end));
    }
}

/* All that was sent and is reported, acknowledged or read is right, whatever the order and the overlaps. */
static void pieces_in_any_order(void)
{
    static uint8_t data[STREAM];
    for (unsigned round = 0; round < 30; round++) {
        CHECK(open_wide());
        uint32_t first = hand.sequence, reported = first;
        memset(times_sent, 0, sizeof(times_sent));
        for (unsigned i = 0; i < 2000 && reported != first + STREAM; i++) {
            uint32_t at = (uint32_t)random_below(STREAM), longest = round % 3 == 0 ? 20 : 1400;
            if (i > 1500 || i % 8 == 0)
                at = reported - first; /* fill what is missing, so that it ends */
            uint32_t length = min_of((uint32_t)random_below(longest) + 1, STREAM - at);
            struct hand piece = hand;
            piece.sequence = first + at;
            hand_send(&piece, HAND_ACK, length);
            note_sent(at, length);
            while (hand_receive(&got)) {
                reported = got.acknowledgement;
                blocks_are_right(first, at);
            }
        }
        uint32_t whole = reported - first;
        CHECK_EQUAL(stack_receive(file, data, sizeof(data), MSG_DONTWAIT), whole);
        CHECK(pattern_matches(1, first, data, whole));
        hand.sequence = reported;
        finish();
    }
}

/* Beyond the limit what is near is kept and what is far is dropped; the stream goes on. */
static void far_pieces_make_room(void)
{
    CHECK(open_wide());
    uint32_t first = hand.sequence;
    scattered = 10;
    scatter(40000);
    CHECK(net_memory_charged() <= 2 * WINDOW + sizeof(struct tcp));
    for (uint32_t at = 1400; at < 100 * 1400; at += 1400) {
        struct hand piece = hand;
        piece.sequence = first + at;
        hand_send(&piece, HAND_ACK, 1400);
        CHECK(net_memory_charged() <= 2 * WINDOW + sizeof(struct tcp));
    }
    hand_send(&hand, HAND_ACK, 1400);
    hand.sequence += 100 * 1400;
    static uint8_t data[200000];
    ssize_type length = stack_receive(file, data, sizeof(data), MSG_DONTWAIT);
    CHECK(length >= 100 * 1400 && length <= 100 * 1400 + 1);
    CHECK(pattern_matches(1, first, data, (size_t)length));
    finish();
}

/* ---- Memory ------------------------------------------------------------------------------------------------- */

#define ATTACKER 0xc6336401u
#define CLIENT 0xcb007101u
#define CONNECTIONS 2400

static struct hand hands[CONNECTIONS];
static struct file *files[CONNECTIONS];
static uint8_t answer[100000];

/* A connection whose window is shut, to which the application writes all it can. */
static bool open_shut(unsigned i)
{
    uint8_t byte;
    if (!hand_open_from(ATTACKER, &hands[i], listener, &files[i], syn_all, sizeof(syn_all)))
        return false;
    hands[i].window = 0;
    hand_send(&hands[i], HAND_ACK, 1);
    hands[i].sequence++;
    (void)stack_receive(files[i], &byte, 1, MSG_DONTWAIT);
    (void)stack_send(files[i], answer, sizeof(answer), MSG_DONTWAIT);
    return true;
}

static bool was_reset(struct file *connection)
{
    uint8_t byte;
    return stack_receive(connection, &byte, 1, MSG_DONTWAIT) == -ECONNRESET;
}

/* A client's request and its answer, which it acknowledges at once. */
static void client_is_served(void)
{
    static uint8_t request[1000];
    CHECK(hand_open_from(CLIENT, &hand, listener, &file, syn_all, sizeof(syn_all)));
    hand_send(&hand, HAND_ACK, sizeof(request));
    uint32_t first = hand.sequence;
    hand.sequence += sizeof(request);
    CHECK_EQUAL(stack_receive(file, request, sizeof(request), MSG_DONTWAIT), sizeof(request));
    CHECK(pattern_matches(1, first, request, sizeof(request)));
    wire_drop_all();
    CHECK_EQUAL(stack_send(file, answer, 3000, MSG_DONTWAIT), 3000);
    for (uint32_t length = 0; length < 3000; length += got.length) {
        do
            CHECK(hand_receive(&got));
        while (got.port != hand.port);
        CHECK_EQUAL(got.sequence, hand.acknowledgement);
        hand.acknowledgement += got.length;
        hand_send(&hand, HAND_ACK, 0);
    }
}

/* One host opens connections, asks, and shuts its window. Others are served all the time, and memory comes back. */
static void shut_windows_keep_nobody_out(void)
{
    uint64_t blocks = host_heap_blocks();
    unsigned reset = 0;
    struct file *kept;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        CHECK(open_shut(i));
        if (i % 100 == 99) {
            client_is_served();
            kept = file;
            host_advance(100 * NS_PER_MS);
            uint8_t byte;
            CHECK_EQUAL(stack_receive(kept, &byte, 1, MSG_DONTWAIT), -EAGAIN);
            hand_send(&hand, HAND_RST, 0);
            file_put(kept);
            wire_drop_all();
        }
        CHECK(net_memory_charged() < net_memory_budget());
    }
    host_advance(40 * NS_PER_SECOND);
    CHECK(net_memory() == NET_MEMORY_PLENTY);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        reset += was_reset(files[i]);
        file_put(files[i]);
    }
    CHECK(reset > 0 && reset < CONNECTIONS); /* no more than memory needed */
    CHECK(strstr(host_log(), "198.51.100.1") != NULL);
    host_advance(300 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

/* Peers that leave out their FIN. */
static void orphans_are_limited(void)
{
    uint64_t blocks = host_heap_blocks();
    for (unsigned i = 0; i < 5000; i++) {
        CHECK(hand_open_from(ATTACKER + i / 1000, &hand, listener, &file, syn_mss, sizeof(syn_mss)));
        file_put(file);
        CHECK(hand_receive(&got) && got.flags & HAND_FIN);
        hand.acknowledgement++;
        hand_send(&hand, HAND_ACK, 0);
        if (i % 100 == 0)
            host_advance(NS_PER_MS);
    }
    host_advance(NS_PER_MS);
    CHECK(net_memory_charged() <= 4096 * sizeof(struct tcp));
    host_advance(61 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

/* What a connection costs that is open and does nothing, as with ten thousand clients that keep theirs alive. */
static void idle_connections_are_small(void)
{
    uint64_t blocks = host_heap_blocks();
    CHECK(open_wide());
    hand.window = 1000;
    CHECK_EQUAL(stack_send(file, answer, 3000, MSG_DONTWAIT), 3000);
    while (hand_receive(&got))
        hand.acknowledgement += got.length;
    hand_send(&hand, HAND_ACK, 0);
    host_advance(NS_PER_SECOND);
    wire_drop_all();
    printf("# an idle connection: %lu bytes of TCP, %lu of its socket, %lu blocks\n", (unsigned long)sizeof(struct tcp),
           (unsigned long)sizeof(struct tcp_socket), (unsigned long)(host_heap_blocks() - blocks));
    CHECK_EQUAL(net_memory_charged(), sizeof(struct tcp));
    CHECK_EQUAL(host_pages_in_use(), 0);
    CHECK_EQUAL(host_heap_blocks() - blocks, 3);                           /* the connection, the socket, the file */
    CHECK(sizeof(struct tcp) <= 1008 && sizeof(struct tcp_socket) <= 576); /* classes of the heap */
    finish();
}

/* ---- More connections than are accepted ----------------------------------------------------------------------- */

#define BACKLOG 16u

static struct file *busy; /* a listener with this backlog */
static struct hand half_open[BACKLOG];

/* Another client's SYN; what it got as sequence number is acknowledged in the hand. */
static bool begin_handshake(struct hand *client, uint16_t port)
{
    *client = (struct hand){
        .address = CLIENT, .port = port, .stack_port = stack_port(busy), .sequence = 1000, .window = 65535
    };
    hand_send_options(client, HAND_SYN, syn_all, sizeof(syn_all), 0);
    if (!hand_receive(&got) || got.flags != (HAND_SYN | HAND_ACK))
        return false;
    client->sequence++;
    client->acknowledgement = got.sequence + 1;
    return true;
}

/* As many half-open connections as there may be: the next SYN is answered with a cookie. */
static bool fill_requests(void)
{
    wire_drop_all();
    busy = stack_listener(BACKLOG);
    for (unsigned i = 0; i < BACKLOG; i++)
        if (!begin_handshake(&half_open[i], (uint16_t)(5000 + i)))
            return false;
    return true;
}

static void forget_requests(void)
{
    for (unsigned i = 0; i < BACKLOG; i++)
        hand_send(&half_open[i], HAND_RST, 0);
    file_put(busy);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
}

/* The acknowledgement of a cookie is lost, then a later one comes, then the data again: nobody is reset. */
static void lost_cookies_come_again(void)
{
    static uint8_t data[8];
    CHECK(fill_requests());
    CHECK(begin_handshake(&hand, 6000));
    struct hand later = hand;
    later.sequence += sizeof(data);
    hand_send(&later, HAND_ACK, 0);
    CHECK(hand_silent());
    hand_send(&hand, HAND_ACK | HAND_PSH, sizeof(data));
    CHECK_EQUAL(stack_accept(busy, &file), 0);
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), MSG_DONTWAIT), sizeof(data));
    CHECK(pattern_matches(1, hand.sequence, data, sizeof(data)));
    hand_send(&later, HAND_RST, 0);
    file_put(file);
    forget_requests();
}

/* A SYN is answered with a cookie; sent again, it finds room, and gets another answer. The first one counts. */
static void a_cookie_outlives_a_second_answer(void)
{
    struct hand again;
    CHECK(fill_requests());
    CHECK(begin_handshake(&hand, 6000));
    hand_send(&half_open[0], HAND_RST, 0);
    CHECK(begin_handshake(&again, 6000));
    CHECK(again.acknowledgement != hand.acknowledgement);
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_silent());
    CHECK_EQUAL(stack_accept(busy, &file), 0);
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    forget_requests();
}

/* A listener that may keep one connection waiting, or none: half-open ones are not counted among them, and SYNs beyond
 * what is kept of those are answered with cookies, so others get in all the same. */
static void a_small_backlog_under_a_flood(void)
{
    enum { FLOOD = 500, KEPT = 16 };
    for (int backlog = 0; backlog < 2; backlog++) {
        wire_drop_all();
        busy = stack_listener(backlog);
        uint64_t blocks = 0;
        for (uint16_t i = 0; i < FLOOD; i++) {
            struct hand flooding;
            CHECK(begin_handshake(&flooding, (uint16_t)(20000 + i)));
            blocks = i == KEPT ? host_heap_blocks() : blocks;
        }
        CHECK_EQUAL(host_heap_blocks(), blocks); /* the rest was not kept */
        for (uint16_t i = 0; i < 20; i++) {
            uint8_t data[8];
            CHECK(begin_handshake(&hand, (uint16_t)(7000 + i)));
            hand_send(&hand, HAND_ACK | HAND_PSH, sizeof(data));
            CHECK_EQUAL(stack_accept(busy, &file), 0);
            CHECK_EQUAL(stack_receive(file, data, sizeof(data), MSG_DONTWAIT), sizeof(data));
            hand.sequence += sizeof(data);
            hand_send(&hand, HAND_RST, 0);
            file_put(file);
            wire_drop_all();
        }
        file_put(busy); /* with the half-open ones */
        wire_drop_all();
        CHECK_EQUAL(net_memory_charged(), 0);
    }
}

/* ---- Tables ------------------------------------------------------------------------------------------------- */

static void send_fragment(ipv4_t from, uint16_t identification, uint16_t start, uint16_t end, bool more)
{
    uint8_t udp[3000] = { 4, 0, 15, 160, (uint8_t)(sizeof(udp) >> 8), (uint8_t)sizeof(udp) };
    pattern_fill(5, 0, udp + 8, sizeof(udp) - 8);
    wire_inject_ip(from, WIRE_STACK, 17, identification, (uint16_t)(start / 8 | (more ? 0x2000 : 0)), udp + start,
                   end - start);
}

/* A host that sends only beginnings of datagrams takes nothing from another whose datagram comes slowly. */
static void fragments_are_fair(void)
{
    static uint8_t data[4000];
    struct file *socket = stack_socket(SOCK_DGRAM);
    CHECK_EQUAL(stack_bind(socket, IPV4_ANY, 4000), 0);
    send_fragment(CLIENT, 1, 0, 1400, true);
    for (uint16_t i = 0; i < 2000; i++)
        send_fragment(ATTACKER, i, 0, 1400, true);
    CHECK(net_memory_charged() <= net_memory_budget() / 16 + 4096);
    send_fragment(CLIENT, 1, 1400 / 8 * 8, 3000, false);
    CHECK_EQUAL(stack_receive(socket, data, sizeof(data), MSG_DONTWAIT), 2992);
    CHECK(pattern_matches(5, 0, data, 2992));
    file_put(socket);
    host_advance(31 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
}

/* Made-up neighbours do not push out the one through whom everything goes. */
static void neighbours_in_use_are_kept(void)
{
    uint8_t arp[42] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9 };
    struct net_configuration wide = { .address = WIRE_STACK, .prefix = 16, .gateway = WIRE_PEER };
    write_be32(arp + 38, WIRE_STACK);
    CHECK_EQUAL(net_configure_static(&wide), 0);
    CHECK(hand_open_from(CLIENT, &hand, listener, &file, syn_all, sizeof(syn_all)));
    host_advance(NS_PER_SECOND);
    for (unsigned i = 0; i < 1000; i++) {
        write_be32(arp + 28, WIRE_STACK + 256 + i);
        wire_inject(arp, sizeof(arp));
    }
    /* And as many whom we answer, but who do not answer us. */
    for (unsigned i = 0; i < 1000; i++) {
        struct hand stranger = {
            .address = WIRE_STACK + 2000 + i, .port = 7, .window = 100, .stack_port = stack_port(listener)
        };
        hand_send_options(&stranger, HAND_SYN, syn_all, sizeof(syn_all), 0);
    }
    wire_drop_all();
    CHECK_EQUAL(stack_send(file, answer, 1000, MSG_DONTWAIT), 1000);
    const struct wire_frame *frame = wire_next();
    CHECK(frame != NULL && read_be16(frame->bytes + 12) == 0x0800); /* at once: nobody had to be asked */
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    host_advance(300 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    wire_configure();
}

/* ---- The CPU ------------------------------------------------------------------------------------------------ */

static unsigned rounds_left;

static bool one_round(struct network_device *device)
{
    (void)device;
    return --rounds_left > 0;
}

/* Reception that takes more than half of the time leaves the interrupt handler, and comes back when that is over. */
static void reception_leaves_time(void)
{
    static const uint8_t frame[60];
    struct network_device *device = wire_device();
    host_advance(NS_PER_SECOND);
    wire_inject_slowly(frame, sizeof(frame), 3 * NS_PER_MS);
    CHECK(!device->crowded);
    wire_inject_slowly(frame, sizeof(frame), 3 * NS_PER_MS);
    CHECK(device->crowded);
    device->receive_round = one_round;
    rounds_left = 3;
    network_device_interrupt(device);
    CHECK(device->polled && rounds_left == 3); /* nothing by the interrupt handler */
    for (unsigned left = 2; left > 0; left--) {
        interfaces_poll();
        CHECK_EQUAL(rounds_left, left);
        CHECK(device->polled);
    }
    interfaces_poll();
    CHECK(!device->polled && rounds_left == 0);
    host_advance(20 * NS_PER_MS);
    wire_inject(frame, sizeof(frame));
    CHECK(!device->crowded);
    rounds_left = 1;
    network_device_interrupt(device);
    CHECK(!device->polled && rounds_left == 0);
    device->receive_round = NULL;
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    listener = stack_listener(4000);
    stack_set(listener, OPTION_SOCKET, OPTION_RECEIVE_BUFFER, (int)(WINDOW / 2));
    host_test("a segment costs the same however many holes there are", holes_cost_the_same);
    host_test("pieces in any order", pieces_in_any_order);
    host_test("far pieces make room for near ones", far_pieces_make_room);
    host_test("shut windows keep nobody out", shut_windows_keep_nobody_out);
    host_test("peers without FIN are limited", orphans_are_limited);
    host_test("idle connections are small", idle_connections_are_small);
    host_test("lost cookies come again", lost_cookies_come_again);
    host_test("a cookie outlives a second answer", a_cookie_outlives_a_second_answer);
    host_test("a small backlog under a flood", a_small_backlog_under_a_flood);
    host_test("fragments are fair", fragments_are_fair);
    host_test("neighbours in use are kept", neighbours_in_use_are_kept);
    host_test("reception leaves time to others", reception_leaves_time);
    return host_result();
}
