/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line between the stack under test and Linux (tap.h), or between two Linux. Frames come from a TAP device, or from
 * the stack's transmit(); travel() loses, doubles and delays them, and run_line() delivers what is due. There is one
 * thread: what Linux sends is taken, and what is due is delivered, in the idle hook, while the test sleeps. tap_seed()
 * chooses the sequence of chances.
 */
#define _GNU_SOURCE
#include "net/tap.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/packet.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "net/interface.h"
#include "net/linux_tap.h"
#include "platform/platform.h"

#define FRAME_LIMIT 70000
#define DELAY_LINE 8192
#define QUEUE_TIME (50 * NS_PER_MS) /* a line with a rate drops what would wait longer */

struct impairments tap_impairments;
bool tap_offload;
unsigned tap_largest, tap_largest_received;

struct delayed_frame {
    struct list link;
    nanoseconds due;
    bool to_linux;
    size_t length;
    uint8_t bytes[]; /* virtio_net_hdr and frame */
};
static struct list line = LIST_INIT(line);
static unsigned line_length;
static nanoseconds busy_until[2]; /* to the stack, and to Linux: the line's end of sending, if it has a rate */
static int tap = -1;
static int other_tap = -1; /* of the Linux in the stack's place, or -1 */
static int spaces[2];      /* name spaces: the other Linux's, and that one's */
static uint64_t chance_state = 88172645463325252ULL;
static struct network_device device;
static bool received_any;
static unsigned line_mtu = 1500;

/* ---- The wire ------------------------------------------------------------------------------------------------ */

static void deliver_to_stack(const uint8_t *bytes, size_t length)
{
    const struct tap_header *header = (const void *)bytes;
    bytes += sizeof(*header);
    length -= sizeof(*header);
    tap_largest_received = max_of(tap_largest_received, (unsigned)length);
    /* As netfront does it: pages, no linear part. */
    struct packet *packet = packet_allocate_paged(0);
    for (size_t at = 0; at < length; at += PAGE_SIZE) {
        size_t part = length - at < PAGE_SIZE ? length - at : PAGE_SIZE;
        struct page *page = page_allocate();
        memcpy(page_data(page), bytes + at, part);
        packet_add_fragment(packet, page, 0, (uint32_t)part);
        page_put(page);
    }
    if (header->flags & TAP_CHECKSUM_PARTIAL)
        packet->flags |= PACKET_CHECKSUM_PARTIAL;
    packet->segment_size = header->segment_size;
    device.received_packets++;
    device.receive(&device, packet);
    received_any = true;
}

static void deliver_to_linux(int tap, const uint8_t *bytes, size_t length)
{
    if (write(tap, bytes, length) < 0 && errno != EAGAIN && errno != ENOBUFS)
        host_fail(__FILE__, __LINE__, "tap refuses a frame of %zu bytes: %s", length, strerror(errno));
}

static void deliver(bool to_linux, const uint8_t *bytes, size_t length)
{
    if (to_linux)
        deliver_to_linux(tap, bytes, length);
    else if (other_tap >= 0)
        deliver_to_linux(other_tap, bytes, length);
    else
        deliver_to_stack(bytes, length);
}

static double chance(void)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (double)(chance_state >> 11) / 9007199254740992.0;
}

static void put_on_line(bool to_linux, const uint8_t *bytes, size_t length, nanoseconds due)
{
    if (line_length == DELAY_LINE)
        return;
    struct delayed_frame *frame = malloc(sizeof(*frame) + length);
    frame->due = due;
    frame->to_linux = to_linux;
    frame->length = length;
    memcpy(frame->bytes, bytes, length);
    struct list *before = line.prev;
    while (before != &line && list_entry(before, struct delayed_frame, link)->due > frame->due)
        before = before->prev;
    list_insert_after(before, &frame->link);
    line_length++;
}

/* When the last bit of a frame has left, or 0: it is dropped. */
static nanoseconds sent_at(bool to_linux, size_t length)
{
    nanoseconds now = clock_monotonic(), start = max_of(now, busy_until[to_linux]);
    if (tap_impairments.rate == 0)
        return now;
    if (start - now > QUEUE_TIME)
        return 0;
    return busy_until[to_linux] = start + length * NS_PER_SECOND / tap_impairments.rate;
}

static void travel(bool to_linux, const uint8_t *bytes, size_t length)
{
    const struct impairments *i = &tap_impairments;
    if (chance() < i->loss)
        return;
    unsigned copies = chance() < i->duplication ? 2 : 1;
    for (; copies > 0; copies--) {
        bool overtakes = chance() < i->reordering;
        nanoseconds sent = sent_at(to_linux, length);
        if (sent == 0)
            return;
        if (i->delay == 0 && !overtakes)
            deliver(to_linux, bytes, length);
        else
            put_on_line(to_linux, bytes, length, sent + (i->delay == 0 ? NS_PER_MS : overtakes ? 0 : i->delay));
    }
}

static bool run_line(void)
{
    bool any = false;
    while (!list_empty(&line)) {
        struct delayed_frame *frame = list_entry(line.next, struct delayed_frame, link);
        if (frame->due > clock_monotonic())
            break;
        list_remove(&frame->link);
        line_length--;
        deliver(frame->to_linux, frame->bytes, frame->length);
        free(frame);
        any = true;
    }
    return any;
}

/* ---- The device ---------------------------------------------------------------------------------------------- */

static bool transmit(struct network_device *d, struct packet *packet)
{
    static uint8_t buffer[FRAME_LIMIT];
    struct tap_header *header = (void *)buffer;
    memset(header, 0, sizeof(*header));
    if (packet->flags & PACKET_CHECKSUM_PARTIAL) {
        header->flags = TAP_CHECKSUM_PARTIAL;
        header->checksum_start = packet->checksum_start;
        header->checksum_offset = packet->checksum_offset;
        if (!d->checksum_offload)
            host_fail(__FILE__, __LINE__, "a partial checksum for a device without offload");
    }
    if (packet->segment_size != 0) {
        header->segment_type = TAP_SEGMENT_TCP4;
        header->segment_size = packet->segment_size;
        header->header_length = packet->header_length;
    }
    if (packet->length > (packet->segment_size != 0 ? 65535u : line_mtu + 14))
        host_fail(__FILE__, __LINE__, "a frame of %u bytes", packet->length);
    tap_largest = packet->length > tap_largest ? packet->length : tap_largest;
    packet_copy_out(packet, 0, buffer + sizeof(*header), packet->length);
    travel(true, buffer, sizeof(*header) + packet->length);
    packet_free(packet);
    return true;
}

static void flush(struct network_device *d) { (void)d; }

/* What Linux sent sets out; at most 64 frames at a time. */
static bool take_from(int tap, bool to_linux)
{
    static uint8_t buffer[FRAME_LIMIT];
    unsigned count = 0;
    for (; count < 64; count++) {
        ssize_t length = read(tap, buffer, sizeof(buffer));
        if (length <= (ssize_t)sizeof(struct tap_header))
            break;
        travel(to_linux, buffer, (size_t)length);
    }
    return count > 0;
}

static bool idle(void)
{
    bool any = run_line();
    any |= take_from(tap, false);
    any |= other_tap >= 0 && take_from(other_tap, true);
    if (received_any) {
        received_any = false;
        device.receive_done(&device);
    }
    return any;
}

void tap_inject(const void *frame, size_t length)
{
    uint8_t buffer[2048] = { 0 };
    memcpy(buffer + sizeof(struct tap_header), frame, length);
    deliver_to_stack(buffer, length + sizeof(struct tap_header));
    received_any = false;
    device.receive_done(&device);
}

void tap_update(void)
{
    if (!linux_tap_offload(tap, tap_offload))
        host_fail(__FILE__, __LINE__, "TUNSETOFFLOAD: %s", strerror(errno));
    device.checksum_offload = device.segmentation_offload = tap_offload;
}

void tap_mtu(unsigned mtu)
{
    struct net_configuration configuration = {
        .address = STACK_ADDRESS,
        .prefix = 24,
        .gateway = LINUX_ADDRESS,
        .mtu = mtu,
    };
    if (!linux_tap_mtu(mtu))
        host_fail(__FILE__, __LINE__, "SIOCSIFMTU: %s", strerror(errno));
    net_configure_static(&configuration);
    line_mtu = mtu;
}

void tap_test(const char *name, void (*test)(void)) { host_test_with(name, test, idle); }

bool tap_start(void)
{
    tap = linux_tap_open(LINUX_ADDRESS);
    if (tap < 0)
        return false;
    device = (struct network_device){ .name = "eth0",
                                      .mac = { 2, 0, 0, 0, 0, 2 },
                                      .mtu = 1500,
                                      .max_mtu = 9001,
                                      .running = true,
                                      .transmit = transmit,
                                      .flush = flush };
    tap_update();
    network_device_add(&device);
    net_init();
    struct net_configuration configuration = { .address = STACK_ADDRESS, .prefix = 24, .gateway = LINUX_ADDRESS };
    net_configure_static(&configuration);
    return true;
}

bool tap_start_between(void)
{
    other_tap = linux_tap_open(STACK_ADDRESS);
    spaces[1] = linux_tap_space();
    tap = other_tap >= 0 ? linux_tap_open(LINUX_ADDRESS) : -1;
    spaces[0] = linux_tap_space();
    return tap >= 0 && linux_tap_offload(tap, false) && linux_tap_offload(other_tap, false);
}

void tap_enter(bool in_place_of_stack)
{
    if (!linux_tap_enter(spaces[in_place_of_stack]))
        host_fail(__FILE__, __LINE__, "setns: %s", strerror(errno));
}

void tap_seed(uint64_t seed) { chance_state = 88172645463325252ULL + seed * 0x9e3779b97f4a7c15ULL; }

/* Sleeps until a frame comes from Linux, one arrives at the end of the line, or a timer expires. */
static void await_event(nanoseconds end)
{
    struct pollfd fds[2] = { { .fd = tap, .events = POLLIN }, { .fd = other_tap, .events = POLLIN } };
    nanoseconds now = clock_monotonic(), until = min_of(end, host_next_timer());
    if (!list_empty(&line))
        until = min_of(until, list_entry(line.next, struct delayed_frame, link)->due);
    nanoseconds wait = until > now ? min_of(until - now, 100 * NS_PER_MS) : 0;
    struct timespec time = { .tv_sec = 0, .tv_nsec = (long)wait };
    if (ppoll(fds, 2, &time, NULL) < 0 && errno != EINTR)
        host_fail(__FILE__, __LINE__, "ppoll: %s", strerror(errno));
}

bool tap_run(bool (*done)(void *context), void *context, nanoseconds time)
{
    nanoseconds end = clock_monotonic() + time;
    while (!done(context)) {
        if (clock_monotonic() >= end)
            return false;
        if (!(idle() | host_run_timers()))
            await_event(end);
    }
    return true;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

void tap_idle(nanoseconds time) { (void)tap_run(never, NULL, time); }
