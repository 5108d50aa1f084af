/* SPDX-License-Identifier: Apache-2.0 */
/* What the virtio fuzzers do to a queue, and how a device is made new for the next input: drivers keep theirs for
 * ever. */
#pragma once

#include "host/fuzz.h"
#include "drivers/virtio/fake_device.h"

/* The device does one of the things it should not to queue `index`, as the input has it. */
void fuzz_queue(struct fake_device *fake, unsigned index, struct fuzz_input *input);
/* Calls `drop` with the token of every chain the device still has, and empties the queue. */
void fuzz_queue_reset(struct fake_device *fake, unsigned index, void (*drop)(void *token));
