/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail on purpose, in kernels built for tests only (make DEBUG=1), as with failslab and
 * fail_page_alloc on Linux. The word `failing=` of the kernel's command line chooses, from the program's first
 * instruction on:
 *
 *   failing=calls   each system call is made with its first allocation failing, then with its second, and so on, until
 *                   none fails or the call gets along without it; after the 64th, in growing steps. The program sees
 *                   the last answer only: a call that fails for want of memory has changed nothing, so the program
 *                   notices no difference.
 *   failing=N       each N-th allocation fails, wherever it is made: system calls, interrupts, the kernel's threads;
 *                   N >= 2. Not for the program's first thread, so that it can watch the others.
 *
 * Allocations are those of core/heap.h and core/pages.h, at every level. Page faults are spared, since a program does
 * not survive one that finds no memory.
 */
#pragma once

#include "lib/types.h"

struct registers;

#ifdef KERNEL_DEBUG
/* The state of one thread. */
struct failing_state {
    unsigned countdown; /* failing=calls: to the allocation of this call that fails; 0: none, or it has */
    unsigned spared;    /* > 0: none fails */
    bool failed;        /* one has, since the call began */
    bool refused;       /* failing_refused() */
};
/* `value` is what follows failing=. False if it is neither of the above. */
bool failing_parse(const char *value);
/* The program is about to run. */
void failing_start(void);
/* The program has ended: none fails any more, and a line says how many did. */
void failing_end(void);
/* Makes a system call by `dispatch`; returns what the program sees. */
int64_t failing_call(int64_t (*dispatch)(const struct registers *registers), const struct registers *registers);
/* The system call in progress did nothing, and its result, which is no error number, says so: brk(2). */
void failing_refused(void);
/* Allocations of the current thread do not fail until failing_spare_end(). These nest. */
void failing_spare(void);
void failing_spare_end(void);
#else
static inline bool failing_parse(const char *value) { return (void)value, false; }
static inline void failing_start(void) {}
static inline void failing_end(void) {}
static inline int64_t failing_call(int64_t (*dispatch)(const struct registers *registers),
                                   const struct registers *registers)
{
    return dispatch(registers);
}
static inline void failing_refused(void) {}
static inline void failing_spare(void) {}
static inline void failing_spare_end(void) {}
#endif
