/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/xen/time.h"

/* A version that is odd, or another one afterwards, means that Xen wrote meanwhile. */
static uint32_t begin_reading(const uint32_t *version)
{
    uint32_t seen;
    do
        seen = __atomic_load_n(version, __ATOMIC_ACQUIRE);
    while (seen & 1);
    return seen;
}

static bool was_changed(const uint32_t *version, uint32_t seen)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return read_once(*version) != seen;
}

struct vcpu_time xen_time_read(const struct vcpu_time *source, uint64_t *tsc)
{
    struct vcpu_time copy;
    uint32_t version;
    do {
        version = begin_reading(&source->version);
        copy = *(const volatile struct vcpu_time *)source;
        *tsc = max_of((uint64_t)__builtin_ia32_rdtsc(), copy.tsc);
    } while (was_changed(&source->version, version));
    return copy;
}

nanoseconds xen_wall_at_zero(const struct shared_info *shared, uint32_t *version)
{
    nanoseconds wall;
    do {
        *version = begin_reading(&shared->wall_version);
        uint64_t seconds = (uint64_t)read_once(shared->wall_seconds_high) << 32 | read_once(shared->wall_seconds);
        wall = seconds * NS_PER_SECOND + read_once(shared->wall_nanoseconds);
    } while (was_changed(&shared->wall_version, *version));
    return wall;
}
