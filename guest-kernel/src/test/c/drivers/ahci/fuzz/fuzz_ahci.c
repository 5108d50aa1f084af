/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An AHCI disk whose controller answers as the input says: what registers read, events and interrupts at any time, ends
 * of commands that were and were not given, a link and a disk that come and go, a port that does not stop, and anything
 * in the memory that it may write to. Every request ends once, at the latest when the controller is gone. The driver
 * keeps a controller for ever, so both are put back to what they were after the start.
 */
#include <string.h>

#include "drivers/ahci/fake_hba.h"
#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/requests.h"
#include "host/host.h"

#define PORT 1

static struct fake_hba after_start;
static struct fake_port *fake_port;
static struct block_device *disk;
static struct ahci_port *port;

static void start(void)
{
    fake_init();
    fake.ports[PORT].identity[85] = 1 << 5; /* a write cache */
    FUZZ_CHECK(fake_find() && fake.violation == NULL);
    disk = block_device_at(0);
    port = container_of(disk, struct ahci_port, block);
    fake_port = &fake.ports[PORT];
    after_start = fake;
    fuzz_requests_start();
}

static void renew(void)
{
    fake = after_start;
    port->failed = port->resetting = port->controller->disconnected = false;
    port->attempts = port->block.reported = 0;
    FUZZ_CHECK(list_empty(&port->pending) && !port->current);
}

/* One of the states that the driver looks at, but for that of being gone, which is the end. */
static void change_state(struct fuzz_input *input)
{
    bool *states[] = {
        &fake_port->present,        &fake_port->link_down,   &fake_port->busy,   &fake_port->never_stops,
        &fake_port->never_receives, &fake_port->never_ready, &fake.keeps_issued, &fake_port->link_stays_down,
    };
    uint8_t what = fuzz_8(input);
    *states[what % array_size(states)] = what & 0x80;
}

static void change_register(struct fuzz_input *input)
{
    uint32_t *registers[] = { &fake_port->events,  &fake_port->task,         &fake_port->issued,
                              &fake_port->command, &fake_port->link_control, &fake.interrupts };
    uint32_t *changed = registers[fuzz_8(input) % array_size(registers)];
    *changed = fuzz_32(input);
}

/* What the controller writes to by itself: the disk's answers, and how much it has moved. */
static void scribble(struct fuzz_input *input)
{
    uint8_t what = fuzz_8(input);
    if (what & 0x80)
        port->memory->headers[what % array_size(port->memory->headers)].transferred = fuzz_32(input);
    else
        port->memory->received[fuzz_8(input)] = fuzz_8(input);
}

/* The rules that the driver keeps to are those of a controller that does, too. */
static void step(struct fuzz_input *input)
{
    struct fake_command command;
    fake.violation = NULL;
    switch (fuzz_8(input) % 16) {
    case 0:
        fake_event(PORT, fuzz_32(input));
        break;
    case 1:
        change_state(input);
        break;
    case 2:
        change_register(input);
        break;
    case 3:
        scribble(input);
        break;
    case 4:
        disk->check(disk);
        break;
    case 5:
        host_advance(fuzz_8(input) * NS_PER_SECOND / 4);
        break;
    case 6:
        fake_end(PORT, fuzz_8(input));
        break;
    case 7:
    case 8:
    case 9:
        if (!fake_look(PORT, &command))
            break;
        fake_transfer(PORT);
        fake_end(PORT, FAKE_STATUS_GOOD);
        break;
    case 10:
        fake_interrupt();
        break;
    default:
        fuzz_submit(disk, input);
        break;
    }
}

static void end(void)
{
    fake.gone = true;
    disk->check(disk);
    FUZZ_CHECK(port->failed && fuzz_requests_ended());
}

const struct fuzz_driver fuzz_driver = { start, renew, step, end };
