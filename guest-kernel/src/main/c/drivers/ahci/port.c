/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One port of a controller (3.3, 5, 10): its registers, its link to the disk, and the command that it does.
 *
 * The controller uses a port's memory while PxCMD.CR or PxCMD.FR is set. Commands are not sent while a port is stopped,
 * and the link is reset only then. Where the caller holds the port's lock these functions wait for the controller,
 * which has at most half a second to stop, but never for the disk: an event reports that it is ready after a reset.
 */
#include "core/heap.h"
#include "core/pages.h"
#include "drivers/ahci/ahci.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/instructions.h"

#define PORTS 0x100

/* AHCI_PORT_COMMAND (3.3.7). */
#define COMMAND_START 0x0001
#define COMMAND_SPIN_UP 0x0002
#define COMMAND_POWER 0x0004
#define COMMAND_RECEIVE 0x0010
#define COMMAND_RECEIVING 0x4000
#define COMMAND_RUNNING 0x8000

#define LINK_RESET 1 /* AHCI_PORT_LINK_CONTROL, bits 3:0 */
#define LINK_RESET_TIME NS_PER_MS
#define LINK_DETECTION 0xfu
#define SIGNATURE_DISK 0x00000101

/* A command as it is sent (Serial ATA 3.0, 10.3.4): register host to device. */
#define FIS_COMMAND 0x27
#define FIS_LENGTH 5 /* in words */
#define FIS_IS_COMMAND 0x80
#define DEVICE_LBA 0x40

#define STOP_TIME (500 * NS_PER_MS)       /* 10.1.2, 10.4.2 */
#define SPIN_UP_TIME (31 * NS_PER_SECOND) /* ACS 7.1: what a disk may take after a reset */
#define COMMAND_TIME (30 * NS_PER_SECOND)

uint32_t ahci_port_read(const struct ahci_port *port, unsigned offset) { return mmio_read32(port->registers + offset); }

void ahci_port_write(const struct ahci_port *port, unsigned offset, uint32_t value)
{
    mmio_write32(port->registers + offset, value);
}

static void write_address(const struct ahci_port *port, unsigned offset, const void *memory)
{
    ahci_port_write(port, offset, (uint32_t)virt_to_phys(memory));
    ahci_port_write(port, offset + 4, (uint32_t)(virt_to_phys(memory) >> 32));
}

bool ahci_wait(const volatile uint8_t *at, uint32_t mask, uint32_t value, nanoseconds patience)
{
    nanoseconds limit = clock_monotonic() + patience;
    for (;;) {
        uint32_t now = mmio_read32(at);
        if (now == AHCI_GONE)
            return false;
        if ((now & mask) == value)
            return true;
        if (clock_monotonic() >= limit)
            return false;
        __builtin_ia32_pause();
    }
}

const char *ahci_port_fault(const struct ahci_port *port)
{
    if (port->controller->disconnected)
        return "is on a controller that does not stop";
    uint32_t link = ahci_port_read(port, AHCI_PORT_LINK);
    if (link == AHCI_GONE)
        return "is gone with its controller";
    return port->resetting || AHCI_LINK_DETECTED(link) == AHCI_LINK_UP ? NULL : "is gone";
}

bool ahci_port_ready(const struct ahci_port *port)
{
    uint32_t link = ahci_port_read(port, AHCI_PORT_LINK), task = ahci_port_read(port, AHCI_PORT_TASK);
    return AHCI_LINK_DETECTED(link) == AHCI_LINK_UP && !(task & (AHCI_TASK_BUSY | AHCI_TASK_DATA));
}

static void change_command(const struct ahci_port *port, uint32_t clear, uint32_t set)
{
    ahci_port_write(port, AHCI_PORT_COMMAND, (ahci_port_read(port, AHCI_PORT_COMMAND) & ~clear) | set);
}

static bool stops(const struct ahci_port *port, uint32_t bit, uint32_t running)
{
    const volatile uint8_t *command = port->registers + AHCI_PORT_COMMAND;
    if (mmio_read32(command) == AHCI_GONE)
        return true;
    change_command(port, bit, 0);
    return ahci_wait(command, running, 0, STOP_TIME) || mmio_read32(command) == AHCI_GONE;
}

bool ahci_port_stop(struct ahci_port *port) { return stops(port, COMMAND_START, COMMAND_RUNNING); }

void ahci_port_run(struct ahci_port *port)
{
    ahci_port_write(port, AHCI_PORT_LINK_ERRORS, UINT32_MAX);
    ahci_port_write(port, AHCI_PORT_EVENTS, UINT32_MAX);
    change_command(port, 0, COMMAND_START);
}

void ahci_port_reset(struct ahci_port *port)
{
    uint32_t control = ahci_port_read(port, AHCI_PORT_LINK_CONTROL) & ~LINK_DETECTION;
    nanoseconds end = clock_monotonic() + LINK_RESET_TIME;
    ahci_port_write(port, AHCI_PORT_LINK_CONTROL, control | LINK_RESET);
    do {
        (void)ahci_port_read(port, AHCI_PORT_LINK);
    } while (clock_monotonic() < end);
    ahci_port_write(port, AHCI_PORT_LINK_CONTROL, control);
    ahci_port_write(port, AHCI_PORT_LINK_ERRORS, UINT32_MAX);
}

/* ---- Commands ---- */

/* What is not written is 0 since the start. */
static void write_fis(uint8_t *to, const struct ahci_command *command)
{
    to[0] = FIS_COMMAND;
    to[1] = FIS_IS_COMMAND;
    to[2] = command->code;
    memcpy(to + 4, &command->block, 3);
    to[7] = DEVICE_LBA;
    memcpy(to + 8, (const uint8_t *)&command->block + 3, 3);
    memcpy(to + 12, &command->blocks, sizeof(command->blocks));
}

void ahci_port_send(struct ahci_port *port, const struct ahci_command *command)
{
    struct ahci_table *table = &port->memory->table;
    write_fis(table->command, command);
    for (unsigned i = 0; i < command->segment_count; i++) {
        const struct block_segment *segment = &command->segments[i];
        table->segments[i] = (struct ahci_segment){ .address = segment->address, .last = segment->length - 1 };
    }
    port->memory->headers[0] = (struct ahci_header){
        .options = FIS_LENGTH | (command->write ? AHCI_HEADER_WRITE : 0),
        .segments = (uint16_t)command->segment_count,
        .table = virt_to_phys(table),
    };
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ahci_port_write(port, AHCI_PORT_ISSUED, 1);
}

bool ahci_port_task_failed(const struct ahci_port *port)
{
    return ahci_port_read(port, AHCI_PORT_TASK) & (AHCI_TASK_ERROR | AHCI_TASK_FAULT);
}

int ahci_port_do(struct ahci_port *port, const struct ahci_command *command)
{
    nanoseconds limit = clock_monotonic() + COMMAND_TIME;
    ahci_port_send(port, command);
    for (;;) {
        uint32_t events = ahci_port_read(port, AHCI_PORT_EVENTS);
        if (events & AHCI_ERRORS)
            return -EIO;
        if (!(ahci_port_read(port, AHCI_PORT_ISSUED) & 1))
            return ahci_port_task_failed(port) ? -EIO : 0;
        if (clock_monotonic() >= limit)
            return -ETIMEDOUT;
        __builtin_ia32_pause();
    }
}

/* ---- Start ---- */

struct ahci_port *ahci_port_create(struct ahci_controller *controller, unsigned number)
{
    struct ahci_port *port = heap_allocate_zeroed(sizeof(*port));
    struct page *memory = port ? device_page() : NULL;
    if (!memory) {
        heap_free(port);
        return NULL;
    }
    port->controller = controller;
    port->number = number;
    port->registers = controller->registers + PORTS + number * AHCI_PORT_LENGTH;
    port->memory = page_data(memory);
    return port;
}

void ahci_port_release(struct ahci_port *port)
{
    if (!ahci_port_stop(port) || !stops(port, COMMAND_RECEIVE, COMMAND_RECEIVING))
        return;
    page_put(page_of(virt_to_phys(port->memory)));
    heap_free(port);
}

int ahci_port_open(struct ahci_port *port)
{
    const volatile uint8_t *task = port->registers + AHCI_PORT_TASK;
    write_address(port, AHCI_PORT_LIST, port->memory->headers);
    write_address(port, AHCI_PORT_RECEIVED, port->memory->received);
    ahci_port_write(port, AHCI_PORT_LINK_ERRORS, UINT32_MAX);
    change_command(port, 0, COMMAND_SPIN_UP | COMMAND_POWER | COMMAND_RECEIVE);
    if (!ahci_wait(task, AHCI_TASK_BUSY | AHCI_TASK_DATA, 0, SPIN_UP_TIME))
        return -ETIMEDOUT;
    if (ahci_port_read(port, AHCI_PORT_SIGNATURE) != SIGNATURE_DISK)
        return -ENODEV;
    ahci_port_run(port);
    return 0;
}
