/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers on any clock that may repeat (interval_timer.h). `deadline` is on the timer's own clock, 0 while it is off.
 * The struct timer inside is started for the earliest moment at which that can have come; when it expires, count() adds
 * what has passed since, moves the deadline on and starts it again. One that rests is not started again while it has
 * expirations to report.
 *
 * Spinlock "interval timers" guards all of them; run_queue (CPU time) and "timers" are taken inside. fire() comes in
 * interrupt context, and calls `expired` without the lock. Called by files/timerfd.c and, in linux/, by sys_timers.c,
 * limits.c and sys_streams.c.
 */
#include "threads/interval_timer.h"

#include "core/debug.h"
#include "core/lock.h"
#include "platform/platform.h"
#include "threads/thread.h"

static struct spinlock lock = SPINLOCK(LOCK_INTERVAL_TIMERS);

nanoseconds clock_now(const struct clock *clock)
{
    nanoseconds time = 0;
    switch (clock->kind) {
    case CLOCK_OF_PROCESS:
        return cpu_busy_time();
    case CLOCK_OF_THREAD:
        (void)thread_find_cpu_time(clock->thread, &time); /* an ended thread has used none */
        return time;
    case CLOCK_WALL: /* a deadline is turned into a monotonic one when it is set */
    case CLOCK_STEADY:
        break;
    }
    return clock_monotonic();
}

static nanoseconds add_times(nanoseconds a, nanoseconds b) { return b > NO_DEADLINE - a ? NO_DEADLINE : a + b; }

/* Under the lock, with the time of its clock; `least`: not sooner than in so long. */
static void start(struct interval_timer *timer, nanoseconds now, nanoseconds least)
{
    must_hold(&lock);
    nanoseconds left = timer->deadline > now ? timer->deadline - now : 0;
    if (timer->clock.kind == CLOCK_OF_PROCESS)
        left = (left + cpus_online - 1) / cpus_online;
    timer_start(&timer->timer, add_times(clock_monotonic(), max_of(left, least)));
}

/* How often it has expired by now; moves the deadline on. Under the lock. */
static uint64_t catch_up(struct interval_timer *timer, nanoseconds now)
{
    must_hold(&lock);
    if (!timer->deadline || timer->deadline > now)
        return 0;
    if (!timer->interval) {
        timer->deadline = 0;
        return 1;
    }
    uint64_t times = (now - timer->deadline) / timer->interval + 1;
    timer->deadline = add_times(timer->deadline, times * timer->interval);
    return times;
}

/* A clock of CPU time stands still while its thread does not run, and the time that is left would then pass again and
 * again, with no time for anything else where little is left. */
static nanoseconds least_rest(const struct interval_timer *timer, uint64_t times)
{
    if (timer->clock.kind == CLOCK_OF_PROCESS || timer->clock.kind == CLOCK_OF_THREAD)
        return CPU_CLOCK_LEAST;
    return times && timer->interval < INTERVAL_LEAST ? INTERVAL_LEAST : 0;
}

/* Counts what has passed; one that has nothing to report any more, or does not rest, goes on. Under the lock. */
static uint64_t count(struct interval_timer *timer)
{
    must_hold(&lock);
    nanoseconds now = clock_now(&timer->clock);
    uint64_t times = catch_up(timer, now);
    if (timer->rests)
        timer->expirations += times;
    if (timer->deadline && (!timer->rests || !timer->expirations))
        start(timer, now, least_rest(timer, times));
    return times;
}

/* Interrupt context. */
static void fire(struct timer *inner)
{
    struct interval_timer *timer = container_of(inner, struct interval_timer, timer);
    spin_lock(&lock);
    uint64_t times = count(timer);
    spin_unlock(&lock);
    if (times && timer->expired)
        timer->expired(timer, times);
}

uint64_t interval_timer_take(struct interval_timer *timer)
{
    spin_lock(&lock);
    nanoseconds now = clock_now(&timer->clock);
    uint64_t expirations = timer->expirations + (timer->expirations ? catch_up(timer, now) : 0);
    timer->expirations = 0;
    if (expirations && timer->deadline)
        start(timer, now, 0);
    spin_unlock(&lock);
    return expirations;
}

void interval_timer_init(struct interval_timer *timer, const struct clock *clock,
                         void (*expired)(struct interval_timer *timer, uint64_t times))
{
    timer_init(&timer->timer, fire);
    timer->clock = *clock;
    timer->deadline = timer->interval = timer->expirations = 0;
    timer->rests = false;
    timer->expired = expired;
}

/* The deadline of a setting; one in the past becomes 1, which is past and yet not 0. */
static nanoseconds deadline_of(const struct interval_timer *timer, nanoseconds value, bool absolute, nanoseconds now)
{
    if (!absolute)
        return max_of(add_times(now, value), (nanoseconds)1);
    if (timer->clock.kind != CLOCK_WALL)
        return max_of(value, (nanoseconds)1);
    nanoseconds wall = clock_wall();
    return value <= wall ? 1 : add_times(now, value - wall);
}

/* While one rests its deadline stays where it was, so it is moved on first. Under the lock. */
static void describe(struct interval_timer *timer, nanoseconds now, struct interval_setting *setting)
{
    must_hold(&lock);
    if (timer->expirations)
        timer->expirations += catch_up(timer, now);
    setting->interval = timer->interval;
    setting->value = timer->deadline > now ? timer->deadline - now : timer->deadline ? 1 : 0;
}

void interval_timer_set(struct interval_timer *timer, const struct interval_setting *setting, bool absolute,
                        struct interval_setting *old)
{
    spin_lock(&lock);
    nanoseconds now = clock_now(&timer->clock);
    if (old)
        describe(timer, now, old);
    timer_stop(&timer->timer);
    timer->interval = setting->interval;
    timer->expirations = 0;
    timer->deadline = setting->value ? deadline_of(timer, setting->value, absolute, now) : 0;
    if (timer->deadline)
        start(timer, now, 0);
    spin_unlock(&lock);
}

void interval_timer_get(struct interval_timer *timer, struct interval_setting *setting)
{
    spin_lock(&lock);
    describe(timer, clock_now(&timer->clock), setting);
    spin_unlock(&lock);
}
