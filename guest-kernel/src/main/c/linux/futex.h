/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes (futex(2)): waiters hashed by user address; lock "futex bucket" each. There is only one process, so private
 * and shared futexes are the same.
 */
#pragma once

#include "lib/types.h"

#define FUTEX_ALL_BITS 0xffffffffU

/* Wakes up to `count` waiters whose bit sets meet; returns how many. */
int64_t futex_wake(uintptr_t address, uint32_t count, uint32_t bits);
/* Marks and wakes the robust mutexes an ending thread still holds (set_robust_list(2)). */
void futex_exit_robust(uintptr_t head, uint32_t thread_id);
