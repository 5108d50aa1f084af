/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time stamp counter as a cheap clock: reading it is one instruction, and what was read becomes a time only when
 * somebody wants to know. All clocks are one count of that counter (docs/cpus.md), on every platform. Any context.
 */
#pragma once

#include "lib/types.h"

static inline uint64_t cycles_now(void) { return __builtin_ia32_rdtsc(); }
/* From now on the functions below work. Once, by the boot CPU, as soon as there is a clock. */
void cycles_init(void);
/* value * part / whole, with 24 bits of the quotient after the point; 0 if there is no whole. */
static inline uint64_t cycles_share(uint64_t value, uint64_t part, uint64_t whole)
{
    while (part >> 40 != 0) {
        part >>= 1;
        whole >>= 1;
    }
    uint64_t ratio = whole != 0 ? (part << 24) / whole : 0;
    return (uint64_t)((unsigned __int128)value * ratio >> 24);
}
/* How long so many cycles take, to about a millionth once a second has passed since cycles_init(). */
nanoseconds cycles_duration(uint64_t cycles);
/* The monotonic time at which the counter was read, which was after cycles_init(). */
nanoseconds cycles_time(uint64_t read);
