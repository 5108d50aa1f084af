/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lock: while several CPUs run, one of them at a time is in the kernel (docs/cpus.md says why). A CPU takes
 * the lock at each entry from user mode and in an interrupt that finds it idle, and gives it back on the way to user
 * mode and in cpu_wait(). A change of threads keeps it: it belongs to the CPU. It is outside of all locks of
 * lib/lock_class.h, and fair: those who wait get it in the order in which they came.
 *
 * What does not hold it: entry code, non-maskable traps, a CPU that starts, and what answers other CPUs (cpu_answer()).
 * While one CPU runs there is no lock, and each function is one branch.
 */
#pragma once

#include "lib/types.h"

/* Several CPUs run. Changes with the kernel held, before there are user threads and at the end of the machine. */
extern bool kernel_is_shared;
/* There is a lock: from kernel_lock_share() on, also at the end of the machine. */
extern bool kernel_is_locked;

/* Not to be called but by the functions below. */
void kernel_lock_take(void);
bool kernel_lock_take_again(void);
void kernel_lock_give_back(void);
bool kernel_lock_is_mine(void);
bool kernel_lock_is_wanted(void);

/* The caller, the only CPU that runs, holds the lock from now on. */
void kernel_lock_share(void);
/* The caller is the only CPU that goes on: the lock is its own for good, and every other CPU that comes waits for
 * ever. */
void kernel_lock_end(void);

/* From user mode, or after having given it back. */
static inline void kernel_enter(void)
{
    if (unlikely(kernel_is_locked))
        kernel_lock_take();
}

static inline void kernel_leave(void)
{
    if (unlikely(kernel_is_locked))
        kernel_lock_give_back();
}

/* In an interrupt that came in kernel mode. True: kernel_leave() is due at its end. */
static inline bool kernel_enter_again(void)
{
    return unlikely(kernel_is_locked) && !kernel_lock_is_mine() && kernel_lock_take_again();
}

/* Lets the CPUs that wait in, and then the caller again. With no spinlock held. */
static inline void kernel_give_way(void)
{
    if (unlikely(kernel_is_locked) && kernel_lock_is_wanted()) {
        kernel_lock_give_back();
        kernel_lock_take();
    }
}
