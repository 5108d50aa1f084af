/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the tests of the ENA driver, and what they share (driver.h): a stack that keeps what it receives and serves the
 * driver, and packets whose bytes follow from their length and a number. Run by make test-ena.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/driver.h"
#include "host/host.h"
#include "lib/checksum.h"
#include "platform/native/native.h"

#define HEADERS 54u

struct platform_information platform = { .name = "host", .memory_bytes = 64UL << 20, .cpus = 2 };
struct memory_range native_memory[] = { { 0, 64UL << 20, MEMORY_RAM } };
unsigned native_memory_count = 1;

size_t platform_entropy(void *to, size_t length)
{
    (void)to, (void)length;
    return 0;
}

struct fake_stack stack;

/* ---- The stack ---- */

static void receive(struct network_device *device, struct packet *packet)
{
    (void)device;
    stack.received[stack.received_count++ % STACK_PACKETS] = packet;
}

static void receive_done(struct network_device *device)
{
    (void)device;
    stack.rounds++;
}

static void transmit_ready(struct network_device *device)
{
    (void)device;
    stack.ready++;
}

static void link_changed(struct network_device *device)
{
    (void)device;
    stack.link_changes++;
}

static void receive_more(struct network_device *device)
{
    device->polled = true;
    stack.receive_more++;
}

static void want_service(struct network_device *device)
{
    (void)device;
    stack.wanted = true;
}

static void rest(void)
{
    if (spinlocks_held())
        host_fail(__FILE__, __LINE__, "%s", "the driver rests with a lock held");
    fake_advance(NS_PER_MS);
}

static void serve_if_due(void)
{
    if (!stack.wanted && clock_monotonic() < stack.serve_at)
        return;
    stack.wanted = false;
    stack.serve_at = stack.device->service(stack.device, rest);
}

static void poll_if_asked(void)
{
    while (stack.device->polled) {
        stack.device->polled = false;
        stack.device->polled = stack.device->receive_round(stack.device);
    }
}

bool driver_start(struct model_variant variant)
{
    unsigned before = 0;
    while (network_device_at(before))
        before++;
    fake_init(variant);
    if (!fake_find())
        return false;
    forget_received();
    stack = (struct fake_stack){ .device = network_device_at(before) };
    if (!stack.device)
        return false;
    stack.device->receive = receive;
    stack.device->receive_done = receive_done;
    stack.device->transmit_ready = transmit_ready;
    stack.device->link_changed = link_changed;
    stack.device->receive_more = receive_more;
    stack.device->want_service = want_service;
    return true;
}

void driver_run(nanoseconds time)
{
    for (nanoseconds end = clock_monotonic() + time; clock_monotonic() < end;) {
        fake_interrupts();
        poll_if_asked();
        serve_if_due();
        fake_advance(NS_PER_MS);
    }
    fake_interrupts();
    poll_if_asked();
}

/* ---- Packets ---- */

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint64_t pseudo_sum(const uint8_t *frame, uint32_t tcp_length)
{
    const uint8_t rest_of_it[4] = { 0, 6, (uint8_t)(tcp_length >> 8), (uint8_t)tcp_length };
    return checksum_add(checksum_add(0, frame + 26, 8), rest_of_it, 4);
}

static uint8_t payload_byte(uint32_t i, uint8_t seed) { return (uint8_t)(i * 7 + i / 256 + seed); }

/* Up to the payload, and with a checksum of the pseudo-header only. */
static void make_headers(uint8_t *frame, uint32_t payload)
{
    static const uint8_t start[HEADERS] = {
        2, 0, 0, 0,  0, 9, 2, 0,    0,    0,    0, 1, 8, 0, 0x45, 0, 0, 0, 0, 1,    0x40, 0,    64,   6, 0, 0, 10,
        0, 0, 1, 10, 0, 0, 2, 0x1f, 0x90, 0xc0, 1, 0, 0, 0, 1,    0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0,
    };
    memcpy(frame, start, HEADERS);
    put16(frame + 16, 40 + payload);
    put16(frame + 24, checksum_finish(checksum_add(0, frame + 14, 20)));
    put16(frame + 50, checksum_fold(pseudo_sum(frame, 20 + payload)));
}

uint32_t make_frame(uint8_t *frame, uint32_t payload, uint8_t seed)
{
    make_headers(frame, payload);
    for (uint32_t i = 0; i < payload; i++)
        frame[HEADERS + i] = payload_byte(i, seed);
    put16(frame + 50, checksum_finish(checksum_add(0, frame + 34, 20 + payload)));
    return HEADERS + payload;
}

static void add_piece(struct packet *packet, uint32_t at, uint32_t length, uint8_t seed)
{
    struct page *page = page_allocate_zeroed();
    uint8_t *to = page_data(page);
    for (uint32_t i = 0; i < length; i++)
        to[i] = payload_byte(at + i, seed);
    (void)packet_add_fragment(packet, page, 0, length);
    page_put(page);
}

struct packet *make_packet(uint32_t payload, unsigned pieces, uint8_t seed)
{
    struct packet *packet = packet_allocate_paged(HEADERS + payload);
    make_headers(packet_put(packet, HEADERS), payload);
    packet->flags = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = 34;
    packet->checksum_offset = 16;
    packet->header_length = HEADERS;
    uint32_t at = 0;
    for (unsigned i = 0; i < pieces; i++) {
        uint32_t length = i + 1 < pieces ? payload / pieces : payload - at;
        add_piece(packet, at, length, seed);
        at += length;
    }
    if (pieces == 0) {
        uint8_t *to = packet_put(packet, payload);
        for (uint32_t i = 0; i < payload; i++)
            to[i] = payload_byte(i, seed);
    }
    return packet;
}

bool driver_send(struct packet *packet)
{
    bool room = stack.device->transmit(stack.device, packet);
    stack.device->flush(stack.device);
    return room;
}

static uint8_t expected[9100];

bool left_as(unsigned n, uint32_t payload, uint8_t seed)
{
    const struct fake_frame *frame = fake_frame(n);
    return frame->length == make_frame(expected, payload, seed) && memcmp(frame->bytes, expected, frame->length) == 0;
}

bool received_as(unsigned n, uint32_t payload, uint8_t seed)
{
    static uint8_t actual[9100];
    const struct packet *packet = stack.received[n];
    if (packet->length != make_frame(expected, payload, seed))
        return false;
    packet_copy_out(packet, 0, actual, packet->length);
    return memcmp(actual, expected, packet->length) == 0;
}

void forget_received(void)
{
    for (unsigned i = 0; i < stack.received_count; i++)
        packet_free(stack.received[i]);
    stack.received_count = 0;
}

int main(void)
{
    host_init();
    test_bring_up();
    test_traffic();
    test_recovery();
    test_hostile();
    test_endurance();
    test_spread();
    return host_result();
}
