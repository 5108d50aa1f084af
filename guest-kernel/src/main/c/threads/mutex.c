/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes (threads/wait.h), which are for threads without spinlocks, and may be taken in the order of their classes
 * only.
 *
 * With one CPU a mutex is handed over: unlocking it makes the thread that has waited longest its holder, so it is never
 * free while a thread waits, and none overtakes another. With several CPUs that would have all threads wait while the
 * new holder is brought to a CPU, at each unlocking. So the thread that has waited longest is woken only, and whoever
 * comes first has the mutex; it is handed over to a thread that has found it taken again after PATIENCE. Spinlock
 * "mutex" in each guards holder and waiters.
 */
#include "core/debug.h"
#include "core/kernel_lock.h"
#include "core/lock_statistics.h"
#include "threads/thread.h"
#include "threads/wait.h"

void mutex_init(struct mutex *mutex, enum lock_class class)
{
    spinlock_init(&mutex->lock, LOCK_MUTEX);
    mutex->holder = NULL;
    list_init(&mutex->waiters);
    mutex->class = class;
}

#define PATIENCE (1 * NS_PER_MS)
#define LOOKS 100

struct mutex_waiter {
    struct list link; /* self-linked once the mutex has been handed over */
    struct thread *thread;
    bool impatient; /* the mutex is to be handed over */
};

/* Takes the mutex when it has been handed over or is free, and sleeps until then, with the spinlock given back
 * meanwhile. */
static void wait_for_turn(struct mutex *mutex, struct thread *self)
{
    assert(mutex->holder != self);
    nanoseconds patience_ends = kernel_is_shared ? clock_monotonic() + PATIENCE : 0;
    struct mutex_waiter waiter = { .thread = self };
    list_push_back(&mutex->waiters, &waiter.link);
    for (;;) {
        sleep_prepare();
        if (!mutex->holder)
            write_once(mutex->holder, self);
        if (mutex->holder == self)
            break;
        waiter.impatient = patience_ends == 0 || clock_monotonic() >= patience_ends;
        spin_unlock(&mutex->lock);
        sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        spin_lock_stacks(&mutex->lock);
    }
    list_remove(&waiter.link);
}

/* Most are held for a short time, by a thread that another CPU runs: then to sleep takes longer. The holder may wait
 * for this CPU's answer meanwhile. */
static void look_for_free(const struct mutex *mutex)
{
    for (unsigned looks = 0; looks < LOOKS && read_once(mutex->holder); looks++) {
        cpu_catch_up();
        __builtin_ia32_pause();
    }
}

static bool take_free(struct mutex *mutex, struct thread *self)
{
    if (read_once(mutex->holder))
        return false;
    spin_lock(&mutex->lock);
    bool free = !mutex->holder;
    if (free)
        write_once(mutex->holder, self);
    spin_unlock(&mutex->lock);
    return free;
}

static cold void wait_for_mutex(struct mutex *mutex, struct thread *self)
{
    nanoseconds began = lock_wait_begins();
    if (kernel_is_shared)
        look_for_free(mutex);
    spin_lock_stacks(&mutex->lock);
    wait_for_turn(mutex, self);
    spin_unlock(&mutex->lock);
    lock_wait_ends(mutex->class, began);
}

void mutex_lock(struct mutex *mutex)
{
    struct thread *self = thread_current();
    may_sleep();
    lock_taking(&self->held, mutex->class, mutex);
    if (unlikely(!take_free(mutex, self)))
        wait_for_mutex(mutex, self);
    lock_taken(&self->held, mutex->class, mutex);
}

void mutex_unlock(struct mutex *mutex)
{
    lock_given_back(&thread_current()->held, mutex);
    spin_lock_stacks(&mutex->lock);
    assert(mutex->holder == thread_current());
    write_once(mutex->holder, NULL);
    if (!list_empty(&mutex->waiters)) {
        struct mutex_waiter *next = list_entry(mutex->waiters.next, struct mutex_waiter, link);
        if (next->impatient) {
            list_remove(&next->link);
            write_once(mutex->holder, next->thread);
        }
        thread_wake(next->thread);
    }
    spin_unlock(&mutex->lock);
}
