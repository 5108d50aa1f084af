/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO's code: runs in user mode, position-independent, without relocations. The clock page is mapped
 * right in front of this image; clock ids it does not serve go to the system call.
 */
#include "linux/time_abi.h"
#include "platform/platform.h"

#define NR_CLOCK_GETTIME 228
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7

extern const volatile struct clock_page clock_page __attribute__((visibility("hidden")));

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static inline long clock_system_call(long clock, struct abi_timespec *time)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)NR_CLOCK_GETTIME), "D"(clock), "S"(time)
                     : "rcx", "r11", "memory");
    return result;
}

/* Whether the parameters hold at this instant. */
static inline bool page_is_usable(void)
{
    uint32_t use = clock_page.use;
    return use == CLOCK_USE_PAGE ||
           (use == CLOCK_USE_PAGE_OF_HOST && clock_page.host_version == clock_page.seen_version);
}

/* False if the page cannot be used. Sequence and usability have to hold before and after the reading. */
static inline bool read_clocks(nanoseconds *monotonic, nanoseconds *wall)
{
    for (;;) {
        uint32_t sequence = clock_page.sequence;
        __asm__ volatile("" ::: "memory");
        if (!page_is_usable())
            return false;
        uint64_t ticks = read_tsc() - clock_page.tsc_base;
        uint64_t time = clock_page.monotonic_base + clock_scale(ticks, clock_page.multiplier, clock_page.shift);
        struct wall_time at = { clock_page.wall.monotonic, clock_page.wall.wall, clock_page.wall.gain };
        __asm__ volatile("" ::: "memory");
        if ((sequence & 1) == 0 && clock_page.sequence == sequence && page_is_usable()) {
            *monotonic = time;
            *wall = wall_time_at(&at, time);
            return true;
        }
    }
}

int __vdso_clock_gettime(long clock, struct abi_timespec *time)
{
    nanoseconds monotonic, wall;
    bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    bool is_monotonic = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
                        clock == CLOCK_BOOTTIME;
    if (!(is_wall || is_monotonic) || !read_clocks(&monotonic, &wall))
        return (int)clock_system_call(clock, time);
    *time = timespec_of(is_wall ? wall : monotonic);
    return 0;
}

struct abi_timeval {
    int64_t seconds, microseconds;
};

int __vdso_gettimeofday(struct abi_timeval *time, int32_t *zone)
{
    struct abi_timespec now;
    int error = __vdso_clock_gettime(CLOCK_REALTIME, &now);
    if (error)
        return error;
    if (time) {
        time->seconds = now.seconds;
        time->microseconds = now.nanoseconds / 1000;
    }
    if (zone)
        zone[0] = zone[1] = 0;
    return 0;
}

int64_t __vdso_time(int64_t *out)
{
    struct abi_timespec now;
    __vdso_clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.seconds;
    return now.seconds;
}

/* The limit of a segment is the number of the CPU (platform.h); without that segment it is CPU 0. */
static inline uint32_t cpu_number(void)
{
    uint32_t number = 0;
    __asm__ volatile("lsl %1, %0" : "+r"(number) : "r"(CPU_NUMBER_SELECTOR) : "cc");
    return number;
}

int __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
    (void)unused;
    if (cpu)
        *cpu = cpu_number();
    if (node)
        *node = 0;
    return 0;
}
