/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzzer's input as numbers; zeros when it is used up. */
#pragma once

#include <string.h>

#include "lib/types.h"

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline bool fuzz_bytes(struct fuzz_input *input, void *to, size_t length)
{
    size_t count = min_of(length, input->left);
    memset(to, 0, length);
    memcpy(to, input->at, count);
    input->at += count;
    input->left -= count;
    return count == length;
}

static inline uint8_t fuzz_8(struct fuzz_input *input)
{
    uint8_t value;
    (void)fuzz_bytes(input, &value, sizeof(value));
    return value;
}

static inline uint16_t fuzz_16(struct fuzz_input *input)
{
    uint16_t value;
    (void)fuzz_bytes(input, &value, sizeof(value));
    return value;
}

static inline uint32_t fuzz_32(struct fuzz_input *input)
{
    uint32_t value;
    (void)fuzz_bytes(input, &value, sizeof(value));
    return value;
}

/* What must hold after every input. */
#define FUZZ_CHECK(condition) \
    do { \
        if (!(condition)) \
            __builtin_trap(); \
    } while (0)
