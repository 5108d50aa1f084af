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
/* How long so many cycles take, to about a millionth once a second has passed since cycles_init(). */
nanoseconds cycles_duration(uint64_t cycles);
/* The monotonic time at which the counter was read, which was after cycles_init(). */
nanoseconds cycles_time(uint64_t read);
