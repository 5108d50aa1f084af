/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timerfd_create(2): an interval timer whose expirations are read. It rests while they are not, as on Linux, so that
 * one with an interval of a nanosecond costs no more than its readers. What is counted is guarded by
 * threads/interval_timer.c.
 *
 * One of the wall clock waits on clock_steps (threads/timer.h) from its creation to its release; `cancels` says whether
 * a step of the clock cancels it. The two flags are single words, changed without a lock.
 */
#include "core/heap.h"
#include "files/streams.h"
#include "lib/errno.h"

struct timerfd {
    struct interval_timer timer;
    struct wait_queue queue;
    bool wall;
    bool cancels;       /* TFD_TIMER_CANCEL_ON_SET */
    bool cancelled;     /* the clock was set, and no call has reported it yet */
    struct waiter step; /* on clock_steps, if `wall` */
};

static const struct file_operations timerfd_operations;

/* Interrupt context. */
static void expired(struct interval_timer *inner, uint64_t times)
{
    (void)times;
    wake(&container_of(inner, struct timerfd, timer)->queue, POLLIN);
}

/* clock_steps is being woken. */
static bool clock_stepped(struct waiter *waiter, unsigned events)
{
    struct timerfd *timer = container_of(waiter, struct timerfd, step);
    (void)events;
    if (!read_once(timer->cancels))
        return false;
    write_once(timer->cancelled, true);
    return wake(&timer->queue, POLLIN);
}

/* True once for each time that it was. */
static bool take_cancelled(struct timerfd *timer)
{
    return read_once(timer->cancelled) && __atomic_exchange_n(&timer->cancelled, false, __ATOMIC_RELAXED);
}

static bool has_news(const struct timerfd *timer)
{
    return read_once(timer->timer.expirations) || read_once(timer->cancelled);
}

static ssize_type read_timerfd(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct timerfd *timer = file->private;
    (void)offset;
    if (transfer->remaining < sizeof(uint64_t))
        return -EINVAL;
    for (;;) {
        bool cancelled = take_cancelled(timer);
        uint64_t expirations = interval_timer_take(&timer->timer);
        if (cancelled)
            return -ECANCELED;
        if (expirations)
            return transfer_out(transfer, &expirations, sizeof(expirations));
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&timer->queue, has_news(timer), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

struct interval_timer *timerfd_timer(struct file *file)
{
    struct timerfd *timer = file->operations == &timerfd_operations ? file->private : NULL;
    return timer ? &timer->timer : NULL;
}

int timerfd_set(struct file *file, const struct interval_setting *setting, bool absolute, bool cancel,
                struct interval_setting *old)
{
    struct timerfd *timer = file->private;
    write_once(timer->cancels, timer->wall && absolute && cancel);
    bool cancelled = take_cancelled(timer);
    interval_timer_set(&timer->timer, setting, absolute, old);
    return cancelled && read_once(timer->cancels) && setting->value ? -ECANCELED : 0;
}

static unsigned poll_timerfd(struct file *file)
{
    struct timerfd *timer = file->private;
    return has_news(timer) ? POLLIN : 0;
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
    if (timer->wall)
        wait_remove(&timer->step);
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
    if (!file) {
        heap_free(timer);
        return NULL;
    }
    timer->wall = wall;
    waiter_init_callback(&timer->step, clock_stepped);
    if (wall)
        wait_add(&clock_steps, &timer->step);
    return file;
}
