/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An NVMe disk whose controller does what the input says. Every request ends once, at the latest when the controller is
 * gone. The driver keeps a controller for ever, so its queues are made new after each input.
 */
#include <string.h>

#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/requests.h"
#include "drivers/nvme/nvme.h"
#include "host/host.h"
#include "drivers/nvme/fake_controller.h"

#define ENTRIES 64
#define PAIRS 2

static struct block_device *disk;
static struct nvme_controller *controller;

static void start(void)
{
    platform.cpus = PAIRS;
    fake_init();
    fake.identity[77] = 1;
    fake.identity[525] = 1; /* a write cache */
    FUZZ_CHECK(fake_find() && fake.violation == NULL);
    disk = block_device_at(0);
    controller = container_of(disk, struct nvme_disk, block)->controller;
    FUZZ_CHECK(controller->io_count == PAIRS);
    cpus_online = PAIRS;
    pci_spread_interrupts();
    fuzz_requests_start();
}

static void make_pair_new(unsigned number)
{
    struct nvme_io *io = controller->io[number];
    nvme_io_release(io);
    memset(io, 0, sizeof(*io));
    FUZZ_CHECK(nvme_io_init(io, controller, (uint16_t)(number + 1)) == 0);
    fake.queues[number + 1] = (struct fake_queue){
        .commands_exist = true,
        .completions_exist = true,
        .command_entries = ENTRIES,
        .completion_entries = ENTRIES,
        .commands = virt_to_phys(io->queue.commands),
        .completions = virt_to_phys(io->queue.completions),
        .vector = number + 1,
    };
}

static void make_new(void)
{
    controller->failed = false;
    fake.gone = fake.fatal = false;
    fake.configuration = fake.status = 1;
    fake.steps = 0;
    fake.violation = NULL;
    for (unsigned i = 0; i < PAIRS; i++)
        make_pair_new(i);
}

/* A command, with a status of the input's: most often success. */
static void serve(struct fuzz_input *input)
{
    struct nvme_command command;
    uint8_t status = fuzz_8(input);
    if (fake.status != 0 && fake_take(&command))
        fake_complete(&command, status < 128 ? 0 : (uint16_t)(status << 8 | 2));
}

static void post(struct fuzz_input *input)
{
    uint8_t what = fuzz_8(input);
    if (fake.queues[fake.pair].completions_exist)
        fake_post(what & 1 ? fuzz_16(input) : what % 33, what & 2 ? fuzz_16(input) : (uint16_t)fake.pair,
                  what & 4 ? fuzz_16(input) : 0);
}

static void scribble(struct fuzz_input *input)
{
    uint16_t at = fuzz_16(input) % (ENTRIES * sizeof(struct nvme_completion));
    ((uint8_t *)controller->io[fake.pair - 1]->queue.completions)[at] = fuzz_8(input);
}

static void step(struct fuzz_input *input)
{
    uint8_t what = fuzz_8(input);
    fake.pair = 1 + (what >> 4) % PAIRS; /* of the controller's steps */
    this_cpu()->id = (what >> 5) % PAIRS;
    switch (what % 16) {
    case 0:
        post(input);
        break;
    case 1:
        scribble(input);
        break;
    case 2:
        fake_interrupt();
        break;
    case 3:
        disk->check(disk);
        break;
    case 4:
        fake.fatal = fuzz_8(input) > 250;
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        serve(input);
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
    FUZZ_CHECK(controller->failed && fuzz_requests_ended());
}

const struct fuzz_driver fuzz_driver = { start, make_new, step, end };
