/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that come and go, on NICs of every kind, by the rules of the model: pushed and fetched, in one piece and in
 * many, whole and segmented, more than a ring holds, and with little memory.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/driver.h"
#include "host/host.h"
#include "lib/checksum.h"

static uint8_t frame[9100];

static bool receive_frame(uint32_t payload, uint8_t seed)
{
    return model_receive(&fake.model, frame, make_frame(frame, payload, seed));
}

/* ---- Every kind of NIC ---- */

#define KINDS 9

static struct model_variant kind(unsigned n)
{
    struct model_variant v = model_usual();
    v.llq_sizes = n == 0 ? 0 : n < 5 ? 1 : 1 | 4;
    v.llq_recommended = n < 5 ? 1 : 4;
    v.no_meta_caching = n == 2 || n == 4 || n == 6 || n == 8;
    v.burst_bytes = n == 3 || n == 4 || n == 7 ? 512 : n == 8 ? 256 : 0;
    v.tx_pieces = n == 1 ? 2 : 17;
    return v;
}

static void sends_all_sizes(void)
{
    static const uint32_t sizes[] = { 0, 1, 41, 42, 43, 200, 1000, 1446 };
    unsigned n = 0;
    for (unsigned i = 0; i < array_size(sizes); i++) {
        for (unsigned pieces = 0; pieces < 12; pieces += pieces < 3 ? 1 : 4) {
            if (pieces > sizes[i])
                continue;
            CHECK(driver_send(make_packet(sizes[i], pieces, (uint8_t)n)));
            NO_VIOLATION();
            CHECK_EQUAL(fake.frames, n + 1);
            CHECK(left_as(n, sizes[i], (uint8_t)n));
            n++;
        }
    }
    CHECK_EQUAL(stack.device->sent_packets, n);
    CHECK_EQUAL(stack.device->dropped, 0);
}

/* Without their being described as TCP's: no checksum is asked for. */
static void sends_plain(void)
{
    unsigned before = fake.frames;
    struct packet *packet = packet_allocate(60);
    uint8_t *bytes = packet_put(packet, 60);
    memset(bytes, 0xff, 60);
    bytes[12] = 8;
    bytes[13] = 6;
    CHECK(driver_send(packet));
    NO_VIOLATION();
    CHECK_EQUAL(fake.frames, before + 1);
    CHECK_EQUAL(fake_frame(before)->length, 60);
    CHECK_EQUAL(fake_frame(before)->bytes[59], 0xff);
}

/* Frames that leave, of a segment's payload each. */
static void sends_segmented(uint32_t payload, unsigned pieces)
{
    unsigned before = fake.frames;
    uint32_t count = (payload + 1447) / 1448;
    struct packet *packet = make_packet(payload, pieces, 9);
    packet->segment_size = 1448;
    CHECK(driver_send(packet));
    NO_VIOLATION();
    CHECK_EQUAL(fake.frames, before + count);
    const struct fake_frame *last = fake_frame(before + count - 1);
    CHECK_EQUAL(last->length, 54 + payload - (count - 1) * 1448);
    CHECK_EQUAL(last->bytes[54], (uint8_t)((count - 1) * 1448 * 7 + (count - 1) * 1448 / 256 + 9));
}

/* Many packets before the stack flushes them. */
static void sends_a_burst(void)
{
    unsigned before = fake.frames;
    for (unsigned i = 0; i < 15; i++)
        CHECK(stack.device->transmit(stack.device, make_packet(300, 4, (uint8_t)i)));
    stack.device->flush(stack.device);
    NO_VIOLATION();
    CHECK_EQUAL(fake.frames, before + 15);
    for (unsigned i = 0; i < 15; i++)
        CHECK(left_as(before + i, 300, (uint8_t)i));
}

static void receives_all_sizes(void)
{
    static const uint32_t sizes[] = { 0, 10, 1446, 1610, 1611, 4042, 4043, 8947 };
    for (unsigned i = 0; i < array_size(sizes); i++) {
        CHECK(receive_frame(sizes[i], (uint8_t)i));
        fake_interrupts();
        NO_VIOLATION();
        CHECK_EQUAL(stack.received_count, i + 1);
        CHECK(received_as(i, sizes[i], (uint8_t)i));
        CHECK(stack.received[i]->flags == PACKET_CHECKSUM_VALID);
        CHECK_EQUAL(model_buffers(&fake.model, 0), 63);
    }
    forget_received();
}

static void works_with_every_kind(void)
{
    for (unsigned n = 0; n < KINDS; n++) {
        CHECK(driver_start(kind(n)));
        sends_all_sizes();
        sends_plain();
        sends_a_burst();
        sends_segmented(5000, 2);
        sends_segmented(60000, 15);
        sends_segmented(65495, 18);
        receives_all_sizes();
        CHECK_EQUAL(model_held(&fake.model, 0), 0);
    }
}

static void gives_packets_back(void)
{
    CHECK(driver_start(kind(5)));
    uint64_t blocks = host_heap_blocks(), pages = host_pages_in_use();
    for (unsigned i = 0; i < 2000; i++) {
        CHECK(driver_send(make_packet(1000, 3, (uint8_t)i)));
        CHECK(receive_frame(3000, (uint8_t)i));
        fake_interrupts();
        CHECK(received_as(0, 3000, (uint8_t)i));
        forget_received();
    }
    NO_VIOLATION();
    CHECK_EQUAL(host_heap_blocks(), blocks);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(stack.device->sent_packets, 2000);
    CHECK_EQUAL(stack.device->received_packets, 2000);
    CHECK_EQUAL(stack.device->received_bytes, 2000 * 3054);
    CHECK_EQUAL(stack.device->dropped, 0);
}

/* ---- A full ring ---- */

static unsigned fill(unsigned pieces)
{
    unsigned sent = 1;
    while (driver_send(make_packet(1000, pieces, 1)))
        sent++;
    return sent;
}

static void waits_when_the_ring_is_full(void)
{
    for (unsigned n = 0; n < KINDS; n++) {
        CHECK(driver_start(kind(n)));
        for (unsigned round = 0; round < 5; round++) {
            fake.model.hold = true;
            fake.model.reverse = round % 2 == 1;
            unsigned sent = fill(3), ready = stack.ready;
            CHECK_EQUAL(model_held(&fake.model, 0), sent);
            CHECK(sent > 20);
            CHECK_EQUAL(model_complete(&fake.model, 0, 1), 1);
            fake_interrupts();
            CHECK_EQUAL(stack.ready, ready);
            (void)model_complete(&fake.model, 0, sent);
            fake_interrupts();
            CHECK_EQUAL(stack.ready, ready + 1);
            fake.model.hold = false;
        }
        NO_VIOLATION();
        CHECK_EQUAL(stack.device->dropped, 0);
    }
}

/* The stack does not keep to it. */
static void drops_what_a_full_ring_does_not_hold(void)
{
    CHECK(driver_start(kind(0)));
    fake.model.hold = true;
    unsigned sent = fill(3);
    for (unsigned i = 0; i < 200; i++)
        (void)driver_send(make_packet(1000, 3, 1));
    NO_VIOLATION();
    CHECK(stack.device->dropped > 190);
    CHECK_EQUAL(stack.device->sent_packets + stack.device->dropped, sent + 200);
    (void)model_complete(&fake.model, 0, 1000);
    fake_interrupts();
    CHECK_EQUAL(stack.ready, 1);
}

/* ---- What cannot be sent ---- */

static void drops(struct packet *packet)
{
    uint64_t dropped = stack.device->dropped;
    unsigned frames = fake.frames;
    CHECK(driver_send(packet));
    CHECK_EQUAL(stack.device->dropped, dropped + 1);
    CHECK_EQUAL(fake.frames, frames);
    NO_VIOLATION();
}

static void drops_what_the_nic_cannot_do(void)
{
    CHECK(driver_start(kind(1)));
    uint64_t blocks = host_heap_blocks(), pages = host_pages_in_use();
    struct packet *packet = make_packet(100, 1, 0);
    packet->checksum_offset = 2;
    drops(packet);
    packet = make_packet(100, 1, 0);
    packet->checksum_start = 13;
    drops(packet);
    packet = make_packet(100, 1, 0);
    packet_data(packet)[12] = 0x86;
    drops(packet);
    packet = make_packet(3000, 1, 0);
    packet->segment_size = 1448;
    packet->flags = 0;
    drops(packet);
    packet = make_packet(3000, 1, 0);
    packet->segment_size = 1448;
    packet->header_length = 34;
    drops(packet);
    packet = make_packet(3000, 1, 0);
    packet->segment_size = 1448;
    packet->header_length = 98;
    drops(packet);
    packet = make_packet(1400, 5, 0);
    host_fail_allocation(1); /* it has to be put together */
    drops(packet);
    host_fail_allocation(0);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    CHECK_EQUAL(host_pages_in_use(), pages);
    struct model_variant v = kind(0);
    v.tx_offloads = 2;
    CHECK(driver_start(v));
    packet = make_packet(3000, 1, 0);
    packet->segment_size = 1448;
    drops(packet);
    v.tx_offloads = 0;
    CHECK(driver_start(v));
    drops(make_packet(100, 1, 0));
}

/* ---- IPv6 ---- */

#define HEADERS_IPV6 74u /* Ethernet, IPv6, TCP */
#define TCP_AT_IPV6 54u
#define ALL_OFFLOADS_SENT 0x7fu

static uint64_t sum_of_ipv6(const uint8_t *at, uint32_t tcp_length)
{
    const uint8_t rest_of_it[4] = { 0, 6, (uint8_t)(tcp_length >> 8), (uint8_t)tcp_length };
    return checksum_add(checksum_add(0, at + 22, 32), rest_of_it, 4);
}

static void put_sum(uint8_t *at, uint16_t sum)
{
    at[0] = (uint8_t)(sum >> 8);
    at[1] = (uint8_t)sum;
}

/* TCP over IPv6 whose checksum is the pseudo-header's. */
static uint32_t make_ipv6_frame(uint8_t *at, uint32_t payload)
{
    uint32_t tcp_length = 20 + payload;
    memset(at, 0, HEADERS_IPV6);
    at[0] = at[6] = 2;
    at[12] = 0x86;
    at[13] = 0xdd;
    at[14] = 0x60;
    put_sum(at + 18, (uint16_t)tcp_length);
    at[20] = 6;
    at[21] = 64;
    at[22] = at[38] = 0xfe;
    at[23] = at[39] = 0x80;
    at[37] = 1;
    at[53] = 2;
    at[TCP_AT_IPV6 + 12] = 0x50;
    at[TCP_AT_IPV6 + 13] = 0x10;
    for (uint32_t i = 0; i < payload; i++)
        at[HEADERS_IPV6 + i] = (uint8_t)(i * 7);
    put_sum(at + TCP_AT_IPV6 + 16, checksum_fold(sum_of_ipv6(at, tcp_length)));
    return HEADERS_IPV6 + payload;
}

static struct packet *make_ipv6_packet(uint32_t payload, uint16_t segment_size)
{
    static uint8_t bytes[9000];
    uint32_t length = make_ipv6_frame(bytes, payload);
    struct packet *packet = packet_allocate(length);
    memcpy(packet_put(packet, length), bytes, length);
    packet->flags = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = TCP_AT_IPV6;
    packet->checksum_offset = 16;
    packet->header_length = HEADERS_IPV6;
    packet->segment_size = segment_size;
    return packet;
}

/* The whole sum of the n-th frame that left, of one that is right: 0. */
static uint16_t sum_of_sent_ipv6(unsigned n)
{
    const struct fake_frame *sent = fake_frame(n);
    uint32_t tcp_length = sent->length - TCP_AT_IPV6;
    return checksum_finish(checksum_add(sum_of_ipv6(sent->bytes, tcp_length), sent->bytes + TCP_AT_IPV6, tcp_length));
}

static void leaves_ipv6_to_a_nic_that_knows_it(void)
{
    for (unsigned n = 0; n < KINDS; n++) {
        struct model_variant v = kind(n);
        v.tx_offloads = ALL_OFFLOADS_SENT;
        CHECK(driver_start(v));
        CHECK(stack.device->checksum_offload_ipv6 && stack.device->segmentation_offload_ipv6);
        CHECK(driver_send(make_ipv6_packet(1000, 0)));
        NO_VIOLATION();
        CHECK_EQUAL(fake.frames, 1);
        CHECK_EQUAL(sum_of_sent_ipv6(0), 0);
        CHECK(driver_send(make_ipv6_packet(3000, 1428)));
        NO_VIOLATION();
        CHECK_EQUAL(fake.frames, 4);
        CHECK_EQUAL(fake_frame(3)->length, HEADERS_IPV6 + 3000 - 2 * 1428);
        for (unsigned i = 1; i < 4; i++)
            CHECK_EQUAL(sum_of_sent_ipv6(i), 0);
        struct packet *packet = make_ipv6_packet(100, 0);
        packet->checksum_start += 8; /* after an extension header */
        drops(packet);
    }
}

static void keeps_ipv6_from_a_nic_that_does_not_know_it(void)
{
    struct model_variant v = kind(1);
    v.tx_offloads = ALL_OFFLOADS_SENT & ~(8u | 0x40u);
    CHECK(driver_start(v));
    CHECK(stack.device->checksum_offload && !stack.device->checksum_offload_ipv6);
    drops(make_ipv6_packet(1000, 0));
    drops(make_ipv6_packet(3000, 1428));
    v.tx_offloads = ALL_OFFLOADS_SENT & ~0x40u;
    CHECK(driver_start(v));
    CHECK(stack.device->checksum_offload_ipv6 && !stack.device->segmentation_offload_ipv6);
    drops(make_ipv6_packet(3000, 1428));
    v.tx_offloads = 8;
    CHECK(driver_start(v));
    CHECK(!stack.device->checksum_offload && stack.device->checksum_offload_ipv6);
    CHECK(driver_send(make_ipv6_packet(1000, 0)));
    NO_VIOLATION();
    CHECK_EQUAL(sum_of_sent_ipv6(0), 0);
    drops(make_packet(100, 1, 0));
}

static void believes_checksums_of_ipv6(void)
{
    struct model_variant v = model_usual();
    v.rx_offloads = 0xf;
    CHECK(driver_start(v));
    uint32_t length = make_ipv6_frame(frame, 1000);
    uint8_t *field = frame + TCP_AT_IPV6 + 16;
    put_sum(field, checksum_finish(checksum_add(0, frame + TCP_AT_IPV6, length - TCP_AT_IPV6)));
    CHECK(model_receive(&fake.model, frame, length));
    frame[600] ^= 1;
    CHECK(model_receive(&fake.model, frame, length));
    fake_interrupts();
    NO_VIOLATION();
    CHECK_EQUAL(stack.received_count, 2);
    CHECK_EQUAL(stack.received[0]->flags, PACKET_CHECKSUM_VALID);
    CHECK_EQUAL(stack.received[1]->flags, 0);
    forget_received();
}

/* ---- Receiving ---- */

static void believes_only_what_was_checked(void)
{
    struct model_variant v = model_usual();
    CHECK(driver_start(v));
    uint32_t length = make_frame(frame, 1000, 1);
    frame[600] ^= 1;
    CHECK(model_receive(&fake.model, frame, length));
    length = make_frame(frame, 1000, 1);
    frame[24] ^= 1;
    CHECK(model_receive(&fake.model, frame, length));
    v.rx_offloads = 0;
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, 2);
    CHECK_EQUAL(stack.received[0]->flags, 0);
    CHECK_EQUAL(stack.received[1]->flags, 0);
    CHECK(driver_start(v));
    CHECK(receive_frame(1000, 1));
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, 1);
    CHECK_EQUAL(stack.received[0]->flags, 0);
    NO_VIOLATION();
}

/* More than a round, so that a thread goes on; and an interrupt comes again afterwards. */
static void leaves_a_flood_to_the_thread(void)
{
    platform.memory_bytes = 1024UL << 20;
    CHECK(driver_start(model_usual()));
    for (unsigned i = 0; i < 200; i++)
        CHECK(receive_frame(100, (uint8_t)i));
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, NETWORK_ROUND);
    CHECK_EQUAL(stack.receive_more, 1);
    CHECK(stack.device->polled);
    driver_run(NS_PER_MS);
    CHECK_EQUAL(stack.received_count, 200);
    for (unsigned i = 0; i < 200; i++)
        CHECK(received_as(i, 100, (uint8_t)i));
    forget_received();
    CHECK(receive_frame(100, 7));
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, 1);
    CHECK_EQUAL(model_buffers(&fake.model, 0), 255);
    NO_VIOLATION();
    platform.memory_bytes = 64UL << 20;
}

/* What was sent is completed while a thread polls, when there are no interrupts. */
static void frees_what_was_sent_while_polled(void)
{
    CHECK(driver_start(model_usual()));
    fake.model.hold = true;
    (void)fill(3);
    stack.device->polled = true;
    (void)model_complete(&fake.model, 0, 1000);
    fake_interrupts();
    CHECK_EQUAL(stack.ready, 0);
    driver_run(NS_PER_MS);
    CHECK_EQUAL(stack.ready, 1);
    NO_VIOLATION();
}

static void drops_when_memory_is_short(void)
{
    CHECK(driver_start(model_usual()));
    for (unsigned payload = 1000; payload < 9000; payload += 3000) {
        for (unsigned n = 1; n < 6; n++) {
            CHECK(receive_frame(payload, 1));
            host_fail_one_allocation(n);
            fake_interrupts();
            host_fail_allocation(0);
            CHECK_EQUAL(model_buffers(&fake.model, 0), 63);
        }
    }
    CHECK_EQUAL(stack.device->dropped, 6); /* the packet and each of its pages, but for one that is copied */
    CHECK_EQUAL(stack.received_count + stack.device->dropped, 15);
    forget_received();
    NO_VIOLATION();
}

/* The start finds no memory for some buffers; the driver goes on trying, since no interrupt comes for an empty ring. */
static void fills_the_ring_later(void)
{
    fake_init(model_usual());
    CHECK(driver_start(model_usual()));
    unsigned found = 0;
    for (uint64_t n = 1; n < 40 && found == 0; n++) {
        host_fail_allocation(n + 10);
        found = driver_start(model_usual()) && model_buffers(&fake.model, 0) < 20;
        host_fail_allocation(0);
    }
    CHECK(found);
    fake.model.forgiven[RULE_RX_FILLED] = true;
    fake.model.violations = 0;
    fake.model.first_violation = NULL;
    host_fail_allocation(1);
    driver_run(5 * NS_PER_MS);
    host_fail_allocation(0);
    CHECK(model_buffers(&fake.model, 0) < 20);
    driver_run(20 * NS_PER_MS);
    CHECK_EQUAL(model_buffers(&fake.model, 0), 63);
    CHECK(receive_frame(1000, 1));
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, 1);
    NO_VIOLATION();
}

static void drops_without_a_stack(void)
{
    CHECK(driver_start(model_usual()));
    stack.device->receive = NULL;
    CHECK(receive_frame(1000, 1));
    fake_interrupts();
    CHECK_EQUAL(stack.device->dropped, 1);
    CHECK_EQUAL(model_buffers(&fake.model, 0), 63);
}

/* The NIC counts what it had no buffer for, and says so with each sign of life. */
static void counts_what_the_nic_dropped(void)
{
    CHECK(driver_start(model_usual()));
    for (unsigned i = 0; i < 70; i++)
        (void)receive_frame(100, 1);
    CHECK_EQUAL(fake.model.rx_dropped, 7);
    driver_run(3 * NS_PER_SECOND);
    CHECK_EQUAL(stack.received_count, 63);
    CHECK_EQUAL(stack.device->dropped, 7);
    forget_received();
    NO_VIOLATION();
}

void test_traffic(void)
{
    host_test("ena: packets of all sizes, with every kind of NIC", works_with_every_kind);
    host_test("ena: packets and buffers are given back", gives_packets_back);
    host_test("ena: the stack waits for a full ring", waits_when_the_ring_is_full);
    host_test("ena: what a full ring does not hold is dropped", drops_what_a_full_ring_does_not_hold);
    host_test("ena: what the NIC cannot send is dropped", drops_what_the_nic_cannot_do);
    host_test("ena: IPv6 is left to a NIC that knows it", leaves_ipv6_to_a_nic_that_knows_it);
    host_test("ena: IPv6 is kept from a NIC that does not know it", keeps_ipv6_from_a_nic_that_does_not_know_it);
    host_test("ena: checksums of IPv6 that were checked are believed", believes_checksums_of_ipv6);
    host_test("ena: only checksums that were checked are believed", believes_only_what_was_checked);
    host_test("ena: a flood is left to the thread", leaves_a_flood_to_the_thread);
    host_test("ena: what was sent is freed while a thread polls", frees_what_was_sent_while_polled);
    host_test("ena: packets are dropped when memory is short, and the ring stays full", drops_when_memory_is_short);
    host_test("ena: the ring is filled later when memory was short", fills_the_ring_later);
    host_test("ena: packets before the stack is there are dropped", drops_without_a_stack);
    host_test("ena: what the NIC dropped is counted", counts_what_the_nic_dropped);
}
