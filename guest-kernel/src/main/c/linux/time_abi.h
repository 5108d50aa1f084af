/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as the ABI passes them: struct timespec (time(7)).
 */
#pragma once

#include "lib/types.h"

struct abi_timespec {
    int64_t seconds;
    int64_t nanoseconds; /* 0..999999999 */
};

static inline struct abi_timespec timespec_of(nanoseconds time)
{
    return (struct abi_timespec){ (int64_t)(time / NS_PER_SECOND), (int64_t)(time % NS_PER_SECOND) };
}

/* Times of files, which may lie before 1970; what does not fit becomes the last or first that does. */
static inline struct abi_timespec timespec_of_file(nanoseconds time)
{
    int64_t second = (int64_t)NS_PER_SECOND, signed_time = (int64_t)time;
    int64_t seconds = signed_time / second - (signed_time % second < 0);
    return (struct abi_timespec){ seconds, signed_time - seconds * second };
}
static inline nanoseconds file_time_of(int64_t seconds, uint32_t part)
{
    const int64_t most = INT64_MAX / (int64_t)NS_PER_SECOND - 1;
    return (nanoseconds)(max_of(min_of(seconds, most), -most) * (int64_t)NS_PER_SECOND + (int64_t)part);
}

/* Reads a timespec from user memory as a duration or point in ns; values beyond 2^63 ns become
 * NO_DEADLINE. 0, -EFAULT or -EINVAL. */
must_check int timespec_read(uintptr_t address, nanoseconds *out);
/* The setting of a timer, struct itimerspec. */
struct interval_setting;
must_check int itimerspec_read(uintptr_t address, struct interval_setting *out);
must_check int itimerspec_write(uintptr_t address, const struct interval_setting *setting);
/* A monotonic deadline `duration` from now. */
nanoseconds deadline_after(nanoseconds duration);
/* The clock that a clockid_t names, as timers and sleeps can be set by it. 0, -EINVAL, or -EOPNOTSUPP for a clock that
 * can only be read. */
struct clock;
must_check int clock_find(int32_t id, struct clock *out);
