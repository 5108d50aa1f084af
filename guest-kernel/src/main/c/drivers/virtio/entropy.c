/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's entropy (VIRTIO 1.1, 5.4): one buffer, mixed into the generator when it arrives. The boot waits for it
 * where nothing but timing gave any (threads/seed.h). The device may claim what it likes: the buffer is cleared, and a
 * byte that is still zero counts for nothing.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "core/random.h"
#include "drivers/virtio/queue.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SEED_SIZE 64

struct source {
    struct virtqueue queue;
    uint8_t seed[SEED_SIZE];
};

/* A copy first, of what the device can write at any time. The bytes of it that are not as they were before. */
static uint32_t take_seed(struct source *source, uint8_t seed[SEED_SIZE], uint32_t written)
{
    uint32_t changed = 0;
    for (uint32_t i = 0; i < written; i++) {
        seed[i] = read_once(source->seed[i]);
        changed += seed[i] != 0;
    }
    memset(source->seed, 0, SEED_SIZE);
    return changed;
}

static void handle_used(struct virtqueue *queue)
{
    struct source *source = queue->context;
    uint32_t written;
    if (!virtqueue_take(queue, &written))
        return;
    uint8_t seed[SEED_SIZE];
    written = min_of(written, (uint32_t)SEED_SIZE);
    uint32_t changed = take_seed(source, seed, written);
    if (changed == 0)
        log_error("virtio device %s answered but provided no entropy; give the guest another source",
                  queue->device->place);
    random_credit(seed, written, changed * 8, RANDOM_VIRTIO);
    memset(seed, 0, SEED_SIZE);
    compiler_barrier();
}

static int ask(struct source *source)
{
    struct virtqueue_segment segment = { virt_to_phys(source->seed), SEED_SIZE, true };
    if (!virtqueue_add(&source->queue, &segment, 1, source))
        return -EIO;
    random_expect(RANDOM_VIRTIO);
    virtqueue_enable_interrupt(&source->queue);
    virtqueue_flush(&source->queue);
    return 0;
}

/* Asks again for what did not come before the reset. */
static int restart(struct virtio_device *device)
{
    struct source *source = device->driver;
    int error = virtio_restart(device);
    bool waits = virtqueue_forget(&source->queue, 0);
    if (error == 0)
        error = virtqueue_restart(&source->queue);
    if (error != 0)
        return error;
    virtio_ready(device);
    return waits ? ask(source) : 0;
}

static void changed(struct virtio_device *device)
{
    struct source *source = device->driver;
    if (!virtio_check(device, restart))
        source->queue.broken = true;
}

int virtio_entropy_start(struct virtio_device *device)
{
    int error = virtio_negotiate(device, 0);
    if (error != 0)
        return error;
    struct source *source = heap_allocate_zeroed(sizeof(*source));
    if (!source)
        return -ENOMEM;
    error = virtqueue_init(&source->queue, device, 0, 1, handle_used, source);
    if (error != 0) {
        heap_free(source);
        return error;
    }
    device->driver = source;
    device->changed = changed;
    virtio_ready(device);
    return ask(source);
}
