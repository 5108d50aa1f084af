/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of all platforms (test_platform.c) share with those of one (xenpv.c, native.c).
 */
#pragma once

#include "lib/types.h"

#define HAS_SMAP (1u << 20) /* CPUID leaf 7 ebx (SDM 2A) */

#define check(name, condition) report((name), (condition), #condition)
void report(const char *name, bool good, const char *condition);

/* How often kernel_timer() was called. */
extern unsigned timer_calls;
/* The last time of kernel_resume_interrupts_at(), 0: none; rests end at once unless they are to stay. */
extern nanoseconds rest_ends;
extern bool rests_stay;

/* What a page's translation allows, as found in the tables themselves. */
struct page_rights {
    bool present, writable, executable;
};

/* True if kernel code that reads this user address faults there. */
bool kernel_read_faults(uintptr_t address);

/* The same for kernel code that calls it: `ret` should be there. */
bool kernel_call_faults(uintptr_t address);

struct platform_tests {
    const char *platform; /* platform.name */
    /* The rights of a kernel address. */
    struct page_rights (*rights)(uintptr_t address);
    /* Kernel pages that are executable outside text, or writable and executable. */
    unsigned (*count_bad_pages)(void);
    const char *stack_guard; /* below the boot stack */
    /* What user mode sees when it reads kernel memory: FAULT_PRESENT if it is mapped there. */
    uint64_t (*kernel_memory_fault)(void);
    /* Starts one CPU more than the machine has. */
    void (*start_missing_cpu)(void);
    /* Whatever only this platform has. */
    void (*others)(void);
};
extern const struct platform_tests xenpv_tests, native_tests, xen_pvh_tests;
