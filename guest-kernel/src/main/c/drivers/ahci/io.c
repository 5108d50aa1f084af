/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a disk, one command at a time: READ or WRITE DMA EXT, or FLUSH CACHE EXT. Queued commands (NCQ) are not
 * used: not all disks have them, one that fails takes the others with it, and which it was is only found by another
 * command. With one command in one slot an error belongs to that command, whatever the controller and the disk say.
 *
 * A command that fails stops the port. The port is run again, after a reset of the link if the disk is still busy with
 * it or if it was the link that failed, and the command is repeated; after five repetitions its request fails with EIO.
 * A command that has not ended after 30 seconds has failed. A disk that is gone, or does not come back from a reset
 * within 30 seconds, is not used any more: its requests fail with EIO at once.
 *
 * The lock is that of struct ahci_port. Requests end after it has been released, through a list of the caller.
 */
#include "core/debug.h"
#include "core/log.h"
#include "drivers/ahci/ahci.h"
#include "drivers/numbers.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/platform.h"

#define ATTEMPTS_MAX 5
/* Errors that are logged. */
/* What a command, or a disk after a reset, may take. */
#define PATIENCE (30 * NS_PER_SECOND)

static unsigned disks;

static struct ahci_port *port_of(struct block_device *block) { return container_of(block, struct ahci_port, block); }

/* ---- Sending ---- */

/* Sends the command of the current request: again, too. */
static void send_current(struct ahci_port *port)
{
    must_hold(&port->lock);
    const struct block_request *request = port->current;
    struct ahci_command command = { .code = ATA_FLUSH };
    if (!request->flush) {
        uint32_t bytes = 0;
        for (unsigned i = 0; i < request->segment_count; i++)
            bytes += request->segments[i].length;
        command = (struct ahci_command){
            .code = request->write ? ATA_WRITE : ATA_READ,
            .write = request->write,
            .block = request->sector * SECTOR_SIZE >> port->block_shift,
            .blocks = (uint16_t)(bytes >> port->block_shift),
            .segments = request->segments,
            .segment_count = request->segment_count,
        };
    }
    port->since = clock_monotonic();
    ahci_port_send(port, &command);
}

/* Goes on with the current request or the next one. */
static void send(struct ahci_port *port)
{
    must_hold(&port->lock);
    if (port->failed || port->resetting)
        return;
    if (!port->current) {
        struct list *node = list_pop_front(&port->pending);
        if (!node)
            return;
        port->current = list_entry(node, struct block_request, link);
        port->attempts = 0;
    }
    send_current(port);
}

/* ---- Ends ---- */

static void finish(struct list *ended)
{
    for (struct list *node; (node = list_pop_front(ended));) {
        struct block_request *request = list_entry(node, struct block_request, link);
        request->done(request, request->error);
    }
}

static void end_current(struct ahci_port *port, int error, struct list *ended)
{
    must_hold(&port->lock);
    port->current->error = error;
    list_push_back(ended, &port->current->link);
    port->current = NULL;
}

/* Nothing can be expected of the disk any more. */
static void give_up(struct ahci_port *port, const char *why, struct list *ended)
{
    must_hold(&port->lock);
    port->failed = true;
    log_error("%s %s: all further requests to it fail; see the host's log", port->block.name, why);
    ahci_port_write(port, AHCI_PORT_EVENTS_ENABLED, 0);
    if (!ahci_port_stop(port)) {
        pci_disconnect(&port->controller->function);
        port->controller->disconnected = true;
    }
    if (port->current)
        end_current(port, -EIO, ended);
    for (struct list *node; (node = list_pop_front(&port->pending));) {
        list_entry(node, struct block_request, link)->error = -EIO;
        list_push_back(ended, node);
    }
}

static void command_done(struct ahci_port *port, struct list *ended)
{
    must_hold(&port->lock);
    end_current(port, 0, ended);
    send(port);
}

/* ---- Errors ---- */

static void report(struct ahci_port *port, uint32_t events, uint32_t task)
{
    must_hold(&port->lock);
    char text[48];
    format(text, sizeof(text), "status %x, events %x", task & 0xffff, events);
    block_report(port->current, port->current->sector, text);
}

/* Goes on if the disk is ready again, which an event reports or check() finds. */
static void start_again(struct ahci_port *port)
{
    must_hold(&port->lock);
    if (port->resetting && !ahci_port_ready(port))
        return;
    port->resetting = false;
    ahci_port_run(port);
    send(port);
}

/* The port runs again, or will when the disk is ready (6.2.2). */
static void recover(struct ahci_port *port, bool reset, struct list *ended)
{
    must_hold(&port->lock);
    if (!ahci_port_stop(port)) {
        give_up(port, "is on a controller that does not stop", ended);
        return;
    }
    port->resetting = reset || !ahci_port_ready(port);
    if (port->resetting) {
        ahci_port_reset(port);
        port->since = clock_monotonic();
    }
    start_again(port);
}

static void command_failed(struct ahci_port *port, uint32_t events, bool reset, struct list *ended)
{
    must_hold(&port->lock);
    uint32_t task = ahci_port_read(port, AHCI_PORT_TASK);
    if (++port->attempts > ATTEMPTS_MAX) {
        report(port, events, task);
        end_current(port, -EIO, ended);
    }
    recover(port, reset, ended);
}

/* ---- What happens at the port ---- */

static void look_at_command(struct ahci_port *port, uint32_t events, struct list *ended)
{
    must_hold(&port->lock);
    bool issued = ahci_port_read(port, AHCI_PORT_ISSUED) & 1;
    if (events & AHCI_ERRORS || (!issued && ahci_port_task_failed(port)))
        command_failed(port, events, events & AHCI_EVENTS_OF_LINK, ended);
    else if (!issued)
        command_done(port, ended);
}

/* Takes what has happened. An event is cleared before it is looked at, so that a later one interrupts again. */
static void serve(struct ahci_port *port, struct list *ended)
{
    must_hold(&port->lock);
    uint32_t events = ahci_port_read(port, AHCI_PORT_EVENTS);
    if (port->failed)
        return;
    if (events & AHCI_EVENT_LINK)
        ahci_port_write(port, AHCI_PORT_LINK_ERRORS, UINT32_MAX);
    ahci_port_write(port, AHCI_PORT_EVENTS, events);
    mmio_write32(port->controller->registers + AHCI_INTERRUPTS, 1u << port->number);
    const char *fault = events & AHCI_EVENT_LINK ? ahci_port_fault(port) : NULL;
    if (fault)
        give_up(port, fault, ended);
    else if (port->resetting)
        start_again(port);
    else if (port->current)
        look_at_command(port, events, ended);
}

void ahci_port_interrupt(struct ahci_port *port)
{
    struct list ended = LIST_INIT(ended);
    spin_lock(&port->lock);
    serve(port, &ended);
    spin_unlock(&port->lock);
    finish(&ended);
}

static void submit(struct block_device *device, struct block_request *request)
{
    struct ahci_port *port = port_of(device);
    request->error = 0;
    spin_lock(&port->lock);
    bool failed = port->failed;
    if (!failed) {
        list_push_back(&port->pending, &request->link);
        if (!port->current)
            send(port);
    }
    spin_unlock(&port->lock);
    if (failed)
        request->done(request, -EIO);
}

/* Nothing has happened for too long. */
static void look_at_progress(struct ahci_port *port, struct list *ended)
{
    must_hold(&port->lock);
    if ((!port->current && !port->resetting) || clock_monotonic() - port->since < PATIENCE)
        return;
    if (port->resetting) {
        give_up(port, "does not come back from a reset", ended);
        return;
    }
    log_error("%s has not answered for %lu s, and is reset; see the host's log", port->block.name,
              PATIENCE / NS_PER_SECOND);
    command_failed(port, 0, true, ended);
}

/* Events are looked for too, should an interrupt have been lost. */
static void check(struct block_device *device)
{
    struct ahci_port *port = port_of(device);
    struct list ended = LIST_INIT(ended);
    spin_lock(&port->lock);
    const char *fault = port->failed ? NULL : ahci_port_fault(port);
    if (fault)
        give_up(port, fault, &ended);
    serve(port, &ended);
    if (!port->failed)
        look_at_progress(port, &ended);
    spin_unlock(&port->lock);
    finish(&ended);
}

bool ahci_quiesce(struct ahci_port *port)
{
    nanoseconds limit = clock_monotonic() + PATIENCE;
    while (port->current && clock_monotonic() < limit)
        check(&port->block);
    spin_lock(&port->lock);
    bool works = !port->failed && !port->resetting && !port->current;
    port->failed = true;
    ahci_port_write(port, AHCI_PORT_EVENTS_ENABLED, 0);
    ahci_port_write(port, AHCI_PORT_EVENTS, UINT32_MAX);
    spin_unlock(&port->lock);
    return works;
}

void ahci_announce(struct ahci_port *port)
{
    spinlock_init(&port->lock, LOCK_DISK);
    list_init(&port->pending);
    port->block.submit = submit;
    port->block.check = check;
    disk_name(&port->block, "sd", disks);
    disk_number_scsi(&port->block, disks++);
    block_device_add(&port->block);
    log_info("%s: %lu MiB in blocks of %u bytes", port->block.name, port->block.sectors >> 11, port->block.block_size);
}
