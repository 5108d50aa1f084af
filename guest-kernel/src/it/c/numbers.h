/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences of numbers that a seed repeats. Each state belongs to one thread. */
#pragma once

#include <stdint.h>

/* The next of a sequence of numbers below `limit`, with xorshift; `state` is not 0. */
static inline uint64_t next_number(uint64_t *state, uint64_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % limit;
}
