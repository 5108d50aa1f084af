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

/* What both have counted since the start says how long a cycle is: here with 24 bits after the point, from as many bits
 * of both as fit. */
nanoseconds cycles_duration(uint64_t cycles)
{
    uint64_t counted = cycles_now() - start_cycles;
    nanoseconds passed = clock_monotonic() - start_time;
    while (passed >> 40 != 0) {
        passed >>= 1;
        counted >>= 1;
    }
    uint64_t ratio = counted != 0 ? (passed << 24) / counted : 0;
    return (nanoseconds)((unsigned __int128)cycles * ratio >> 24);
}

nanoseconds cycles_time(uint64_t read) { return start_time + cycles_duration(read - start_cycles); }
