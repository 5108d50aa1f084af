/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting: wait queues, sleeping with a deadline, and the sleeping lock.
 *
 * Code that makes something happen calls wake(queue, events); events is a mask whose meaning belongs to the queue (for
 * files the POLL* bits of files/file.h), 0 for "no particular one". A waiter is either a thread (wait_until) or a
 * callback (epoll). wake() may be called in any context, also with spinlocks above "wait_queue" held
 * (lib/lock_class.h).
 */
#pragma once

#include "core/lock.h"
#include "lib/list.h"
#include "lib/types.h"

struct thread;

struct wait_queue {
    struct spinlock lock;
    struct list waiters;
};
/* clang-format off */
#define WAIT_QUEUE(queue) { .lock = SPINLOCK(LOCK_WAIT_QUEUE), .waiters = LIST_INIT((queue).waiters) }
/* clang-format on */

struct waiter {
    struct list link;         /* queue->lock */
    struct wait_queue *queue; /* NULL when not queued */
    struct thread *thread;    /* the sleeper, for the default wake function */
    /* Called with queue->lock held; must not sleep or touch the queue. */
    void (*wake)(struct waiter *waiter, unsigned events);
};

void wait_queue_init(struct wait_queue *queue);
/* A waiter that wakes the current thread. */
void waiter_init(struct waiter *waiter);
/* A waiter that calls back. */
void waiter_init_callback(struct waiter *waiter, void (*wake)(struct waiter *, unsigned events));
void wait_add(struct wait_queue *queue, struct waiter *waiter);
/* Harmless if not queued. After it returns the callback is not running and will not run. */
void wait_remove(struct waiter *waiter);
void wake(struct wait_queue *queue, unsigned events);

enum sleep_kind {
    SLEEP_INTERRUPTIBLE = 1, /* returns -EINTR when a signal is to be delivered */
    SLEEP_UNINTERRUPTIBLE = 0,
};

/*
 * The two steps under wait_until(). After sleep_prepare() a wake-up of this thread makes the next
 * sleep_until() return at once, so a wake-up that comes between the two is never lost.
 * sleep_until() returns 0 (woken), -ETIMEDOUT (deadline, monotonic ns, passed) or -EINTR.
 */
void sleep_prepare(void);
int sleep_until(nanoseconds deadline, enum sleep_kind kind);

/*
 * Sleeps until `condition` holds (evaluated without any lock unless it takes one itself).
 * Yields 0, -ETIMEDOUT or -EINTR; 0 whenever the condition holds at the end.
 */
#define wait_until(queue, condition, deadline, kind) \
    ({ \
        struct waiter waiter_; \
        int result_ = 0; \
        waiter_init(&waiter_); \
        wait_add((queue), &waiter_); \
        for (;;) { \
            sleep_prepare(); \
            if (condition) { \
                result_ = 0; \
                break; \
            } \
            if (result_ != 0) \
                break; \
            result_ = sleep_until((deadline), (kind)); \
        } \
        wait_remove(&waiter_); \
        result_; \
    })

/* A lock whose holder may sleep. Not recursive; fair in the order of arrival, with several CPUs about (wait.c). */
struct mutex {
    struct spinlock lock;
    struct thread *holder;
    struct list waiters;
    enum lock_class class;
};
/* clang-format off */
#define MUTEX(mutex, c) { .lock = SPINLOCK(LOCK_MUTEX), .waiters = LIST_INIT((mutex).waiters), .class = (c) }
/* clang-format on */
void mutex_init(struct mutex *mutex, enum lock_class class);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
/* Debug builds (core/debug.h): the current thread holds it. Needs threads/thread.h. */
#ifdef KERNEL_DEBUG
#define must_hold_mutex(mutex) assert((mutex)->holder == thread_current())
#else
#define must_hold_mutex(mutex) ((void)0)
#endif
