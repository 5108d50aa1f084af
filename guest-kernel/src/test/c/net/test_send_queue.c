/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for its acknowledgement: short writes to an empty queue, which have their bytes in the record of the
 * queue, and those after them, which have pages. Whatever a segment is made of, and however often it is sent, it has
 * the bytes that were written.
 */
#include "net/wire.h"

#define SHORT 100u
#define LONG 3000u
#define MSS 1460u

static const char syn_mss[4] = { 2, 4, 5, (char)0xb4 };

static struct file *listener, *file;
static struct hand hand;
static struct hand_segment got;
static uint32_t base; /* the sequence number of the first byte that is written */

static bool open_connection(void)
{
    bool opened = hand_open(&hand, listener, &file, syn_mss, sizeof(syn_mss));
    base = hand.acknowledgement;
    return opened;
}

static bool write_bytes(uint32_t at, uint32_t length)
{
    uint8_t bytes[LONG];
    pattern_fill(1, at, bytes, length);
    return stack_send(file, bytes, length, MSG_DONTWAIT) == (ssize_type)length;
}

/* The next segment begins at byte `at` of what was written, and has `length` bytes of it. */
static bool comes(uint32_t at, uint32_t length)
{
    return hand_receive(&got) && got.sequence == base + at && got.length == length &&
           pattern_matches(1, at, got.data, length);
}

static void acknowledge(uint32_t up_to)
{
    hand.acknowledgement = base + up_to;
    hand_send(&hand, HAND_ACK, 0);
}

/* A byte, so that the window is news. */
static void shut_window(void)
{
    hand.window = 0;
    hand_send(&hand, HAND_ACK, 1);
    hand.sequence++;
    host_advance(NS_PER_SECOND);
    wire_drop_all();
}

static void end(void)
{
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    host_advance(300 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

static void a_short_answer_holds_little(void)
{
    CHECK(open_connection());
    uint64_t charged = net_memory_charged(), pages = host_pages_in_use();
    CHECK(write_bytes(0, SHORT));
    CHECK(comes(0, SHORT));
    CHECK(net_memory_charged() - charged < 4 * SHORT);
    CHECK_EQUAL(host_pages_in_use(), pages);
    acknowledge(SHORT);
    CHECK_EQUAL(net_memory_charged(), charged);
    end();
}

static void the_rest_of_a_short_answer_is_sent_again(void)
{
    CHECK(open_connection());
    CHECK(write_bytes(0, 1000));
    CHECK(comes(0, 1000));
    acknowledge(400);
    host_advance(2 * NS_PER_SECOND);
    CHECK(comes(400, 600));
    end();
}

/* Nothing fits the window at first; then a segment has bytes of both kinds, and so has its repetition. */
static void segments_span_both_kinds(void)
{
    CHECK(open_connection());
    shut_window();
    CHECK(write_bytes(0, SHORT));
    CHECK(write_bytes(SHORT, LONG));
    CHECK(hand_silent());
    hand.window = 60000;
    hand_send(&hand, HAND_ACK, 0);
    CHECK(comes(0, MSS));
    CHECK(comes(MSS, MSS));
    CHECK(comes(2 * MSS, SHORT + LONG - 2 * MSS));
    host_advance(2 * NS_PER_SECOND);
    CHECK(comes(0, MSS));
    end();
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    listener = stack_listener(4);
    host_test("a short answer holds no page", a_short_answer_holds_little);
    host_test("the rest of a short answer is sent again", the_rest_of_a_short_answer_is_sent_again);
    host_test("segments span a short write and pages", segments_span_both_kinds);
    return host_result();
}
