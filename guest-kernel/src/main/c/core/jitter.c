/* SPDX-License-Identifier: Apache-2.0 */
#include "core/jitter.h"

#define MEMORY_SIZE 16384u /* bytes: half of a usual first-level cache, so that others' use of it shows */
#define STEPS 32u          /* dependent accesses to memory in one sample */
#define STRIDE 4099u       /* coprime to MEMORY_SIZE: no two steps in the same line */

/*
 * How often the most common value of 256 samples may occur, or a prediction may be right: a share p means a min-entropy
 * of -log2(p) a sample. JITTER_BITS * JITTER_MARGIN / JITTER_WINDOW is 1/4 bit, p = 0.84; SP 800-90B 6.3.1 adds 2.576
 * standard deviations of the estimate to what was counted: 256 * (0.84 - 0.059) = 200.
 */
#define MOST_COMMON 200u

void jitter_sample(uint32_t samples[JITTER_WINDOW])
{
    static volatile uint8_t memory[MEMORY_SIZE];
    static uint32_t at;
    uint64_t before = __builtin_ia32_rdtsc();
    for (unsigned i = 0; i < JITTER_WINDOW; i++) {
        for (unsigned step = 0; step < STEPS; step++) {
            at = (at + STRIDE + memory[at]) % MEMORY_SIZE;
            memory[at]++;
        }
        uint64_t now = __builtin_ia32_rdtsc();
        samples[i] = (uint32_t)(now - before);
        before = now;
    }
}

static bool varies(const uint8_t values[JITTER_WINDOW])
{
    uint16_t counts[256] = { 0 };
    for (unsigned i = 0; i < JITTER_WINDOW; i++)
        if (++counts[values[i]] > MOST_COMMON)
            return false;
    return true;
}

static bool repeats(const uint8_t values[JITTER_WINDOW], unsigned lag)
{
    unsigned right = 0;
    for (unsigned i = lag; i < JITTER_WINDOW; i++)
        right += values[i] == values[i - lag];
    return right > MOST_COMMON;
}

static bool unpredictable(const uint8_t values[JITTER_WINDOW])
{
    for (unsigned lag = 1; lag <= JITTER_LAGS; lag++)
        if (repeats(values, lag))
            return false;
    return varies(values);
}

bool jitter_good(const uint32_t samples[JITTER_WINDOW])
{
    uint8_t values[JITTER_WINDOW], differences[JITTER_WINDOW];
    for (unsigned i = 0; i < JITTER_WINDOW; i++) {
        values[i] = (uint8_t)samples[i];
        differences[i] = (uint8_t)(samples[i] - samples[i ? i - 1 : JITTER_WINDOW - 1]);
    }
    return unpredictable(values) && unpredictable(differences);
}
