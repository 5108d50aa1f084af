/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-shot timers (timer.h): a tree ordered by deadline, of which the platform is given the first. A timer is in the
 * tree exactly while it is `active`; the platform's deadline is never later than the first timer's, and may be earlier
 * after that one has been stopped. kernel_timer(), which the platform calls in interrupt context, expires what is due
 * and programs the next. Spinlock "timers" guards the tree and what the platform was given; callbacks run without it.
 */
#include "core/debug.h"
#include "core/lock.h"
#include "platform/platform.h"
#include "threads/timer.h"

struct wait_queue clock_steps = WAIT_QUEUE(clock_steps);

static bool timer_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct timer, node)->deadline < tree_entry(b, struct timer, node)->deadline;
}

static struct spinlock lock = SPINLOCK(LOCK_TIMERS);
static struct tree timers = { .before = timer_before }; /* lock */
/* lock: the deadline that the platform has, and on which CPU. A CPU that was given a later one still interrupts then.
 * */
static nanoseconds programmed = NO_DEADLINE;
static const struct cpu *programmed_on;

static void program(void)
{
    must_hold(&lock);
    struct tree_node *first = tree_first(&timers);
    nanoseconds deadline = first ? tree_entry(first, struct timer, node)->deadline : NO_DEADLINE;
    if (deadline == programmed)
        return;
    programmed = deadline;
    programmed_on = this_cpu();
    clock_set_deadline(deadline);
}

void timer_init(struct timer *timer, void (*expired)(struct timer *))
{
    timer->active = false;
    timer->expired = expired;
}

static void unlink_timer(struct timer *timer)
{
    must_hold(&lock);
    tree_remove(&timers, &timer->node);
    __atomic_store_n(&timer->active, false, __ATOMIC_RELAXED);
}

void timer_start(struct timer *timer, nanoseconds deadline)
{
    spin_lock(&lock);
    if (timer->active)
        unlink_timer(timer);
    timer->deadline = deadline;
    __atomic_store_n(&timer->active, true, __ATOMIC_RELAXED);
    tree_insert(&timers, &timer->node);
    /* A later first deadline than programmed costs one early interrupt, not a call for each change. */
    if (deadline < programmed)
        program();
    spin_unlock(&lock);
}

bool timer_stop(struct timer *timer)
{
    spin_lock(&lock);
    bool was_active = timer->active;
    if (was_active)
        unlink_timer(timer);
    spin_unlock(&lock);
    return was_active;
}

void kernel_timer(void)
{
    nanoseconds now = clock_monotonic();
    spin_lock(&lock);
    if (programmed > now && programmed_on != this_cpu()) {
        spin_unlock(&lock);
        return;
    }
    programmed = NO_DEADLINE;
    for (;;) {
        struct tree_node *first = tree_first(&timers);
        if (!first)
            break;
        struct timer *timer = tree_entry(first, struct timer, node);
        if (timer->deadline > now)
            break;
        unlink_timer(timer);
        spin_unlock(&lock);
        timer->expired(timer);
        spin_lock(&lock);
    }
    program();
    spin_unlock(&lock);
}

void timers_keep_here(void)
{
    spin_lock(&lock);
    programmed = NO_DEADLINE;
    program();
    spin_unlock(&lock);
}
