#include "lib/lock.h"
#include "platform/platform.h"

void spin_lock(struct spinlock *lock)
{
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
        while (read_once(lock->taken))
            __builtin_ia32_pause();
    this_cpu()->spinlocks++;
}

void spin_unlock(struct spinlock *lock)
{
    this_cpu()->spinlocks--;
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

bool spinlocks_held(void) { return this_cpu()->spinlocks != 0; }
