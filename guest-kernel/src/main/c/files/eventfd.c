/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventfd(2): a count to which a write adds and from which a read takes, all of it or, with EFD_SEMAPHORE, 1. It never
 * exceeds COUNT_LIMIT: a write that would make it do so waits, as does a read while the count is 0.
 *
 * Spinlock "eventfd" of each guards its count, which is read without it to see whether a wait is over. The queue is
 * woken and user memory is copied without the lock. eventfd_create() is called by linux/sys_streams.c; the rest is
 * entered through the file's operations, and the last reference to the file frees all.
 */
#include "core/heap.h"
#include "core/lock.h"
#include "files/streams.h"
#include "lib/errno.h"

#define COUNT_LIMIT (UINT64_MAX - 1)

struct eventfd {
    struct spinlock lock;
    uint64_t count; /* lock; read without it for readiness */
    bool semaphore;
    struct wait_queue queue;
};

/* What a read yields, 0: it has to wait. */
static uint64_t take(struct eventfd *event)
{
    spin_lock(&event->lock);
    uint64_t value = event->semaphore && event->count ? 1 : event->count;
    write_once(event->count, event->count - value);
    spin_unlock(&event->lock);
    return value;
}

static bool put(struct eventfd *event, uint64_t value)
{
    spin_lock(&event->lock);
    bool fits = value <= COUNT_LIMIT - event->count;
    if (fits)
        write_once(event->count, event->count + value);
    spin_unlock(&event->lock);
    return fits;
}

static ssize_type read_eventfd(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct eventfd *event = file->private;
    (void)offset;
    if (transfer->remaining < sizeof(uint64_t))
        return -EINVAL;
    for (;;) {
        uint64_t value = take(event);
        if (value) {
            wake(&event->queue, POLLOUT);
            return transfer_out(transfer, &value, sizeof(value));
        }
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&event->queue, read_once(event->count), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

static ssize_type write_eventfd(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct eventfd *event = file->private;
    uint64_t value;
    (void)offset;
    if (transfer->remaining < sizeof(value))
        return -EINVAL;
    ssize_type n = transfer_in(transfer, &value, sizeof(value));
    if (n < (ssize_type)sizeof(value))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    while (!put(event, value)) {
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&event->queue, value <= COUNT_LIMIT - read_once(event->count), NO_DEADLINE,
                               SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
    wake(&event->queue, POLLIN);
    return n;
}

static unsigned poll_eventfd(struct file *file)
{
    struct eventfd *event = file->private;
    uint64_t count = read_once(event->count);
    return (count ? POLLIN : 0) | (count < COUNT_LIMIT ? POLLOUT : 0);
}

static struct wait_queue *eventfd_queue(struct file *file)
{
    struct eventfd *event = file->private;
    return &event->queue;
}

static void release_eventfd(struct file *file) { heap_free(file->private); }

static const struct file_operations eventfd_operations = {
    .read = read_eventfd,
    .write = write_eventfd,
    .poll = poll_eventfd,
    .queue = eventfd_queue,
    .release = release_eventfd,
};

struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags)
{
    struct eventfd *event = heap_allocate_zeroed(sizeof(*event));
    if (!event)
        return NULL;
    spinlock_init(&event->lock, LOCK_EVENTFD);
    wait_queue_init(&event->queue);
    event->count = count;
    event->semaphore = semaphore;
    struct file *file = file_create(&eventfd_operations, O_RDWR | flags, event);
    if (!file)
        heap_free(event);
    return file;
}
