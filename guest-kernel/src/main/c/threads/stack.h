/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel stacks, in an address range of their own (platform.h: KERNEL_STACKS), each at the upper end of a slot whose
 * lower part stays unmapped: a stack that overflows faults (native: double fault and panic; Xen PV: Xen ends the
 * domain) before it overwrites anything. Lock: "stacks", taken inside.
 */
#pragma once

#include "core/pages.h"
#include "lib/list.h"

#define KERNEL_STACK_PAGES 4
#define KERNEL_STACK_SIZE (KERNEL_STACK_PAGES * PAGE_SIZE)
#define KERNEL_STACK_SLOT (2 * KERNEL_STACK_SIZE)

struct kernel_stack {
    uintptr_t top;                          /* fixed: the end of its slot */
    struct page *pages[KERNEL_STACK_PAGES]; /* lowest first; NULL while the slot is empty */
    struct list link;                       /* stacks: the slots not in use */
};

/* Contents undefined. NULL without memory, or when all of KERNEL_STACKS_SIZE is in use (32,768 threads). */
struct kernel_stack *kernel_stack_allocate(void);
/* Not the one the caller runs on. */
void kernel_stack_free(struct kernel_stack *stack);
