/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the stack recovers from losses and helps its peer to, segment by segment, on a virtual clock: RACK-TLP
 * (RFC 8985), proportional rate reduction (RFC 6937), taking recoveries back (RFC 4015), D-SACK (RFC 2883), and what
 * all that costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "net/tcp_private.h"
#include "net/wire.h"

#define MSS_MAXIMUM 1460u
#define RTT (100 * NS_PER_MS)

static const uint8_t syn_sack[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 1, 1 }; /* and window scale 7 */
/* MSS 1460, SACK, timestamps, window scale 7. */
static const uint8_t syn_all[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7 };
static const uint8_t syn_mss[4] = { 2, 4, 5, 0xb4 };

static struct file *listener, *file;
static struct hand hand;
static struct hand_segment got;
static uint32_t mss;        /* bytes in a full segment */
static uint32_t base;       /* the stack's first sequence number */
static uint32_t stamp_sent; /* timestamp of the last segment that sent() took */

/* ---- What the peer says ------------------------------------------------------------------------------------- */

static struct tcp *connection(void) { return tcp_socket_of(socket_of(file))->connection; }

/* Acknowledges `segments` of the stream's segments, and reports ranges of them: pairs, up to three, ended by -1. */
static void acknowledge(unsigned segments, const int *ranges)
{
    uint8_t options[40] = { 1, 1, 8, 10 };
    unsigned length = hand.timestamp != 0 ? 12 : 0, start = length;
    write_be32(options + 4, hand.timestamp);
    write_be32(options + 8, hand.echo);
    for (length += 4; ranges[0] >= 0; ranges += 2, length += 8) {
        write_be32(options + length, base + (uint32_t)ranges[0] * mss);
        write_be32(options + length + 4, base + (uint32_t)ranges[1] * mss);
    }
    memcpy(options + start, (uint8_t[]){ 1, 1, 5, (uint8_t)(length - start - 2) }, 4);
    hand.acknowledgement = base + segments * mss;
    hand_send_options(&hand, HAND_ACK, options, (uint8_t)(length > start + 4 ? length : start), 0);
}
#define ACKNOWLEDGE(segments, ...) acknowledge(segments, (int[]){ __VA_ARGS__ __VA_OPT__(, ) - 1 })

/* ---- What the stack says ------------------------------------------------------------------------------------ */

/* The number of the next segment that the stack sent; -1: none. All are full. */
static int sent(void)
{
    do
        if (!hand_receive(&got))
            return -1;
    while (got.port != hand.port);
    if (got.option_length >= 12)
        stamp_sent = read_be32(got.options + 4);
    if (got.length != mss || (got.sequence - base) % mss != 0)
        host_fail(__FILE__, __LINE__, "%u bytes at %u", got.length, got.sequence - base);
    return (int)((got.sequence - base) / mss);
}

/* It sent these numbers, in order, and no more. */
static bool sent_just(const int *numbers)
{
    int number;
    for (; *numbers >= 0; numbers++)
        if ((number = sent()) != *numbers) {
            host_fail(__FILE__, __LINE__, "segment %d instead of %d", number, *numbers);
            return false;
        }
    if ((number = sent()) < 0)
        return true;
    host_fail(__FILE__, __LINE__, "segment %d instead of none", number);
    return false;
}
#define SENT(...) sent_just((int[]){ __VA_ARGS__ __VA_OPT__(, ) - 1 })

static void end(void)
{
    hand.sequence = connection()->receive_next;
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    file = NULL;
    wire_drop_all();
}

static bool open_with(const uint8_t *options, uint8_t length)
{
    if (file != NULL)
        end(); /* a test that failed left it */
    if (!hand_open(&hand, listener, &file, options, length))
        return false;
    if (stack_set(file, OPTION_SOCKET, OPTION_SEND_BUFFER, 4 << 20) != 0)
        return false;
    hand.window = 60000;
    hand_send(&hand, HAND_ACK, 1); /* so that the window is news */
    hand.sequence++;
    base = hand.acknowledgement;
    mss = connection()->mss;
    uint8_t byte;
    return stack_receive(file, &byte, 1, 0) == 1 && hand_receive(&got) && hand_silent();
}

/* With timestamps: the peer's are those of its segments, the echo is set by each test. */
static bool open_all(void)
{
    if (!open_with(syn_all, sizeof(syn_all)))
        return false;
    hand.timestamp = 8;
    return true;
}

static bool open_sack(void) { return open_with(syn_sack, sizeof(syn_sack)); }

static bool write_segments(unsigned count)
{
    static uint8_t data[200 * MSS_MAXIMUM];
    pattern_fill(2, 0, data, count * mss);
    return stack_send(file, data, count * mss, MSG_DONTWAIT) == (ssize_type)(count * mss);
}

/* Ten segments have gone out, and a round trip was measured: `hand` has acknowledged the first two. */
static bool established_flow(bool timestamps)
{
    if (!(timestamps ? open_all() : open_sack()) || !write_segments(100))
        return false;
    if (!SENT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
        return false;
    hand.echo = stamp_sent;
    host_advance(RTT);
    ACKNOWLEDGE(2);
    return SENT(10, 11, 12, 13);
}

static void finish(void)
{
    end();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

/* ---- RACK --------------------------------------------------------------------------------------------------- */

static void three_segments_behind_a_hole_are_enough(void)
{
    CHECK(established_flow(false));
    ACKNOWLEDGE(2, 3, 4);
    CHECK(SENT(14)); /* limited transmit (RFC 3042) */
    ACKNOWLEDGE(2, 3, 5);
    CHECK(SENT(15));
    ACKNOWLEDGE(2, 3, 6);
    CHECK(SENT(2));
    finish();
}

static void a_hole_is_lost_when_its_time_is_over(void)
{
    CHECK(established_flow(false));
    ACKNOWLEDGE(2, 3, 4);
    CHECK(SENT(14));
    host_advance(RTT / 4 - NS_PER_MS); /* it may still only be late */
    CHECK(SENT());
    host_advance(2 * NS_PER_MS);
    CHECK(SENT(2));
    finish();
}

static void what_is_late_is_not_sent_again(void)
{
    CHECK(established_flow(false));
    ACKNOWLEDGE(2, 3, 4);
    CHECK(SENT(14));
    host_advance(RTT / 8);
    ACKNOWLEDGE(4);
    CHECK(sent() == 15);
    wire_drop_all();
    host_advance(RTT);
    CHECK_EQUAL(connection()->total_retransmits, 0);
    /* And having seen that, three segments after a hole are not enough. */
    ACKNOWLEDGE(4, 5, 8);
    int number;
    while ((number = sent()) >= 0)
        CHECK(number > 14);
    finish();
}

static void a_loss_of_what_was_sent_again_is_found(void)
{
    CHECK(established_flow(false));
    int news = 13;
    host_advance(RTT / 2);
    ACKNOWLEDGE(2, 3, 6);
    CHECK(sent() == 2);
    for (int end = 7; end <= 14; end++) { /* all that was sent before: it says nothing */
        for (int number; (number = sent()) >= 0; news = number)
            CHECK(number > 13);
        host_advance(RTT / 8);
        ACKNOWLEDGE(2, 3, end);
    }
    for (int number; (number = sent()) >= 0; news = number)
        CHECK(number > 13);
    CHECK(news > 13);
    ACKNOWLEDGE(2, 3, news + 1); /* sent after number 2 was sent again */
    CHECK(sent() == 2);
    CHECK_EQUAL(connection()->backoffs, 0); /* and not by the retransmission timer */
    finish();
}

static void several_holes_are_filled_in_order(void)
{
    CHECK(established_flow(false));
    ACKNOWLEDGE(2, 11, 14, 7, 9, 4, 5);
    int expected[] = { 2, 3, 5, 6, 9, 10 };
    unsigned found = 0;
    for (unsigned i = 0; i < 20 && found < array_size(expected); i++) {
        for (int number; (number = sent()) >= 0;)
            if (number < 14) {
                CHECK_EQUAL(number, expected[found]);
                CHECK(pattern_matches(2, (uint64_t)number * mss, got.data, mss));
                found++;
            }
        host_advance(RTT / 20);
        ACKNOWLEDGE(2, 11, 14 + (int)i, 7, 9, 4, 5);
    }
    CHECK_EQUAL(found, array_size(expected));
    finish();
}

static void a_timeout_sends_the_first_again(void)
{
    CHECK(established_flow(false));
    while (connection()->backoffs == 0) {
        wire_drop_all();
        host_advance(NS_PER_MS);
    }
    CHECK(SENT(2));
    CHECK_EQUAL(connection()->congestion.window, connection()->flight); /* that one and what may still arrive */
    ACKNOWLEDGE(14);
    CHECK_EQUAL(sent(), 14); /* which had probed the tail, and is lost with it */
    finish();
}

/* A peer that throws away what it reported (RFC 2018 8) still gets it. */
static void what_the_peer_gave_back_is_sent_again(void)
{
    CHECK(open_sack() && write_segments(10));
    wire_drop_all();
    host_advance(RTT);
    ACKNOWLEDGE(1, 2, 10);
    wire_drop_all();
    host_advance(RTT);
    ACKNOWLEDGE(2); /* and not up to 10 */
    unsigned seen = 0;
    for (unsigned i = 0; i < 100 && seen < 8; i++) {
        host_advance(200 * NS_PER_MS);
        for (int number; (number = sent()) >= 0;)
            if (number == 2 + (int)seen) {
                CHECK(pattern_matches(2, (uint64_t)number * mss, got.data, mss));
                ACKNOWLEDGE(2 + ++seen);
            }
    }
    CHECK_EQUAL(seen, 8);
    CHECK_EQUAL(connection()->flight + connection()->delivered, 0);
    finish();
}

/* Without SACK a partial acknowledgement says that the next segment is missing, too (RFC 6582). */
static void duplicates_do_for_sack(void)
{
    CHECK(open_with(syn_mss, sizeof(syn_mss)) && write_segments(20));
    CHECK(SENT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    host_advance(RTT);
    ACKNOWLEDGE(1);
    CHECK(SENT(10, 11));
    for (unsigned i = 0; i < 3; i++)
        ACKNOWLEDGE(1);
    int number = -1, last;
    while ((last = sent()) >= 0)
        number = last == 1 ? last : number;
    CHECK_EQUAL(number, 1);
    host_advance(RTT);
    ACKNOWLEDGE(5); /* number 5 is missing, too */
    CHECK_EQUAL(sent(), 5);
    finish();
}

/* ---- The tail ----------------------------------------------------------------------------------------------- */

/* Three segments, all lost; the peer is known to answer within RTT. */
static bool lost_tail(void)
{
    if (!open_sack() || !write_segments(2) || !SENT(0, 1))
        return false;
    host_advance(RTT);
    ACKNOWLEDGE(2);
    return write_segments(3) && SENT(2, 3, 4);
}

static void the_tail_is_probed(void)
{
    CHECK(lost_tail());
    host_advance(2 * RTT);
    CHECK(SENT());
    host_advance(3 * NS_PER_MS);
    CHECK(SENT(4)); /* the last one again */
    host_advance(RTT);
    ACKNOWLEDGE(2, 4, 5);
    CHECK(SENT(2)); /* which showed that the others were lost */
    ACKNOWLEDGE(3, 4, 5);
    CHECK(SENT(3));
    CHECK(!connection()->backoffs);
    finish();
}

static void the_tail_is_probed_with_news_if_there_are(void)
{
    CHECK(established_flow(false));
    host_advance(2 * RTT + 3 * NS_PER_MS);
    CHECK(SENT(14));
    finish();
}

/* A probe that repaired a loss lowers the rate; one that was not needed does not. */
static void a_repaired_tail_counts_as_loss(void)
{
    for (unsigned needed = 0; needed < 2; needed++) {
        CHECK(lost_tail());
        uint32_t window = connection()->congestion.window;
        host_advance(2 * RTT + 3 * NS_PER_MS);
        CHECK(SENT(4));
        ACKNOWLEDGE(5);
        if (needed == 0)
            ACKNOWLEDGE(5, 4, 5); /* it was a duplicate */
        CHECK(write_segments(1) && SENT(5));
        host_advance(RTT / 2);
        ACKNOWLEDGE(6);
        CHECK_EQUAL(connection()->congestion.window < window, needed);
        finish();
    }
}

/* ---- The rate ----------------------------------------------------------------------------------------------- */

/* In a recovery about seven segments go out for ten that arrive, spread over the round trip (RFC 6937). */
static void the_rate_is_reduced_in_proportion(void)
{
    CHECK(open_sack() && write_segments(120));
    wire_drop_all();
    for (unsigned i = 10; i <= 30; i += 10) {
        host_advance(RTT);
        ACKNOWLEDGE(i);
        wire_drop_all();
    }
    int next = (int)((connection()->send_next - base) / mss), behind = next - 30;
    CHECK(behind >= 20);
    host_advance(RTT);
    unsigned count = 0, most = 0;
    for (int end = 32; end <= next; end++) {
        unsigned now = 0;
        ACKNOWLEDGE(30, 31, end);
        while (sent() >= 0)
            now++;
        count += now;
        most = max_of(most, now);
    }
    CHECK(most <= 2);
    CHECK((int)count >= behind * 6 / 10 && (int)count <= behind * 8 / 10 + 3);
    finish();
}

/* ---- Taking it back ----------------------------------------------------------------------------------------- */

static void a_late_original_takes_a_recovery_back(void)
{
    CHECK(established_flow(true));
    uint32_t window = connection()->congestion.window, threshold = connection()->congestion.slow_start_threshold;
    hand.echo = stamp_sent;
    host_advance(RTT / 2);
    ACKNOWLEDGE(2, 3, 6);
    CHECK(sent() == 2);
    CHECK(connection()->congestion.slow_start_threshold < threshold);
    wire_drop_all();
    host_advance(NS_PER_MS);
    ACKNOWLEDGE(6); /* its echo is of what was sent first */
    CHECK(connection()->recovery == TCP_OPEN);
    CHECK(connection()->congestion.window >= window);
    CHECK_EQUAL(connection()->congestion.slow_start_threshold, threshold);
    finish();
}

static void a_late_original_takes_a_timeout_back(void)
{
    CHECK(established_flow(true));
    uint32_t threshold = connection()->congestion.slow_start_threshold;
    hand.echo = stamp_sent;
    for (unsigned i = 0; i < 100 && connection()->backoffs == 0; i++)
        host_advance(10 * NS_PER_MS);
    CHECK(connection()->recovery == TCP_LOSS);
    CHECK(connection()->congestion.slow_start_threshold < threshold);
    wire_drop_all();
    ACKNOWLEDGE(3);
    CHECK(connection()->recovery == TCP_OPEN);
    CHECK_EQUAL(connection()->congestion.slow_start_threshold, threshold);
    finish();
}

static void a_real_loss_is_not_taken_back(void)
{
    CHECK(established_flow(true));
    uint32_t threshold = connection()->congestion.slow_start_threshold;
    host_advance(RTT / 2);
    ACKNOWLEDGE(2, 3, 6);
    CHECK(sent() == 2);
    hand.echo = stamp_sent; /* of what was sent again */
    wire_drop_all();
    host_advance(RTT);
    ACKNOWLEDGE(6);
    CHECK(connection()->congestion.slow_start_threshold < threshold);
    finish();
}

static void reported_duplicates_take_a_recovery_back(void)
{
    CHECK(established_flow(false));
    uint32_t threshold = connection()->congestion.slow_start_threshold;
    ACKNOWLEDGE(2, 3, 6);
    CHECK(sent() == 2);
    wire_drop_all();
    host_advance(NS_PER_MS);
    ACKNOWLEDGE(14);
    CHECK(connection()->congestion.slow_start_threshold < threshold);
    host_advance(RTT);
    ACKNOWLEDGE(14, 2, 3);
    CHECK_EQUAL(connection()->congestion.slow_start_threshold, threshold);
    CHECK_EQUAL(connection()->rack.steps, 2);
    finish();
}

/* ---- For the peer's sake ------------------------------------------------------------------------------------ */

static bool block_is(unsigned n, uint32_t start, uint32_t end)
{
    return got.option_length >= 12 + 8 * n && read_be32(got.options + 4 + 8 * n) == start &&
           read_be32(got.options + 8 + 8 * n) == end;
}

static void duplicates_are_reported(void)
{
    CHECK(open_sack());
    uint32_t start = hand.sequence;
    hand_send(&hand, HAND_ACK, 1000);
    wire_drop_all();
    hand_send(&hand, HAND_ACK, 1000); /* all of it again */
    CHECK(hand_receive(&got) && got.option_length == 12 && block_is(0, start, start + 1000));
    hand_send(&hand, HAND_ACK, 1400); /* a part */
    CHECK(hand_receive(&got) && got.acknowledgement == start + 1400 && block_is(0, start, start + 1000));
    struct hand ahead = hand;
    ahead.sequence = start + 2000;
    hand_send(&ahead, HAND_ACK, 1000);
    CHECK(hand_receive(&got) && got.option_length == 12 && block_is(0, start + 2000, start + 3000));
    ahead.sequence = start + 2200;
    hand_send(&ahead, HAND_ACK, 100); /* of what waits for a hole */
    CHECK(hand_receive(&got) && got.option_length == 20);
    CHECK(block_is(0, start + 2200, start + 2300) && block_is(1, start + 2000, start + 3000));
    hand.sequence = start + 1400;
    hand_send(&hand, HAND_ACK, 600); /* once only */
    CHECK(hand_receive(&got) && got.acknowledgement == start + 3000 && got.option_length == 0);
    hand.sequence = start + 3000;
    finish();
}

/* After a hole the peer's window is small: each segment is acknowledged at once for a while, then every second one. */
static void acknowledgements_are_quick_after_a_hole(void)
{
    CHECK(open_sack());
    CHECK_EQUAL(stack_set(file, OPTION_TCP, 12, 0), 0); /* past the quick ones of the start */
    hand.sequence += 100;
    hand_send(&hand, HAND_ACK, 1000);
    hand.sequence -= 100;
    hand_send(&hand, HAND_ACK, 100);
    hand.sequence += 1100;
    wire_drop_all();
    unsigned quick = 0, all = 0;
    for (unsigned i = 0; i < 200; i++) {
        static uint8_t data[1000];
        hand_send(&hand, HAND_ACK, 1000);
        hand.sequence += 1000;
        bool answered = hand_receive(&got);
        all += answered;
        quick += answered && all == i + 1;
        (void)stack_receive(file, data, sizeof(data), MSG_DONTWAIT);
    }
    CHECK(quick >= 50 && quick <= 70);
    CHECK(all < 150);
    wire_drop_all();
    finish();
}

/* ---- What it costs ------------------------------------------------------------------------------------------ */

static int in_flight; /* segments */

static void report_one(void) { ACKNOWLEDGE(0, in_flight / 2, in_flight / 2 + 1); }
static void report_other(void) { ACKNOWLEDGE(0, in_flight / 2 + 2, in_flight / 2 + 3); }
static void report_much(void) { ACKNOWLEDGE(0, 1, in_flight - 1); }

/* The cost of a first report, of another, and of one that repeats nearly everything. */
static bool cost_of_reports(unsigned segments, uint64_t cost[3])
{
    if (!open_sack())
        return false;
    connection()->congestion.window = 2 * segments * mss;
    for (unsigned i = 0; i < segments; i += 100)
        if (!write_segments(100))
            return false;
    wire_drop_all();
    in_flight = (int)segments;
    if (connection()->flight + mss <= segments * mss)
        return false;
    cost[0] = host_steps(report_one);
    cost[1] = host_steps(report_other);
    report_much();
    wire_drop_all();
    cost[2] = host_steps(report_much);
    return true;
}

static void reports_cost_the_same_whatever_is_in_flight(void)
{
    uint64_t few[3], many[3];
    CHECK(cost_of_reports(100, few));
    finish();
    CHECK(cost_of_reports(2000, many));
    finish();
    for (unsigned i = 0; i < 3; i++) {
        printf("# %lu instructions with 100 segments in flight, %lu with 2000\n", (unsigned long)few[i],
               (unsigned long)many[i]);
        CHECK(many[i] < few[i] + few[i] / 2);
    }
}

/* Blocks of single bytes do not cut what is in flight to pieces. */
static void tiny_blocks_are_ignored(void)
{
    CHECK(open_sack() && write_segments(10));
    wire_drop_all();
    uint64_t before = net_memory_charged();
    for (uint32_t i = 0; i < 10 * mss - 1; i += 2) {
        uint8_t option[12] = { 1, 1, 5, 10 };
        write_be32(option + 4, base + i);
        write_be32(option + 8, base + i + 1);
        hand_send_options(&hand, HAND_ACK, option, 12, 0);
    }
    CHECK(net_memory_charged() <= before + 20 * sizeof(struct tcp_sent));
    CHECK_EQUAL(connection()->delivered, 0);
    finish();
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    listener = stack_listener(16);
    host_test("three segments after a hole are enough", three_segments_behind_a_hole_are_enough);
    host_test("a hole is lost when its time is over", a_hole_is_lost_when_its_time_is_over);
    host_test("what is late is not sent again", what_is_late_is_not_sent_again);
    host_test("a loss of what was sent again is found", a_loss_of_what_was_sent_again_is_found);
    host_test("several holes are filled in order", several_holes_are_filled_in_order);
    host_test("a timeout sends the first again", a_timeout_sends_the_first_again);
    host_test("what the peer gave back is sent again", what_the_peer_gave_back_is_sent_again);
    host_test("duplicates do for SACK", duplicates_do_for_sack);
    host_test("the tail is probed", the_tail_is_probed);
    host_test("the tail is probed with news if there are", the_tail_is_probed_with_news_if_there_are);
    host_test("a repaired tail counts as loss", a_repaired_tail_counts_as_loss);
    host_test("the rate is reduced in proportion", the_rate_is_reduced_in_proportion);
    host_test("a late original takes a recovery back", a_late_original_takes_a_recovery_back);
    host_test("a late original takes a timeout back", a_late_original_takes_a_timeout_back);
    host_test("a real loss is not taken back", a_real_loss_is_not_taken_back);
    host_test("reported duplicates take a recovery back", reported_duplicates_take_a_recovery_back);
    host_test("duplicates are reported", duplicates_are_reported);
    host_test("acknowledgements are quick after a hole", acknowledgements_are_quick_after_a_hole);
    host_test("reports cost the same whatever is in flight", reports_cost_the_same_whatever_is_in_flight);
    host_test("tiny blocks are ignored", tiny_blocks_are_ignored);
    return host_result();
}
