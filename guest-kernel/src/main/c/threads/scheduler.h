/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scheduler.c, thread.c and cpu_time.c share: the locks of the run queues, and a thread's way into the scheduler
 * and out of it.
 */
#pragma once

#include "core/lock.h"
#include "threads/thread.h"

/* scheduler.c. Each CPU has a run queue with a lock, which guards the CPU's times too. Not two of them at once. */
struct spinlock *run_queue_lock(const struct cpu *cpu);
/* Takes the lock that guards the thread: that of the queue which it belongs to, and stays in meanwhile. */
struct spinlock *run_queue_lock_of(const struct thread *thread);
/* A new thread, which nothing else knows yet: it may run on every CPU once it is made ready. */
void scheduler_prepare(struct thread *thread);
/* The current thread, which is off the list of all, does not run again; the one that goes on frees it. */
noreturn void scheduler_leave(void);
/* The CPUs that the thread may run on, by their ids; it leaves one that is not among them before it runs in user mode
 * again. These take the lock. */
void scheduler_set_affinity(struct thread *thread, uint64_t affinity);
uint64_t scheduler_affinity(const struct thread *thread);
/* The other CPUs have stopped: what waited for them waits for this one. */
void scheduler_adopt(void);

/* thread.c */
/* With the kernel lock. */
void thread_free(struct thread *thread);
