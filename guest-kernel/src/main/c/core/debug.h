/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a kernel built for tests does (make DEBUG=1, which defines KERNEL_DEBUG; the host tests too). It panics
 * where the kernel that ships might go on for a while:
 * - a function that may sleep is called with a spinlock held or by an interrupt's handler, interrupts are let in with a
 *   spinlock held, or a function is called without the lock that it needs (may_sleep(), must_hold() below,
 *   must_hold_mutex() in threads/wait.h). So a spinlock that a handler waits for is never held by the code that it
 *   interrupted, and a handler never waits for a mutex;
 * - locks are taken in another order than that of lib/lock_class.h;
 * - freed memory was written to, a block of the heap was written to beyond its end or freed twice (core/heap.c,
 *   core/pages.c). Free memory consists of POISON_FREE bytes, new blocks of the heap of POISON_NEW ones, so that
 *   what reads them comes to notice.
 * Counts of references are checked in every build (core/reference.h).
 */
#pragma once

#include "core/lock.h"
#include "core/log.h"
#include "platform/platform.h"

#define POISON_FREE 0xddu
#define POISON_NEW 0xa5u
#define POISON_END 0xfdu

/* Around the handlers of an interrupt. These nest. */
#define interrupt_begin() ((void)this_cpu()->interrupts++)
#define interrupt_end() ((void)this_cpu()->interrupts--)

#ifdef KERNEL_DEBUG
/* Asked at each allocation, if set: true has it fail (threads/failing.h). */
extern bool (*allocation_fails)(void);
static inline bool fails_by_order(void) { return allocation_fails && allocation_fails(); }

/* For the first line of a function that may sleep or let interrupts in; the rule: core/lock.h. */
#define may_sleep() assert(!spinlocks_held() && this_cpu()->interrupts == 0)
/* For the first line of a function that waits for CPUs that may wait for a spinlock. */
#define must_hold_none() assert(!spinlocks_held())
/* This CPU holds the spinlock. */
#define must_hold(lock) assert(spinlock_held(lock))
/* And no other. */
#define must_hold_only(lock) assert(spinlock_held(lock) && this_cpu()->spinlocks == 1)

/* `length` bytes are what a free consisted of; otherwise panics. `what` names them. */
static inline void check_poison(const void *data, size_t length, const char *what)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        if (unlikely(bytes[i] != POISON_FREE))
            panic("%s at %p was written to after it was freed: %x at %lu", what, data, bytes[i], i);
}
#else
static inline bool fails_by_order(void) { return false; }
#define may_sleep() ((void)0)
#define must_hold_none() ((void)0)
#define must_hold(lock) ((void)0)
#define must_hold_only(lock) ((void)0)
#endif
