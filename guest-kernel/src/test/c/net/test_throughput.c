/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the stack sends and receives over lines with a delay, a rate, losses and reordering, on the virtual clock
 * and with a peer made by hand, so the same on every machine. What bench_lines.c compares with Linux, this compares
 * with what the line and the rules of congestion control allow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "net/tcp_private.h"
#include "net/wire.h"
#include "platform/platform.h"

#define MSS 1448u              /* with timestamps */
#define DELAY (25 * NS_PER_MS) /* each way */
#define RATE 6250000u          /* bytes a second */
#define QUEUE (50 * NS_PER_MS)
#define SEGMENTS (1u << 18)

/* MSS 1460, SACK, timestamps, window scale 7. */
static const uint8_t syn_all[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7 };

static struct line {
    uint64_t rate;           /* bytes a second */
    double loss, reordering; /* of what the sender sends */
} line;

static struct file *listener, *file;
static struct hand hand;
static uint8_t block[65536];

/* ---- The line ------------------------------------------------------------------------------------------------ */

struct arrival {
    struct list link;
    nanoseconds due;
    bool to_stack;
    uint32_t start, length;             /* of data */
    uint32_t stamp;                     /* its timestamp */
    uint8_t options[40], option_length; /* of acknowledgements to the stack */
    uint32_t acknowledgement;
    uint16_t window;
};
static struct list arrivals = LIST_INIT(arrivals);
static nanoseconds busy_until;
static uint64_t chance_state;

static double chance(void)
{
    chance_state = chance_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(chance_state >> 11) / 9007199254740992.0;
}

static void arrive_at(struct arrival arrival, nanoseconds due)
{
    struct arrival *copy = malloc(sizeof(*copy));
    *copy = arrival;
    copy->due = due;
    struct list *before = arrivals.prev;
    while (before != &arrivals && list_entry(before, struct arrival, link)->due > due)
        before = before->prev;
    list_insert_after(before, &copy->link);
}

/* Data sets out: it is lost, waits for its turn, and overtakes by not being delayed. */
static void send_data(struct arrival arrival)
{
    nanoseconds now = clock_monotonic(), start = max_of(now, busy_until);
    if (start - now > QUEUE || chance() < line.loss)
        return;
    busy_until = start + (arrival.length + 66) * NS_PER_SECOND / line.rate;
    arrive_at(arrival, busy_until + (chance() < line.reordering ? 0 : DELAY));
}

static bool next_arrival(struct arrival *out)
{
    struct arrival *first = list_entry(arrivals.next, struct arrival, link);
    if (list_empty(&arrivals) || first->due > clock_monotonic())
        return false;
    *out = *first;
    list_remove(&first->link);
    free(first);
    return true;
}

static void clear_line(void)
{
    while (!list_empty(&arrivals))
        free(list_entry(list_pop_front(&arrivals), struct arrival, link));
    busy_until = 0;
}

/* Moves the clock to what happens next, but not beyond `end`. */
static void go_on(nanoseconds end)
{
    nanoseconds next = min_of(end, host_next_timer());
    if (!list_empty(&arrivals))
        next = min_of(next, list_entry(arrivals.next, struct arrival, link)->due);
    nanoseconds now = clock_monotonic();
    host_advance(next > now ? next - now : 0);
}

static bool open_line(struct line kind)
{
    clear_line();
    chance_state = 1;
    line = kind;
    if (!hand_open(&hand, listener, &file, syn_all, sizeof(syn_all)))
        return false;
    stack_nonblocking(file);
    return true;
}

static void finish(void)
{
    wire_sent = NULL;
    clear_line();
    hand.sequence = tcp_socket_of(socket_of(file))->connection->receive_next;
    hand_send(&hand, HAND_RST, 0);
    file_put(file);
    wire_drop_all();
    CHECK_EQUAL(net_memory_charged(), 0);
    CHECK_EQUAL(host_pages_in_use(), 0);
}

/* ---- The stack sends ---------------------------------------------------------------------------------------- */

static struct receiver {
    uint32_t first;          /* sequence number of the stream's begin */
    uint32_t next;           /* segments received in order */
    uint32_t highest;        /* after the last one received */
    uint32_t unacknowledged; /* segments in order, not acknowledged yet */
    uint32_t stamp;          /* timestamp to echo */
    uint32_t sent, repeated; /* segments that the stack sent, and of those, again */
    uint8_t have[SEGMENTS];
} receiver;

static void stack_sent(const uint8_t *frame, uint32_t length)
{
    const uint8_t *tcp = frame + 34;
    uint32_t header = (tcp[12] >> 4) * 4u, total = read_be16(frame + 16) - 20u;
    (void)length;
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 6 || total == header)
        return;
    receiver.sent++;
    send_data((struct arrival){ .start = read_be32(tcp + 4), .length = total - header, .stamp = read_be32(tcp + 24) });
}

static uint32_t run_end(uint32_t at)
{
    while (at < receiver.highest && receiver.have[at])
        at++;
    return at;
}

static uint32_t run_start(uint32_t at)
{
    while (at > receiver.next && receiver.have[at - 1])
        at--;
    return at;
}

static uint8_t *put_block(uint8_t *p, uint32_t start, uint32_t end)
{
    write_be32(p, receiver.first + start * MSS);
    write_be32(p + 4, receiver.first + end * MSS);
    return p + 8;
}

/* Reports the run of the segment that came last, and the first of all; a duplicate first of all. */
static void acknowledge(uint32_t latest, bool duplicate)
{
    struct arrival ack = { .to_stack = true,
                           .acknowledgement = receiver.first + receiver.next * MSS,
                           .window = 65535,
                           .options = { 1, 1, 8, 10, 0, 0, 0, 7 } };
    write_be32(ack.options + 8, receiver.stamp);
    uint8_t *sack = ack.options + 12, *p = sack + 4;
    if (duplicate)
        p = put_block(p, latest, latest + 1);
    if (latest >= receiver.next)
        p = put_block(p, run_start(latest), run_end(latest));
    uint32_t first = receiver.next;
    while (first < receiver.highest && !receiver.have[first])
        first++;
    if (first < receiver.highest && first != run_start(latest))
        p = put_block(p, first, run_end(first));
    memcpy(sack, (uint8_t[]){ 1, 1, 5, (uint8_t)(p - sack - 2) }, 4);
    ack.option_length = (uint8_t)(p > sack + 4 ? p - ack.options : 12);
    receiver.unacknowledged = 0;
    arrive_at(ack, clock_monotonic() + DELAY);
}

static void data_arrived(const struct arrival *data)
{
    uint32_t at = (data->start - receiver.first) / MSS, before = receiver.next;
    bool duplicate = receiver.have[at], holes = receiver.highest > receiver.next;
    if (data->start == receiver.first + receiver.next * MSS)
        receiver.stamp = data->stamp;
    receiver.repeated += duplicate;
    receiver.have[at] = 1;
    receiver.highest = max_of(receiver.highest, at + 1);
    receiver.next = run_end(receiver.next);
    receiver.unacknowledged += receiver.next - before;
    if (duplicate || holes || receiver.next == before || receiver.unacknowledged >= 2)
        acknowledge(at, duplicate);
}

static void acknowledgement_arrived(const struct arrival *ack)
{
    struct hand answer = hand;
    answer.acknowledgement = ack->acknowledgement;
    answer.window = ack->window;
    hand_send_options(&answer, HAND_ACK, ack->options, ack->option_length, 0);
}

/* Bytes a second that arrive while the stack sends for `time` all it can. */
static uint64_t rate_of_sending(struct line kind, nanoseconds time)
{
    struct arrival arrival;
    if (!open_line(kind))
        return 0;
    memset(&receiver, 0, sizeof(receiver));
    receiver.first = hand.acknowledgement;
    wire_sent = stack_sent;
    for (nanoseconds end = clock_monotonic() + time; clock_monotonic() < end; go_on(end)) {
        wire_answer_arp();
        while (next_arrival(&arrival))
            (arrival.to_stack ? acknowledgement_arrived : data_arrived)(&arrival);
        while (stack_send(file, block, sizeof(block), MSG_DONTWAIT) > 0)
            ;
    }
    uint64_t rate = (uint64_t)receiver.next * MSS * NS_PER_SECOND / time;
    printf("# loss %g, reordering %g: %lu kB/s, %u segments sent, %u for nothing\n", kind.loss, kind.reordering,
           (unsigned long)(rate / 1000), receiver.sent, receiver.repeated);
    hand.acknowledgement = receiver.first + receiver.next * MSS;
    finish();
    return rate;
}

/* What Reno's rules give on this line with these losses: 1.22 / sqrt(p) segments in a round trip (RFC 3649 appendix A);
 * CUBIC must not give less (RFC 9438 4.3). */
static uint64_t reno(double root_of_loss) { return (uint64_t)(1.22 / root_of_loss * MSS / 0.05); }

static void an_undisturbed_line_is_filled(void)
{
    CHECK(rate_of_sending((struct line){ RATE, 0, 0 }, 10 * NS_PER_SECOND) > RATE * 9 / 10);
    CHECK_EQUAL(receiver.repeated, 0);
}

static void losses_cost_no_more_than_they_must(void)
{
    CHECK(rate_of_sending((struct line){ RATE, 0.01, 0 }, 60 * NS_PER_SECOND) > reno(0.1));
    CHECK(receiver.repeated <= receiver.sent / 1000);
    CHECK(rate_of_sending((struct line){ RATE, 0.05, 0 }, 60 * NS_PER_SECOND) > reno(0.2236) * 9 / 10);
    CHECK(receiver.repeated <= receiver.sent / 100);
}

/* Frames that overtake are no losses, once the stack has seen some. */
static void reordering_costs_nothing(void)
{
    CHECK(rate_of_sending((struct line){ RATE, 0, 0.01 }, 15 * NS_PER_SECOND) > RATE * 9 / 10);
    CHECK(receiver.repeated <= receiver.sent / 1000);
    CHECK(rate_of_sending((struct line){ RATE, 0.01, 0.01 }, 60 * NS_PER_SECOND) > reno(0.1));
    CHECK(rate_of_sending((struct line){ RATE, 0.05, 0.01 }, 60 * NS_PER_SECOND) > reno(0.2236) * 9 / 10);
}

/* ---- The stack receives ------------------------------------------------------------------------------------- */

/* A sender in slow start, without losses: only the stack's window and acknowledgements hold it back. */
static struct sender {
    uint32_t first;              /* sequence number of the stream's begin */
    uint32_t next, acknowledged; /* bytes */
    uint32_t window, edge;       /* bytes: of congestion; up to where the stack has room */
    uint32_t acknowledgements;
} sender;

static void stack_acknowledged(const uint8_t *frame, uint32_t length)
{
    const uint8_t *tcp = frame + 34;
    (void)length;
    if (read_be16(frame + 12) == 0x0800 && frame[23] == 6)
        arrive_at((struct arrival){ .acknowledgement = read_be32(tcp + 8), .window = read_be16(tcp + 14) },
                  clock_monotonic() + DELAY);
}

static void sender_acknowledged(const struct arrival *ack)
{
    uint32_t up_to = ack->acknowledgement - sender.first;
    sender.window += up_to - sender.acknowledged;
    sender.acknowledged = up_to;
    sender.edge = up_to + ((uint32_t)ack->window << tcp_receive_shift(0));
    sender.acknowledgements++;
}

static void sender_sends(void)
{
    uint32_t end = min_of(sender.acknowledged + sender.window, sender.edge);
    while (sender.next + MSS <= end && busy_until < clock_monotonic() + QUEUE / 2) {
        send_data((struct arrival){ .to_stack = true, .start = sender.first + sender.next, .length = MSS });
        sender.next += MSS;
    }
}

static void segment_arrived(const struct arrival *arrival)
{
    struct hand segment = hand;
    segment.sequence = arrival->start;
    hand_send(&segment, HAND_ACK, arrival->length);
}

/* Bytes a second that the sender gets rid of, while the program reads all it can. */
static uint64_t rate_of_receiving(uint64_t rate, nanoseconds time)
{
    struct arrival arrival;
    if (!open_line((struct line){ rate, 0, 0 }))
        return 0;
    sender = (struct sender){ .first = hand.sequence, .window = 10 * MSS, .edge = 65535 };
    wire_sent = stack_acknowledged;
    for (nanoseconds end = clock_monotonic() + time; clock_monotonic() < end; go_on(end)) {
        wire_answer_arp();
        while (next_arrival(&arrival))
            if (arrival.to_stack)
                segment_arrived(&arrival);
            else
                sender_acknowledged(&arrival);
        while (stack_receive(file, block, sizeof(block), MSG_DONTWAIT) > 0)
            ;
        sender_sends();
    }
    uint64_t reached = (uint64_t)sender.acknowledged * NS_PER_SECOND / time;
    printf("# received %lu of %lu kB/s, %u acknowledgements of %u segments\n", (unsigned long)(reached / 1000),
           (unsigned long)(rate / 1000), sender.acknowledgements, sender.acknowledged / MSS);
    finish();
    return reached;
}

/* Ten segments double in each round trip: after eight of them 2550 have arrived, if the window never held them back. It
 * may cost a round trip, not more. */
static void the_window_keeps_up_with_slow_start(void)
{
    CHECK(rate_of_receiving(40000000, 450 * NS_PER_MS) > 1270 * MSS * (NS_PER_SECOND / NS_PER_MS) / 450);
}

static void received_lines_are_filled(void)
{
    CHECK(rate_of_receiving(40000000, 5 * NS_PER_SECOND) > 40000000UL * 85 / 100);
    CHECK(sender.acknowledgements <= sender.acknowledged / MSS * 52 / 100); /* every second segment */
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    listener = stack_listener(16);
    host_test("an undisturbed line is filled", an_undisturbed_line_is_filled);
    host_test("losses cost no more than they must", losses_cost_no_more_than_they_must);
    host_test("reordering costs nothing", reordering_costs_nothing);
    host_test("the window keeps up with slow start", the_window_keeps_up_with_slow_start);
    host_test("a line from which the stack receives is filled", received_lines_are_filled);
    return host_result();
}
