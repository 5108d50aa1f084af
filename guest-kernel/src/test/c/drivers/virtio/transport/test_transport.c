/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI and memory-mapped virtio devices that lie about where their structures are, never settle, never reset, or raise
 * interrupts they were not asked for: the driver gives up with a line, or bears it, in a bounded number of accesses.
 */
#include <string.h>

#include "drivers/device.h"
#include "drivers/pci/pci.h"
#include "drivers/virtio/virtio.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/platform.h"
#include "drivers/virtio/transport/machine.h"

/* Far more than starting a device takes, far less than a driver that has lost itself. */
#define STEPS_OF_A_DEVICE 40000
/* 256 buses of 32 devices with 8 functions, a handful of accesses each. */
#define STEPS_OF_ALL_BUSES (256 * 32 * 8 * 16)

static unsigned disks_found(void)
{
    unsigned count = 0;
    while (block_device_at(count) != NULL)
        count++;
    return count;
}

static unsigned nics_found(void)
{
    unsigned count = 0;
    while (network_device_at(count) != NULL)
        count++;
    return count;
}

static void start_function(const struct pci_function *function)
{
    if (!virtio_pci_start(function))
        pci_report_unused(function, "some");
}

static void find_on_pci(void) { pci_for_each(start_function); }

static bool runs(void) { return machine_device.status & VIRTIO_DRIVER_OK; }

/* Looks for PCI devices after a lie: true if none came up, a line has this in it, and what it raises does no harm. */
static bool gives_up_with(const char *line)
{
    unsigned disks = disks_found(), nics = nics_found();
    (void)host_log();
    find_on_pci();
    bool said = strstr(host_log(), line) != NULL;
    machine_raise_all();
    return said && !runs() && disks_found() == disks && nics_found() == nics && machine_steps < STEPS_OF_A_DEVICE;
}

static void put_bridge(unsigned bus, unsigned device, uint8_t secondary)
{
    struct machine_function *bridge = machine_add(bus, device, 0, 0x8086, 1);
    machine_put16(bridge, 0x0a, 0x0604);
    bridge->config[0x19] = secondary;
}

static void finds_a_device_behind_a_bridge(void)
{
    machine_start(VIRTIO_BLOCK);
    unsigned disks = disks_found();
    put_bridge(0, 3, 7);
    machine_add_virtio(7, 2, VIRTIO_BLOCK);
    find_on_pci();
    CHECK_EQUAL(disks_found(), disks + 1);
    CHECK(runs());
    CHECK_EQUAL(machine_device.enabled_queues, 1);
    CHECK_EQUAL(block_device_at(disks)->sectors, 2048);
    CHECK(machine_steps < STEPS_OF_A_DEVICE);
}

static void bridges_that_lead_to_each_other(void)
{
    machine_start(VIRTIO_BLOCK);
    unsigned disks = disks_found();
    put_bridge(0, 3, 7);
    put_bridge(7, 1, 0);
    put_bridge(7, 3, 7);
    put_bridge(7, 4, 9);
    put_bridge(9, 4, 7);
    machine_add_virtio(9, 2, VIRTIO_BLOCK);
    find_on_pci();
    CHECK_EQUAL(disks_found(), disks + 1);
    CHECK(machine_steps < STEPS_OF_A_DEVICE);
}

static void bridges_everywhere(void)
{
    static struct machine_function bridge;
    machine_start(VIRTIO_BLOCK);
    machine_everywhere = &bridge;
    machine_put16(&bridge, 0x0a, 0x0604);
    bridge.config[0x0e] = 0x80;
    for (unsigned secondary = 0; secondary < 256; secondary += 51) {
        bridge.config[0x19] = (uint8_t)secondary;
        machine_steps = 0;
        find_on_pci();
        CHECK(machine_steps > 0 && machine_steps < STEPS_OF_ALL_BUSES);
    }
}

/* ---- Configuration space in memory ---- */

static void put_memory(phys_t address, uint8_t first_bus, uint8_t last_bus)
{
    acpi.pci_memory[acpi.pci_memory_count++] = (struct acpi_pci_memory){ address, first_bus, last_bus };
}

/* A disk on bus 7, which only memory leads to, found from bus 0, which only ports do; or memory for everything. */
static void configuration_space_in_memory(void)
{
    for (unsigned all = 0; all < 2; all++) {
        machine_start(VIRTIO_BLOCK);
        unsigned disks = disks_found();
        machine_ports = all ? NO_PORTS : PORTS_FOR_BUS_0;
        put_memory(0x123000, 0, 255); /* not where a bus can be */
        put_memory(MACHINE_CONFIGURATION, all ? 0 : 1, 255);
        put_bridge(0, 3, 7);
        machine_add_virtio(7, 2, VIRTIO_BLOCK);
        find_on_pci();
        CHECK_EQUAL(disks_found(), disks + 1);
        CHECK(runs());
        CHECK_EQUAL(machine_moved_while_decoding, 0);
    }
}

/* Then the ports are used. */
static void memory_that_cannot_be_configuration_space(void)
{
    static const struct {
        phys_t address;
        uint8_t first_bus, last_bus;
    } memories[] = {
        { 0x00100000, 0, 255 },
        { 0x0ff00000, 0, 255 }, /* the guest's memory, from its begin or end */
        { MACHINE_CONFIGURATION + 0x1000, 0, 255 },
        { 1UL << 52, 0, 255 },
        { UINT64_MAX - 0xfffff, 0, 255 },
        { MACHINE_CONFIGURATION, 1, 0 },
        { MACHINE_CONFIGURATION, 8, 255 },
        { MACHINE_CONFIGURATION, 255, 0 },
    };
    for (unsigned i = 0; i < array_size(memories); i++) {
        machine_start(VIRTIO_BLOCK);
        unsigned disks = disks_found();
        put_memory(memories[i].address, memories[i].first_bus, memories[i].last_bus);
        machine_add_virtio(0, 2, VIRTIO_BLOCK);
        find_on_pci();
        CHECK_EQUAL(disks_found(), disks + 1);
        CHECK(runs());
    }
}

static void windows_are_measured_while_they_are_off(void)
{
    machine_start(VIRTIO_NETWORK);
    struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_NETWORK);
    function->config[4] = 7; /* as firmware leaves it */
    find_on_pci();
    CHECK(runs());
    CHECK_EQUAL(machine_moved_while_decoding, 0);
}

static void a_function_that_is_kept_from_memory(void)
{
    machine_start(VIRTIO_BLOCK);
    struct machine_function *function = machine_add(1, 5, 2, 0x1af4, 0x1042);
    const struct pci_function same = { .bus = 1, .device = 5, .function = 2 };
    pci_enable(&same);
    CHECK_EQUAL(function->config[4], 6);
    pci_disconnect(&same);
    CHECK_EQUAL(function->config[4], 2);
}

static void functions_without_a_driver(void)
{
    static const struct {
        uint16_t class;
        const char *line; /* NULL: nothing is said */
    } kinds[] = {
        { 0x0200, "PCI 00:05.0: no driver for network card 8086:100e; there are drivers for some: give the guest" },
        { 0x0280, "no driver for network card" },
        { 0x0100, "no driver for storage controller" },
        { 0x0106, "no driver for storage controller" },
        { 0x0300, NULL },
        { 0x0601, NULL },
        { 0, NULL },
    };
    for (unsigned i = 0; i < array_size(kinds); i++) {
        machine_start(VIRTIO_BLOCK);
        machine_put16(machine_add(0, 5, 0, 0x8086, 0x100e), 0x0a, kinds[i].class);
        (void)host_log();
        find_on_pci();
        const char *log = host_log();
        CHECK(kinds[i].line != NULL ? strstr(log, kinds[i].line) != NULL : *log == 0);
    }
}

static void capabilities_that_go_round(void)
{
    static const uint8_t nexts[] = { MACHINE_CAPABILITY_COMMON, MACHINE_CAPABILITY_NOTIFY, MACHINE_CAPABILITY_DEVICE };
    for (unsigned i = 0; i < array_size(nexts); i++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        function->config[nexts[i] + 1] = nexts[i];
        CHECK(gives_up_with("no usable version 1 interface"));
    }
    machine_start(VIRTIO_BLOCK);
    struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
    function->config[MACHINE_CAPABILITY_DEVICE + 1] = MACHINE_CAPABILITY_COMMON;
    CHECK(gives_up_with("no usable version 1 interface"));
}

static void capabilities_outside_of_the_list(void)
{
    for (unsigned first = 0; first < 256; first++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        function->config[0x34] = (uint8_t)first;
        find_on_pci();
        machine_raise_all();
        CHECK(machine_steps < STEPS_OF_A_DEVICE);
    }
}

/* What a capability says of its structure: window, offset, length. */
static const struct place {
    uint8_t window;
    uint32_t offset, length;
} places[] = {
    { 4, MACHINE_WINDOW_SIZE, MACHINE_PART },
    { 4, MACHINE_WINDOW_SIZE - MACHINE_PART + 4, MACHINE_PART },
    { 4, 0xfffffffc, MACHINE_PART },
    { 4, 0xffffff00, 0x100 },
    { 4, 0, MACHINE_WINDOW_SIZE + 4 },
    { 4, 0, UINT32_MAX },
    { 4, 0x80000000, 0x80000000 },
    { 4, 0, 0 },
    { 4, 1, MACHINE_PART },
    { 4, 2, MACHINE_PART },
    { 0, 0, MACHINE_PART },
    { 3, 0, MACHINE_PART },
    { 5, 0, MACHINE_PART },
    { 6, 0, MACHINE_PART },
    { 255, 0, MACHINE_PART },
};

static void structures_outside_of_their_window(void)
{
    static const unsigned needed[] = { MACHINE_CAPABILITY_COMMON, MACHINE_CAPABILITY_NOTIFY };
    for (unsigned i = 0; i < array_size(needed) * array_size(places); i++) {
        const struct place *place = &places[i / array_size(needed)];
        unsigned at = needed[i % array_size(needed)];
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        function->config[at + 4] = place->window;
        machine_put32(function, at + 8, place->offset);
        machine_put32(function, at + 12, place->length);
        CHECK(gives_up_with("no usable version 1 interface"));
    }
}

/* Shorter than the registers that the driver uses, though inside. */
static void structures_that_are_too_short(void)
{
    for (uint32_t length = 0; length < 0x38; length++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        machine_put32(function, MACHINE_CAPABILITY_COMMON + 12, length);
        CHECK(gives_up_with("no usable version 1 interface"));
    }
    for (uint32_t length = 0; length < 2; length++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        machine_put32(function, MACHINE_CAPABILITY_NOTIFY + 12, length);
        CHECK(gives_up_with("virtio device 00:02.0"));
    }
}

/* Without its own structure a disk has no capacity, and with half of it half. */
static void a_configuration_that_is_not_there(void)
{
    for (unsigned i = 0; i < array_size(places); i++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        function->config[MACHINE_CAPABILITY_DEVICE + 4] = places[i].window;
        machine_put32(function, MACHINE_CAPABILITY_DEVICE + 8, places[i].offset);
        machine_put32(function, MACHINE_CAPABILITY_DEVICE + 12, places[i].length);
        CHECK(gives_up_with("is not usable as a disk: it reports 0 sectors"));
    }
}

/* MSI of both lengths: the message is there before it is turned on, and is the only one, whatever was set up before. */
static void one_message_for_a_function(void)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        struct pci_function found = { .device = 3 };
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add(0, 3, 0, 0x8086, 0x2922);
        CHECK_EQUAL(pci_msi_enable(&found, 40), -ENODEV);
        machine_put16(function, 6, 0x10);
        function->config[0x34] = 0x50;
        function->config[0x50] = 0x05;
        machine_put16(function, 0x52, wide ? 0x00b9 : 0x0039); /* on, with eight messages */
        machine_put32(function, 0x58, UINT32_MAX);
        machine_put32(function, 0x5c, UINT32_MAX);
        CHECK_EQUAL(pci_msi_enable(&found, 40), 0);
        CHECK_EQUAL(pci_read32(&found, 0x54), 0xfee00000);
        CHECK_EQUAL(pci_read32(&found, 0x58), wide ? 0 : 0xffff0028);
        CHECK_EQUAL(pci_read32(&found, 0x5c), wide ? 0xffff0028 : UINT32_MAX);
        CHECK_EQUAL(pci_read16(&found, 0x52), wide ? 0x0089 : 0x0009);
    }
}

static void interrupt_tables_outside_of_their_window(void)
{
    static const struct {
        uint32_t place;
        uint16_t control;
    } tables[] = {
        { MACHINE_WINDOW_SIZE | 4, 3 }, { (MACHINE_WINDOW_SIZE - 48) | 4, 3 },
        { 0xfffffff8 | 4, 3 },          { MACHINE_MSIX | 0, 3 },
        { MACHINE_MSIX | 5, 3 },        { MACHINE_MSIX | 6, 3 },
        { MACHINE_MSIX | 7, 3 },        { MACHINE_MSIX | 4, 0x7ff },
    };
    for (unsigned i = 0; i < array_size(tables); i++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        machine_put32(function, MACHINE_CAPABILITY_MSIX + 4, tables[i].place);
        machine_put16(function, MACHINE_CAPABILITY_MSIX + 2, tables[i].control);
        CHECK(gives_up_with("no usable version 1 interface"));
    }
}

static void windows_that_cannot_be(void)
{
    static const struct {
        uint32_t low, high, fixed_low, fixed_high;
    } windows[] = {
        { 0, 0, 0x3fff, 0 },                   /* not assigned */
        { 0xfe000001, 0, 0x3fff, 0 },          /* ports */
        { 0x00200000, 0, 0x3fff, 0 },          /* in the guest's memory */
        { 0x0fffc000, 0, 0x3fff, 0 },          /* the same, at its end */
        { 0xfe001000, 0, 0x1fff, 0 },          /* not a multiple of its length */
        { 0xfe000004, 0x00100000, 0x3fff, 0 }, /* beyond what any CPU reaches */
        { 0xfe000004, 0xffffffff, 0x3fff, 0xffffffff },
    };
    for (unsigned i = 0; i < array_size(windows); i++) {
        machine_start(VIRTIO_BLOCK);
        struct machine_function *function = machine_add_virtio(0, 2, VIRTIO_BLOCK);
        machine_put32(function, 0x20, windows[i].low);
        machine_put32(function, 0x24, windows[i].high);
        function->fixed_bits[4] = windows[i].fixed_low;
        function->fixed_bits[5] = windows[i].fixed_high;
        CHECK(gives_up_with("no usable version 1 interface"));
    }
}

/* The vectors that were connected before the lie came out stay connected, and the device may raise them. */
static void notifications_and_vectors_that_cannot_be(void)
{
    static const struct {
        uint16_t offset;
        uint32_t multiplier;
        bool refuses_vectors;
    } lies[] = {
        { 64, 4, false }, { 0xffff, 4, false }, { 0xffff, UINT32_MAX, false }, { 255, 1, false }, { 1, 1, false },
        { 3, 3, false },  { 1, 4, true },
    };
    static const unsigned types[] = { VIRTIO_BLOCK, VIRTIO_NETWORK, VIRTIO_ENTROPY };
    for (unsigned i = 0; i < array_size(lies) * array_size(types); i++) {
        unsigned type = types[i / array_size(lies)], lie = i % array_size(lies);
        machine_start(type);
        struct machine_function *function = machine_add_virtio(0, 2, type);
        machine_device.notify_offset[type == VIRTIO_NETWORK] = lies[lie].offset;
        machine_device.refuses_vectors = lies[lie].refuses_vectors;
        machine_put32(function, MACHINE_CAPABILITY_NOTIFY + 16, lies[lie].multiplier);
        CHECK(gives_up_with("does not start"));
    }
}

/* The two queues of a NIC have one entry, and there may be no other for the configuration. */
static void a_table_of_one_entry(void)
{
    machine_start(VIRTIO_NETWORK);
    machine_put16(machine_add_virtio(0, 2, VIRTIO_NETWORK), MACHINE_CAPABILITY_MSIX + 2, 0);
    find_on_pci();
    CHECK(runs());
    CHECK_EQUAL(machine_device.enabled_queues, 2);
    CHECK_EQUAL(machine_interrupts, 1);
    CHECK_EQUAL(machine_device.config_vector, 0xffff);
}

/* Two pairs of queues and a control queue, on which this device is silent. */
static void start_two_pairs(unsigned entries)
{
    machine_start(VIRTIO_NETWORK);
    machine_put16(machine_add_virtio(0, 2, VIRTIO_NETWORK), MACHINE_CAPABILITY_MSIX + 2, (uint16_t)(entries - 1));
    machine_device.features |= 1UL << 17 | 1UL << 22;
    machine_device.config[8] = 2;
    platform.cpus = 2;
    find_on_pci();
    platform.cpus = 1;
}

static void interrupts_of_pairs_go_to_their_cpus(void)
{
    start_two_pairs(4);
    CHECK(runs());
    CHECK(strstr(host_log(), "does not use more than one pair") != NULL);
    CHECK_EQUAL(machine_device.enabled_queues, 5);
    CHECK_EQUAL(machine_interrupts, 3);
    CHECK_EQUAL(machine_device.config_vector, 2);
    CHECK(machine_device.routes[0] == 0 && machine_device.routes[1] == 0);
    cpus_online = 2;
    pci_spread_interrupts();
    CHECK(machine_device.routes[0] == 0 && machine_device.routes[1] == 1 && machine_device.routes[2] == 0);
    pci_gather_interrupts();
    cpus_online = 1;
    CHECK_EQUAL(machine_device.routes[1], 0);
    machine_raise_all();
    CHECK(runs());
}

/* One of them is for the configuration. */
static void has_no_more_pairs_than_entries(void)
{
    start_two_pairs(2);
    CHECK(runs());
    CHECK_EQUAL(machine_device.enabled_queues, 2);
    CHECK_EQUAL(machine_device.config_vector, 1);
}

/* ---- Both transports -------------------------------------------------------------------------------- */

static void find_on(unsigned transport)
{
    if (transport == 0)
        find_on_pci();
    else
        virtio_mmio_find(MACHINE_MMIO_OPTION);
}

static void machine_with(unsigned type)
{
    machine_start(type);
    machine_add_virtio(0, 2, type);
}

static void a_configuration_that_never_settles(void)
{
    for (unsigned transport = 0; transport < 2; transport++) {
        machine_with(VIRTIO_BLOCK);
        machine_device.never_settles = true;
        (void)host_log();
        find_on(transport);
        CHECK(strstr(host_log(), "keeps changing its configuration") != NULL);
        CHECK(runs());
        CHECK(machine_steps < STEPS_OF_A_DEVICE);
    }
}

static void a_reset_that_is_never_answered(void)
{
    for (unsigned transport = 0; transport < 2; transport++) {
        machine_with(VIRTIO_BLOCK);
        machine_device.never_resets = true;
        machine_device.status = 0xff;
        unsigned disks = disks_found();
        (void)host_log();
        find_on(transport);
        CHECK(strstr(host_log(), "does not start: ETIMEDOUT") != NULL);
        CHECK_EQUAL(disks_found(), disks);
        CHECK(machine_steps < STEPS_OF_A_DEVICE);
    }
}

static void features_that_are_not_agreed_on(void)
{
    for (unsigned i = 0; i < 4; i++) {
        machine_with(VIRTIO_BLOCK);
        machine_device.refuses_features = i / 2;
        machine_device.features = i / 2 ? UINT64_MAX : 0;
        unsigned disks = disks_found();
        (void)host_log();
        find_on(i % 2);
        CHECK(strstr(host_log(), "does not start: EOPNOTSUPP") != NULL);
        CHECK_EQUAL(disks_found(), disks);
    }
}

static void queues_of_any_length(void)
{
    static const uint16_t limits[] = { 0, 1, 2, 3, 255, 32767, 32768, 65535 };
    static const unsigned types[] = { VIRTIO_BLOCK, VIRTIO_NETWORK, VIRTIO_ENTROPY };
    for (unsigned i = 0; i < 2 * array_size(limits) * array_size(types); i++) {
        unsigned type = types[i / 2 % array_size(types)];
        uint16_t limit = limits[i / 2 / array_size(types)];
        for (unsigned queue = 0; queue < (type == VIRTIO_NETWORK ? 2 : 1); queue++) {
            machine_with(type);
            machine_device.queue_limit[queue] = limit;
            machine_device.interrupts_always = true;
            find_on(i % 2);
            CHECK_EQUAL(runs(), limit != 0);
            machine_raise_all();
            CHECK(machine_steps < STEPS_OF_A_DEVICE);
        }
    }
}

static void an_interrupt_that_is_always_up(void)
{
    machine_start(VIRTIO_NETWORK);
    machine_device.interrupts_always = true;
    virtio_mmio_find(MACHINE_MMIO_OPTION);
    CHECK(runs());
    CHECK_EQUAL(machine_interrupts, 1);
    machine_steps = 0;
    for (unsigned i = 1; i <= 100; i++) {
        machine_raise_all();
        CHECK_EQUAL(machine_device.acknowledged, i);
    }
    CHECK(machine_steps <= 200);
}

/* A change of its status is the device's own interrupt on PCI, after that of the two queues, and a bit of the one it
 * has. */
static void a_reset_that_is_asked_for(void)
{
    for (unsigned transport = 0; transport < 2; transport++) {
        machine_with(VIRTIO_NETWORK);
        find_on(transport);
        CHECK(runs());
        CHECK_EQUAL(machine_interrupts, transport == 0 ? 2 : 1);
        unsigned queues = machine_device.enabled_queues, entry = machine_device.config_vector;
        machine_device.status |= VIRTIO_NEEDS_RESET;
        machine_device.interrupt_status = 2;
        machine_device.config_vector = machine_device.vector = 0xffff;
        (void)host_log();
        machine_raise(transport == 0 ? 1 : 0);
        CHECK(strstr(host_log(), "asked for a reset, and is started again") != NULL);
        CHECK(runs());
        CHECK_EQUAL(machine_device.enabled_queues, 2 * queues);
        CHECK_EQUAL(machine_interrupts, transport == 0 ? 2 : 1);
        CHECK(transport == 1 || machine_device.config_vector == entry);
        machine_raise_all();
        CHECK(runs());
    }
}

static void a_device_that_goes(void)
{
    for (unsigned transport = 0; transport < 2; transport++) {
        machine_with(VIRTIO_BLOCK);
        find_on(transport);
        CHECK(runs());
        machine_device.gone = true;
        machine_steps = 0;
        (void)host_log();
        for (unsigned i = 0; i < 10; i++)
            machine_raise_all();
        const char *line = strstr(host_log(), "is gone");
        CHECK(line != NULL && strstr(line + 1, "is gone") == NULL);
        CHECK(machine_steps < STEPS_OF_A_DEVICE);
    }
}

static void a_place_where_no_device_is(void)
{
    static const uint32_t values[] = { 0, 1, 3, 0xffffffff };
    for (unsigned i = 0; i < 3 * array_size(values); i++) {
        machine_start(VIRTIO_BLOCK);
        uint32_t *fields[] = { &machine_device.magic, &machine_device.version, &machine_device.type };
        *fields[i % 3] = values[i / 3];
        unsigned disks = disks_found(), nics = nics_found();
        virtio_mmio_find(MACHINE_MMIO_OPTION);
        machine_raise_all();
        CHECK_EQUAL(disks_found(), disks);
        CHECK_EQUAL(nics_found() > nics, i % 3 == 2 && values[i / 3] == VIRTIO_NETWORK);
    }
}

int main(void)
{
    host_init();
    host_test("a device behind a bridge", finds_a_device_behind_a_bridge);
    host_test("bridges that lead to each other", bridges_that_lead_to_each_other);
    host_test("bridges everywhere", bridges_everywhere);
    host_test("configuration space in memory", configuration_space_in_memory);
    host_test("memory that cannot be configuration space", memory_that_cannot_be_configuration_space);
    host_test("windows are measured while they are off", windows_are_measured_while_they_are_off);
    host_test("a function that is kept from memory", a_function_that_is_kept_from_memory);
    host_test("functions without a driver", functions_without_a_driver);
    host_test("capabilities that go round", capabilities_that_go_round);
    host_test("capabilities outside of the list", capabilities_outside_of_the_list);
    host_test("structures outside of their window", structures_outside_of_their_window);
    host_test("structures that are too short", structures_that_are_too_short);
    host_test("a configuration that is not there", a_configuration_that_is_not_there);
    host_test("one message for a function", one_message_for_a_function);
    host_test("interrupt tables outside of their window", interrupt_tables_outside_of_their_window);
    host_test("windows that cannot be", windows_that_cannot_be);
    host_test("notifications and vectors that cannot be", notifications_and_vectors_that_cannot_be);
    host_test("a table of one entry", a_table_of_one_entry);
    host_test("interrupts of pairs go to their CPUs", interrupts_of_pairs_go_to_their_cpus);
    host_test("no more pairs than entries", has_no_more_pairs_than_entries);
    host_test("a configuration that never settles", a_configuration_that_never_settles);
    host_test("a reset that is never answered", a_reset_that_is_never_answered);
    host_test("features that are not agreed on", features_that_are_not_agreed_on);
    host_test("queues of any length", queues_of_any_length);
    host_test("an interrupt that is always up", an_interrupt_that_is_always_up);
    host_test("a reset that is asked for", a_reset_that_is_asked_for);
    host_test("a device that goes", a_device_that_goes);
    host_test("a place where no device is", a_place_where_no_device_is);
    return host_result();
}
