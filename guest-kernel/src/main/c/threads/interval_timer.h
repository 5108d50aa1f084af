/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timer on one of the clocks of clock_gettime(2) that may repeat: what timerfd_create(2), timer_create(2) and
 * setitimer(2) are made of. The callback runs in interrupt context without locks.
 *
 * One that counts CPU time is started for the time that is left, divided by the number of CPUs if it is that of all
 * threads: it cannot pass sooner. It is started again for the rest when the CPUs were used for something else.
 * Expirations that come closer than INTERVAL_LEAST are reported together. One that `rests` calls back once, and again
 * only after interval_timer_take(): while it is not asked for, it costs nothing, however short its interval is.
 *
 * Spinlock "interval timers" guards them all: inside "signals", outside run_queue and timers (lib/lock_class.h).
 */
#pragma once

#include "lib/types.h"
#include "threads/timer.h"

enum clock_kind { CLOCK_STEADY, CLOCK_WALL, CLOCK_OF_PROCESS, CLOCK_OF_THREAD };

struct clock {
    enum clock_kind kind;
    uint32_t thread; /* of CLOCK_OF_THREAD; one that has ended stands still at 0 */
};
nanoseconds clock_now(const struct clock *clock);

#define INTERVAL_LEAST (100 * NS_PER_US)
#define CPU_CLOCK_LEAST NS_PER_MS /* between two looks at a clock of CPU time, which Linux looks at in each tick */

struct interval_timer {
    struct timer timer;
    struct clock clock;
    nanoseconds deadline; /* of the clock, that of CLOCK_WALL monotonic; 0: not running */
    nanoseconds interval; /* 0: once */
    bool rests;           /* set once, before the first interval_timer_set() */
    uint64_t expirations; /* of one that rests: since it was set or taken */
    /* May be NULL. `times`: how often it has expired since the last call, at least 1. */
    void (*expired)(struct interval_timer *timer, uint64_t times);
};

struct interval_setting {
    nanoseconds value, interval; /* durations, value also a point in time; value 0: not running */
};

void interval_timer_init(struct interval_timer *timer, const struct clock *clock,
                         void (*expired)(struct interval_timer *timer, uint64_t times));
/* What it was set to and what is left of it; `old` may be NULL. */
void interval_timer_set(struct interval_timer *timer, const struct interval_setting *setting, bool absolute,
                        struct interval_setting *old);
void interval_timer_get(struct interval_timer *timer, struct interval_setting *setting);
/* Of one that rests: how often it has expired by now, since this was last asked; it goes on. */
uint64_t interval_timer_take(struct interval_timer *timer);
