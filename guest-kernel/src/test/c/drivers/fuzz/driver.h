/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzzers of drivers have in common. A driver keeps its device for ever, so it is started once, and is made as new
 * before each input, of which each step takes some bytes. After the end of an input all pages and blocks of the heap
 * are there again.
 */
#pragma once

#include "host/fuzz.h"

#define FUZZ_STEPS 200

struct fuzz_driver {
    void (*start)(void);                    /* once, before the first input */
    void (*renew)(void);                    /* NULL, or before each input */
    void (*step)(struct fuzz_input *input); /* as long as there is input, FUZZ_STEPS at most */
    void (*end)(void);                      /* after the steps: ends what is under way */
};
/* Each fuzzer has one. */
extern const struct fuzz_driver fuzz_driver;
