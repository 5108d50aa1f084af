/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stack_guard.h"

#include "core/log.h"

/* Until stack_guard_init(). */
uintptr_t __stack_chk_guard = 0x5bd1e995a7c3f100;

void __stack_chk_fail(void) { panic("kernel stack overwritten: a function's canary is gone"); }
