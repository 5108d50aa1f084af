/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the parts of the process lie, chosen once at boot. As many bits vary as on Linux x86-64 (mmap 28 bits of pages,
 * program 28, stack 22 and its low bits down to 16 bytes, break 18, the vDSO's place above the stack 9); each part is
 * drawn on its own, so that one place says nothing about another.
 */
#pragma once

#include "lib/types.h"

#define USER_STACK_SIZE (8UL << 20)
/* What RLIMIT_STACK can make of it: half the gap below stays one. */
#define USER_STACK_MOST (USER_STACK_SIZE + USER_STACK_GAP / 2)
#define USER_STACK_GAP (128UL << 20)

struct layout {
    uintptr_t map_top;   /* mmap(2) without a hint grows down from here */
    uintptr_t program;   /* of a position-independent program's first page */
    uintptr_t stack_top; /* page-aligned end of the first thread's stack */
    size_t stack_offset; /* bytes left free at that end, a multiple of 16 */
    size_t break_offset; /* from the program's end to its break, whole pages */
    uintptr_t vdso;      /* of the clock page, after which the vDSO's code follows */
};

/* Pure but for the random numbers. */
struct layout layout_choose(void);
/* The one of this process, fixed by address_space_init(). */
extern struct layout process_layout;
