/*
 * Spinlocks. The kernel runs with interrupts masked (platform.h: "interrupts"), so a spinlock
 * only keeps other CPUs out; whoever holds one must not sleep, give way, touch user memory or call
 * anything documented to sleep. Sleeping locks are struct mutex in threads/wait.h.
 *
 * Lock order, outermost first (a lock may be taken while holding those above it):
 *   address_space (mutex) > file offset, inode (mutexes) > page_cache > net > epoll > wait_queue
 *   > futex bucket > run_queue > timers > heap > pages > console
 * The locks of files/ (names, inodes, namespace, ...) are placed in files/vfs.h; the one exception to the
 * order above, epoll inside the wait_queue of a watched file, in files/epoll.h.
 */
#pragma once

#include "lib/types.h"

struct spinlock {
    uint32_t taken;
    const char *name;
};

#define SPINLOCK(n) { .taken = 0, .name = (n) }
static inline void spinlock_init(struct spinlock *lock, const char *name)
{
    lock->taken = 0;
    lock->name = name;
}
void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);
/* True while this CPU holds any spinlock; sleeping is then a bug that panics. */
bool spinlocks_held(void);
