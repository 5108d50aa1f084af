/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scheduler.c and thread.c share: the lock of all threads, and a thread's way into the scheduler and out of it.
 */
#pragma once

#include "core/lock.h"
#include "threads/thread.h"

extern struct spinlock run_queue_lock;

/* scheduler.c */
/* A new thread, which nothing else knows yet: it may run on every CPU once it is made ready. */
void scheduler_prepare(struct thread *thread);
/* Under the lock, which it gives back: the current thread, which is off the list of all, does not run again. */
noreturn void scheduler_leave(void);
/* Under the lock: the thread's affinity is another one. */
void scheduler_affinity_changed(struct thread *thread);

/* thread.c */
/* Frees the thread that ended last, if that has not been done. */
void thread_free_dead(void);
