/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How NICs of every kind are started, by the rules of the model: what is learnt of them and what is chosen; and NICs
 * that cannot be used, which are left alone with one line in the log and without their memory.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/driver.h"
#include "drivers/ena/ena.h"
#include "drivers/ena/queue.h"
#include "drivers/pci/pci.h"
#include "host/host.h"
#include "platform/native/native.h"

static struct model_submission_queue *sender(void) { return &fake.model.submission_queues[0]; }
static struct model_submission_queue *receiver(void) { return &fake.model.submission_queues[MODEL_QUEUES]; }

static void starts_a_usual_nic(void)
{
    struct model_variant v = model_usual();
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(memcmp(stack.device->mac, v.mac, 6) == 0);
    CHECK(stack.device->running);
    CHECK_EQUAL(stack.device->mtu, 1500);
    CHECK_EQUAL(stack.device->max_mtu, 9001);
    CHECK_EQUAL(fake.model.mtu, 9001);
    CHECK(stack.device->checksum_offload && stack.device->segmentation_offload);
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK_EQUAL(fake.model.reset_reason, 0);
    CHECK(sender()->exists && !sender()->llq);
    CHECK(strstr(host_log(), "02:45:4e:41:00:01, ENA at 00:05.0, pairs of queues: 1, packets fetched from memory") !=
          NULL);
}

/* A buffer for each MiB of memory, as far as the NIC's rings go. */
static void fills_the_ring(void)
{
    struct model_variant v = model_usual();
    CHECK(driver_start(v));
    CHECK_EQUAL(receiver()->depth, 64);
    CHECK_EQUAL(model_buffers(&fake.model, 0), 63);
    platform.memory_bytes = 4096UL << 20;
    CHECK(driver_start(v));
    CHECK_EQUAL(receiver()->depth, 256);
    CHECK_EQUAL(model_buffers(&fake.model, 0), 255);
    CHECK_EQUAL(sender()->depth, 256);
    v.rx_depth = v.tx_depth = 1024;
    CHECK(driver_start(v));
    CHECK_EQUAL(receiver()->depth, 1024);
    CHECK_EQUAL(sender()->depth, ENA_SEND_DEPTH);
    platform.memory_bytes = 8UL << 20;
    CHECK(driver_start(v));
    CHECK_EQUAL(receiver()->depth, 32);
    platform.memory_bytes = 64UL << 20;
    NO_VIOLATION();
}

/* Rings that are not a power of two deep, and those for which the NIC has no room. */
static void takes_shorter_rings(void)
{
    struct model_variant v = model_usual();
    v.tx_depth = 500;
    CHECK(driver_start(v));
    CHECK_EQUAL(sender()->depth, 256);
    v.depth_granted = 32;
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK_EQUAL(sender()->depth, 32);
    CHECK_EQUAL(receiver()->depth, 32);
    CHECK_EQUAL(model_buffers(&fake.model, 0), 31);
    CHECK(stack.device->running);
}

static void pushes(uint16_t sizes, uint8_t recommended, uint32_t depth)
{
    struct model_variant v = model_usual();
    v.llq_sizes = sizes;
    v.llq_recommended = recommended;
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(sender()->llq);
    CHECK_EQUAL(sender()->depth, depth);
    CHECK_EQUAL(sender()->entry_bytes, recommended == 4 ? 256 : 128);
    CHECK(strstr(host_log(), "packets pushed") != NULL);
}

static void pushes_where_it_can(void)
{
    pushes(1, 0, 256);
    pushes(1 | 4, 1, 256);
    pushes(1 | 4, 4, 128);
    struct model_variant v = model_usual();
    v.llq_sizes = 4; /* not what the driver knows */
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(!sender()->llq);
    v.llq_sizes = 1;
    v.llq_depth = 16;
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(!sender()->llq);
}

static bool start_without_memory(void)
{
    struct pci_function function = { .device = FAKE_PLACE, .vendor = 0x1d0f, .id = 0xec21, .class = 0x020000 };
    struct model_variant v = model_usual();
    v.llq_sizes = 1;
    fake_init(v);
    fake.no_device_memory = true;
    return ena_start(&function);
}

static void fetches_without_memory_in_the_nic(void)
{
    (void)host_log();
    CHECK(start_without_memory());
    NO_VIOLATION();
    CHECK(!sender()->llq && sender()->exists);
    CHECK(strstr(host_log(), "fetched from memory") != NULL);
}

static void knows_old_nics(void)
{
    struct model_variant v = model_usual();
    v.extended_queues = false;
    v.capabilities = 0;
    v.tx_offloads = v.rx_offloads = 0;
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(!stack.device->checksum_offload && !stack.device->segmentation_offload);
    v.tx_offloads = 2;
    v.rx_offloads = 1;
    CHECK(driver_start(v));
    NO_VIOLATION();
    CHECK(stack.device->checksum_offload && !stack.device->segmentation_offload);
    v.direct_reads = true;
    v.queues = 1;
    v.vectors = 2;
    CHECK(driver_start(v));
    NO_VIOLATION();
}

static void keeps_to_the_size_of_packets(void)
{
    struct model_variant v = model_usual();
    v.max_mtu = 1400;
    CHECK(driver_start(v));
    CHECK_EQUAL(stack.device->mtu, 1400);
    CHECK_EQUAL(stack.device->max_mtu, 1400);
    v.max_mtu = 9001;
    v.rx_pieces = 1;
    CHECK(driver_start(v));
    CHECK_EQUAL(stack.device->max_mtu, 4096 - 18);
    CHECK_EQUAL(fake.model.mtu, 4096 - 18);
    NO_VIOLATION();
}

static void waits_for_a_link(void)
{
    struct model_variant v = model_usual();
    v.link_down = true;
    CHECK(driver_start(v));
    CHECK(!stack.device->running);
    (void)driver_send(make_packet(10, 1, 0));
    CHECK_EQUAL(stack.device->dropped, 1);
    model_link(&fake.model, true);
    fake_interrupts();
    CHECK(stack.device->running);
    CHECK_EQUAL(stack.link_changes, 1);
    CHECK(driver_send(make_packet(10, 1, 0)));
    CHECK_EQUAL(fake.frames, 1);
    model_link(&fake.model, false);
    fake_interrupts();
    CHECK(!stack.device->running);
    CHECK_EQUAL(stack.link_changes, 2);
    NO_VIOLATION();
}

/* ---- NICs that do not start ---- */

static uint64_t pages_before;

static void prepare(struct model_variant v)
{
    (void)host_log();
    fake_init(v);
    pages_before = host_pages_in_use();
}

/* One line, and no network device. */
static bool left_alone(const char *why)
{
    unsigned devices = 0;
    while (network_device_at(devices))
        devices++;
    bool taken = fake_find();
    const char *log = host_log();
    return taken && !network_device_at(devices) && strstr(log, why) && strchr(log, '\n') == strrchr(log, '\n') &&
           !fake.enabled;
}

static void leaves_alone_what_does_not_reset(void)
{
    static const struct {
        struct model_faults faults;
        bool gone;
        const char *why;
    } cases[] = {
        { { .reset_ignored = true }, false, "does not start: ETIMEDOUT" },
        { { .reset_endless = true }, false, "does not start: ETIMEDOUT" },
        { { .readless_silent = true }, false, "does not start: ENODEV" },
        { { .readless_elsewhere = true }, false, "does not start: ENODEV" },
        { { 0 }, true, "does not start: ENODEV" },
    };
    for (unsigned i = 0; i < array_size(cases); i++) {
        prepare(model_usual());
        fake.model.faults = cases[i].faults;
        fake.gone = cases[i].gone;
        CHECK(left_alone(cases[i].why));
    }
}

static void leaves_alone(struct model_variant v, const char *why)
{
    prepare(v);
    CHECK(left_alone(why));
    CHECK_EQUAL(host_pages_in_use(), pages_before);
    CHECK_EQUAL(fake.model.reset_reason, 7);
    NO_VIOLATION();
}

/* A usual NIC but for one thing. */
#define LEAVES_ALONE_WITH(change, error) \
    do { \
        struct model_variant v = model_usual(); \
        v.change; \
        leaves_alone(v, error); \
    } while (0)

static void leaves_alone_what_it_cannot_use(void)
{
    LEAVES_ALONE_WITH(mac[0] |= 1, "EINVAL");
    LEAVES_ALONE_WITH(max_mtu = 500, "EINVAL");
    LEAVES_ALONE_WITH(queues = 0, "EOPNOTSUPP");
    LEAVES_ALONE_WITH(tx_depth = 16, "EOPNOTSUPP");
    LEAVES_ALONE_WITH(rx_depth = 16, "EOPNOTSUPP");
    LEAVES_ALONE_WITH(tx_pieces = 1, "EOPNOTSUPP");
    LEAVES_ALONE_WITH(rx_pieces = 0, "EOPNOTSUPP");
    LEAVES_ALONE_WITH(depth_granted = 16, "ENOSPC");
    struct model_variant without_address = model_usual();
    memset(without_address.mac, 0, sizeof(without_address.mac));
    leaves_alone(without_address, "EINVAL");
}

static void needs_two_vectors(void)
{
    struct model_variant v = model_usual();
    v.vectors = 1;
    prepare(v);
    CHECK(left_alone("ENOSPC"));
    v.vectors = 0;
    prepare(v);
    CHECK(left_alone("ENODEV"));
}

static void needs_addresses_of_all_memory(void)
{
    struct model_variant v = model_usual();
    v.address_bits = 32;
    CHECK(driver_start(v));
    native_memory[0].end = 5UL << 30;
    prepare(v);
    CHECK(left_alone("EOPNOTSUPP"));
    native_memory[0].end = 64UL << 20;
}

/* Each command in turn is not answered, or wrongly, or fails. What may be missing is done without. */
static void stands_each_failing_command(void)
{
    static const enum model_admin_fault kinds[] = { ADMIN_SILENT, ADMIN_STATUS, ADMIN_WRONG_ID, ADMIN_WRONG_PHASE,
                                                    ADMIN_TWICE };
    struct model_variant v = model_usual();
    v.llq_sizes = 1;
    v.hints = true;
    for (unsigned kind = 0; kind < array_size(kinds); kind++) {
        for (unsigned n = 1; n < 20; n++) {
            prepare(v);
            fake.model.faults.admin_number = n;
            fake.model.faults.admin = kinds[kind];
            fake.model.faults.admin_status = 6;
            unsigned devices = 0;
            while (network_device_at(devices))
                devices++;
            CHECK(fake_find());
            NO_VIOLATION();
            if (!network_device_at(devices))
                CHECK_EQUAL(host_pages_in_use(), pages_before);
        }
    }
}

/* Each command in turn finds the NIC busy, and nothing is done without. */
static void tries_again_when_the_nic_is_busy(void)
{
    struct model_variant v = model_usual();
    v.llq_sizes = 1;
    v.hints = true;
    CHECK(driver_start(v));
    unsigned commands = fake.model.commands;
    for (unsigned n = 1; n <= commands; n++) {
        unsigned devices = 0;
        while (network_device_at(devices))
            devices++;
        prepare(v);
        fake.model.faults.admin_number = n;
        fake.model.faults.admin = ADMIN_STATUS;
        fake.model.faults.admin_status = 7;
        CHECK(fake_find());
        const struct network_device *device = network_device_at(devices);
        CHECK(device != NULL);
        CHECK(device->segmentation_offload && device->max_mtu == 9001 && sender()->llq);
        CHECK_EQUAL(fake.model.commands, commands + 1);
        NO_VIOLATION();
    }
}

static void survives_lack_of_memory(void)
{
    for (uint64_t n = 1; n < 40; n++) {
        prepare(model_usual());
        unsigned devices = 0;
        while (network_device_at(devices))
            devices++;
        host_fail_one_allocation(n);
        CHECK(fake_find());
        host_fail_allocation(0);
        if (!network_device_at(devices))
            CHECK_EQUAL(host_pages_in_use(), pages_before);
    }
}

static void takes_only_its_own(void)
{
    fake_init(model_usual());
    struct pci_function function = { .vendor = 0x1d0f, .id = 0x8061, .class = 0x010802 };
    CHECK(!ena_start(&function));
    function.id = 0xec20;
    function.vendor = 0x8086;
    CHECK(!ena_start(&function));
}

static void stops_at_the_end(void)
{
    CHECK(driver_start(model_usual()));
    ena_shut_down();
    NO_VIOLATION();
    CHECK_EQUAL(fake.model.resets, 2);
    CHECK_EQUAL(fake.model.reset_reason, 11);
    CHECK(!sender()->exists && !receiver()->exists);
}

void test_bring_up(void)
{
    /* First, while there are no others. */
    host_test("ena: NICs are stopped at the end", stops_at_the_end);
    host_test("ena: a usual NIC is started", starts_a_usual_nic);
    host_test("ena: the receive ring is filled, by how much memory there is", fills_the_ring);
    host_test("ena: shorter rings are taken where the NIC has no room", takes_shorter_rings);
    host_test("ena: packets are pushed where the NIC takes them", pushes_where_it_can);
    host_test("ena: packets are fetched where the NIC has no memory", fetches_without_memory_in_the_nic);
    host_test("ena: old NICs are known", knows_old_nics);
    host_test("ena: packets are as large as NIC and buffers allow", keeps_to_the_size_of_packets);
    host_test("ena: the link comes and goes", waits_for_a_link);
    host_test("ena: a NIC that does not reset is left alone", leaves_alone_what_does_not_reset);
    host_test("ena: a NIC that cannot be used is left alone", leaves_alone_what_it_cannot_use);
    host_test("ena: a NIC needs two interrupt vectors", needs_two_vectors);
    host_test("ena: a NIC must reach all memory", needs_addresses_of_all_memory);
    host_test("ena: each command may fail", stands_each_failing_command);
    host_test("ena: a busy NIC is asked again", tries_again_when_the_nic_is_busy);
    host_test("ena: each allocation may fail", survives_lack_of_memory);
    host_test("ena: other functions are left to others", takes_only_its_own);
}
