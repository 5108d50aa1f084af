/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a virtual CPU has run, waited and rested, as Xen says (xen/vcpu.h: vcpu_runstate_info). Xen writes it when
 * the virtual CPU begins and ends to run.
 */
#pragma once

#include "lib/types.h"

#define RUNSTATE_RUNNABLE 1         /* xen/vcpu.h: wants to run, and does not */
#define RUNSTATE_OFFLINE 3          /* cannot run: its domain is paused, or it has not been started */
#define RUNSTATE_UPDATE (1UL << 63) /* XEN_RUNSTATE_UPDATE, in `entered`: Xen is writing */

struct runstate {
    uint32_t state;
    uint64_t entered;  /* system time when the state began */
    uint64_t times[4]; /* ns in each state */
};
_Static_assert(sizeof(struct runstate) == 48, "xen/vcpu.h: vcpu_runstate_info");

/* Has Xen keep it up to date for the virtual CPU that calls. `to` is mapped as long as the machine runs, and does not
 * cross a page. False: Xen refuses. Once for each virtual CPU. */
bool runstate_start(struct runstate *to, unsigned vcpu);
/* How long the virtual CPU has been runnable or offline, ns. Any CPU. */
nanoseconds runstate_stolen(const struct runstate *of);
