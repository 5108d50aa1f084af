/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes that the program chooses. After a check like `index < size` a CPU may run ahead as if it had passed, read
 * beyond the table and leave a trace of what it found in its caches (Spectre variant 1, CVE-2017-5753).
 */
#pragma once

#include "lib/types.h"

/* `index` when it is below `size`, else 0: computed without a branch, so it also holds for what the CPU runs ahead. */
static inline uint64_t index_nospec(uint64_t index, uint64_t size)
{
    uint64_t mask;
    __asm__("cmpq %2, %1\n\tsbbq %0, %0" : "=r"(mask) : "r"(index), "r"(size) : "cc");
    return index & mask;
}
