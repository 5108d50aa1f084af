/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues. A waiter belongs to the thread that waits and mostly lies on its stack. It is in one queue at most, and
 * wait_remove() must take it out before its memory is used for something else. wake() calls each waiter's function with
 * the queue's lock held: it may take locks after "wait_queue" (core/lock_order.h), and must not sleep or touch the
 * queue. Waking does not remove a waiter, except for a thread that waits exclusively. Any context calls wake().
 *
 * One wake-up chooses one exclusive waiter: the first that wants the event and takes it. A thread always takes it and
 * leaves the queue, so that the next wake-up chooses another one. A callback takes it if it has woken a thread. The
 * waiter that was chosen has to look for what happened; it calls wait_chosen() before it does. If it leaves the queue
 * before that, the wake-up is passed on. So while threads wait, each wake-up has one that looks after it.
 */
#include "core/debug.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define ANY_EVENT UINT32_MAX

void wait_queue_init(struct wait_queue *queue)
{
    spinlock_init(&queue->lock, LOCK_WAIT_QUEUE);
    list_init(&queue->waiters);
    list_init(&queue->exclusive);
    queue->count = 0;
}

static bool wake_sleeper(struct waiter *waiter, unsigned events)
{
    (void)events;
    thread_wake(waiter->thread);
    return true;
}

void waiter_init(struct waiter *waiter)
{
    *waiter = (struct waiter){ .thread = thread_current(), .wake = wake_sleeper };
}

void waiter_init_callback(struct waiter *waiter, bool (*callback)(struct waiter *, unsigned))
{
    *waiter = (struct waiter){ .wake = callback };
}

static bool add(struct wait_queue *queue, struct waiter *waiter, unsigned limit)
{
    spin_lock(&queue->lock);
    bool added = queue->count < limit;
    if (likely(added)) {
        /* An exclusive waiter that was chosen is still counted. */
        queue->count += !waiter->queue;
        waiter->queue = queue;
        list_push_back(waiter->exclusive ? &queue->exclusive : &queue->waiters, &waiter->link);
    }
    spin_unlock(&queue->lock);
    return added;
}

void wait_add(struct wait_queue *queue, struct waiter *waiter) { (void)add(queue, waiter, UINT32_MAX); }
bool wait_try_add(struct wait_queue *queue, struct waiter *waiter) { return add(queue, waiter, WAIT_QUEUE_LIMIT); }

bool wait_chosen(struct waiter *waiter)
{
    return read_once(waiter->chosen) && __atomic_exchange_n(&waiter->chosen, 0, __ATOMIC_SEQ_CST);
}

/* Chooses an exclusive waiter, if one takes it. With the queue's lock. */
static bool choose(struct wait_queue *queue, unsigned events)
{
    must_hold(&queue->lock);
    list_for_each (node, &queue->exclusive) {
        struct waiter *waiter = list_entry(node, struct waiter, link);
        if (!(events & waiter->exclusive) || !waiter->wake(waiter, events))
            continue;
        __atomic_fetch_or(&waiter->chosen, events, __ATOMIC_SEQ_CST);
        if (waiter->thread)
            list_remove(&waiter->link);
        return true;
    }
    return false;
}

void wait_remove(struct waiter *waiter)
{
    struct wait_queue *queue = waiter->queue;
    if (!queue)
        return;
    spin_lock(&queue->lock);
    list_remove(&waiter->link);
    queue->count--;
    waiter->queue = NULL;
    unsigned passed_on = read_once(waiter->chosen);
    if (unlikely(passed_on))
        (void)choose(queue, passed_on);
    spin_unlock(&queue->lock);
}

static bool wake_list(const struct list *waiters, unsigned events)
{
    bool taken = false;
    list_for_each (node, waiters) {
        struct waiter *waiter = list_entry(node, struct waiter, link);
        taken |= waiter->wake(waiter, events);
    }
    return taken;
}

bool wake(struct wait_queue *queue, unsigned events)
{
    spin_lock(&queue->lock);
    bool taken = wake_list(&queue->waiters, events);
    taken |= choose(queue, events ? events : ANY_EVENT);
    spin_unlock(&queue->lock);
    return taken;
}

void wake_all(struct wait_queue *queue, unsigned events)
{
    spin_lock(&queue->lock);
    (void)wake_list(&queue->waiters, events);
    (void)wake_list(&queue->exclusive, events);
    spin_unlock(&queue->lock);
}

void wake_exclusive(struct wait_queue *queue, unsigned events)
{
    spin_lock(&queue->lock);
    (void)choose(queue, events);
    spin_unlock(&queue->lock);
}
