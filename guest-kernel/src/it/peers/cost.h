/* SPDX-License-Identifier: Apache-2.0 */
/* What counter.c, inside QEMU, those who read its counts, and guest programs share. */
#pragma once

#include <stdint.h>

#define BLOCKS_MAX (1u << 20)

/* A guest program may say what is to be counted: the first time that it executes something at this address everything
 * counted so far is forgotten, and after the second time nothing is counted any more. */
#define COUNTER_MARK 0x123456780000UL

/* Instructions that QEMU executes one after the other; those of one address add up. */
struct block {
    uint64_t address; /* in the guest; kernel memory is the upper half */
    uint64_t length;  /* instructions */
    uint64_t executions;
};
