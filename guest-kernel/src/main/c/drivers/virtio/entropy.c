/*
 * The host's entropy (VIRTIO 1.1, 5.4): one buffer, mixed into the pool when it arrives. Waited for only if
 * the CPU has none to offer.
 */
#include "drivers/virtio/queue.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/pages.h"
#include "lib/print.h"
#include "lib/random.h"
#include "lib/string.h"
#include "platform/platform.h"

#define SEED_SIZE 64
#define PATIENCE NS_PER_SECOND

struct source {
    struct virtqueue queue;
    uint8_t seed[SEED_SIZE];
    bool arrived;
};

static void handle_used(struct virtqueue *queue)
{
    struct source *source = queue->context;
    uint32_t written;
    if (virtqueue_take(queue, &written) == NULL)
        return;
    random_add(source->seed, min_of(written, (uint32_t)SEED_SIZE));
    memset(source->seed, 0, SEED_SIZE);
    source->arrived = true;
}

static void wait_for_seed(struct source *source)
{
    nanoseconds limit = clock_monotonic() + PATIENCE;
    while (!source->arrived && clock_monotonic() < limit)
        handle_used(&source->queue);
    if (!source->arrived)
        log_error("neither the CPU nor the virtio entropy device gives random numbers");
}

int virtio_entropy_start(struct virtio_device *device)
{
    int error = virtio_negotiate(device, 0);
    if (error != 0)
        return error;
    struct source *source = heap_allocate_zeroed(sizeof(*source));
    if (source == NULL)
        return -ENOMEM;
    error = virtqueue_init(&source->queue, device, 0, 1, handle_used, source);
    if (error != 0) {
        heap_free(source);
        return error;
    }
    virtio_ready(device);
    struct virtqueue_segment segment = { virt_to_phys(source->seed), SEED_SIZE, true };
    if (!virtqueue_add(&source->queue, &segment, 1, source))
        return -EIO;
    virtqueue_enable_interrupt(&source->queue);
    virtqueue_flush(&source->queue);
    uint64_t probe;
    if (platform_entropy(&probe, sizeof(probe)) < sizeof(probe))
        wait_for_seed(source);
    return 0;
}
