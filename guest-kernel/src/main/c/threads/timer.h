/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-shot timers. Callbacks run in interrupt context (platform.h), must not sleep, and may start
 * or stop any timer, their own included. O(log n). Lock "timers", taken inside; callbacks run
 * without it.
 */
#pragma once

#include "lib/tree.h"
#include "lib/types.h"
#include "threads/wait.h"

struct timer {
    struct tree_node node; /* timers lock */
    nanoseconds deadline;  /* monotonic */
    bool active;           /* the same, but for timer_is_active() */
    void (*expired)(struct timer *timer);
};

void timer_init(struct timer *timer, void (*expired)(struct timer *timer));
/* (Re)starts: an active timer is moved. A deadline in the past expires at the next interrupt. */
void timer_start(struct timer *timer, nanoseconds deadline);
/* Whether it is active, which may change at any moment. */
static inline bool timer_is_active(const struct timer *timer)
{
    return __atomic_load_n(&timer->active, __ATOMIC_RELAXED);
}
/* True if it was active and now will not expire. Otherwise it may be expiring at the same time, on another CPU, unless
 * the caller has the kernel lock, with which callbacks run. */
bool timer_stop(struct timer *timer);
/* Woken when the wall clock has been set to another time than it would have shown (clock_set_wall()). */
extern struct wait_queue clock_steps;
/* The caller's CPU is the one that expires timers from now on: the others are about to stop. */
void timers_keep_here(void);
