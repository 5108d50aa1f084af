/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of references. Code that uses an object after its lock is dropped, or across a sleep (core/lock.h), holds one;
 * the last put frees it. In every build a count that was 0, or that is absurdly high, ends the kernel: to go on would
 * be to use freed memory.
 */
#pragma once

#include "core/log.h"

#define REFERENCES_MOST (1u << 30)

/* The caller has a reference already, or a lock that keeps the count from reaching 0. */
static inline void reference_get(uint32_t *count)
{
    uint32_t before = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
    assert(before - 1 < REFERENCES_MOST);
}

/* True if it was the last: nothing else refers to the object now. */
static inline bool reference_put(uint32_t *count)
{
    uint32_t before = __atomic_fetch_sub(count, 1, __ATOMIC_ACQ_REL);
    assert(before - 1 < REFERENCES_MOST);
    return before == 1;
}
