/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entropy from timing: how long the same small work takes, in ticks of the time-stamp counter. Caches, the memory bus,
 * other processors and the host make it vary in ways that nothing in the guest can predict.
 *
 * Every window of samples is judged by itself, in the way of NIST SP 800-90B 6.3.1 (most common value) and 6.3.8 (lag
 * prediction): what is most common in the low byte of the samples, or best predicted by one of the last JITTER_LAGS of
 * them, bounds their min-entropy, and so for the differences between successive samples. A window is good when every
 * bound is above JITTER_MARGIN times what is credited for it. A counter that stands still, or that an emulator advances
 * in step with instructions, gives no good windows.
 */
#pragma once

#include "lib/types.h"

#define JITTER_WINDOW 256u /* samples */
#define JITTER_BITS 16u    /* credited for a good window: 1/16 bit a sample */
#define JITTER_LAGS 16u
#define JITTER_MARGIN 4u /* a good window has at least this many times as much */

/* Takes JITTER_WINDOW samples, in ticks of the TSC. */
void jitter_sample(uint32_t samples[JITTER_WINDOW]);
/* True if the window may be credited. Any context. */
bool jitter_good(const uint32_t samples[JITTER_WINDOW]);
