/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct timeval (time(7)), as the ABI passes it.
 */
#pragma once

#include "lib/types.h"

struct abi_timeval {
    int64_t seconds;
    int64_t microseconds; /* 0..999999 */
};

/* False: the microseconds are out of range. */
static inline bool timeval_valid(const struct abi_timeval *time)
{
    return time->microseconds >= 0 && time->microseconds < 1000000;
}

/* A duration that is not negative; beyond 2^63 ns it is NO_DEADLINE. */
static inline nanoseconds timeval_duration(const struct abi_timeval *time)
{
    const uint64_t most = INT64_MAX / NS_PER_SECOND / 2;
    if ((uint64_t)time->seconds >= most || (uint64_t)time->microseconds >= most * 1000)
        return NO_DEADLINE;
    return (uint64_t)time->seconds * NS_PER_SECOND + (uint64_t)time->microseconds * NS_PER_US;
}

static inline struct abi_timeval timeval_of(nanoseconds time)
{
    return (struct abi_timeval){ (int64_t)(time / NS_PER_SECOND), (int64_t)(time % NS_PER_SECOND / NS_PER_US) };
}
