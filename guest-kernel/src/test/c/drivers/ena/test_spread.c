/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several pairs of queues: how many there are, which CPU each interrupts, and that a connection stays with one; and
 * interrupts of packets that were sent, which wait where the NIC can have them wait.
 */
#include <stdio.h>
#include <string.h>

#include "drivers/ena/driver.h"
#include "drivers/pci/pci.h"
#include "host/host.h"
#include "platform/platform.h"

#define CPUS 4
#define FLOWS 200
#define PACKETS 10000

static struct model_variant spreading(void)
{
    struct model_variant v = model_usual();
    v.queues = MODEL_QUEUES;
    v.rss_log2 = 7;
    v.hash_functions = MODEL_TOEPLITZ;
    return v;
}

static unsigned queues(unsigned first)
{
    unsigned count = 0;
    for (unsigned i = first; i < first + MODEL_QUEUES; i++)
        count += fake.model.submission_queues[i].exists;
    return count;
}

/* A NIC that is started on so many CPUs, and has so many pairs. */
static bool starts(struct model_variant v, unsigned cpus_there, unsigned pairs)
{
    platform.cpus = cpus_there;
    bool right = driver_start(v) && stack.device->running && queues(0) == pairs && queues(MODEL_QUEUES) == pairs;
    platform.cpus = 2;
    return right && fake.model.first_violation == NULL && fake.model.rss_set == (pairs > 1);
}

static void has_a_pair_for_each_cpu(void)
{
    struct model_variant v = spreading();
    CHECK(starts(v, CPUS, CPUS));
    CHECK_EQUAL(fake.model.hash_function, MODEL_TOEPLITZ);
    CHECK(strstr(host_log(), "pairs of queues: 4,") != NULL);
    for (unsigned i = 0; i < CPUS; i++) {
        const struct model_submission_queue *queue = &fake.model.submission_queues[MODEL_QUEUES + i];
        CHECK_EQUAL(fake.model.completion_queues[queue->completions].vector, 1 + i);
        CHECK_EQUAL(model_buffers(&fake.model, i), 63);
    }
    CHECK(starts(v, 1, 1));
    CHECK(starts(v, 64, MODEL_QUEUES));
    v.extended_queues = false;
    CHECK(starts(v, 3, 3));
    v.hash_fixed = true;
    CHECK(starts(v, CPUS, CPUS));
    v.hash_functions = MODEL_CRC32;
    CHECK(starts(v, CPUS, CPUS));
    v.hash_functions = 0;
    CHECK(starts(v, CPUS, CPUS));
}

static void has_fewer_where_the_nic_has(void)
{
    struct model_variant v = spreading();
    v.queues = 2;
    CHECK(starts(v, CPUS, 2));
    v.queues = 1;
    CHECK(starts(v, CPUS, 1));
    v = spreading();
    v.vectors = 3;
    CHECK(starts(v, CPUS, 2));
    v.vectors = 2;
    CHECK(starts(v, CPUS, 1));
    v = spreading();
    v.rss_log2 = 0;
    CHECK(starts(v, CPUS, 1));
    v = spreading();
    v.queues_granted = 1;
    CHECK(starts(v, CPUS, 1));
}

/* Without memory for all of them. Nothing of what could not be had is lost. */
static void has_fewer_without_memory(void)
{
    unsigned fewer = 0;
    for (unsigned i = 1; i < 200; i++) {
        struct model_variant v = spreading();
        fake_init(v);
        fake.model.forgiven[RULE_RX_FILLED] = true;
        platform.cpus = CPUS;
        host_fail_allocation(i);
        bool found = fake_find();
        host_fail_allocation(0);
        platform.cpus = 2;
        CHECK(found);
        NO_VIOLATION();
        fewer += queues(0) > 0 && queues(0) < CPUS;
    }
    CHECK(fewer > 0);
}

/* ---- Interrupts ---- */

static void interrupts_each_cpu(void)
{
    CHECK(starts(spreading(), 4, 4));
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQUAL(fake.routes[i], 0);
    cpus_online = 3; /* they are started after devices */
    pci_spread_interrupts();
    static const unsigned wanted[] = { 0, 0, 1, 2, 0 };
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQUAL(fake.routes[i], wanted[i]);
    (void)model_event(&fake.model, 7, 0, "", 0);
    driver_run(2 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 2);
    CHECK_EQUAL(queues(MODEL_QUEUES), 4);
    CHECK(fake.model.rss_set);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQUAL(fake.routes[i], wanted[i]);
    NO_VIOLATION();
}

/* For the end of the machine. A CPU that stops may have been interrupted before. */
static void interrupts_the_boot_cpu_at_the_end(void)
{
    fake.raised = 0;
    pci_gather_interrupts();
    CHECK_EQUAL(fake.raised, 4);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQUAL(fake.routes[i], 0);
    driver_run(2 * NS_PER_SECOND);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQUAL(fake.routes[i], 0);
    cpus_online = 1;
}

/* ---- Connections ---- */

/* The n-th of the peers, of which one port and address in turn are different ones. */
static void set_peer(uint8_t *address, uint8_t *port, unsigned n)
{
    address[3] = (uint8_t)(1 + n / 2);
    port[0] = 0xc0;
    port[1] = (uint8_t)(n * 7);
}

static uint32_t taken(unsigned queue) { return fake.model.submission_queues[queue].head; }
static uint32_t posted(unsigned queue)
{
    return fake.model.completion_queues[fake.model.submission_queues[queue].completions].posted;
}

/* Which queue's number changes; -1: none, or several. */
static int changed(const uint32_t *before, uint32_t (*number)(unsigned queue), unsigned first)
{
    int which = -1;
    for (unsigned i = 0; i < MODEL_QUEUES; i++) {
        if (number(first + i) == before[i])
            continue;
        if (which >= 0)
            return -1;
        which = (int)i;
    }
    return which;
}

static void note(uint32_t *before, uint32_t (*number)(unsigned queue), unsigned first)
{
    for (unsigned i = 0; i < MODEL_QUEUES; i++)
        before[i] = number(first + i);
}

static int receives_by(unsigned flow)
{
    uint8_t frame[200];
    uint32_t before[MODEL_QUEUES], length = make_frame(frame, 100, 1);
    set_peer(frame + 26, frame + 34, flow);
    note(before, posted, MODEL_QUEUES);
    if (!model_receive(&fake.model, frame, length))
        return -1;
    return changed(before, posted, MODEL_QUEUES);
}

static int sends_by(unsigned flow)
{
    uint32_t before[MODEL_QUEUES];
    struct packet *packet = make_packet(100, 0, 1);
    uint8_t *data = packet_data(packet), address[4], port[2];
    memcpy(address, data + 26, 4);
    memcpy(data + 26, data + 30, 4); /* we are whom the frames above are for */
    memcpy(data + 30, address, 4);
    memcpy(port, data + 34, 2);
    memcpy(data + 34, data + 36, 2);
    memcpy(data + 36, port, 2);
    set_peer(data + 30, data + 36, flow);
    packet->flags = 0;
    note(before, taken, 0);
    (void)driver_send(packet);
    return changed(before, taken, 0);
}

/* The number of flows that leave by the pair that they come by; -1: one has changed its pair. Each pair has some. */
static int flows_together(struct model_variant v)
{
    int together = 0;
    unsigned used = 0;
    if (!starts(v, CPUS, CPUS))
        return -1;
    for (unsigned flow = 0; flow < FLOWS; flow++) {
        int in = receives_by(flow), out = sends_by(flow);
        driver_run(NS_PER_MS);
        if (in < 0 || out < 0 || receives_by(flow) != in || sends_by(flow) != out)
            return -1;
        driver_run(NS_PER_MS);
        used |= 1u << in;
        together += in == out;
    }
    forget_received();
    return used == (1u << CPUS) - 1 && fake.model.first_violation == NULL ? together : -1;
}

static void a_connection_has_one_pair(void)
{
    struct model_variant v = spreading();
    CHECK_EQUAL(flows_together(v), FLOWS);
    v.key_reversed = true;
    CHECK_EQUAL(flows_together(v), FLOWS);
    v.llq_sizes = 1;
    v.no_meta_caching = true;
    CHECK_EQUAL(flows_together(v), FLOWS);
    v.hash_fixed = true; /* then by chance */
    int together = flows_together(v);
    CHECK(together > 0 && together < FLOWS);
}

/* Other packets than those of connections have a pair too. */
static void sends_what_has_no_ports(void)
{
    CHECK(starts(spreading(), CPUS, CPUS));
    unsigned before = fake.frames;
    for (unsigned i = 0; i < 256; i++) {
        struct packet *packet = make_packet(20, 0, (uint8_t)i);
        uint8_t *data = packet_data(packet);
        packet->flags = 0;
        data[12] = (uint8_t)(i % 2 ? 8 : i);
        data[14] = (uint8_t)(0x40 | (i & 15));
        data[20] = (uint8_t)(i % 4);
        data[23] = (uint8_t)i;
        (void)driver_send(packet);
        driver_run(NS_PER_MS);
    }
    CHECK_EQUAL(fake.frames - before, 256);
    NO_VIOLATION();
}

/* A round is no longer with several pairs, and each of them has its turn. */
static void a_flood_leaves_no_pair_out(void)
{
    platform.memory_bytes = 1024UL << 20;
    CHECK(starts(spreading(), CPUS, CPUS));
    platform.memory_bytes = 64UL << 20;
    unsigned arrived = 0, rounds = 1;
    for (unsigned i = 0; i < 2 * FLOWS; i++)
        arrived += receives_by(i % FLOWS) >= 0;
    CHECK_EQUAL(arrived, 2 * FLOWS);
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, NETWORK_ROUND);
    CHECK(stack.device->polled);
    for (bool more = true; more; rounds++) {
        CHECK_EQUAL(stack.received_count, rounds * NETWORK_ROUND);
        more = stack.device->receive_round(stack.device);
    }
    CHECK_EQUAL(stack.received_count, arrived);
    stack.device->polled = false;
    for (unsigned i = 0; i < CPUS; i++)
        CHECK_EQUAL(model_buffers(&fake.model, i), fake.model.submission_queues[MODEL_QUEUES + i].depth - 1);
    NO_VIOLATION();
}

/* ---- Moderation ---- */

static unsigned interrupts_of(unsigned moderation, bool answers)
{
    struct model_variant v = model_usual();
    v.moderation_us = moderation;
    if (!starts(v, 1, 1))
        return 0;
    unsigned before = fake.interrupts;
    for (unsigned i = 0; i < PACKETS; i++) {
        if (answers && receives_by(0) < 0)
            return 0;
        fake_interrupts();
        if (answers && stack.received_count != 1)
            return 0; /* it is late */
        forget_received();
        (void)sends_by(0);
        fake_interrupts();
        fake_advance(10 * NS_PER_US);
    }
    driver_run(NS_PER_MS);
    return fake.model.first_violation == NULL ? fake.interrupts - before : 0;
}

static void sent_packets_interrupt_later(void)
{
    unsigned answers = interrupts_of(0, true), sends = interrupts_of(0, false);
    CHECK(answers >= 2 * PACKETS && answers < 2 * PACKETS + 10); /* with signs of life */
    CHECK(sends >= PACKETS && sends < PACKETS + 10);
    unsigned later_answers = interrupts_of(2, true), later_sends = interrupts_of(2, false);
    printf("# interrupts for %u packets: %u for answers, %u without moderation; %u and %u for what is only sent\n",
           PACKETS, later_answers, answers, later_sends, sends);
    CHECK(later_answers >= PACKETS && later_answers < PACKETS + 10);
    CHECK(later_sends > 0 && later_sends < PACKETS / 2);
    CHECK(interrupts_of(64000, true) >= PACKETS);
}

void test_spread(void)
{
    host_test("ena: a pair of queues for each CPU", has_a_pair_for_each_cpu);
    host_test("ena: fewer pairs where the NIC has fewer", has_fewer_where_the_nic_has);
    host_test("ena: fewer pairs without memory", has_fewer_without_memory);
    host_test("ena: a connection has one pair of queues", a_connection_has_one_pair);
    host_test("ena: packets without ports are sent", sends_what_has_no_ports);
    host_test("ena: a flood leaves no pair out", a_flood_leaves_no_pair_out);
    host_test("ena: interrupts of what was sent wait", sent_packets_interrupt_later);
    host_test("ena: interrupts go to each CPU", interrupts_each_cpu);
    host_test("ena: interrupts go to the boot CPU at the end", interrupts_the_boot_cpu_at_the_end);
}
