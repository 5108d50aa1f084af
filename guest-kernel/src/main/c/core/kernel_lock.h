/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lock: while several CPUs run, it keeps them apart in all of the kernel but the parts that are known to
 * need no more than their own locks (docs/cpus.md says which, and why). A thread takes it for a system call or a trap,
 * and an interrupt's handler for itself. It belongs to the thread: one that sleeps or gives way to others gives it
 * back, and has it again when it goes on (kernel_change_threads()). It is outside of all locks of lib/lock_class.h. A
 * CPU that has waited for half a millisecond gets it next.
 *
 * A spinlock must not be held when it is taken. While one CPU runs there is no lock, and each function is one branch.
 */
#pragma once

#include "core/lock.h"
#include "lib/types.h"
#include "platform/platform.h"

struct cpu;

/* Several CPUs run. Changes with the kernel held, before there are user threads and at the end of the machine. */
extern bool kernel_is_shared;
/* There is a lock: from kernel_lock_share() on, also at the end of the machine. */
extern bool kernel_is_locked;

/* Not to be called but by the functions below. */
void kernel_lock_take(void);
bool kernel_lock_take_again(void);
void kernel_lock_give_back(void);
void kernel_lock_let_in(void);
bool kernel_lock_is_mine(void);
bool kernel_lock_is_wanted(void);
/* The CPU is at rest or waits for the lock, which the caller has. */
bool kernel_lock_keeps_out(const struct cpu *cpu);

/* The caller, the only CPU that runs, holds the lock from now on. */
void kernel_lock_share(void);
/* The caller is the only CPU that goes on: the lock is its own for good, and every other CPU that comes waits for
 * ever. */
void kernel_lock_end(void);

/* The caller has it, or there is none. */
static inline bool kernel_is_held(void) { return likely(!kernel_is_locked) || kernel_lock_is_mine(); }

/* The caller does not have it. */
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

/* The caller may have it: in an interrupt that came in kernel mode, and where a path that does without turns out to
 * need it. True: kernel_leave() is due at its end. */
static inline bool kernel_enter_again(void)
{
    return unlikely(kernel_is_locked) && !kernel_lock_is_mine() && kernel_lock_take_again();
}

/* Lets the CPUs that wait in, and then the caller again. With no spinlock held; does nothing without the lock. */
static inline void kernel_give_way(void)
{
    if (unlikely(kernel_is_locked) && kernel_lock_is_mine() && kernel_lock_is_wanted())
        kernel_lock_let_in();
}

/* The CPU has changed threads, and the new one goes on with the lock if `wanted`. Where the old one had it too it was
 * not given back between. With no spinlock held. */
static inline void kernel_change_threads(bool wanted)
{
    if (likely(!kernel_is_locked) || wanted == kernel_lock_is_mine())
        return;
    if (wanted)
        kernel_lock_take();
    else
        kernel_lock_give_back();
}

/* A spinlock that guards what lies on threads' stacks, such as lists of waiters. Where such a stack is now, this CPU
 * may still see what was there before, and without the kernel lock nothing else makes it look. */
static inline void spin_lock_stacks(struct spinlock *lock)
{
    spin_lock(lock);
    if (unlikely(kernel_is_shared))
        cpu_catch_up();
}
