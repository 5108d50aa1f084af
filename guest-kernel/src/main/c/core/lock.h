/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spinlocks. The kernel runs with interrupts masked (platform.h: "interrupts"), so a spinlock only keeps other CPUs
 * out; the holder of one must not sleep, give way, touch user memory or call anything documented to sleep. Sleeping
 * locks are struct mutex in threads/wait.h.
 *
 * Each lock has a class; in which order locks of different classes may be taken: lib/lock_class.h.
 */
#pragma once

#include "core/lock_order.h"
#include "lib/types.h"

struct spinlock {
    uint32_t taken;
    enum lock_class class;
};

/* clang-format off */
#define SPINLOCK(c) { .taken = 0, .class = (c) }
/* clang-format on */
static inline void spinlock_init(struct spinlock *lock, enum lock_class class)
{
    lock->taken = 0;
    lock->class = class;
}
/* The lock is not free: waits for it and takes it, and counts the wait (core/lock_statistics.h). For spin_lock(). */
cold void spin_wait(struct spinlock *lock);
#ifdef KERNEL_DEBUG
void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);
/* True while this CPU holds any spinlock; sleeping is then a bug that panics (core/debug.h). */
bool spinlocks_held(void);
/* True while this CPU holds this one. */
bool spinlock_held(const struct spinlock *lock);
#else
/* By spin_wait.S, which keeps all registers: an ordinary call, although it is hardly ever made, would have
 * the functions around it save registers each time. */
static inline void spin_lock(struct spinlock *lock)
{
    if (unlikely(__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)))
        asm volatile("call spin_wait_keeping" ::"D"(lock) : "memory", "cc");
}
static inline void spin_unlock(struct spinlock *lock) { __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE); }
#endif

/*
 * What may be kept across a sleep. A function that may sleep says so in its header and begins with may_sleep()
 * (core/debug.h). Any other thread may run meanwhile and do to every object what the program can ask for: close,
 * truncate, unmap, exit, connect again. So the caller
 * - holds a reference to, or the mutex of, every object that it uses after the call (a system call: its files, by
 *   descriptor_get(); a walk: its dentries; a fault: the file, and then everything is looked up again);
 * - looks again, under the lock, at every fact that it checked before, or has made it impossible to change (a flag
 *   such as `binding` in net/unix/unix.c);
 * - has read each word of user memory once, into a variable of the kernel.
 * These may sleep: user copies (memory/user.h, transfer.h), page_cache_get(), mutexes, wait_until(), block I/O, path
 * walks, the last file_put(), dentry_put() and inode_put(). These do not: the heap, page allocation (it may reclaim
 * clean file pages, but waits for nothing), wake(), spinlocks.
 */
