/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network driver against a fake device, in both directions: sizes, offloads, floods, lack of memory, and packets at
 * random. The test is device and network stack, whose callbacks keep what came last. Called by test_virtio.c; run by
 * make test-virtio.
 */
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/network.h"
#include "host/host.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"

#define FEATURES (1UL << 0 | 1UL << 1 | 1UL << 5 | 1UL << 7 | 1UL << 11 | 1UL << 15 | VIRTIO_FEATURE_EVENT_INDEX)
#define HEADER sizeof(struct virtio_net_header)

static struct fake_device fake;
static struct network_device *nic;
static unsigned nics;

static uint8_t received[70000];
static uint32_t received_length;
static struct packet last;
static unsigned packets, done_calls, ready_calls;

static bool flooding;

/* As the next packet, so that the driver sees it only when it looks again. */
static void put_quietly(uint32_t length)
{
    struct virtio_net_header header = { .buffers = 1 };
    struct fake_chain chain;
    if (!fake_take(&fake, 0, &chain))
        return;
    fake_write(&chain, 0, &header, HEADER);
    fake_return_quietly(&fake, 0, chain.head, (uint32_t)HEADER + length);
}

static void receive(struct network_device *device, struct packet *packet)
{
    (void)device;
    if (flooding && packets < 1000)
        put_quietly(60);
    last = *packet;
    received_length = packet->linear;
    memcpy(received, packet->head + packet->start, packet->linear);
    for (unsigned i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        memcpy(received + received_length, (uint8_t *)page_data(fragment->page) + fragment->offset, fragment->length);
        received_length += fragment->length;
    }
    packets++;
    packet_free(packet);
}

static void receive_done(struct network_device *device)
{
    (void)device;
    done_calls++;
}

static void transmit_ready(struct network_device *device)
{
    (void)device;
    ready_calls++;
}

static bool start(uint64_t features)
{
    packets = done_calls = ready_calls = 0;
    fake_init(&fake, VIRTIO_NETWORK, features, 256);
    memcpy(fake.config, "\x52\x54\x00\x12\x34\x56", 6);
    if (virtio_network_start(&fake.device) != 0)
        return false;
    nic = network_device_at(nics++);
    nic->receive = receive;
    nic->receive_done = receive_done;
    nic->transmit_ready = transmit_ready;
    return true;
}

/* Delivers `length` bytes that count up, after a header, in buffers of 4096 bytes. */
static bool deliver(uint32_t length, struct virtio_net_header header)
{
    uint8_t data[70000];
    for (uint32_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    struct fake_chain chains[20];
    unsigned count = 0;
    uint32_t done = 0;
    uint16_t declared = header.buffers;
    header.buffers = declared != 0 ? declared : (uint16_t)((length + HEADER + PAGE_SIZE - 1) / PAGE_SIZE);
    while (count == 0 || done < length) {
        if (count == array_size(chains) || !fake_take(&fake, 0, &chains[count]))
            return false;
        uint32_t offset = 0;
        if (count == 0)
            offset = fake_write(&chains[0], 0, &header, HEADER);
        uint32_t part = fake_write(&chains[count], offset, data + done, length - done);
        done += part;
        fake_return_quietly(&fake, 0, chains[count++].head, offset + part);
    }
    fake_interrupt(&fake, 0);
    return true;
}

static bool arrived(uint32_t length)
{
    if (received_length != length)
        return false;
    for (uint32_t i = 0; i < length; i++) {
        if (received[i] != (uint8_t)(i * 7 + i / 256))
            return false;
    }
    return true;
}

static void receives_packets_of_all_sizes(void)
{
    CHECK(start(FEATURES));
    CHECK_EQUAL(nic->mac[5], 0x56);
    CHECK(nic->segmentation_offload && nic->checksum_offload);
    CHECK(nic->mtu == 1500 && nic->max_mtu == 65517);
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    static const uint32_t sizes[] = { 1, 60, 128, 129, 1514, 1664, 1665, 4084, 4085, 9000, 65535 };
    for (unsigned i = 0; i < array_size(sizes); i++) {
        CHECK(deliver(sizes[i], (struct virtio_net_header){ 0 }));
        CHECK_EQUAL(packets, i + 1);
        CHECK(arrived(sizes[i]));
    }
    CHECK_EQUAL(done_calls, array_size(sizes));
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void passes_offload_on(void)
{
    CHECK(start(FEATURES));
    CHECK(deliver(
        3000, (struct virtio_net_header){
                  .flags = 1, .checksum_start = 34, .checksum_offset = 16, .segmentation = 1, .segment_size = 1448 }));
    CHECK_EQUAL(last.flags, PACKET_CHECKSUM_PARTIAL);
    CHECK_EQUAL(last.checksum_start, 34);
    CHECK_EQUAL(last.checksum_offset, 16);
    CHECK_EQUAL(last.segment_size, 1448);
    CHECK(deliver(60, (struct virtio_net_header){ .flags = 2 }));
    CHECK_EQUAL(last.flags, PACKET_CHECKSUM_VALID);
}

static unsigned more_calls;

static void receive_more(struct network_device *device)
{
    device->polled = true;
    more_calls++;
}

/* A peer that sends as fast as we receive: the interrupt handler ends, and the stack's thread goes on by rounds. */
static void a_flood_is_received_by_rounds(void)
{
    CHECK(start(FEATURES));
    nic->receive_more = receive_more;
    more_calls = 0;
    flooding = true;
    put_quietly(60);
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(packets, NETWORK_ROUND);
    CHECK_EQUAL(done_calls, 1);
    CHECK_EQUAL(more_calls, 1);
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(packets, NETWORK_ROUND);
    CHECK(nic->receive_round(nic));
    CHECK_EQUAL(packets, 2 * NETWORK_ROUND);
    flooding = false;
    CHECK(!nic->receive_round(nic));
    CHECK_EQUAL(packets, 2 * NETWORK_ROUND + 1);
    nic->polled = false;
    nic->crowded = true;
    CHECK(deliver(60, (struct virtio_net_header){ 0 })); /* with an interrupt: there are none left out */
    CHECK_EQUAL(packets, 2 * NETWORK_ROUND + 1);
    CHECK_EQUAL(more_calls, 2);
    CHECK(!nic->receive_round(nic));
    CHECK_EQUAL(packets, 2 * NETWORK_ROUND + 2);
}

/* Packets that are dropped count: a device that sends nothing else does not keep the interrupt handler either. */
static void a_flood_of_bad_packets_is_received_by_rounds(void)
{
    CHECK(start(FEATURES));
    nic->receive_more = receive_more;
    more_calls = 0;
    for (unsigned i = 0; i < NETWORK_ROUND; i++)
        put_quietly(0);
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(nic->dropped, NETWORK_ROUND);
    CHECK_EQUAL(more_calls, 1);
    put_quietly(0);
    CHECK(!nic->receive_round(nic));
    CHECK_EQUAL(nic->dropped, NETWORK_ROUND + 1);
    CHECK_EQUAL(packets, 0);
}

static void drops_what_cannot_be(void)
{
    CHECK(start(FEATURES));
    uint64_t pages = host_pages_in_use();
    CHECK(deliver(60, (struct virtio_net_header){ .flags = 1, .checksum_start = 60, .checksum_offset = 16 }));
    CHECK(deliver(60, (struct virtio_net_header){ .flags = 1, .checksum_start = 0xffff, .checksum_offset = 0xffff }));
    CHECK(deliver(0, (struct virtio_net_header){ 0 }));
    CHECK(deliver(60, (struct virtio_net_header){ .buffers = 5 }));
    CHECK(deliver(60, (struct virtio_net_header){ .buffers = 0xffff }));
    struct fake_chain chain;
    CHECK(fake_take(&fake, 0, &chain));
    struct virtio_net_header header = { .buffers = 1 };
    fake_write(&chain, 0, &header, HEADER);
    fake_return(&fake, 0, chain.head, 0x10000);
    CHECK_EQUAL(packets, 0);
    CHECK_EQUAL(nic->dropped, 6);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK(deliver(60, (struct virtio_net_header){ 0 }));
    CHECK(arrived(60));
}

static void keeps_its_buffers_without_memory(void)
{
    CHECK(start(FEATURES));
    uint64_t pages = host_pages_in_use();
    for (unsigned i = 1; i < 10; i++) {
        host_fail_allocation(i);
        CHECK(deliver(20000, (struct virtio_net_header){ 0 }));
        host_fail_allocation(0);
        CHECK_EQUAL(host_pages_in_use(), pages);
    }
    CHECK(nic->dropped > 0);
    for (unsigned i = 0; i < 1000; i++)
        CHECK(deliver(9000, (struct virtio_net_header){ 0 }));
    CHECK(arrived(9000));
}

static void drops_before_the_stack_is_up(void)
{
    CHECK(start(FEATURES));
    nic->receive = NULL;
    nic->receive_done = NULL;
    uint64_t blocks = host_heap_blocks();
    CHECK(deliver(60, (struct virtio_net_header){ 0 }));
    CHECK_EQUAL(nic->dropped, 1);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static struct packet *make_packet(uint32_t linear, unsigned fragments)
{
    struct packet *packet = packet_allocate(linear);
    memset(packet->head + packet->start, 0x11, linear);
    packet->linear = packet->length = linear;
    for (unsigned i = 0; i < fragments; i++) {
        struct page *page = page_allocate();
        memset(page_data(page), 0x22, PAGE_SIZE);
        packet->fragments[packet->fragment_count++] = (struct packet_fragment){ page, 96, 1000 };
        packet->length += 1000;
    }
    return packet;
}

static void sends_headers_and_fragments(void)
{
    CHECK(start(FEATURES));
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    struct packet *packet = make_packet(54, 3);
    packet->flags = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = 34;
    packet->checksum_offset = 16;
    packet->segment_size = 1448;
    packet->header_length = 54;
    CHECK(nic->transmit(nic, packet));
    CHECK(!fake_notified(&fake, 1));
    nic->flush(nic);
    CHECK(fake_notified(&fake, 1));

    struct fake_chain chain;
    CHECK(fake_take(&fake, 1, &chain));
    uint8_t sent[4000];
    CHECK_EQUAL(fake_read(&chain, 0, sent, sizeof(sent)), HEADER + 54 + 3000);
    struct virtio_net_header header;
    memcpy(&header, sent, HEADER);
    CHECK_EQUAL(header.flags, 1);
    CHECK_EQUAL(header.segmentation, 1);
    CHECK_EQUAL(header.segment_size, 1448);
    CHECK_EQUAL(header.header_length, 54);
    CHECK_EQUAL(header.checksum_start, 34);
    CHECK_EQUAL(header.checksum_offset, 16);
    CHECK_EQUAL(sent[HEADER + 53], 0x11);
    CHECK_EQUAL(sent[HEADER + 54], 0x22);
    fake_return(&fake, 1, chain.head, 0);
    /* Freed at the next occasion. */
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void says_full_and_ready(void)
{
    CHECK(start(FEATURES));
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    unsigned sent = 0;
    while (nic->transmit(nic, make_packet(54, 10)))
        CHECK(++sent < 256);
    nic->flush(nic);
    CHECK(sent > 10);
    CHECK_EQUAL(ready_calls, 0);
    struct fake_chain chain;
    while (fake_take(&fake, 1, &chain))
        fake_return(&fake, 1, chain.head, 0);
    CHECK_EQUAL(ready_calls, 1);
    CHECK_EQUAL(nic->dropped, 0);
    fake_interrupt(&fake, 1);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

/* The device may be done before the driver looks: an interrupt must report it all the same. */
static void is_told_by_a_fast_device(void)
{
    CHECK(start(FEATURES));
    struct fake_chain chain;
    unsigned interrupts = 0;
    for (unsigned round = 0; round < 50; round++) {
        while (nic->transmit(nic, make_packet(54, round % 17)))
            continue;
        uint16_t before = fake.queues[1].used;
        while (fake_take(&fake, 1, &chain))
            fake_return_quietly(&fake, 1, chain.head, 0);
        /* Raised only now, as an interrupt that waits for the CPU. */
        bool raised = fake_interrupt_due(&fake, 1, before);
        nic->flush(nic);
        CHECK(raised);
        fake_interrupt(&fake, 1);
        CHECK_EQUAL(ready_calls, ++interrupts);
    }
}

static void drops_what_is_sent_although_full(void)
{
    CHECK(start(FEATURES));
    while (nic->transmit(nic, make_packet(54, 10)))
        continue;
    uint64_t blocks = host_heap_blocks();
    for (unsigned i = 0; i < 20; i++)
        (void)nic->transmit(nic, make_packet(54, 17));
    nic->flush(nic);
    CHECK(nic->dropped > 0);
    CHECK(host_heap_blocks() <= blocks + 4);
}

static void works_without_offloads(void)
{
    CHECK(start(1UL << 7));
    CHECK(!nic->checksum_offload && !nic->segmentation_offload);
    CHECK_EQUAL(fake.accepted, VIRTIO_FEATURE_VERSION_1);
    CHECK_EQUAL(nic->mac[0] & 3, 2);
    CHECK(deliver(1514, (struct virtio_net_header){ .buffers = 1 }));
    CHECK(arrived(1514));
}

static void survives_random_packets(void)
{
    CHECK(start(FEATURES));
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    srandom(2);
    for (unsigned round = 0; round < 20000; round++) {
        struct fake_chain chain;
        CHECK(fake_take(&fake, 0, &chain));
        uint8_t bytes[64];
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)random();
        if (random() % 2)
            bytes[10] = (uint8_t)(random() % 4), bytes[11] = 0;
        fake_write(&chain, 0, bytes, sizeof(bytes));
        fake_return_quietly(&fake, 0, chain.head, random() % 8 ? (uint32_t)random() % 5000 : (uint32_t)random());
        if (random() % 3 == 0)
            fake_interrupt(&fake, 0);
    }
    fake_interrupt(&fake, 0);
    CHECK(packets > 100);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

void test_networks(void)
{
    host_test("network: packets of all sizes", receives_packets_of_all_sizes);
    host_test("network: offload of received packets", passes_offload_on);
    host_test("network: a flood is received by rounds", a_flood_is_received_by_rounds);
    host_test("network: a flood of bad packets is received by rounds", a_flood_of_bad_packets_is_received_by_rounds);
    host_test("network: drops what cannot be", drops_what_cannot_be);
    host_test("network: keeps its buffers without memory", keeps_its_buffers_without_memory);
    host_test("network: drops before the stack is up", drops_before_the_stack_is_up);
    host_test("network: sends headers and fragments", sends_headers_and_fragments);
    host_test("network: full and ready", says_full_and_ready);
    host_test("network: ready after a fast device", is_told_by_a_fast_device);
    host_test("network: drops what is sent although full", drops_what_is_sent_although_full);
    host_test("network: works without offloads", works_without_offloads);
    host_test("network: random packets", survives_random_packets);
}
