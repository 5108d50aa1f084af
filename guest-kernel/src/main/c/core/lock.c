/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lock.h"
#include "core/lock_statistics.h"
#include "platform/platform.h"

#define LOOKS 1000 /* at the lock before the host is asked: a CPU that runs gives it back sooner */

/*
 * Who comes first takes the lock, not who has waited longest: a host may have taken the processor from the one that has
 * waited longest, and then all others would wait until that one runs again.
 */
void spin_wait(struct spinlock *lock)
{
    nanoseconds began = lock_wait_begins();
    do {
        for (unsigned looks = 1; read_once(lock->taken); looks++) {
            __builtin_ia32_pause();
            if (looks % LOOKS == 0)
                cpu_yield();
        }
    } while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE));
    lock_wait_ends(lock->class, began);
}

#ifdef KERNEL_DEBUG
/* The order is checked before the wait, so that a deadlock is reported instead of met. */
void spin_lock(struct spinlock *lock)
{
    lock_taking(&this_cpu()->held, lock->class, lock);
    if (unlikely(__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)))
        spin_wait(lock);
    this_cpu()->spinlocks++;
    lock_taken(&this_cpu()->held, lock->class, lock);
}

void spin_unlock(struct spinlock *lock)
{
    lock_given_back(&this_cpu()->held, lock);
    this_cpu()->spinlocks--;
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

bool spinlocks_held(void) { return this_cpu()->spinlocks != 0; }
bool spinlock_held(const struct spinlock *lock) { return lock_is_held(&this_cpu()->held, lock); }
#endif
