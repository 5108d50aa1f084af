/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting: wait queues, sleeping with a deadline, and the sleeping lock.
 *
 * Code that makes something happen calls wake(queue, events); events is a mask whose meaning belongs to the queue (for
 * files the POLL* bits of files/file.h), 0 for "no particular one". A waiter is either a thread (wait_until) or a
 * callback (epoll). wake() may be called in any context, also with spinlocks above "wait_queue" held
 * (lib/lock_class.h).
 *
 * Of the waiters that wait exclusively, wake() wakes one: where what happened is for one of them, such as a connection
 * for those that accept it, the others would find nothing. What lasts, such as the end of a connection, is announced to
 * all with wake_all().
 */
#pragma once

#include "core/lock.h"
#include "lib/list.h"
#include "lib/types.h"

struct thread;

struct wait_queue {
    struct spinlock lock;
    struct list waiters;   /* woken by each event */
    struct list exclusive; /* of which one is woken, the first that takes the event */
    unsigned count;        /* of all waiters */
};
/* Pollers and epoll instances that one queue has at most: wake() goes through them with the queue's lock held. */
#define WAIT_QUEUE_LIMIT 65536u
/* clang-format off */
#define WAIT_QUEUE(queue) { .lock = SPINLOCK(LOCK_WAIT_QUEUE), .waiters = LIST_INIT((queue).waiters), \
                            .exclusive = LIST_INIT((queue).exclusive) }
/* clang-format on */

struct waiter {
    struct list link;         /* queue->lock */
    struct wait_queue *queue; /* NULL when not queued */
    struct thread *thread;    /* the sleeper, for the default wake function; NULL: it calls back */
    /* Called with queue->lock held; must not sleep or touch the queue. Whether it has brought a thread to look. */
    bool (*wake)(struct waiter *waiter, unsigned events);
    unsigned exclusive; /* 0: woken by all events; else exclusively by some of these; constant while it is queued */
    unsigned chosen;    /* atomic: the events for which an exclusive waiter has been woken and not looked yet */
};

void wait_queue_init(struct wait_queue *queue);
/* A waiter that wakes the current thread. */
void waiter_init(struct waiter *waiter);
/* A waiter that calls back. */
void waiter_init_callback(struct waiter *waiter, bool (*wake)(struct waiter *, unsigned events));
/* An exclusive waiter comes after those that wait already. */
void wait_add(struct wait_queue *queue, struct waiter *waiter);
/* The same for waiters of which a thread may have any number; false, and not added, beyond WAIT_QUEUE_LIMIT. */
bool wait_try_add(struct wait_queue *queue, struct waiter *waiter);
/* Harmless if not queued. After it returns the callback is not running and will not run. One that has been chosen
 * passes that on to the next exclusive waiter, unless wait_chosen() was called since. */
void wait_remove(struct waiter *waiter);
/* Whether an exclusive waiter has been chosen since the last call. To be called before it looks for what happened; a
 * thread that has been chosen and goes on waiting is added again. */
bool wait_chosen(struct waiter *waiter);
/* Whether a thread was woken, by itself or through a callback. */
bool wake(struct wait_queue *queue, unsigned events);
/* The exclusive waiters all as well: for what does not go away when one of them has seen it. */
void wake_all(struct wait_queue *queue, unsigned events);
/* One exclusive waiter and no other: there is more left of what was announced before. `events` is not 0. */
void wake_exclusive(struct wait_queue *queue, unsigned events);

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
#define wait_until(queue, condition, deadline, kind) wait_as(0, queue, condition, deadline, kind)

/* The same for a thread that takes what it waits for: each wake() for one of `events`, which is not 0, wakes one of the
 * threads that wait so. The condition becomes true with such an event, or with wake_all(). */
#define wait_until_exclusive(queue, events, condition, deadline, kind) wait_as(events, queue, condition, deadline, kind)

#define wait_as(exclusive_, queue_, condition, deadline, kind) \
    ({ \
        struct wait_queue *waited_ = (queue_); \
        struct waiter waiter_; \
        int result_ = 0; \
        waiter_init(&waiter_); \
        waiter_.exclusive = (exclusive_); \
        wait_add(waited_, &waiter_); \
        for (;;) { \
            sleep_prepare(); \
            bool chosen_ = wait_chosen(&waiter_); \
            if (condition) { \
                result_ = 0; \
                break; \
            } \
            if (result_ != 0) \
                break; \
            if (chosen_) \
                wait_add(waited_, &waiter_); /* another thread was faster */ \
            else \
                result_ = sleep_until((deadline), (kind)); \
        } \
        wait_remove(&waiter_); \
        result_; \
    })

/* A lock whose holder may sleep. Not recursive; fair in the order of arrival, with several CPUs about (mutex.c). */
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
