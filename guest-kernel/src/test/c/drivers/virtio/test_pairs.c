/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NIC with several pairs of queues: how many the driver makes and asks for, that a flow has one of them, that each is
 * served, and that a restart brings all of them back. Interrupts that go to CPUs are transport/test_transport.c's.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/network.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"

#define CPUS 4
#define FLOWS 200
#define MERGEABLE (1UL << 15)
#define FEATURES (MERGEABLE | VIRTIO_FEATURE_EVENT_INDEX)
#define HEADER ((uint32_t)sizeof(struct virtio_net_header))
#define FRAME 80 /* bytes; room for the headers of IPv6 and TCP */

static struct fake_device fake;
static struct network_device *nic;
static unsigned packets, ready_calls;

static void receive(struct network_device *device, struct packet *packet)
{
    (void)device;
    packets++;
    packet_free(packet);
}

static void ready(struct network_device *device)
{
    (void)device;
    ready_calls++;
}

/* Starts the device on so many CPUs. */
static bool start_on(unsigned cpus)
{
    unsigned nics = 0;
    while (network_device_at(nics) != NULL)
        nics++;
    packets = ready_calls = 0;
    (void)host_log();
    platform.cpus = cpus;
    int error = virtio_network_start(&fake.device);
    platform.cpus = 1;
    nic = network_device_at(nics);
    if (error != 0 || !nic)
        return false;
    nic->receive = receive;
    nic->transmit_ready = ready;
    return true;
}

static bool start(unsigned pairs)
{
    fake_init_pairs(&fake, FEATURES, pairs);
    return start_on(CPUS);
}

/* The pairs whose two queues exist, all before the first that has not. */
static unsigned pairs_made(void)
{
    unsigned count = 0;
    while (count < FAKE_PAIRS && fake.queues[2 * count].queue && fake.queues[2 * count + 1].queue)
        count++;
    return count;
}

static bool has_pairs(unsigned count)
{
    return pairs_made() == count && fake.pairs == count && fake.spread_count == (count > 1 ? count : 0);
}

static void has_a_pair_for_each_cpu(void)
{
    CHECK(start(FAKE_PAIRS));
    CHECK(has_pairs(CPUS));
    CHECK_EQUAL(fake.spread_first, 0);
    CHECK(strstr(host_log(), "pairs of queues: 4") != NULL);
    CHECK(start(3));
    CHECK(has_pairs(3));
    CHECK(start(1));
    CHECK(has_pairs(1));
    fake_init_pairs(&fake, FEATURES, FAKE_PAIRS);
    CHECK(start_on(64));
    CHECK(has_pairs(FAKE_PAIRS));
}

/* Nothing is asked of the device that would be of no use. */
static void has_one_where_more_are_of_no_use(void)
{
    fake_init_pairs(&fake, FEATURES, FAKE_PAIRS);
    CHECK(start_on(1));
    CHECK(has_pairs(1));
    CHECK_EQUAL(fake.accepted & FAKE_PAIRS_FEATURES, 0);
    fake_init_pairs(&fake, FEATURES, FAKE_PAIRS);
    fake.interrupts = 0;
    CHECK(start_on(CPUS));
    CHECK(has_pairs(1));
    CHECK_EQUAL(fake.accepted & FAKE_PAIRS_FEATURES, 0);
    fake_init_pairs(&fake, FEATURES, FAKE_PAIRS);
    fake.offered &= ~(1UL << 17); /* several pairs, but nothing to ask for them by */
    CHECK(start_on(CPUS));
    CHECK(has_pairs(1));
    CHECK_EQUAL(fake.accepted & FAKE_PAIRS_FEATURES, 0);
}

static void bears_numbers_that_cannot_be(void)
{
    static const uint16_t numbers[] = { 0, 0x8001, 0xffff };
    for (unsigned i = 0; i < array_size(numbers); i++) {
        fake_init_pairs(&fake, FEATURES, FAKE_PAIRS);
        memcpy(fake.config + 8, &numbers[i], sizeof(numbers[i]));
        CHECK(start_on(CPUS));
        CHECK(has_pairs(1));
        CHECK(strstr(host_log(), "invalid number of pairs of queues") != NULL);
    }
    fake_init_pairs(&fake, FEATURES, FAKE_PAIRS);
    fake.queue_count = 5; /* there is no control queue */
    CHECK(start_on(CPUS));
    CHECK(has_pairs(1));
    CHECK(strstr(host_log(), "pairs of queues") == NULL);
}

/* ---- Flows ---- */

static struct packet *packet_of(unsigned flow, bool ipv6)
{
    struct packet *packet = packet_allocate(FRAME);
    uint8_t *data = packet_data(packet);
    packet->linear = packet->length = FRAME;
    memset(data, 0, FRAME);
    data[12] = ipv6 ? 0x86 : 0x08;
    data[13] = ipv6 ? 0xdd : 0x00;
    data[14] = ipv6 ? 0x60 : 0x45;
    data[ipv6 ? 20 : 23] = flow % 2 ? 6 : 17;
    data[ipv6 ? 53 : 33] = (uint8_t)(flow / 8); /* the last byte of the peer's address */
    data[ipv6 ? 57 : 37] = (uint8_t)flow;       /* and of its port */
    return packet;
}

/* Sends it, and gives it back: the pair that it went by; -1: it did not go by one. */
static int sends_by(struct packet *packet)
{
    struct fake_chain chain;
    int pair = -1;
    if (!nic->transmit(nic, packet))
        return -1;
    nic->flush(nic);
    for (unsigned i = 0; i < FAKE_PAIRS && fake.queues[2 * i + 1].queue; i++) {
        while (fake_take(&fake, 2 * i + 1, &chain)) {
            bool notified = fake_notified(&fake, 2 * i + 1);
            fake_return(&fake, 2 * i + 1, chain.head, 0);
            pair = pair < 0 && notified ? (int)i : FAKE_PAIRS;
        }
    }
    return pair < FAKE_PAIRS ? pair : -1;
}

static void a_flow_has_one_pair(void)
{
    CHECK(start(CPUS));
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        unsigned flows[CPUS] = { 0 };
        for (unsigned flow = 0; flow < FLOWS; flow++) {
            int pair = sends_by(packet_of(flow, ipv6));
            CHECK(pair >= 0 && pair < CPUS);
            CHECK_EQUAL(sends_by(packet_of(flow, ipv6)), pair);
            flows[pair]++;
        }
        for (unsigned i = 0; i < CPUS; i++)
            CHECK(flows[i] > FLOWS / CPUS / 3);
    }
    struct packet *other = packet_of(0, false);
    packet_data(other)[13] = 0x06; /* ARP */
    CHECK_EQUAL(sends_by(other), 0);
    struct packet *short_one = packet_of(0, false);
    short_one->linear = short_one->length = 10;
    CHECK_EQUAL(sends_by(short_one), 0);
}

/* A fragment has no ports, and so all fragments of two addresses have one pair. */
static void fragments_stay_together(void)
{
    CHECK(start(CPUS));
    struct packet *packet = packet_of(0, false);
    packet_data(packet)[20] = 0x20; /* more follow */
    int pair = sends_by(packet);
    for (unsigned port = 1; port < 32; port++) {
        packet = packet_of(0, false);
        packet_data(packet)[21] = (uint8_t)port; /* a place in the whole */
        packet_data(packet)[37] = (uint8_t)port;
        CHECK_EQUAL(sends_by(packet), pair);
    }
}

/* ---- Receiving ---- */

/* Puts packets into the buffers of a pair. */
static unsigned put(unsigned pair, unsigned count)
{
    struct virtio_net_header header = { .buffers = 1 };
    struct fake_chain chain;
    unsigned done = 0;
    for (; done < count && fake_take(&fake, 2 * pair, &chain); done++) {
        fake_write(&chain, 0, &header, HEADER);
        fake_return_quietly(&fake, 2 * pair, chain.head, HEADER + 60);
    }
    return done;
}

static void receives_by_all_of_them(void)
{
    CHECK(start(CPUS));
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    for (unsigned i = 0; i < CPUS; i++) {
        CHECK_EQUAL(put(i, 10), 10);
        fake_interrupt(&fake, 2 * i);
        CHECK_EQUAL(packets, 10 * (i + 1));
    }
    /* One that is not due has no interrupt to be served for. */
    CHECK_EQUAL(put(1, 1), 1);
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(packets, 10 * CPUS);
    fake_interrupt(&fake, 2 * 1);
    CHECK_EQUAL(packets, 10 * CPUS + 1);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

/* A flood on one pair leaves the others their turn. */
static void a_flood_leaves_others_their_turn(void)
{
    CHECK(start(2));
    nic->polled = true; /* the interrupts only say that they are due */
    unsigned flood = put(0, 64), other = put(1, 20);
    CHECK_EQUAL(other, 20);
    fake_interrupt(&fake, 0);
    fake_interrupt(&fake, 2);
    CHECK_EQUAL(packets, 0);
    CHECK(nic->receive_round(nic));
    CHECK_EQUAL(packets, NETWORK_ROUND);
    flood += put(0, 64);
    CHECK(nic->receive_round(nic));
    CHECK_EQUAL(packets, 2 * NETWORK_ROUND);
    CHECK(!put(1, 0) && fake.queues[2].used == 20);
    CHECK(!nic->receive_round(nic));
    CHECK_EQUAL(packets, flood + other);
}

static void is_told_when_a_full_one_has_room(void)
{
    CHECK(start(CPUS));
    struct fake_chain chain;
    int pair = sends_by(packet_of(1, false));
    CHECK(pair >= 0);
    while (nic->transmit(nic, packet_of(1, false)))
        continue;
    nic->flush(nic);
    CHECK_EQUAL(ready_calls, 0);
    fake_interrupt(&fake, 2 * ((unsigned)pair + 1) % (2 * CPUS));
    CHECK_EQUAL(ready_calls, 0);
    while (fake_take(&fake, 2 * (unsigned)pair + 1, &chain))
        fake_return(&fake, 2 * (unsigned)pair + 1, chain.head, 0);
    CHECK_EQUAL(ready_calls, 1);
    CHECK_EQUAL(nic->dropped, 0);
}

/* ---- Devices that do not do what they are told ---- */

/* The first pair does all, and the others are served if the device uses them all the same. */
static void works_without_an_answer(void)
{
    for (unsigned silent = 0; silent < 2; silent++) {
        fake_init_pairs(&fake, FEATURES, CPUS);
        fake.silent = silent;
        fake.answer = 1;
        CHECK(start_on(CPUS));
        CHECK_EQUAL(fake.pairs, 1);
        CHECK(strstr(host_log(), silent ? "(ETIMEDOUT)" : "(EIO)") != NULL);
        for (unsigned flow = 0; flow < 32; flow++)
            CHECK_EQUAL(sends_by(packet_of(flow, false)), 0);
        CHECK_EQUAL(put(3, 5), 5);
        fake_interrupt(&fake, 6);
        CHECK_EQUAL(packets, 5);
        fake_need_reset(&fake);
        CHECK(strstr(host_log(), "does not come up again") == NULL);
        CHECK_EQUAL(sends_by(packet_of(7, false)), 0);
    }
}

static void all_are_reset(void)
{
    CHECK(start(CPUS));
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    for (unsigned flow = 0; flow < 40; flow++)
        (void)nic->transmit(nic, packet_of(flow, false));
    CHECK_EQUAL(put(2, 7), 7);
    fake_need_reset(&fake);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    CHECK(has_pairs(CPUS));
    for (unsigned i = 0; i < CPUS; i++) {
        CHECK_EQUAL(put(i, 10), 10);
        fake_interrupt(&fake, 2 * i);
    }
    CHECK_EQUAL(packets, 10 * CPUS);
    a_flow_has_one_pair();
}

static void a_reset_that_loses_pairs_is_the_end(void)
{
    CHECK(start(CPUS));
    fake.answer = 1;
    fake_need_reset(&fake);
    CHECK(strstr(host_log(), "does not come up again after a reset") != NULL);
    for (unsigned flow = 0; flow < 500; flow++)
        CHECK(nic->transmit(nic, packet_of(flow, false)));
    CHECK_EQUAL(nic->dropped, 500);
}

/* Nothing of what could not be had is lost. */
static void has_fewer_without_memory(void)
{
    unsigned fewer = 0, started = 0;
    for (unsigned i = 1; i < 100; i++) {
        fake_init_pairs(&fake, FEATURES, CPUS);
        fake.queue_size = 16;
        host_fail_allocation(i);
        bool up = start_on(CPUS);
        host_fail_allocation(0);
        if (!up)
            continue;
        started++;
        fewer += pairs_made() < CPUS;
        CHECK(fake.pairs >= 1 && fake.pairs <= CPUS);
        CHECK_EQUAL(put(0, 1), 1);
        fake_interrupt(&fake, 0);
        CHECK_EQUAL(packets, 1);
    }
    CHECK(fewer > 0 && started > fewer);
}

void test_pairs(void)
{
    host_test("pairs: one for each CPU", has_a_pair_for_each_cpu);
    host_test("pairs: one where more are of no use", has_one_where_more_are_of_no_use);
    host_test("pairs: numbers that cannot be", bears_numbers_that_cannot_be);
    host_test("pairs: a flow has one", a_flow_has_one_pair);
    host_test("pairs: fragments stay together", fragments_stay_together);
    host_test("pairs: receives by all of them", receives_by_all_of_them);
    host_test("pairs: a flood leaves others their turn", a_flood_leaves_others_their_turn);
    host_test("pairs: a full one", is_told_when_a_full_one_has_room);
    host_test("pairs: works without an answer", works_without_an_answer);
    host_test("pairs: all are reset", all_are_reset);
    host_test("pairs: a reset that loses pairs is the end", a_reset_that_loses_pairs_is_the_end);
    host_test("pairs: fewer without memory", has_fewer_without_memory);
}
