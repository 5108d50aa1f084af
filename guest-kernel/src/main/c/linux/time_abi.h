/*
 * Times as the ABI passes them: struct timespec (time(7)).
 */
#pragma once

#include "lib/types.h"

struct abi_timespec {
    int64_t seconds;
    int64_t nanoseconds;             /* 0..999999999 */
};

static inline struct abi_timespec timespec_of(nanoseconds time)
{
    return (struct abi_timespec){ (int64_t)(time / NS_PER_SECOND), (int64_t)(time % NS_PER_SECOND) };
}

/* Reads a timespec from user memory as a duration or point in ns; values beyond 2^63 ns become
 * NO_DEADLINE. 0, -EFAULT or -EINVAL. */
must_check int timespec_read(uintptr_t address, nanoseconds *out);
/* A monotonic deadline `duration` from now. */
nanoseconds deadline_after(nanoseconds duration);
