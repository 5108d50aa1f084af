/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Xen gives every guest about time in the shared information page (xen/xen.h: vcpu_time_info, shared_info), read
 * while it does not change.
 */
#pragma once

#include "platform/platform.h"
#include "platform/xen/xen.h"

/* The parameters, and in *tsc a value of the TSC they are for, not before the parameters' own. */
struct vcpu_time xen_time_read(const struct vcpu_time *source, uint64_t *tsc);

/* System time, ns since the host's boot, at a TSC value not before the parameters' own. */
static inline nanoseconds xen_time_at(const struct vcpu_time *time, uint64_t tsc)
{
    return time->system + clock_scale(tsc - time->tsc, time->multiplier, time->shift);
}

/* UTC in ns since 1970 when system time was 0, and in *version which of Xen's words that was. */
nanoseconds xen_wall_at_zero(const struct shared_info *shared, uint32_t *version);
