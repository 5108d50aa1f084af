/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd_create(2): an interval timer whose expirations are read. It rests while they are not, as on Linux, so that
 * one with an interval of a nanosecond costs no more than its readers. What is counted is guarded by
 * threads/interval_timer.c.
 */
#include "core/heap.h"
#include "files/streams.h"
#include "lib/errno.h"
#include "threads/interval_timer.h"

struct timerfd {
    struct interval_timer timer;
    struct wait_queue queue;
};

static const struct file_operations timerfd_operations;

/* Interrupt context. */
static void expired(struct interval_timer *inner, uint64_t times)
{
    (void)times;
    wake(&container_of(inner, struct timerfd, timer)->queue, POLLIN);
}

static ssize_type read_timerfd(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct timerfd *timer = file->private;
    (void)offset;
    if (transfer->remaining < sizeof(uint64_t))
        return -EINVAL;
    for (;;) {
        uint64_t expirations = interval_timer_take(&timer->timer);
        if (expirations)
            return transfer_out(transfer, &expirations, sizeof(expirations));
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&timer->queue, read_once(timer->timer.expirations), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

struct interval_timer *timerfd_timer(struct file *file)
{
    struct timerfd *timer = file->operations == &timerfd_operations ? file->private : NULL;
    return timer ? &timer->timer : NULL;
}

static unsigned poll_timerfd(struct file *file)
{
    struct timerfd *timer = file->private;
    return read_once(timer->timer.expirations) ? POLLIN : 0;
}

static struct wait_queue *timerfd_queue(struct file *file)
{
    struct timerfd *timer = file->private;
    return &timer->queue;
}

static void release_timerfd(struct file *file)
{
    static const struct interval_setting stopped = { 0, 0 };
    struct timerfd *timer = file->private;
    interval_timer_set(&timer->timer, &stopped, false, NULL);
    heap_free(timer);
}

static const struct file_operations timerfd_operations = {
    .read = read_timerfd,
    .poll = poll_timerfd,
    .queue = timerfd_queue,
    .release = release_timerfd,
};

struct file *timerfd_create(bool wall, uint32_t flags)
{
    const struct clock clock = { .kind = wall ? CLOCK_WALL : CLOCK_STEADY };
    struct timerfd *timer = heap_allocate_zeroed(sizeof(*timer));
    if (!timer)
        return NULL;
    interval_timer_init(&timer->timer, &clock, expired);
    timer->timer.rests = true;
    wait_queue_init(&timer->queue);
    struct file *file = file_create(&timerfd_operations, O_RDWR | flags, timer);
    if (!file)
        heap_free(timer);
    return file;
}
