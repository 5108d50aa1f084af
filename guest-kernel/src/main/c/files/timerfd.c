#include "files/streams.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/lock.h"
#include "platform/platform.h"
#include "threads/timer.h"

struct timerfd {
    struct spinlock lock;
    struct timer timer;
    nanoseconds deadline;            /* lock; monotonic, 0: not running */
    nanoseconds interval;            /* lock */
    uint64_t expirations;            /* lock; not yet read */
    bool wall;
    struct wait_queue queue;
};

static const struct file_operations timerfd_operations;

/* Counts what has passed by now and starts the timer for what comes next. Under the lock. */
static void catch_up(struct timerfd *timer, nanoseconds now)
{
    if (!timer->deadline || timer->deadline > now)
        return;
    uint64_t passed = timer->interval ? (now - timer->deadline) / timer->interval + 1 : 1;
    timer->expirations += passed;
    timer->deadline = timer->interval ? timer->deadline + passed * timer->interval : 0;
    if (timer->deadline)
        timer_start(&timer->timer, timer->deadline);
}

/* Interrupt context. */
static void expired(struct timer *inner)
{
    struct timerfd *timer = container_of(inner, struct timerfd, timer);
    spin_lock(&timer->lock);
    catch_up(timer, clock_monotonic());
    spin_unlock(&timer->lock);
    wake(&timer->queue, POLL_IN);
}

static uint64_t take(struct timerfd *timer)
{
    spin_lock(&timer->lock);
    uint64_t expirations = timer->expirations;
    timer->expirations = 0;
    spin_unlock(&timer->lock);
    return expirations;
}

static ssize_type read_timerfd(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct timerfd *timer = file->private;
    (void)offset;
    if (transfer->remaining < sizeof(uint64_t))
        return -EINVAL;
    for (;;) {
        uint64_t expirations = take(timer);
        if (expirations)
            return transfer_out(transfer, &expirations, sizeof(expirations));
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&timer->queue, read_once(timer->expirations), NO_DEADLINE, SLEEP_KILLABLE_BY_SIGNAL);
        if (error)
            return error;
    }
}

static struct timerfd *timerfd_of(struct file *file)
{
    return file->operations == &timerfd_operations ? file->private : NULL;
}

/* The monotonic deadline of a setting; one in the past becomes 1, which is past and yet not 0. */
static nanoseconds deadline_of(const struct timerfd *timer, nanoseconds value, bool absolute)
{
    nanoseconds now = clock_monotonic(), deadline;
    if (!absolute) {
        deadline = value > NO_DEADLINE - now ? NO_DEADLINE : now + value;
    } else if (timer->wall) {
        nanoseconds wall = clock_wall();
        deadline = value <= wall ? 1 : value - wall > NO_DEADLINE - now ? NO_DEADLINE : now + (value - wall);
    } else {
        deadline = value;
    }
    return max_of(deadline, (nanoseconds)1);
}

int timerfd_set(struct file *file, const struct timerfd_setting *setting, bool absolute)
{
    struct timerfd *timer = timerfd_of(file);
    if (!timer)
        return -EINVAL;
    spin_lock(&timer->lock);
    timer_stop(&timer->timer);
    timer->expirations = 0;
    timer->interval = setting->interval;
    timer->deadline = setting->value ? deadline_of(timer, setting->value, absolute) : 0;
    if (timer->deadline)
        timer_start(&timer->timer, timer->deadline);
    spin_unlock(&timer->lock);
    return 0;
}

int timerfd_get(struct file *file, struct timerfd_setting *setting)
{
    struct timerfd *timer = timerfd_of(file);
    if (!timer)
        return -EINVAL;
    spin_lock(&timer->lock);
    nanoseconds now = clock_monotonic();
    setting->interval = timer->interval;
    setting->value = timer->deadline > now ? timer->deadline - now : timer->deadline ? 1 : 0;
    spin_unlock(&timer->lock);
    return 0;
}

static unsigned poll_timerfd(struct file *file)
{
    struct timerfd *timer = file->private;
    return read_once(timer->expirations) ? POLL_IN : 0;
}

static struct wait_queue *timerfd_queue(struct file *file)
{
    struct timerfd *timer = file->private;
    return &timer->queue;
}

static void release_timerfd(struct file *file)
{
    struct timerfd *timer = file->private;
    spin_lock(&timer->lock);
    timer->deadline = 0;             /* so that an expiry under way does not start it again */
    timer_stop(&timer->timer);
    spin_unlock(&timer->lock);
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
    struct timerfd *timer = heap_allocate_zeroed(sizeof(*timer));
    if (!timer)
        return NULL;
    spinlock_init(&timer->lock, LOCK_TIMERFD);
    timer_init(&timer->timer, expired);
    wait_queue_init(&timer->queue);
    timer->wall = wall;
    struct file *file = file_create(&timerfd_operations, O_RDWR | flags, timer);
    if (!file)
        heap_free(timer);
    return file;
}
