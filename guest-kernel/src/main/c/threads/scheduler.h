/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scheduler.c and thread.c share: the lock of all threads, and a thread's way into the scheduler and out of it.
 */
#pragma once

#include "core/lock.h"
#include "threads/thread.h"

extern struct spinlock run_queue_lock;
/* Gives it back, and interrupts the CPUs that are to look at what has changed. */
void run_queue_unlock(void);

/* scheduler.c */
/* A new thread, which nothing else knows yet: it may run on every CPU once it is made ready. */
void scheduler_prepare(struct thread *thread);
/* Under the lock, which it gives back: the current thread, which is off the list of all, does not run again. */
noreturn void scheduler_leave(void);
/* Under the lock: the thread's affinity is another one. */
void scheduler_affinity_changed(struct thread *thread);

/* thread.c */
/* Under the lock: the thread that has just ended on this CPU, off whose stack it is now; NULL: none has. */
struct thread *thread_take_dead(void);
/* With the kernel lock. */
void thread_free(struct thread *thread);
