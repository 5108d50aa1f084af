/* SPDX-License-Identifier: Apache-2.0 */
/* What the host takes from this machine's CPUs: KVM's steal time, or Xen's runstates. */
#pragma once

#include "platform/platform.h"

/* On each CPU once, before it runs threads: has the host count. */
void native_steal_load(const struct cpu *cpu);
/* platform.h: cpu_stolen_time() */
nanoseconds native_stolen_time(const struct cpu *cpu);
/* Of all CPUs, when a Xen domain is saved, and when it is restored: stolen time goes on from what it was. */
void native_steal_mark(void);
void native_steal_restored(void);
