/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of TCP, segment by segment, on a virtual clock: what Linux never sends, and what takes minutes.
 *
 * The test is the peer: wire.h has its end of the line, and a hand for each connection. Each test ends its connection
 * and leaves no frames. Run by make test-net.
 */
#include <string.h>

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/wire.h"
#include "platform/platform.h"

static const char syn_mss_sack[8] = { 2, 4, 5, (char)0xb4, 4, 2, 1, 1 }; /* MSS 1460, SACK permitted */
static const char syn_mss[4] = { 2, 4, 5, (char)0xb4 };

static struct file *listener, *file;
static struct hand hand;
static struct hand_segment got;

static bool open_plain(void) { return hand_open(&hand, listener, &file, syn_mss, sizeof(syn_mss)); }
static bool open_sack(void) { return hand_open(&hand, listener, &file, syn_mss_sack, sizeof(syn_mss_sack)); }

/* Ends a test's connection without a trace. */
static void finish(void)
{
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    wire_drop_all();
}

static void write_pattern(size_t length)
{
    static uint8_t data[200000];
    pattern_fill(2, 0, data, length);
    if (stack_send(file, data, length, MSG_DONTWAIT) != (ssize_type)length)
        host_fail(__FILE__, __LINE__, "send of %zu", length);
}

static void handshake_options(void)
{
    wire_drop_all();
    static const uint8_t all[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7 };
    hand = (struct hand){ .port = 999, .stack_port = stack_port(listener), .sequence = 5, .window = 1000 };
    hand_send_options(&hand, HAND_SYN, all, sizeof(all), 0);
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.option_length, 24);
    CHECK(memcmp(got.options, "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x01\x08\x0a", 12) == 0);
    CHECK(memcmp(got.options + 16, "\0\0\0\x07\x01\x03\x03", 7) == 0);
    hand_send_options(&hand, HAND_SYN, all, sizeof(all), 0); /* ours was lost */
    uint32_t first = got.sequence;
    CHECK(hand_receive(&got) && got.sequence == first);
    host_advance(NS_PER_SECOND + NS_PER_MS); /* and again by itself */
    CHECK(hand_receive(&got) && got.sequence == first && got.flags == (HAND_SYN | HAND_ACK));
    hand.sequence++;
    hand_send(&hand, HAND_RST, 0);
    host_advance(10 * NS_PER_SECOND);
    CHECK(hand_silent());
}

static void blind_attacks(void)
{
    CHECK(open_plain());
    struct hand blind = hand;
    blind.sequence += 100;
    hand_send(&blind, HAND_RST, 0); /* in the window, not exact: challenged */
    CHECK(hand_receive(&got) && got.flags == HAND_ACK && got.acknowledgement == hand.sequence);
    host_advance(NS_PER_SECOND);
    hand_send(&blind, HAND_SYN, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_ACK && got.acknowledgement == hand.sequence);
    host_advance(NS_PER_SECOND);
    blind = hand;
    blind.acknowledgement += 1000; /* acknowledges what was never sent */
    hand_send(&blind, HAND_ACK, 10);
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence);
    blind.sequence += 200000;
    hand_send(&blind, HAND_RST, 0); /* outside: ignored */
    CHECK(hand_silent());
    for (unsigned i = 0; i < 100; i++)
        hand_send(&blind, HAND_SYN, 0);
    CHECK(hand_silent()); /* the limit holds */
    blind.sequence = hand.sequence + 0x40000000;
    for (unsigned i = 0; i < 100; i++)
        hand_send(&blind, HAND_ACK, 10);
    CHECK(hand_silent()); /* for data that nobody sent before, too */
    blind.sequence = hand.sequence - 10;
    for (unsigned i = 0; i < 10; i++) {
        hand_send(&blind, HAND_ACK, 10); /* sent again: each is acknowledged */
        CHECK(hand_receive(&got) && got.flags == HAND_ACK && got.acknowledgement == hand.sequence);
    }
    uint8_t byte;
    CHECK_EQUAL(stack_receive(file, &byte, 1, MSG_DONTWAIT), -EAGAIN);
    hand_send(&hand, HAND_RST, 0);
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), -ECONNRESET);
    file_put(file);
}

static void strangers_are_refused(void)
{
    wire_drop_all();
    hand = (struct hand){ .port = 7, .stack_port = 9, .sequence = 77, .acknowledgement = 1234 };
    hand_send(&hand, HAND_ACK, 5);
    CHECK(hand_receive(&got) && got.flags == HAND_RST && got.sequence == 1234);
    hand_send(&hand, HAND_SYN, 0);
    CHECK(hand_receive(&got) && got.flags == (HAND_RST | HAND_ACK) && got.acknowledgement == 78);
    hand_send(&hand, HAND_RST, 0);
    CHECK(hand_silent());
    hand.stack_port = stack_port(listener);
    hand_send(&hand, HAND_ACK, 0); /* no cookie of ours */
    CHECK(hand_receive(&got) && got.flags == HAND_RST);
}

/* How long the stack is silent; a segment that never comes is one after two minutes. */
static nanoseconds silence(void)
{
    nanoseconds start = clock_monotonic();
    while (!hand_receive(&got) && clock_monotonic() - start < 120 * NS_PER_SECOND)
        host_advance(10 * NS_PER_MS);
    return clock_monotonic() - start;
}

static void retransmission_backs_off(void)
{
    CHECK(open_plain());
    write_pattern(100);
    CHECK(hand_receive(&got) && got.length == 100);
    nanoseconds expected = NS_PER_SECOND;
    for (unsigned i = 0; i < 15; i++) {
        nanoseconds waited = silence();
        CHECK_EQUAL(waited / (20 * NS_PER_MS), expected / (20 * NS_PER_MS));
        CHECK_EQUAL(got.length, 100);
        expected = min_of(2 * expected, 60 * NS_PER_SECOND);
    }
    host_advance(70 * NS_PER_SECOND);
    uint8_t byte;
    CHECK_EQUAL(stack_receive(file, &byte, 1, MSG_DONTWAIT), -ETIMEDOUT);
    finish();
}

static void sack_block(uint8_t *option, uint32_t start, uint32_t end)
{
    option[0] = option[1] = 1;
    option[2] = 5;
    option[3] = 10;
    write_be32(option + 4, start);
    write_be32(option + 8, end);
}

static void fast_retransmit_by_sack(void)
{
    CHECK(open_sack());
    uint8_t option[12];
    uint32_t base = hand.acknowledgement;
    write_pattern(14600);
    unsigned segments = 0;
    while (hand_receive(&got))
        segments++;
    CHECK_EQUAL(segments, 10);
    for (unsigned i = 2; i <= 4; i++) { /* the first segment is lost */
        sack_block(option, base + 1460, base + 1460 * i);
        hand_send_options(&hand, HAND_ACK, option, 12, 0);
    }
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.sequence, base);
    CHECK_EQUAL(got.length, 1460);
    CHECK(hand_silent());
    hand.acknowledgement = base + 14600;
    hand_send(&hand, HAND_ACK, 0);
    host_advance(5 * NS_PER_SECOND);
    CHECK(hand_silent());
    finish();
}

static void fast_retransmit_by_duplicates(void)
{
    CHECK(open_plain());
    uint32_t base = hand.acknowledgement;
    write_pattern(14600);
    while (hand_receive(&got))
        ;
    hand.acknowledgement = base + 1460;
    for (unsigned i = 0; i < 4; i++)
        hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.sequence, base + 1460);
    hand.acknowledgement = base + 2920; /* another hole after it */
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.sequence, base + 2920);
    finish();
}

static void zero_window_is_probed(void)
{
    CHECK(open_plain());
    hand.window = 0;
    hand_send(&hand, HAND_ACK, 1); /* a byte, so that the window is news */
    hand.sequence++;
    host_advance(NS_PER_SECOND);
    wire_drop_all();
    write_pattern(500);
    CHECK(hand_silent());
    for (unsigned i = 0; i < 5; i++) {
        CHECK(silence() < 20 * NS_PER_SECOND);
        hand_send(&hand, HAND_ACK, 0); /* still closed */
        wire_drop_all();
    }
    hand.window = 5000;
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.length, 500);
    CHECK(pattern_matches(2, 0, got.data, 500));
    finish();
}

static void keep_alive_finds_the_dead(void)
{
    CHECK(open_plain());
    CHECK_EQUAL(stack_set(file, OPTION_SOCKET, OPTION_KEEP_ALIVE, 1), 0);
    CHECK_EQUAL(stack_set(file, OPTION_TCP, 4, 30), 0);
    CHECK_EQUAL(stack_set(file, OPTION_TCP, 5, 5), 0);
    CHECK_EQUAL(stack_set(file, OPTION_TCP, 6, 3), 0);
    host_advance(29 * NS_PER_SECOND);
    CHECK(hand_silent());
    host_advance(2 * NS_PER_SECOND);
    CHECK(hand_receive(&got) && got.length == 0 && got.sequence == hand.acknowledgement - 1);
    hand_send(&hand, HAND_ACK, 0); /* alive: the row starts again */
    host_advance(29 * NS_PER_SECOND);
    CHECK(hand_silent());
    for (unsigned i = 0; i < 3; i++) {
        host_advance(5 * NS_PER_SECOND + 100 * NS_PER_MS);
        CHECK(hand_receive(&got) && got.length == 0);
    }
    host_advance(6 * NS_PER_SECOND);
    CHECK(hand_receive(&got) && got.flags & HAND_RST);
    uint8_t byte;
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), -ETIMEDOUT);
    file_put(file);
}

static void acknowledgements_are_delayed(void)
{
    CHECK(open_plain());
    CHECK_EQUAL(stack_set(file, OPTION_TCP, 12, 0), 0); /* past the quick ones of the start */
    hand_send(&hand, HAND_ACK | HAND_PSH, 100);
    hand.sequence += 100;
    CHECK(hand_silent());
    host_advance(41 * NS_PER_MS);
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence);
    hand_send(&hand, HAND_ACK, 1460);
    hand.sequence += 1460;
    CHECK(hand_silent());
    hand_send(&hand, HAND_ACK, 1460); /* every second segment at once */
    hand.sequence += 1460;
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence);
    hand_send(&hand, HAND_ACK, 1);
    hand.sequence++;
    write_pattern(10); /* data carries it */
    CHECK(hand_receive(&got) && got.length == 10 && got.acknowledgement == hand.sequence);
    host_advance(100 * NS_PER_MS);
    CHECK(hand_silent());
    finish();
}

static void nagle(void)
{
    CHECK(open_plain());
    write_pattern(10);
    CHECK(hand_receive(&got) && got.length == 10);
    write_pattern(20);
    CHECK(hand_silent()); /* waits for the acknowledgement ... */
    hand.acknowledgement += 10;
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got) && got.length == 20);
    write_pattern(30);
    CHECK(hand_silent());
    CHECK_EQUAL(stack_set(file, OPTION_TCP, OPTION_NO_DELAY, 1), 0);
    CHECK(hand_receive(&got) && got.length == 30); /* ... or for nobody */
    finish();
}

static void out_of_order_is_reported(void)
{
    CHECK(open_sack());
    struct hand late = hand;
    late.sequence += 1000;
    hand_send(&late, HAND_ACK, 500);
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence);
    CHECK_EQUAL(got.option_length, 12);
    CHECK_EQUAL(read_be32(got.options + 4), late.sequence);
    CHECK_EQUAL(read_be32(got.options + 8), late.sequence + 500);
    late.sequence += 1000;
    hand_send(&late, HAND_ACK, 500);
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.option_length, 20);
    CHECK_EQUAL(read_be32(got.options + 4), late.sequence); /* the newest first */
    late.sequence = hand.sequence + 900;                    /* overlaps */
    hand_send(&late, HAND_ACK, 1200);
    hand_send(&hand, HAND_ACK, 950);
    wire_drop_all();
    static uint8_t data[3000];
    uint32_t first = hand.sequence;
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), 0), 2500);
    CHECK(pattern_matches(1, first, data, 2500));
    hand.sequence += 2500;
    finish();
}

/* A connection with timestamps, of which the peer's first is 100. */
static void open_with_timestamps(void)
{
    static const uint8_t options[16] = { 2, 4, 5, 0xb4, 8, 10, 0, 0, 0, 100, 0, 0, 0, 0, 1, 1 };
    wire_drop_all();
    hand = (struct hand){
        .port = 31000, .stack_port = stack_port(listener), .sequence = 1000, .window = 65535, .timestamp = 100
    };
    hand_send_options(&hand, HAND_SYN, options, sizeof(options), 0);
    CHECK(hand_receive(&got));
    hand.sequence++;
    hand.acknowledgement = got.sequence + 1;
    hand.echo = read_be32(got.options + 8);
    hand_send(&hand, HAND_ACK, 0);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
}

static void old_timestamps_are_refused(void)
{
    uint8_t byte[10];
    open_with_timestamps();
    hand.timestamp = 50;
    hand_send(&hand, HAND_ACK, 10);
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence);
    CHECK_EQUAL(stack_receive(file, byte, 10, MSG_DONTWAIT), -EAGAIN);
    hand.timestamp = 101;
    hand_send(&hand, HAND_ACK, 10);
    hand.sequence += 10;
    CHECK_EQUAL(stack_receive(file, byte, 10, MSG_DONTWAIT), 10);
    finish();
}

static void path_mtu_shrinks(void)
{
    CHECK(open_plain());
    write_pattern(1460);
    CHECK(hand_receive(&got) && got.length == 1460);
    uint8_t icmp[36] = { 3, 4 };
    write_be16(icmp + 6, 1000);
    icmp[8] = 0x45;
    write_be16(icmp + 10, 1500);
    icmp[17] = 6;
    write_be32(icmp + 20, WIRE_STACK);
    write_be32(icmp + 24, WIRE_PEER);
    write_be16(icmp + 28, hand.stack_port);
    write_be16(icmp + 30, hand.port);
    write_be32(icmp + 32, got.sequence + 5000); /* about nothing in flight: not believed */
    write_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, sizeof(icmp))));
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, sizeof(icmp));
    CHECK(hand_silent());
    write_be32(icmp + 32, got.sequence);
    write_be16(icmp + 2, 0);
    write_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, sizeof(icmp))));
    wire_inject_ip(WIRE_PEER, WIRE_STACK, 1, 0, 0, icmp, sizeof(icmp));
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.length, 960);
    finish();
}

static void orderly_end_and_time_wait(void)
{
    CHECK(open_plain());
    struct hand_segment fin;
    file_put(file);
    CHECK(hand_receive(&fin) && fin.flags & HAND_FIN && fin.sequence == hand.acknowledgement);
    hand.acknowledgement++;
    hand_send(&hand, HAND_ACK, 0);
    hand_send(&hand, HAND_ACK | HAND_FIN, 0);
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence + 1);
    hand_send(&hand, HAND_ACK | HAND_FIN, 0); /* our ACK was lost */
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence + 1);
    struct hand again = hand;
    again.sequence += 100000;
    hand_send_options(&again, HAND_SYN, syn_mss, sizeof(syn_mss), 0); /* provably new */
    CHECK(hand_receive(&got) && got.flags == (HAND_SYN | HAND_ACK) && got.acknowledgement == again.sequence + 1);
    again.sequence++;
    hand_send(&again, HAND_RST, 0);
    host_advance(100 * NS_PER_SECOND);
    CHECK(hand_silent());
}

/* The program closes the connection, then the peer, whose FIN `hand` can send again. */
static void enter_time_wait(void)
{
    file_put(file);
    CHECK(hand_receive(&got) && got.flags & HAND_FIN);
    hand.acknowledgement++;
    hand_send(&hand, HAND_ACK | HAND_FIN, 0);
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence + 1);
}

static void only_the_repeated_fin_prolongs_time_wait(void)
{
    CHECK(open_plain());
    enter_time_wait();
    host_advance(50 * NS_PER_SECOND);
    struct hand other = hand;
    for (unsigned i = 0; i < 10; i++) { /* who guesses is answered once in half a second, and changes nothing */
        other.sequence += 1000;
        hand_send(&other, HAND_ACK | HAND_FIN, 100);
    }
    CHECK(hand_receive(&got) && got.flags == HAND_ACK);
    CHECK(hand_silent());
    host_advance(9 * NS_PER_SECOND);
    hand_send(&hand, HAND_ACK | HAND_FIN, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_ACK);
    host_advance(59 * NS_PER_SECOND); /* were it not prolonged it would be over */
    hand_send(&hand, HAND_ACK | HAND_SYN, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_ACK);
    host_advance(2 * NS_PER_SECOND);
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_RST);
}

static void others_do_not_prolong_time_wait(void)
{
    CHECK(open_plain());
    enter_time_wait();
    host_advance(50 * NS_PER_SECOND);
    struct hand other = hand;
    other.sequence += 1000;
    hand_send(&other, HAND_ACK | HAND_FIN, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_ACK);
    host_advance(11 * NS_PER_SECOND);
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_RST);
}

static void time_wait_ends_for_every_peer(void)
{
    CHECK(open_plain());
    enter_time_wait();
    for (unsigned i = 0; i < 4; i++) {
        host_advance(47 * NS_PER_SECOND);
        hand_send(&hand, HAND_ACK | HAND_FIN, 0);
        CHECK(hand_receive(&got) && got.flags == HAND_ACK);
    }
    host_advance(14 * NS_PER_SECOND); /* the last one, after 188 s, was too late to prolong it */
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_RST);
}

/* RFC 6191: neither an old timestamp with a high sequence number, nor an equal one with a low one. */
static void only_a_newer_syn_ends_time_wait(void)
{
    open_with_timestamps();
    enter_time_wait();
    struct hand again = hand;
    again.sequence += 100000;
    again.timestamp = 99;
    hand_send(&again, HAND_SYN, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_ACK && got.acknowledgement == hand.sequence + 1);
    host_advance(NS_PER_SECOND);
    again.sequence = hand.sequence - 100000;
    again.timestamp = 100;
    hand_send(&again, HAND_SYN, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_ACK && got.acknowledgement == hand.sequence + 1);
    again.timestamp = 101;
    hand_send(&again, HAND_SYN, 0);
    CHECK(hand_receive(&got) && got.flags == (HAND_SYN | HAND_ACK) && got.acknowledgement == again.sequence + 1);
    again.sequence++;
    hand_send(&again, HAND_RST, 0);
    host_advance(100 * NS_PER_SECOND);
    CHECK(hand_silent());
}

static void half_close(void)
{
    CHECK(open_plain());
    uint8_t data[100];
    hand_send(&hand, HAND_ACK | HAND_FIN, 50);
    hand.sequence += 51;
    CHECK(stack_poll(file) & POLLRDHUP);
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), 0), 50);
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), 0), 0);
    wire_drop_all();
    write_pattern(100); /* the other way is open */
    CHECK(hand_receive(&got) && got.length == 100 && got.acknowledgement == hand.sequence);
    hand.acknowledgement += 100;
    hand_send(&hand, HAND_ACK, 0);
    file_put(file);
    CHECK(hand_receive(&got) && got.flags & HAND_FIN);
    hand.acknowledgement++;
    hand_send(&hand, HAND_ACK, 0);
    hand_send(&hand, HAND_ACK, 0); /* the connection is gone */
    CHECK(hand_receive(&got) && got.flags == HAND_RST);
}

static void orphans_do_not_stay(void)
{
    uint64_t before = host_heap_blocks();
    CHECK(open_plain());
    file_put(file);
    CHECK(hand_receive(&got) && got.flags & HAND_FIN);
    hand.acknowledgement++;
    hand_send(&hand, HAND_ACK, 0); /* and never a FIN */
    host_advance(61 * NS_PER_SECOND);
    hand_send(&hand, HAND_ACK, 0);
    CHECK(hand_receive(&got) && got.flags == HAND_RST);
    host_advance(61 * NS_PER_SECOND);
    CHECK_EQUAL(host_heap_blocks(), before);
}

/* A peer with a closed window that answers every probe does not keep a closed connection alive. */
static void orphans_do_not_wait_for_a_window(void)
{
    CHECK(open_plain());
    hand.window = 0;
    hand_send(&hand, HAND_ACK, 1);
    hand.sequence++;
    uint8_t byte;
    CHECK_EQUAL(stack_receive(file, &byte, 1, 0), 1);
    write_pattern(50000);
    file_put(file);
    bool reset = false;
    for (unsigned i = 0; i < 1300 && !reset; i++) {
        host_advance(100 * NS_PER_MS);
        while (hand_receive(&got)) {
            reset |= (got.flags & HAND_RST) != 0;
            if (!reset)
                hand_send(&hand, HAND_ACK, 0);
        }
    }
    CHECK(reset);
    CHECK_EQUAL(net_memory_charged(), 0);
}

/* A peer that sends single bytes far apart must not make the stack hold more than a share. */
static void memory_is_bounded(void)
{
    CHECK(open_plain());
    struct hand scattered = hand;
    for (unsigned i = 0; i < 30000; i++) {
        scattered.sequence = hand.sequence + 2 * (i % 30000) + 2;
        hand_send(&scattered, HAND_ACK, 1);
        if (i % 1000 == 0)
            wire_drop_all();
    }
    CHECK(net_memory_charged() < 512 * 1024);
    wire_drop_all();
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    CHECK_EQUAL(net_memory_charged(), 0);
}

/* Numbers of linux/tcp.h. */
enum { CORK = 3, SYN_COUNT = 7, LINGER2 = 8, WINDOW_CLAMP = 10 };

static void corked_bytes_go_after_a_while(void)
{
    CHECK(open_plain());
    CHECK_EQUAL(stack_set(file, OPTION_TCP, CORK, 1), 0);
    write_pattern(100);
    host_advance(199 * NS_PER_MS);
    CHECK(hand_silent());
    host_advance(2 * NS_PER_MS);
    CHECK(hand_receive(&got));
    CHECK_EQUAL(got.length, 100);
    CHECK(pattern_matches(2, 0, got.data, 100));
    finish();
}

static void connecting_ends_after_as_many_tries_as_set(void)
{
    file = stack_socket(SOCK_STREAM);
    stack_nonblocking(file);
    CHECK_EQUAL(stack_set(file, OPTION_TCP, SYN_COUNT, 2), 0);
    CHECK_EQUAL(stack_connect(file, WIRE_PEER, 7777), -EINPROGRESS);
    unsigned tries = 0;
    for (unsigned second = 0; second < 60; second++, host_advance(NS_PER_SECOND))
        while (hand_receive(&got))
            tries += got.flags == HAND_SYN;
    CHECK_EQUAL(tries, 3);
    CHECK_EQUAL(stack_get(file, OPTION_SOCKET, OPTION_ERROR), ETIMEDOUT);
    file_put(file);
}

/* Closes, acknowledges that, waits, and says whether the peer's FIN is still expected then. */
static bool fin_is_awaited(int option, nanoseconds wait)
{
    if (!open_plain() || stack_set(file, OPTION_TCP, LINGER2, option) != 0)
        return false;
    file_put(file);
    if (!hand_receive(&got) || !(got.flags & HAND_FIN))
        return false;
    hand.acknowledgement = got.sequence + 1;
    hand_send(&hand, HAND_ACK, 0);
    host_advance(wait);
    hand_send(&hand, HAND_FIN | HAND_ACK, 0);
    bool awaited = hand_receive(&got) && got.flags == HAND_ACK;
    host_advance(300 * NS_PER_SECOND);
    wire_drop_all();
    return awaited;
}

static void closed_connections_wait_as_long_as_set(void)
{
    CHECK(fin_is_awaited(0, 50 * NS_PER_SECOND));
    CHECK(!fin_is_awaited(0, 61 * NS_PER_SECOND));
    CHECK(fin_is_awaited(5, 4 * NS_PER_SECOND));
    CHECK(!fin_is_awaited(5, 6 * NS_PER_SECOND));
    CHECK(!fin_is_awaited(-1, 0));
}

static void windows_are_clamped(void)
{
    struct file *clamped = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_set(clamped, OPTION_TCP, WINDOW_CLAMP, 2000), 0);
    CHECK_EQUAL(stack_listen(clamped, 4), 0);
    CHECK(hand_open(&hand, clamped, &file, syn_mss, sizeof(syn_mss)));
    hand_send(&hand, HAND_ACK, 1000);
    hand.sequence += 1000;
    CHECK(hand_receive(&got) && got.acknowledgement == hand.sequence);
    CHECK(got.window >= 1000 && got.window <= 2000);
    finish();
    file_put(clamped);
}

/* The pointer of these segments is 0, which as on Linux means their first byte. */
static void urgent_byte_comes_out_of_order(void)
{
    enum { URGENT = 0x20 };
    uint8_t data[16], byte;
    CHECK(open_plain());
    struct hand ahead = hand;
    ahead.sequence += 10;
    hand_send(&ahead, HAND_ACK | URGENT, 5);
    CHECK_EQUAL(stack_poll(file) & (POLLPRI | POLLIN), POLLPRI);
    CHECK_EQUAL(stack_receive(file, &byte, 1, MSG_OOB), 1);
    CHECK(pattern_matches(1, ahead.sequence, &byte, 1));
    hand_send(&ahead, HAND_ACK | URGENT, 5); /* again: no news */
    CHECK_EQUAL(stack_receive(file, &byte, 1, MSG_OOB), -EINVAL);
    hand_send(&hand, HAND_ACK, 10);
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), 0), 10); /* up to the mark */
    CHECK_EQUAL(stack_receive(file, data, sizeof(data), 0), 4);  /* and from after the byte */
    CHECK(pattern_matches(1, ahead.sequence + 1, data, 4));
    hand.sequence += 15;
    finish();
}

static void no_memory_is_survived(void)
{
    for (uint64_t n = 1; n < 60; n++) {
        uint8_t data[3000];
        struct file *accepted = NULL;
        stack_nonblocking(listener);
        host_fail_allocation(n);
        struct file *socket = stack_socket(SOCK_STREAM);
        if (socket != NULL) {
            (void)stack_connect(socket, IPV4_LOOPBACK, stack_port(listener));
            if (stack_accept(listener, &accepted) == 0) {
                (void)stack_send(socket, data, sizeof(data), MSG_DONTWAIT);
                (void)stack_receive(accepted, data, sizeof(data), MSG_DONTWAIT);
                file_put(accepted);
            }
            file_put(socket);
        }
        host_fail_allocation(0);
        while (stack_accept(listener, &accepted) == 0) /* what waits is not lost */
            file_put(accepted);
        listener->flags &= ~O_NONBLOCK;
        host_advance(300 * NS_PER_SECOND);
    }
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    listener = stack_listener(16);
    host_test("options of the handshake, its repetition", handshake_options);
    host_test("blind attacks are challenged, at a limit (RFC 5961)", blind_attacks);
    host_test("strangers are refused", strangers_are_refused);
    host_test("retransmission backs off and gives up (RFC 6298)", retransmission_backs_off);
    host_test("fast retransmit by SACK (RFC 6675)", fast_retransmit_by_sack);
    host_test("fast retransmit by duplicates (RFC 6582)", fast_retransmit_by_duplicates);
    host_test("a zero window is probed", zero_window_is_probed);
    host_test("keep-alive finds the dead", keep_alive_finds_the_dead);
    host_test("acknowledgements are delayed", acknowledgements_are_delayed);
    host_test("Nagle's algorithm and TCP_NODELAY", nagle);
    host_test("out of order: SACK blocks, overlaps", out_of_order_is_reported);
    host_test("old timestamps are refused (PAWS)", old_timestamps_are_refused);
    host_test("path MTU shrinks, lies are not believed", path_mtu_shrinks);
    host_test("orderly end, TIME-WAIT and its reuse", orderly_end_and_time_wait);
    host_test("only the peer's repeated FIN prolongs TIME-WAIT", only_the_repeated_fin_prolongs_time_wait);
    host_test("others do not prolong TIME-WAIT", others_do_not_prolong_time_wait);
    host_test("only a newer SYN ends TIME-WAIT (RFC 6191)", only_a_newer_syn_ends_time_wait);
    host_test("TIME-WAIT ends, however often the FIN is repeated", time_wait_ends_for_every_peer);
    host_test("half-close", half_close);
    host_test("orphans do not stay", orphans_do_not_stay);
    host_test("orphans do not wait for a window", orphans_do_not_wait_for_a_window);
    host_test("corked bytes go after a while", corked_bytes_go_after_a_while);
    host_test("connecting ends after TCP_SYNCNT tries", connecting_ends_after_as_many_tries_as_set);
    host_test("closed connections wait for TCP_LINGER2", closed_connections_wait_as_long_as_set);
    host_test("windows are clamped", windows_are_clamped);
    host_test("an urgent byte comes out of order", urgent_byte_comes_out_of_order);
    host_test("memory is bounded", memory_is_bounded);
    host_test("no memory is survived", no_memory_is_survived);
    return host_result();
}
