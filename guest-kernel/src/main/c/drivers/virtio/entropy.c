/*
 * The host's entropy (VIRTIO 1.1, 5.4): one buffer, mixed into the generator when it arrives. The boot waits for it
 * where nothing else gave enough (threads/seed.h).
 */
#include "drivers/virtio/queue.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/pages.h"
#include "lib/random.h"
#include "lib/string.h"

#define SEED_SIZE 64

struct source {
    struct virtqueue queue;
    uint8_t seed[SEED_SIZE];
};

static void handle_used(struct virtqueue *queue)
{
    struct source *source = queue->context;
    uint32_t written;
    if (virtqueue_take(queue, &written) == NULL)
        return;
    written = min_of(written, (uint32_t)SEED_SIZE);
    random_credit(source->seed, written, written * 8, RANDOM_VIRTIO);
    memset(source->seed, 0, SEED_SIZE);
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
    return 0;
}
