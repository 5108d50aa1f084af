/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canary between a function's variables and its return address (gcc -fstack-protector).
 */
#pragma once

#include "core/random.h"
#include "lib/types.h"

extern uintptr_t __stack_chk_guard;
noreturn void __stack_chk_fail(void);

/* Gives the canary its secret value, after random_init(). Inline, and only for callers that never return and whose own
 * callers never return: a function entered with the old value would find the new one at its end. */
static inline __attribute__((always_inline)) void stack_guard_init(void)
{
    /* A zero byte stops string functions from writing the canary or reading beyond it. */
    __stack_chk_guard = random_u64() & ~0xffUL;
}
