/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CPUs and threads used of the time, for the scheduler; what others read is in thread.h. The caller holds
 * the lock of the CPU's run queue. Times are in ns; `now` is clock_monotonic(), read under it.
 */
#pragma once

#include "platform/platform.h"

struct thread;

/* Under the lock: adds what this CPU's current thread has run since it was switched in, without what the host
 * took meanwhile, to its time and the CPU's, and returns it. The thread counts as switched in at `now`. */
nanoseconds cpu_time_account(nanoseconds now);
/* What that would return, of any CPU. Never less than before for the same thread since its switch. */
nanoseconds cpu_time_running(const struct cpu *cpu, nanoseconds now);
/* Under the lock that guards the thread: what it has used. */
nanoseconds cpu_time_of(const struct thread *thread);
