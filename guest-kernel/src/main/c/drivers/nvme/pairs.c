/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of queues for requests: one for each CPU, as far as there is what they need, and their interrupts. Pairs are
 * made one after the other, and what is missing for one ends it: the CPUs without one share those that there are
 * (io.c). The memory of a pair that the controller refuses is kept until the controller is closed, since it may know of
 * one of its queues.
 *
 * Each pair has an entry of the interrupt table, which goes to its CPU. All of them raise one vector, which is the
 * controller's: vectors are few, and a machine may have 28 controllers.
 *
 * Runs on the boot CPU while devices are started. No locks.
 */
#include "core/heap.h"
#include "core/log.h"
#include "drivers/nvme/nvme.h"
#include "lib/errno.h"
#include "platform/native/interrupts.h"

/* Set Features, Number of Queues (5.21.1.7): both numbers are one less than what they mean. */
#define FEATURE_QUEUES 7
#define QUEUES_ASKED(count) (((count)-1u) << 16 | ((count)-1u))
#define QUEUES_OF_COMMANDS(result) (((result)&0xffff) + 1)
#define QUEUES_OF_COMPLETIONS(result) (((result) >> 16) + 1)

/* Create I/O Completion Queue, Create I/O Submission Queue (5.3, 5.4). */
#define QUEUE_CONTIGUOUS 0x1
#define QUEUE_INTERRUPTS 0x2

/* Of the interrupt table, for pairs: the administrative queue has entry 0, unless there is no other. */
static unsigned first_entry(const struct nvme_controller *c) { return c->function.msix_vectors > 1 ? 1 : 0; }

static unsigned pairs_wanted(const struct nvme_controller *c, unsigned doorbell_pairs)
{
    unsigned entries = max_of(c->function.msix_vectors, 2u) - 1;
    return min_of(min_of(platform.cpus, entries), min_of(doorbell_pairs, NVME_PAIRS_MAX));
}

/* How many of them the controller grants: it may answer with fewer, and with more. */
static int ask_for_pairs(struct nvme_controller *c, unsigned *count)
{
    uint32_t granted;
    struct nvme_command command = { .opcode = NVME_SET_FEATURES,
                                    .arguments = { FEATURE_QUEUES, QUEUES_ASKED(*count) } };
    int error = nvme_admin(c, &command, &granted);
    if (error == 0)
        *count = min_of(*count, min_of(QUEUES_OF_COMMANDS(granted), QUEUES_OF_COMPLETIONS(granted)));
    return error;
}

static int create_queue(struct nvme_io *io, uint8_t opcode, const void *memory, uint32_t options)
{
    struct nvme_command command = {
        .opcode = opcode,
        .data = { virt_to_phys(memory) },
        .arguments = { (io->queue.size - 1u) << 16 | io->queue.id, options | QUEUE_CONTIGUOUS },
    };
    return nvme_admin(io->controller, &command, NULL);
}

static int create_pair(struct nvme_controller *c, unsigned number)
{
    struct nvme_io *io = heap_allocate_zeroed(sizeof(*io));
    if (!io)
        return -ENOMEM;
    c->io[number] = io;
    int error = nvme_io_init(io, c, (uint16_t)(number + 1));
    if (error == 0)
        error = create_queue(io, NVME_CREATE_COMPLETION_QUEUE, io->queue.completions,
                             (first_entry(c) + number) << 16 | QUEUE_INTERRUPTS);
    if (error == 0)
        error = create_queue(io, NVME_CREATE_SUBMISSION_QUEUE, io->queue.commands, (uint32_t)io->queue.id << 16);
    return error;
}

int nvme_pairs_create(struct nvme_controller *controller, unsigned doorbell_pairs)
{
    unsigned count = pairs_wanted(controller, doorbell_pairs);
    int error = ask_for_pairs(controller, &count);
    while (error == 0 && controller->io_count < count) {
        error = create_pair(controller, controller->io_count);
        if (error == 0)
            controller->io_count++;
    }
    /* With one it can be used, unless it answers nothing any more. */
    if (controller->io_count == 0 || controller->silent)
        return error;
    log_info("%s: pairs of queues: %u", controller->name, controller->io_count);
    return 0;
}

void nvme_pairs_release(struct nvme_controller *controller)
{
    for (unsigned i = 0; i < NVME_PAIRS_MAX && controller->io[i]; i++) {
        nvme_io_release(controller->io[i]);
        heap_free(controller->io[i]);
    }
}

/* ---- Interrupts ---- */

int nvme_pairs_connect(struct nvme_controller *controller)
{
    unsigned first = first_entry(controller);
    int vector = interrupt_allocate(nvme_interrupt, controller), error = vector < 0 ? vector : 0;
    for (unsigned i = 0; i < controller->io_count && error == 0; i++) {
        controller->vectors[i] = (unsigned)vector;
        error = pci_msix_set(&controller->function, first + i, controller->vectors[i]);
    }
    if (error != 0)
        return error;
    controller->spread = (struct pci_spread){
        .function = &controller->function,
        .first = first,
        .count = controller->io_count,
        .vectors = controller->vectors,
    };
    pci_spread_add(&controller->spread);
    return 0;
}
