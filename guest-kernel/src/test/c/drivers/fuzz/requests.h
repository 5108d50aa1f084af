/* SPDX-License-Identifier: Apache-2.0 */
/* Block requests of a fuzzer: each ends once, well or with EIO. */
#pragma once

#include "drivers/device.h"
#include "host/fuzz.h"

/* Once, first. */
void fuzz_requests_start(void);
/* Submits one of the input's shape, unless very many are under way. */
void fuzz_submit(struct block_device *disk, struct fuzz_input *input);
bool fuzz_requests_ended(void);
