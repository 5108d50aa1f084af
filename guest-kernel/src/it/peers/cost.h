/* SPDX-License-Identifier: Apache-2.0 */
/* What counter.c, inside QEMU, and cost.c, beside it, share. */
#pragma once

#include <stdint.h>

#define BLOCKS_MAX (1u << 20)

/* Instructions that QEMU executes one after the other; those of one address add up. */
struct block {
    uint64_t address; /* in the guest; kernel memory is the upper half */
    uint64_t length;  /* instructions */
    uint64_t executions;
};
