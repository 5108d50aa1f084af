/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller of fake_hba.h. Registers are mapped by the byte, so that the sanitizer sees an access outside of what
 * was mapped; they act when they are written. Each look at a register lets a millisecond pass, for a driver that waits.
 * Rules are those of AHCI 1.3.1.
 */
#include "drivers/ahci/fake_hba.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "drivers/pci/mappings.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

#define WINDOW 0xfe0000000UL /* above 4 GiB */
#define PORTS 0x100
#define VECTOR_FIRST 40
#define GLOBAL_RESET 0x1u
#define GLOBAL_INTERRUPTS 0x2u
#define GLOBAL_AHCI 0x80000000u
#define TASK_AFTER_RESET 0x7f
#define FAKE_RECEIVING 0x4000u
#define FAKE_RUNNING 0x8000u

struct fake_hba fake;

static uint8_t disks[FAKE_PORTS][FAKE_DISK_BYTES];

static void rule(bool kept, const char *what)
{
    if (!kept && fake.violation == NULL)
        fake.violation = what;
}

/* ---- The machine around it ---- */

void pci_disconnect(const struct pci_function *function)
{
    (void)function;
    fake.disconnected = true;
}

phys_t pci_whole_window(const struct pci_function *function, unsigned index, uint64_t *length)
{
    (void)function;
    rule(index == 5, "registers that are not in window 5");
    *length = fake.window_length;
    return fake.window_absent ? 0 : WINDOW;
}

unsigned pci_find_capability(const struct pci_function *function, uint8_t id, unsigned place)
{
    (void)function;
    return fake.has_msi && id == PCI_CAPABILITY_MSI && place == 0 ? 0x50 : 0;
}

static void (*allocated_handler)(void *context);
static void *allocated_context;

int interrupt_allocate(interrupt_handler *handler, void *context)
{
    allocated_handler = handler;
    allocated_context = context;
    return VECTOR_FIRST;
}

int pci_msi_enable(const struct pci_function *function, unsigned vector)
{
    (void)function;
    rule(vector == VECTOR_FIRST && !(fake.control & GLOBAL_INTERRUPTS), "MSI is turned on after interrupts");
    fake.msi = true;
    fake.handler = allocated_handler;
    fake.context = allocated_context;
    return 0;
}

void fake_interrupt(void)
{
    if (fake.handler != NULL)
        fake.handler(fake.context);
}

/* A port's events show in the controller's register as long as there are any (3.1.4, 5.5.3). */
static void update_interrupts(void)
{
    for (unsigned i = 0; i < FAKE_PORTS; i++)
        if (fake.ports[i].events & fake.ports[i].enabled)
            fake.interrupts |= 1u << i;
}

static void deliver(void)
{
    if (fake.interrupts != 0 && fake.control & GLOBAL_INTERRUPTS)
        fake_interrupt();
}

void fake_event(unsigned port, uint32_t events)
{
    fake.ports[port].events |= events;
    update_interrupts();
    deliver();
}

/* ---- Commands ---- */

static struct ahci_header *header_of(unsigned port) { return phys_to_virt(fake.ports[port].list); }
static struct ahci_table *table_of(unsigned port) { return phys_to_virt(header_of(port)->table); }

static uint64_t block_bytes(unsigned port)
{
    const uint16_t *words = fake.ports[port].identity;
    return words[106] & 0x1000 ? 2UL * words[117] : 512;
}

static uint64_t disk_blocks(unsigned port)
{
    uint64_t blocks;
    memcpy(&blocks, fake.ports[port].identity + 100, sizeof(blocks));
    return blocks;
}

static void read_command(unsigned port, struct fake_command *command)
{
    const uint8_t *fis = table_of(port)->command;
    *command = (struct fake_command){ .code = fis[2] };
    memcpy(&command->block, fis + 4, 3);
    command->block |= (uint64_t)fis[8] << 24 | (uint64_t)fis[9] << 32 | (uint64_t)fis[10] << 40;
    command->blocks = fis[12] | (uint32_t)fis[13] << 8;
}

bool fake_look(unsigned port, struct fake_command *command)
{
    deliver();
    if (!(fake.ports[port].issued & 1))
        return false;
    read_command(port, command);
    return true;
}

static uint64_t table_bytes(unsigned port)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < header_of(port)->segments; i++) {
        const struct ahci_segment *segment = &table_of(port)->segments[i];
        rule(segment->last % 2 == 1 && segment->last < 1u << 22 && segment->reserved == 0, "an odd or long segment");
        rule(segment->address % 2 == 0 && segment->address != 0, "a segment that is not aligned");
        bytes += segment->last + 1;
    }
    return bytes;
}

static void check_transfer(unsigned port, const struct fake_command *command)
{
    bool writes = command->code == ATA_WRITE;
    rule(command->blocks > 0 && command->block + command->blocks <= disk_blocks(port),
         "blocks that the disk does not have");
    rule(table_bytes(port) == command->blocks * block_bytes(port), "memory of another length than the blocks");
    rule(((header_of(port)->options & 0x40) != 0) == writes, "data in the other direction");
}

static void check_command(unsigned port)
{
    struct fake_command command;
    const struct ahci_header *header = header_of(port);
    rule(header->table % 128 == 0 && (header->options & ~0x40u) == 5, "a table or a list entry that is not in form");
    if (fake.violation != NULL)
        return;
    read_command(port, &command);
    const uint8_t *fis = table_of(port)->command;
    rule(fis[0] == 0x27 && fis[1] == 0x80 && fis[3] == 0 && fis[11] == 0 && fis[15] == 0, "a command not in form");
    switch (command.code) {
    case ATA_READ:
    case ATA_WRITE:
        rule(fis[7] == 0x40, "an address that is not of blocks");
        check_transfer(port, &command);
        break;
    case ATA_IDENTIFY:
        rule(table_bytes(port) == 512 && header->options == 5, "IDENTIFY without 512 bytes to read to");
        break;
    case ATA_FLUSH:
    case ATA_STANDBY:
        rule(header->segments == 0, "a command without data that has some");
        break;
    default:
        rule(false, "an unknown command");
    }
}

static void move(unsigned port, uint8_t *data, bool to_disk)
{
    const struct ahci_table *table = table_of(port);
    for (unsigned i = 0; i < header_of(port)->segments; i++) {
        uint32_t length = table->segments[i].last + 1;
        if (to_disk)
            memcpy(data, phys_to_virt(table->segments[i].address), length);
        else
            memcpy(phys_to_virt(table->segments[i].address), data, length);
        data += length;
    }
}

void fake_transfer(unsigned port)
{
    struct fake_command command;
    if (fake.violation != NULL || !fake_look(port, &command) || command.code == ATA_FLUSH)
        return;
    move(port, fake.ports[port].data + command.block * block_bytes(port), command.code == ATA_WRITE);
}

void fake_end(unsigned port, uint8_t status)
{
    struct fake_port *p = &fake.ports[port];
    bool failed = status & (AHCI_TASK_ERROR | AHCI_TASK_FAULT);
    p->task = status | (failed ? 0x4000 : 0);
    if (!failed || !fake.keeps_issued)
        p->issued = 0;
    fake_event(port, status & AHCI_TASK_ERROR ? AHCI_EVENT_TASK : AHCI_EVENT_REGISTERS);
}

unsigned fake_serve(unsigned port)
{
    struct fake_command command;
    unsigned count = 0;
    while (fake.violation == NULL && fake_look(port, &command)) {
        fake_transfer(port);
        fake_end(port, FAKE_STATUS_GOOD);
        count++;
    }
    return count;
}

/* ---- Registers of a port ---- */

static void make_ready(unsigned port)
{
    struct fake_port *p = &fake.ports[port];
    p->busy = p->never_ready;
    if (p->present && !p->never_ready && p->command & FAKE_RECEIVE) {
        p->task = 0x0130;                  /* as QEMU's disks after a reset */
        p->events |= AHCI_EVENT_REGISTERS; /* delivered when the driver has returned */
        update_interrupts();
    }
}

static void issue(unsigned port, uint32_t slots)
{
    struct fake_port *p = &fake.ports[port];
    rule(slots == 1 && p->issued == 0, "a slot that is in use or not the first");
    rule(p->command & FAKE_START && p->command & FAKE_RECEIVE, "a command while the port is stopped");
    rule(!p->busy && !p->link_down, "a command to a disk that is not ready");
    rule(p->list % 1024 == 0 && p->received % 256 == 0 && p->list != 0 && p->received != 0, "memory not aligned");
    p->issued |= slots;
    p->commands++;
    if (fake.violation == NULL)
        check_command(port);
    if (fake.violation != NULL || p->silent)
        return;
    if (table_of(port)->command[2] == ATA_IDENTIFY) {
        move(port, (uint8_t *)p->identity, false);
        fake_end(port, p->identify_status);
    } else if (table_of(port)->command[2] == ATA_STANDBY) {
        p->standbys++;
        fake_end(port, FAKE_STATUS_GOOD);
    }
}

static void change_command(unsigned port, uint32_t value)
{
    struct fake_port *p = &fake.ports[port];
    uint32_t before = p->command;
    bool starts = value & ~before & FAKE_START;
    rule(!starts || (value & FAKE_RECEIVE && !p->busy && !(p->task & 0x88) && !p->link_down),
         "started without a place to receive or a ready disk");
    rule(value & FAKE_RECEIVE || !(before & FAKE_START), "cannot receive while it runs");
    p->command = value & ~(FAKE_RUNNING | FAKE_RECEIVING); /* which only the controller changes */
    if (value & ~before & FAKE_RECEIVE)
        make_ready(port);
    if (before & ~value & FAKE_START)
        p->issued = 0;
}

static void control_link(unsigned port, uint32_t value)
{
    struct fake_port *p = &fake.ports[port];
    rule(!(p->command & FAKE_START), "the link is reset while the port runs");
    if ((p->link_control & 0xf) == 1 && (value & 0xf) == 0) {
        p->link_resets++;
        p->task = TASK_AFTER_RESET;
        p->link_control = value;
        p->events |= AHCI_EVENT_INTERFACE | AHCI_EVENT_LINK; /* of the reset itself */
        make_ready(port);
    }
    p->link_control = value;
}

static void port_written(unsigned port, unsigned offset, uint32_t value)
{
    struct fake_port *p = &fake.ports[port];
    bool runs = p->command & (FAKE_START | FAKE_RECEIVE);
    rule(offset > 0x0c || !runs, "memory that changes while it is in use");
    switch (offset) {
    case 0x00:
    case 0x04:
        p->list = offset == 0 ? (p->list & ~0xffffffffUL) | value : (p->list & 0xffffffff) | (uint64_t)value << 32;
        break;
    case 0x08:
    case 0x0c:
        p->received = offset == 8 ? (p->received & ~0xffffffffUL) | value
                                  : (p->received & 0xffffffff) | (uint64_t)value << 32;
        break;
    case AHCI_PORT_EVENTS:
        p->events &= ~value;
        break;
    case AHCI_PORT_EVENTS_ENABLED:
        p->enabled = value;
        break;
    case AHCI_PORT_COMMAND:
        change_command(port, value);
        break;
    case AHCI_PORT_LINK_CONTROL:
        control_link(port, value);
        break;
    case AHCI_PORT_LINK_ERRORS:
        break;
    case AHCI_PORT_ISSUED:
        issue(port, value);
        break;
    default:
        rule(false, "an unknown register of a port is written");
    }
}

static uint32_t port_command(const struct fake_port *p)
{
    uint32_t running = p->command & FAKE_START || p->never_stops ? FAKE_RUNNING : 0;
    return p->command | running | (p->command & FAKE_RECEIVE || p->never_receives ? FAKE_RECEIVING : 0);
}

static uint32_t port_read(unsigned port, unsigned offset)
{
    const struct fake_port *p = &fake.ports[port];
    switch (offset) {
    case AHCI_PORT_EVENTS:
        return p->events;
    case AHCI_PORT_COMMAND:
        return port_command(p);
    case AHCI_PORT_TASK:
        return p->busy ? TASK_AFTER_RESET | AHCI_TASK_BUSY : p->task;
    case AHCI_PORT_SIGNATURE:
        return p->signature;
    case AHCI_PORT_LINK:
        return !p->present || p->link_down ? 0 : p->link_stays_down && fake.was_reset ? 1 : 0x113;
    case AHCI_PORT_LINK_CONTROL:
        return p->link_control;
    case AHCI_PORT_ISSUED:
        return p->issued;
    default:
        rule(false, "an unknown register of a port is read");
        return 0;
    }
}

/* ---- Registers ---- */

static void control(uint32_t value)
{
    rule(value & GLOBAL_AHCI, "the other mode of the controller");
    rule(!(value & GLOBAL_INTERRUPTS) || (fake.was_reset && fake.msi), "interrupts before a reset, or without MSI");
    fake.control = value;
    if (!(value & GLOBAL_RESET) || fake.never_resets)
        return;
    fake.was_reset = true;
    fake.control = GLOBAL_AHCI;
    for (unsigned i = 0; i < FAKE_PORTS; i++) {
        struct fake_port *p = &fake.ports[i];
        p->events = p->enabled = p->command = p->link_control = p->issued = 0;
        p->task = TASK_AFTER_RESET;
    }
}

static uint32_t handoff_read(void)
{
    if (fake.handoff & 2 && fake.handoff_steps > 0 && --fake.handoff_steps == 0)
        fake.handoff = 2;
    return fake.handoff | (fake.handoff_busy && fake.handoff & 1 ? 0x10 : 0);
}

static uint32_t register_read(uint32_t offset)
{
    if (++fake.steps > FAKE_STEPS_MAX) {
        fprintf(stderr, "the driver does not come to an end\n");
        abort();
    }
    host_advance(NS_PER_MS);
    if (fake.gone || offset == UINT32_MAX)
        return UINT32_MAX;
    if (offset >= PORTS + FAKE_PORTS * AHCI_PORT_LENGTH)
        return 0; /* ports that are not implemented */
    if (offset >= PORTS)
        return port_read((offset - PORTS) / AHCI_PORT_LENGTH, offset % AHCI_PORT_LENGTH);
    switch (offset) {
    case 0x00:
        return fake.capabilities;
    case 0x04:
        return fake.control;
    case AHCI_INTERRUPTS:
        return fake.interrupts;
    case 0x0c:
        return fake.implemented;
    case 0x24:
        return fake.capabilities_2;
    case 0x28:
        return handoff_read();
    default:
        rule(false, "an unknown register is read");
        return 0;
    }
}

static void register_written(uint32_t offset, uint32_t value)
{
    if (fake.gone || offset == UINT32_MAX)
        return;
    if (offset >= PORTS) {
        unsigned port = (offset - PORTS) / AHCI_PORT_LENGTH;
        rule(port < FAKE_PORTS && fake.implemented & 1u << port, "a port that is not implemented");
        rule(fake.was_reset, "a port is used before the reset");
        if (fake.violation == NULL)
            port_written(port, offset % AHCI_PORT_LENGTH, value);
        return;
    }
    switch (offset) {
    case 0x04:
        control(value);
        break;
    case AHCI_INTERRUPTS:
        fake.interrupts &= ~value;
        update_interrupts();
        break;
    case 0x28:
        fake.handoff |= value & 2;
        break;
    default:
        rule(false, "an unknown register is written");
    }
}

uint32_t mmio_read32(const volatile void *p)
{
    (void)*(const volatile uint32_t *)p;
    phys_t address = mapping_address(p);
    return register_read(address ? (uint32_t)(address - WINDOW) : UINT32_MAX);
}

void mmio_write32(volatile void *p, uint32_t value)
{
    *(volatile uint32_t *)p = value;
    phys_t address = mapping_address(p);
    register_written(address ? (uint32_t)(address - WINDOW) : UINT32_MAX, value);
}

/* ---- Start ---- */

static void put_model(uint16_t *words, const char *text)
{
    for (unsigned i = 0; i < 20; i++)
        words[27 + i] = 0x2020;
    for (unsigned i = 0; text[i] != 0; i++)
        words[27 + i / 2] = (uint16_t)(i % 2 == 0 ? text[i] << 8 | ' ' : (words[27 + i / 2] & 0xff00) | text[i]);
}

void fake_add_disk(unsigned port, unsigned shift)
{
    struct fake_port *p = &fake.ports[port];
    uint64_t blocks = FAKE_DISK_BYTES >> shift;
    *p = (struct fake_port){
        .present = true,
        .signature = 0x101,
        .data = disks[port],
        .identify_status = FAKE_STATUS_GOOD,
    };
    put_model(p->identity, "A disk of tests");
    p->identity[83] = 0x4000 | 1 << 10 | 1 << 13;
    p->identity[106] = shift == 9 ? 0x4000 : 0x5000;
    p->identity[117] = shift == 9 ? 0 : (uint16_t)(1u << shift >> 1);
    memcpy(p->identity + 100, &blocks, sizeof(blocks));
    for (unsigned i = 0; i < FAKE_DISK_BYTES; i++)
        p->data[i] = (uint8_t)(i / 512 * 7 + i + port);
}

void fake_init(void)
{
    mappings_clear(); /* the last controller is gone */
    fake = (struct fake_hba){
        .capabilities = 0x80000000 | 31u << 8 | (FAKE_PORTS - 1),
        .implemented = (1u << FAKE_PORTS) - 1,
        .window_length = 0x1000,
        .has_msi = true,
        .keeps_issued = true,
    };
    fake_add_disk(1, 9);
}

bool fake_find(void)
{
    struct pci_function function = { .device = 31, .function = 2, .vendor = 0x8086, .id = 0x2922, .class = 0x010601 };
    return ahci_start(&function);
}
