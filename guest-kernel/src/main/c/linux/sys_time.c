/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks, sleeping and times of use, and the conversions of times that the other files of linux/ call (time_abi.h).
 * Linux's clocks are two of the platform, monotonic and wall, and the CPU time of a thread or the process; the program
 * cannot set the wall clock, and all CPU time counts as its own. A time that does not fit becomes NO_DEADLINE, so no
 * sum of times overflows.
 *
 * Entered through the table of system calls (syscalls.c), though most reading of clocks is done by the vDSO. No lock is
 * held here; a sleep ends at its deadline or with a signal.
 */
#include "lib/timeval.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "threads/interval_timer.h"
#include "threads/wait.h"

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME 2
#define CLOCK_THREAD_CPUTIME 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11
#define TIMER_ABSTIME 1
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_SELF 0
#define RUSAGE_THREAD 1
#define TICKS_PER_SECOND 100

int timespec_read(uintptr_t address, nanoseconds *out)
{
    struct abi_timespec time;
    int error = user_get(&time, address);
    if (error)
        return error;
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    bool huge = (uint64_t)time.seconds >= INT64_MAX / NS_PER_SECOND;
    *out = huge ? NO_DEADLINE : (uint64_t)time.seconds * NS_PER_SECOND + (uint64_t)time.nanoseconds;
    return 0;
}

struct abi_itimerspec {
    struct abi_timespec interval, value;
};

int itimerspec_read(uintptr_t address, struct interval_setting *out)
{
    int error = timespec_read(address + offsetof(struct abi_itimerspec, interval), &out->interval);
    return error ? error : timespec_read(address + offsetof(struct abi_itimerspec, value), &out->value);
}

int itimerspec_write(uintptr_t address, const struct interval_setting *setting)
{
    struct abi_itimerspec spec = { timespec_of(setting->interval), timespec_of(setting->value) };
    return user_put(address, &spec);
}

nanoseconds deadline_after(nanoseconds duration)
{
    nanoseconds now = clock_monotonic();
    return duration > NO_DEADLINE - now ? NO_DEADLINE : now + duration;
}

/* Clock ids below zero name a thread's or the process's CPU clock: ~id << 3 | 4 (per thread) | 2. */
static int dynamic_clock(int32_t clock, nanoseconds *out)
{
    uint32_t id = (uint32_t) ~(clock >> 3);
    if ((clock & 3) == 3) /* no kind of CPU time, or a descriptor of a clock device */
        return -EINVAL;
    if (!(clock & 4)) {
        if (id != 0 && id != PROCESS_ID)
            return -EINVAL;
        *out = cpu_busy_time();
        return 0;
    }
    return thread_find_cpu_time(id ? id : thread_current()->id, out) ? 0 : -EINVAL;
}

static int read_clock(int32_t clock, nanoseconds *out)
{
    if (clock < 0)
        return dynamic_clock(clock, out);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        *out = clock_wall();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *out = clock_monotonic();
        return 0;
    case CLOCK_PROCESS_CPUTIME:
        *out = cpu_busy_time();
        return 0;
    case CLOCK_THREAD_CPUTIME:
        *out = thread_own_cpu_time();
        return 0;
    default:
        return -EINVAL;
    }
}

/* Of a clock id below zero. */
static int find_dynamic(int32_t id, struct clock *out)
{
    nanoseconds now;
    int error = dynamic_clock(id, &now);
    uint32_t thread = (uint32_t) ~(id >> 3);
    out->kind = id & 4 ? CLOCK_OF_THREAD : CLOCK_OF_PROCESS;
    out->thread = thread ? thread : thread_current()->id;
    return error;
}

int clock_find(int32_t id, struct clock *out)
{
    *out = (struct clock){ .thread = thread_current()->id };
    if (id < 0)
        return find_dynamic(id, out);
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        out->kind = CLOCK_WALL;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        out->kind = CLOCK_STEADY;
        return 0;
    case CLOCK_PROCESS_CPUTIME:
        out->kind = CLOCK_OF_PROCESS;
        return 0;
    case CLOCK_THREAD_CPUTIME:
        out->kind = CLOCK_OF_THREAD;
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

SYSCALL_DEFINE2(clock_gettime, int, clockid, uintptr_t, tp)
{
    nanoseconds now;
    int error = read_clock(clockid, &now);
    struct abi_timespec time = timespec_of(now);
    return error ? error : user_put(tp, &time);
}

SYSCALL_DEFINE2(clock_getres, int, clockid, uintptr_t, res)
{
    nanoseconds now;
    struct abi_timespec resolution = { 0, 1 };
    int error = read_clock(clockid, &now);
    return error || !res ? error : user_put(res, &resolution);
}

SYSCALL_DEFINE2(gettimeofday, uintptr_t, tv, uintptr_t, tz)
{
    nanoseconds now = clock_wall();
    int64_t time[2] = { (int64_t)(now / NS_PER_SECOND), (int64_t)(now % NS_PER_SECOND / NS_PER_US) };
    int32_t zone[2] = { 0, 0 };
    int error = tv ? user_put(tv, &time) : 0;
    return error || !tz ? error : user_put(tz, &zone);
}

SYSCALL_DEFINE1(time, uintptr_t, tloc)
{
    int64_t now = (int64_t)(clock_wall() / NS_PER_SECOND);
    int error = tloc ? user_put(tloc, &now) : 0;
    return error ? error : now;
}

static int64_t sleep_to(nanoseconds deadline, uintptr_t remaining, bool relative)
{
    int result;
    do {
        sleep_prepare();
        result = sleep_until(deadline, SLEEP_INTERRUPTIBLE);
    } while (result == 0);
    if (result == -ETIMEDOUT)
        return 0;
    if (relative && remaining) {
        nanoseconds now = clock_monotonic();
        struct abi_timespec left = timespec_of(deadline > now ? deadline - now : 0);
        int error = user_put(remaining, &left);
        if (error)
            return error;
    }
    return result;
}

/* Deviates: The time to wait is fixed at the call: an absolute time on CLOCK_REALTIME does not move when the clock is
 * set, and on a clock of CPU time as much real time passes. */
SYSCALL_DEFINE4(clock_nanosleep, int, clockid, uint32_t, flags, uintptr_t, request, uintptr_t, remain)
{
    nanoseconds time, now;
    struct clock clock;
    int error = clock_find(clockid, &clock);
    if (!error && clock.kind == CLOCK_OF_THREAD) /* it would wait for itself */
        error = clockid < 0 ? -EINVAL : -EOPNOTSUPP;
    if (!error)
        error = timespec_read(request, &time);
    if (!error)
        error = read_clock(clockid, &now);
    if (error)
        return error;
    bool absolute = flags & TIMER_ABSTIME;
    if (absolute)
        time = time > now ? time - now : 0;
    return sleep_to(deadline_after(time), remain, !absolute);
}

SYSCALL_DEFINE2(nanosleep, uintptr_t, request, uintptr_t, remain)
{
    nanoseconds time;
    int error = timespec_read(request, &time);
    return error ? error : sleep_to(deadline_after(time), remain, true);
}

/* Deviates: All time counts as user time, and the other members are 0. */
SYSCALL_DEFINE2(getrusage, int, who, uintptr_t, usage)
{
    /* struct rusage; all time counts as user time. */
    struct {
        struct abi_timeval user, system;
        int64_t others[14];
    } used = { 0 };
    if (who < RUSAGE_CHILDREN || who > RUSAGE_THREAD)
        return -EINVAL;
    nanoseconds time = who == RUSAGE_THREAD ? thread_own_cpu_time() : who == RUSAGE_SELF ? cpu_busy_time() : 0;
    used.user = timeval_of(time);
    return user_put(usage, &used);
}

/* Deviates: All time counts as user time. */
SYSCALL_DEFINE1(times, uintptr_t, buffer)
{
    int64_t ticks[4] = { (int64_t)(cpu_busy_time() / (NS_PER_SECOND / TICKS_PER_SECOND)) };
    int error = buffer ? user_put(buffer, &ticks) : 0;
    return error ? error : (int64_t)(clock_monotonic() / (NS_PER_SECOND / TICKS_PER_SECOND));
}
