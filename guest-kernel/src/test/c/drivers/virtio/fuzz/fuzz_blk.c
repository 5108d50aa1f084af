/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio disk whose device does what the input says; every request ends once, at the latest when the device dies. */
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/requests.h"
#include "host/host.h"
#include "drivers/virtio/fuzz/device.h"

#define SEGMENTS_MAX (1UL << 2)

static struct fake_device fake;
static struct block_device *disk;

/* The next of the device's requests, with a status of the input's. */
static void serve(struct fuzz_input *input)
{
    struct fake_chain chain;
    uint8_t status = fuzz_8(input) >> 6;
    if (!fake_take(&fake, 0, &chain))
        return;
    *(uint8_t *)phys_to_virt(chain.segments[chain.count - 1].address) = status;
    fake_return(&fake, 0, chain.head, 1);
}

static void start(void)
{
    uint64_t sectors = 10000;
    uint32_t segments = 4;
    fake_init(&fake, VIRTIO_BLOCK, SEGMENTS_MAX | VIRTIO_FEATURE_EVENT_INDEX, 128);
    memcpy(fake.config, &sectors, sizeof(sectors));
    memcpy(fake.config + 12, &segments, sizeof(segments));
    FUZZ_CHECK(virtio_block_start(&fake.device) == 0);
    disk = block_device_at(0);
    fuzz_requests_start();
}

/* A buffer that it was not given. */
static void kill(void)
{
    struct virtqueue *queue = fake.queues[0].queue;
    uint32_t id = 77777;
    memcpy((uint8_t *)queue->used + 4 + 8 * (queue->next_used % queue->size), &id, sizeof(id));
    ((uint16_t *)queue->used)[1] = (uint16_t)(queue->next_used + 1);
    fake_interrupt(&fake, 0);
    FUZZ_CHECK(queue->broken);
}

static void nothing_to_drop(void *token) { (void)token; }

static void step(struct fuzz_input *input)
{
    switch (fuzz_8(input) & 3) {
    case 0:
        fuzz_queue(&fake, 0, input);
        break;
    case 1:
        serve(input);
        break;
    default:
        fuzz_submit(disk, input);
        break;
    }
}

static void end(void)
{
    kill();
    FUZZ_CHECK(fuzz_requests_ended());
    fuzz_queue_reset(&fake, 0, nothing_to_drop);
    virtqueue_enable_interrupt(fake.queues[0].queue);
}

const struct fuzz_driver fuzz_driver = { start, NULL, step, end };
