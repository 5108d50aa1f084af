/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/virtio/fuzz/device.h"

#include <string.h>

#include "core/pages.h"

/* The used ring is the rest of its page. */
static size_t used_bytes(const struct virtqueue *queue) { return PAGE_SIZE - ((uintptr_t)queue->used & PAGE_MASK); }

void fuzz_queue(struct fake_device *fake, unsigned index, struct fuzz_input *input)
{
    struct virtqueue *queue = fake->queues[index].queue;
    uint8_t what = fuzz_8(input);
    switch (what & 3) {
    case 0: /* any chain, or none that is */
        fake_return_quietly(fake, index, what & 4 ? fuzz_32(input) : fuzz_8(input), fuzz_16(input));
        break;
    case 1:
        fake_jump(fake, index, what & 4 ? fuzz_16(input) : (uint16_t)(fuzz_8(input) % 4));
        break;
    case 2: {
        uint16_t at = fuzz_16(input);
        ((uint8_t *)queue->used)[at % used_bytes(queue)] = fuzz_8(input);
        break;
    }
    default:
        fake_interrupt(fake, index);
        break;
    }
}

void fuzz_queue_reset(struct fake_device *fake, unsigned index, void (*drop)(void *token))
{
    struct virtqueue *queue = fake->queues[index].queue;
    unsigned count = 0;
    for (uint16_t i = 0; i < queue->size; i++) {
        if (queue->slots[i].token != NULL) {
            count += queue->slots[i].count;
            drop(queue->slots[i].token);
        }
        queue->slots[i] = (struct virtqueue_slot){ .next = (uint16_t)(i + 1) };
    }
    FUZZ_CHECK(count + queue->free_count == queue->size);
    memset(queue->descriptors, 0, PAGE_SIZE);
    memset(queue->available, 0, PAGE_SIZE);
    queue->first_free = queue->next_available = queue->notified = queue->next_used = 0;
    queue->free_count = queue->size;
    queue->broken = false;
    fake->queues[index].seen = fake->queues[index].used = 0;
}
