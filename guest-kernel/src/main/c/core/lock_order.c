/* SPDX-License-Identifier: Apache-2.0 */
/* The check of core/lock_order.h. Each list of held locks belongs to one CPU or one thread, so it needs no lock
 * itself. */
#include "core/lock_order.h"
#include "core/backtrace.h"
#include "core/kernel_lock.h"
#include "core/lock_statistics.h"
#include "core/log.h"
#include "platform/platform.h"

#define LOCK_NAME(class, name) [LOCK_##class] = (name),
static const char *const names[LOCK_CLASS_COUNT] = { LOCK_CLASSES(LOCK_NAME, LOCK_NAME, LOCK_NAME) };

const char *lock_name(enum lock_class class) { return names[class]; }

#ifdef KERNEL_DEBUG
enum within_class { ONE_AT_A_TIME, ASCENDING, ANY };
#define LOCK_FLAT(class, name) [LOCK_##class] = ONE_AT_A_TIME,
#define LOCK_ASCENDS(class, name) [LOCK_##class] = ASCENDING,
#define LOCK_NESTS(class, name) [LOCK_##class] = ANY,
static const enum within_class within[LOCK_CLASS_COUNT] = { LOCK_CLASSES(LOCK_FLAT, LOCK_ASCENDS, LOCK_NESTS) };

/* Classes of which the code under the lock, and what may be called with it, needs no other lock to be right. A class
 * gets here when all of the code that takes it has been looked through for that. */
static const bool without_kernel[LOCK_CLASS_COUNT] = {
    [LOCK_ADDRESS_SPACE] = true, /* for memory/fault.c, which takes the kernel lock before it does more than it may */
    [LOCK_FUTEX_BUCKET] = true,  [LOCK_MUTEX] = true,      [LOCK_THREADS] = true,
    [LOCK_RUN_QUEUE] = true,     [LOCK_PROFILE] = true,    [LOCK_TIMERS] = true,
    [LOCK_RANDOM] = true,        [LOCK_PAGE_CACHE] = true, /* for what allocations reclaim */
    [LOCK_PAGES] = true,         [LOCK_JOURNAL] = true,
};

bool lock_needs_kernel(enum lock_class class) { return !without_kernel[class]; }

static bool forbids(const struct held_lock *held, enum lock_class class, const void *lock)
{
    if (held->class != class)
        return held->class > class;
    return within[class] == ONE_AT_A_TIME || (within[class] == ASCENDING && held->lock >= lock);
}

static noreturn void report(const struct held_lock *held, enum lock_class class)
{
    log_always("%s was taken at", lock_name(held->class));
    for (unsigned i = 0; i < HELD_LOCK_DEPTH && held->taken_at[i]; i++)
        backtrace_print_address(held->taken_at[i]);
    panic("the lock %s is taken while %s is held, against the order of lib/lock_class.h", lock_name(class),
          lock_name(held->class));
}

void lock_taking(const struct held_locks *held, enum lock_class class, const void *lock)
{
    for (unsigned i = 0; i < held->count; i++)
        if (unlikely(forbids(&held->locks[i], class, lock)))
            report(&held->locks[i], class);
    if (unlikely(lock_needs_kernel(class) && !kernel_is_held()))
        panic("the lock %s is taken without the kernel lock", lock_name(class));
}

void lock_taken(struct held_locks *held, enum lock_class class, const void *lock)
{
    if (held->count == HELD_LOCKS_MAX)
        panic("%u locks are held and %s is taken: see HELD_LOCKS_MAX", held->count, lock_name(class));
    struct held_lock *entry = &held->locks[held->count++];
    *entry = (struct held_lock){ .lock = lock, .class = class };
    backtrace_read((uintptr_t)__builtin_frame_address(0), entry->taken_at, HELD_LOCK_DEPTH);
    lock_statistics_taken(entry);
}

void lock_given_back(struct held_locks *held, const void *lock)
{
    for (unsigned i = held->count; i-- > 0;) {
        if (held->locks[i].lock != lock)
            continue;
        lock_statistics_given_back(&held->locks[i]);
        for (; i + 1 < held->count; i++)
            held->locks[i] = held->locks[i + 1];
        held->count--;
        return;
    }
    panic("a lock is given back that was not taken here");
}

bool lock_is_held(const struct held_locks *held, const void *lock)
{
    for (unsigned i = 0; i < held->count; i++)
        if (held->locks[i].lock == lock)
            return true;
    return false;
}
#endif
