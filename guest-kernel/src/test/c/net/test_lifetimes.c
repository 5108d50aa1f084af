/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy to or from user memory may sleep, and other threads go on meanwhile: here they reset, reconnect and shut down
 * the connection whose bytes are being copied. AddressSanitizer watches that nothing of it is used that is gone.
 */
#include <string.h>

#include "lib/errno.h"
#include "net/wire.h"

#define SERVER_PORT 80

static const char syn_mss[4] = { 2, 4, 5, (char)0xb4 };

static struct file *file;
static struct hand hand;
static struct hand_segment got;
static uint8_t buffer[70000];
static int first_result, second_result;

static bool answer_syn(void)
{
    if (!hand_receive(&got) || got.flags != HAND_SYN)
        return false;
    hand.acknowledgement = got.sequence + 1;
    hand_send_options(&hand, HAND_SYN | HAND_ACK, syn_mss, sizeof(syn_mss), 0);
    hand.sequence++;
    return true;
}

/* A connection whose connect() has not been collected yet, so that another one may replace it. */
static bool open_outgoing(void)
{
    wire_drop_all();
    file = stack_socket(SOCK_STREAM);
    stack_nonblocking(file);
    if (stack_connect(file, WIRE_PEER, SERVER_PORT) != -EINPROGRESS)
        return false;
    hand = (struct hand){ .port = SERVER_PORT, .stack_port = stack_port(file), .sequence = 1000, .window = 65535 };
    bool answered = answer_syn();
    wire_drop_all();
    return answered;
}

static void end_test(void)
{
    file_put(file);
    host_advance(300 * NS_PER_SECOND);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

static ssize_type user_send(size_t length)
{
    struct transfer transfer;
    pattern_fill(2, 0, buffer, length);
    transfer_init_user(&transfer, (uintptr_t)buffer, length);
    struct socket_message message = { .data = &transfer };
    return socket_of(file)->operations->send(socket_of(file), &message);
}

static ssize_type user_receive(size_t length, unsigned flags)
{
    struct transfer transfer;
    transfer_init_user(&transfer, (uintptr_t)buffer, length);
    struct socket_message message = { .data = &transfer, .flags = flags };
    return socket_of(file)->operations->receive(socket_of(file), &message);
}

/* ---- What the other threads do ------------------------------------------------------------------------------ */

static void reconnect(void)
{
    host_user_access = NULL;
    hand_send(&hand, HAND_RST, 0);
    first_result = stack_connect(file, WIRE_PEER, SERVER_PORT); /* collects the error, lets go of the connection */
    second_result = stack_connect(file, WIRE_PEER, SERVER_PORT);
}

static void reset(void)
{
    host_user_access = NULL;
    hand_send(&hand, HAND_RST, 0);
}

static void shut_down_writing(void)
{
    host_user_access = NULL;
    first_result = stack_shutdown(file, SHUT_WR);
}

static void shut_down_reading(void)
{
    host_user_access = NULL;
    first_result = stack_shutdown(file, SHUT_RD);
}

/* ---- Tests -------------------------------------------------------------------------------------------------- */

static void send_two_segments(void)
{
    hand_send(&hand, HAND_ACK, 1400);
    hand.sequence += 1400;
    hand_send(&hand, HAND_ACK, 1400);
    hand.sequence += 1400;
}

static void reader_meets_reconnect(void)
{
    for (unsigned peek = 0; peek < 2; peek++) {
        CHECK(open_outgoing());
        send_two_segments();
        uint32_t first = hand.sequence - 2800;
        host_user_access = reconnect;
        CHECK_EQUAL(user_receive(sizeof(buffer), peek ? MSG_PEEK : 0), 2800);
        CHECK(pattern_matches(1, first, buffer, 2800));
        CHECK_EQUAL(first_result, -ECONNRESET);
        CHECK_EQUAL(second_result, -EINPROGRESS);
        wire_drop_all();
        CHECK_EQUAL(user_receive(sizeof(buffer), 0), -EAGAIN); /* the new connection has got nothing */
        end_test();
    }
}

static void reader_meets_shutdown_and_reset(void)
{
    CHECK(open_outgoing());
    CHECK_EQUAL(stack_connect(file, WIRE_PEER, SERVER_PORT), 0);
    send_two_segments();
    host_user_access = shut_down_reading;
    CHECK_EQUAL(user_receive(2000, 0), 2000);
    CHECK_EQUAL(first_result, 0);
    CHECK_EQUAL(user_receive(2000, 0), 800); /* what had come is still read, as on Linux */
    CHECK_EQUAL(user_receive(2000, 0), 0);
    end_test();
    CHECK(open_outgoing());
    send_two_segments();
    host_user_access = reset;
    CHECK_EQUAL(user_receive(2000, 0), 2000);
    end_test();
}

static void writer_meets_reconnect(void)
{
    CHECK(open_outgoing());
    CHECK_EQUAL(user_send(100), 100); /* leaves a page that is partly filled */
    host_user_access = reconnect;
    CHECK_EQUAL(user_send(30000), -EPIPE);
    CHECK_EQUAL(first_result, -ECONNRESET);
    CHECK_EQUAL(second_result, -EINPROGRESS);
    wire_drop_all();
    end_test();
}

static void writer_meets_reset_and_shutdown(void)
{
    CHECK(open_outgoing());
    host_user_access = reset;
    CHECK_EQUAL(user_send(30000), -ECONNRESET);
    end_test();
    CHECK(open_outgoing());
    CHECK_EQUAL(stack_connect(file, WIRE_PEER, SERVER_PORT), 0);
    host_user_access = shut_down_writing;
    CHECK_EQUAL(user_send(30000), -EPIPE);
    CHECK_EQUAL(first_result, 0);
    end_test();
}

/* The attempt that a writer waits for fails, and another thread takes note of that before the writer does. */
static bool attempt_fails(void)
{
    if (first_result != 0)
        return false;
    hand_receive(&got);
    hand.acknowledgement = got.sequence + 1;
    hand_send(&hand, HAND_RST | HAND_ACK, 0);
    first_result = stack_connect(file, WIRE_PEER, SERVER_PORT);
    return true;
}

static void writer_waits_for_a_connection_that_fails(void)
{
    first_result = 0;
    file = stack_socket(SOCK_STREAM);
    stack_nonblocking(file);
    CHECK_EQUAL(stack_connect(file, WIRE_PEER, SERVER_PORT), -EINPROGRESS);
    hand = (struct hand){ .port = SERVER_PORT, .stack_port = stack_port(file), .sequence = 1000, .window = 65535 };
    file->flags &= ~(unsigned)O_NONBLOCK;
    host_idle = attempt_fails;
    CHECK_EQUAL(user_send(100), -EPIPE);
    host_idle = NULL;
    CHECK_EQUAL(first_result, -ECONNREFUSED);
    end_test();
}

/* What send() says it took is a beginning of what it was given, wherever memory ends. */
static void no_gap_when_memory_ends(void)
{
    for (uint64_t n = 1; n < 40; n++) {
        CHECK(open_outgoing());
        host_fail_allocation(n);
        ssize_type sent = user_send(60000);
        host_fail_allocation(0);
        CHECK(sent > 0 || sent == -ENOBUFS);
        sent = max_of(sent, (ssize_type)0);
        pattern_fill(2, (uint64_t)sent, buffer, sizeof(buffer) - (size_t)sent);
        CHECK(stack_send(file, buffer, 1000, 0) == 1000);
        uint32_t start = hand.acknowledgement, end = start + (uint32_t)sent + 1000;
        for (unsigned i = 0; i < 1000 && hand.acknowledgement != end; i++) {
            while (hand_receive(&got)) {
                CHECK(pattern_matches(2, got.sequence - start, got.data, got.length));
                if (got.sequence == hand.acknowledgement)
                    hand.acknowledgement += got.length;
            }
            hand_send(&hand, HAND_ACK, 0);
            host_advance(50 * NS_PER_MS);
        }
        CHECK_EQUAL(hand.acknowledgement, end);
        hand_send(&hand, HAND_RST, 0);
        end_test();
    }
}

/* No one would send the reset again. */
static void reset_goes_out_without_memory(void)
{
    for (uint64_t n = 1; n < 4; n++) {
        CHECK(open_outgoing());
        hand_send(&hand, HAND_ACK, 100); /* not read: close() resets */
        wire_drop_all();
        host_fail_allocation(n);
        file_put(file);
        host_fail_allocation(0);
        CHECK(hand_receive(&got) && got.flags & HAND_RST && got.sequence == hand.acknowledgement);
        wire_drop_all();
        CHECK_EQUAL(net_memory_charged(), 0);
    }
}

/* The peer's last acknowledgement is lost, as if on the line, and the answer to its SYN is sent again. */
static void handshake_waits_for_memory(void)
{
    struct file *listener = stack_listener(16), *accepted;
    stack_nonblocking(listener);
    hand = (struct hand){ .port = 7000, .stack_port = stack_port(listener), .sequence = 1000, .window = 65535 };
    hand_send_options(&hand, HAND_SYN, syn_mss, sizeof(syn_mss), 0);
    hand.sequence++;
    CHECK(hand_receive(&got) && got.flags == (HAND_SYN | HAND_ACK));
    hand.acknowledgement = got.sequence + 1;
    host_fail_one_allocation(2); /* the first is the packet's */
    hand_send(&hand, HAND_ACK, 0);
    host_fail_allocation(0);
    CHECK_EQUAL(stack_accept(listener, &accepted), -EAGAIN);
    host_advance(2 * NS_PER_SECOND);
    CHECK(hand_receive(&got) && got.flags == (HAND_SYN | HAND_ACK) && got.sequence + 1 == hand.acknowledgement);
    hand_send(&hand, HAND_ACK, 0);
    CHECK_EQUAL(stack_accept(listener, &accepted), 0);
    file_put(accepted);
    hand_send(&hand, HAND_RST | HAND_ACK, 0);
    file = listener;
    end_test();
}

/* ---- A machine that goes on from a snapshot ------------------------------------------------------------------ */

static bool announced(void)
{
    const struct wire_frame *frame = wire_next();
    return frame && read_be16(frame->bytes + 12) == 0x0806 && read_be32(frame->bytes + 28) == WIRE_STACK &&
           read_be32(frame->bytes + 38) == WIRE_STACK;
}

static void restored_machine_has_no_old_connections(void)
{
    struct file *listener = stack_listener(5), *accepted, *inner;
    CHECK(hand_open(&hand, listener, &accepted, syn_mss, sizeof(syn_mss)));
    file = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_connect(file, 0x7f000001, stack_port(listener)), 0);
    CHECK_EQUAL(stack_accept(listener, &inner), 0);
    wire_drop_all();
    net_restored();
    CHECK(announced());
    CHECK(wire_next() == NULL); /* no word to the peer */
    CHECK_EQUAL(stack_receive(accepted, buffer, 1, 0), -ECONNRESET);
    CHECK_EQUAL(stack_send(file, "x", 1, 0), 1);
    CHECK_EQUAL(stack_receive(inner, buffer, sizeof(buffer), 0), 1);
    file_put(accepted);
    CHECK(hand_open(&hand, listener, &accepted, syn_mss, sizeof(syn_mss)));
    file_put(accepted);
    file_put(inner);
    file_put(listener);
    end_test();
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    host_test("a reader's connection is replaced while it copies", reader_meets_reconnect);
    host_test("a reader's connection is shut down or reset while it copies", reader_meets_shutdown_and_reset);
    host_test("a writer's connection is replaced while it copies", writer_meets_reconnect);
    host_test("a writer's connection is reset or shut down while it copies", writer_meets_reset_and_shutdown);
    host_test("a writer waits for a connection that fails", writer_waits_for_a_connection_that_fails);
    host_test("no gap in the stream when memory ends", no_gap_when_memory_ends);
    host_test("a reset goes out without memory", reset_goes_out_without_memory);
    host_test("a handshake waits for memory", handshake_waits_for_memory);
    host_test("a restored machine has no old connections", restored_machine_has_no_old_connections);
    return host_result();
}
