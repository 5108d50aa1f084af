/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings of commands and completions in memory that the controller reads and writes. A completion is new when its phase
 * bit differs from that of the last round; it is copied once and the copy is judged. No lock: the owner of a pair
 * serialises the calls.
 */
#include "drivers/nvme/queue.h"

#include "core/pages.h"
#include "drivers/device.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"

#define PHASE 1

static void *zeroed_page(void)
{
    struct page *page = device_page();
    return page ? page_data(page) : NULL;
}

void nvme_queue_release(struct nvme_queue *queue)
{
    if (queue->commands)
        page_put(page_of(virt_to_phys(queue->commands)));
    if (queue->completions)
        page_put(page_of(virt_to_phys(queue->completions)));
    *queue = (struct nvme_queue){ 0 };
}

int nvme_queue_init(struct nvme_queue *queue, uint16_t id, uint16_t size, volatile uint8_t *tail_doorbell,
                    volatile uint8_t *head_doorbell)
{
    *queue = (struct nvme_queue){
        .id = id,
        .size = size,
        .phase = PHASE,
        .commands = zeroed_page(),
        .completions = zeroed_page(),
        .tail_doorbell = tail_doorbell,
        .head_doorbell = head_doorbell,
    };
    if (queue->commands && queue->completions)
        return 0;
    nvme_queue_release(queue);
    return -ENOMEM;
}

void nvme_queue_add(struct nvme_queue *queue, const struct nvme_command *command)
{
    queue->commands[queue->tail] = *command;
    queue->tail = (uint16_t)((queue->tail + 1) % queue->size);
}

void nvme_queue_notify(struct nvme_queue *queue)
{
    if (queue->notified == queue->tail)
        return;
    queue->notified = queue->tail;
    compiler_barrier();
    mmio_write32(queue->tail_doorbell, queue->tail);
}

bool nvme_queue_take(struct nvme_queue *queue, struct nvme_completion *completion)
{
    const struct nvme_completion *entry = &queue->completions[queue->head];
    uint16_t status = __atomic_load_n(&entry->status, __ATOMIC_ACQUIRE);
    if ((status & PHASE) != queue->phase)
        return false;
    *completion = (struct nvme_completion){
        .result = read_once(entry->result),
        .head = read_once(entry->head),
        .queue = read_once(entry->queue),
        .id = read_once(entry->id),
        .status = status,
    };
    queue->head = (uint16_t)((queue->head + 1) % queue->size);
    if (queue->head == 0)
        queue->phase ^= PHASE;
    return true;
}

void nvme_queue_acknowledge(struct nvme_queue *queue)
{
    if (queue->acknowledged == queue->head)
        return;
    queue->acknowledged = queue->head;
    compiler_barrier();
    mmio_write32(queue->head_doorbell, queue->head);
}
