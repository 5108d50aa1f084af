/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cycles.h"

#include "platform/platform.h"

static uint64_t start_cycles; /* both at cycles_init() */
static nanoseconds start_time;

void cycles_init(void)
{
    start_cycles = cycles_now();
    start_time = clock_monotonic();
}

/* What both have counted since the start says how long a cycle is. */
nanoseconds cycles_duration(uint64_t cycles)
{
    return cycles_share(cycles, clock_monotonic() - start_time, cycles_now() - start_cycles);
}

nanoseconds cycles_time(uint64_t read) { return start_time + cycles_duration(read - start_cycles); }
