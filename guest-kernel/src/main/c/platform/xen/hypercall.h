/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls into Xen, through the page of entry points it fills in (PV: while loading the
 * kernel; PVH and HVM: when its address is written to an MSR). The results are Xen's: negative errno values
 * are those of lib/errno.h.
 */
#pragma once

#include "lib/types.h"
#include "platform/xen/xen.h"

extern char hypercall_page[];

/* Hypercalls may clobber their argument registers (debug builds of Xen do). */
static inline __attribute__((always_inline)) int64_t hypercall(unsigned number, uint64_t a, uint64_t b, uint64_t c,
                                                               uint64_t d)
{
    int64_t result;
    register uint64_t fourth __asm__("r10") = d;
    __asm__ volatile("call hypercall_page + %c[offset]"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(fourth)
                     : [offset] "i"(number * HYPERCALL_ENTRY_SIZE)
                     : "rcx", "r8", "r9", "r11", "memory", "cc");
    return result;
}

/* Lets another guest have the processor, if one wants it. */
static inline void hypercall_yield(void) { (void)hypercall(HYPERCALL_SCHED_OP, SCHEDULE_YIELD, 0, 0, 0); }

static inline int64_t hypercall_event(unsigned command, void *argument)
{
    return hypercall(HYPERCALL_EVENT_CHANNEL_OP, command, (uintptr_t)argument, 0, 0);
}

static inline int64_t hypercall_grant_table(unsigned command, void *argument, unsigned count)
{
    return hypercall(HYPERCALL_GRANT_TABLE_OP, command, (uintptr_t)argument, count, 0);
}
