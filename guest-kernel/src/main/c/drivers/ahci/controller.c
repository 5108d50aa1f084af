/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a controller (10.1): it is taken over from the firmware and reset, its disks are found, and its interrupt is
 * connected if there are any. Runs on the boot CPU while devices are started, and at the end of the machine, without
 * locks; in between only the interrupt handler is called, which leaves everything to the ports.
 *
 * An empty port is not waited for: only where the firmware's link was up, or where links must be started one by one
 * (staggered spin-up), a link may take a second after the reset.
 */
#include "core/heap.h"
#include "core/log.h"
#include "drivers/ahci/ahci.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

#define CLASS_AHCI 0x010601 /* PCI Code and ID Assignment 1.11, 1.2 */
#define WINDOW 5            /* 2.1.11 */

/* Registers (3.1). */
#define CAPABILITIES 0x00
#define CONTROL 0x04
#define IMPLEMENTED 0x0c
#define CAPABILITIES_2 0x24
#define HANDOFF 0x28
#define PORTS 0x100

#define CAPABILITY_STAGGERED (1u << 27)
#define CAPABILITY_64_BIT (1u << 31)
#define CAPABILITY_2_HANDOFF (1u << 0)
#define CONTROL_RESET (1u << 0)
#define CONTROL_INTERRUPTS (1u << 1)
#define CONTROL_AHCI (1u << 31)
#define HANDOFF_FIRMWARE (1u << 0)
#define HANDOFF_SYSTEM (1u << 1)
#define HANDOFF_BUSY (1u << 4)

#define PORT_COMMAND_SPIN_UP 0x2

#define RESET_TIME NS_PER_SECOND              /* 10.4.3 */
#define HANDOFF_TIME (25 * NS_PER_MS)         /* 10.6.3 */
#define HANDOFF_BUSY_TIME (2 * NS_PER_SECOND) /* 10.6.3 */
#define LINK_TIME NS_PER_SECOND

#define EVENTS (AHCI_EVENT_REGISTERS | AHCI_EVENT_LINK | AHCI_ERRORS)

static unsigned controllers;
static struct list all = LIST_INIT(all);

static uint32_t read32(const struct ahci_controller *c, unsigned offset) { return mmio_read32(c->registers + offset); }

static void write32(const struct ahci_controller *c, unsigned offset, uint32_t value)
{
    mmio_write32(c->registers + offset, value);
}

static unsigned port_register(unsigned port, unsigned offset) { return PORTS + port * AHCI_PORT_LENGTH + offset; }

/* ---- Reset ---- */

/* Firmware has 25 ms to answer, or 2 s if it says that it is busy; then it loses the controller all the same. */
static void take_over(const struct ahci_controller *c)
{
    const volatile uint8_t *handoff = c->registers + HANDOFF;
    if (!(read32(c, CAPABILITIES_2) & CAPABILITY_2_HANDOFF))
        return;
    write32(c, HANDOFF, read32(c, HANDOFF) | HANDOFF_SYSTEM);
    bool answered = ahci_wait(handoff, HANDOFF_FIRMWARE, 0, HANDOFF_TIME);
    if (!answered && read32(c, HANDOFF) & HANDOFF_BUSY)
        answered = ahci_wait(handoff, HANDOFF_FIRMWARE, 0, HANDOFF_BUSY_TIME);
    if (!answered)
        log_info("ahci%u: the firmware does not hand the controller over", c->number);
}

/* The ports, as bits, that may have a device after a reset. */
static uint32_t used_ports(const struct ahci_controller *c)
{
    uint32_t used = 0;
    if (c->capabilities & CAPABILITY_STAGGERED)
        return c->implemented;
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        if (c->implemented & 1u << i && AHCI_LINK_DETECTED(read32(c, port_register(i, AHCI_PORT_LINK))) != 0)
            used |= 1u << i;
    }
    return used;
}

static int reset(const struct ahci_controller *c)
{
    write32(c, CONTROL, CONTROL_AHCI);
    write32(c, CONTROL, CONTROL_AHCI | CONTROL_RESET);
    if (!ahci_wait(c->registers + CONTROL, CONTROL_RESET, 0, RESET_TIME))
        return -ETIMEDOUT;
    write32(c, CONTROL, CONTROL_AHCI);
    return 0;
}

static void start_links(const struct ahci_controller *c, uint32_t ports)
{
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        unsigned command = port_register(i, AHCI_PORT_COMMAND);
        if (ports & 1u << i)
            write32(c, command, read32(c, command) | PORT_COMMAND_SPIN_UP);
    }
}

/* Waits for the links of these ports; those that are up. */
static uint32_t wait_for_links(const struct ahci_controller *c, uint32_t ports)
{
    nanoseconds limit = clock_monotonic() + LINK_TIME;
    uint32_t up = 0;
    do {
        for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
            if (ports & ~up & 1u << i &&
                AHCI_LINK_DETECTED(read32(c, port_register(i, AHCI_PORT_LINK))) == AHCI_LINK_UP)
                up |= 1u << i;
        }
    } while (up != ports && clock_monotonic() < limit);
    return up;
}

/* ---- Disks ---- */

/* What has no disk, or one that cannot be used, is left out. */
static void open_port(struct ahci_controller *c, unsigned number)
{
    struct ahci_port *port = ahci_port_create(c, number);
    if (!port) {
        log_error("ahci%u port %u: no memory for a disk; give the guest more", c->number, number);
        return;
    }
    int error = ahci_port_open(port);
    if (error == 0)
        error = ahci_identify(port);
    if (error == 0) {
        c->ports[number] = port;
        return;
    }
    if (error != -ENODEV && error != -EOPNOTSUPP)
        log_error("ahci%u port %u: the disk does not start: %s; see the host's log", c->number, number,
                  errno_name(error));
    ahci_port_release(port);
}

static unsigned open_ports(struct ahci_controller *c, uint32_t ports)
{
    unsigned count = 0;
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        if (ports & 1u << i)
            open_port(c, i);
        count += c->ports[i] ? 1 : 0;
    }
    return count;
}

static void interrupt(void *context)
{
    struct ahci_controller *c = context;
    uint32_t ports = read32(c, AHCI_INTERRUPTS);
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        if (ports & 1u << i && c->ports[i])
            ahci_port_interrupt(c->ports[i]);
    }
}

static int connect_interrupt(struct ahci_controller *c)
{
    if (pci_find_capability(&c->function, PCI_CAPABILITY_MSI, 0) == 0)
        return -ENODEV;
    int vector = interrupt_allocate(interrupt, c);
    return vector < 0 ? vector : pci_msi_enable(&c->function, (unsigned)vector);
}

static void announce_disks(struct ahci_controller *c)
{
    write32(c, AHCI_INTERRUPTS, UINT32_MAX);
    write32(c, CONTROL, CONTROL_AHCI | CONTROL_INTERRUPTS);
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        if (!c->ports[i])
            continue;
        ahci_announce(c->ports[i]);
        ahci_port_write(c->ports[i], AHCI_PORT_EVENTS_ENABLED, EVENTS);
    }
}

/* ---- Start ---- */

static int open_controller(struct ahci_controller *c)
{
    uint64_t length;
    phys_t address = pci_whole_window(&c->function, WINDOW, &length);
    if (address == 0 || length < PORTS + AHCI_PORT_LENGTH)
        return -ENODEV;
    length = min_of(length, (uint64_t)PORTS + AHCI_PORTS_MAX * AHCI_PORT_LENGTH);
    c->registers = mmio_map(address, length);
    if (!c->registers)
        return -ENOMEM;
    take_over(c);
    write32(c, CONTROL, CONTROL_AHCI);
    c->capabilities = read32(c, CAPABILITIES);
    if (c->capabilities == AHCI_GONE)
        return -ENODEV;
    if (!(c->capabilities & CAPABILITY_64_BIT))
        return -EOPNOTSUPP;
    uint64_t ports = min_of((length - PORTS) / AHCI_PORT_LENGTH, (uint64_t)AHCI_PORTS_MAX);
    c->implemented = read32(c, IMPLEMENTED) & (uint32_t)((1UL << ports) - 1);
    return 0;
}

/* Returns how many disks there are, or -errno. */
static int start(struct ahci_controller *c)
{
    int error = open_controller(c);
    if (error != 0)
        return error;
    uint32_t ports = used_ports(c);
    error = reset(c);
    if (error != 0)
        return error;
    start_links(c, ports);
    unsigned disks = open_ports(c, wait_for_links(c, ports));
    if (disks == 0)
        return 0;
    error = connect_interrupt(c);
    if (error != 0)
        return error;
    announce_disks(c);
    list_push_back(&all, &c->link);
    return (int)disks;
}

static void close_controller(struct ahci_controller *c)
{
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        if (c->ports[i])
            ahci_port_release(c->ports[i]);
    }
    heap_free(c);
}

bool ahci_start(const struct pci_function *function)
{
    if (function->class != CLASS_AHCI)
        return false;
    struct ahci_controller *c = heap_allocate_zeroed(sizeof(*c));
    if (!c) {
        log_error("no memory for an AHCI controller; give the guest more");
        return true;
    }
    c->function = *function;
    c->number = controllers++;
    int disks = start(c);
    if (disks < 0)
        log_error("AHCI controller at %02x:%02x.%u does not start: %s", function->bus, function->device,
                  function->function, errno_name(disks));
    if (disks <= 0)
        close_controller(c);
    return true;
}

/* ---- The end ---- */

/* A disk whose power goes before it has parked its heads wears out sooner. What was written is on the disk (io.c). */
static void end_port(struct ahci_port *port, bool power_off)
{
    const struct ahci_command standby = { .code = ATA_STANDBY };
    if (!ahci_quiesce(port) || !power_off)
        return;
    int error = ahci_port_do(port, &standby);
    if (error != 0)
        log_error("%s does not stop: %s; see the host's log", port->block.name, errno_name(error));
}

void ahci_shut_down(bool power_off)
{
    list_for_each (link, &all) {
        struct ahci_controller *c = list_entry(link, struct ahci_controller, link);
        for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
            if (c->ports[i])
                end_port(c->ports[i], power_off);
        }
        pci_disconnect(&c->function);
    }
}
