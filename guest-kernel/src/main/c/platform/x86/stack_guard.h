/*
 * The canary between a function's variables and its return address (gcc -fstack-protector).
 */
#pragma once

#include "platform/platform.h"

extern uintptr_t __stack_chk_guard;
noreturn void __stack_chk_fail(void);

/* Gives the canary its secret value. Inline, and only for callers that never return: a function
 * entered with the old value would find the new one at its end. */
static inline __attribute__((always_inline)) void stack_guard_init(void)
{
    uintptr_t guard = 0;
    if (platform_entropy(&guard, sizeof(guard)) < sizeof(guard))
        guard ^= __builtin_ia32_rdtsc() * 0x9e3779b97f4a7c15UL;
    /* A zero byte stops string functions from writing the canary or reading beyond it. */
    __stack_chk_guard = guard & ~0xffUL;
}
