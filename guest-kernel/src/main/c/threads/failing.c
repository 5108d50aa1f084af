/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/ asks must_fail() at each allocation, by way of `allocation_fails` (core/debug.h). It takes no lock and does not
 * sleep. `countdown` and the sums belong to all CPUs: an update that is lost between two of them does no harm.
 */
#include "threads/failing.h"

#ifdef KERNEL_DEBUG
#include "core/debug.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "threads/thread.h"

#define FIRST_USER_THREAD 1
#define ONE_BY_ONE 64u

static bool each_call;
static uint64_t every, countdown;   /* failing=N; every: 0 for none */
static uint64_t failures, repeated; /* so far: allocations, and calls made again */

bool failing_parse(const char *value)
{
    each_call = !strcmp(value, "calls");
    return each_call || (parse_decimal(value, &every) && every >= 2);
}

static bool nth_of_all(const struct thread *thread)
{
    if (every == 0 || thread->id == FIRST_USER_THREAD || --countdown != 0)
        return false;
    countdown = every;
    return true;
}

static bool nth_of_call(struct failing_state *state) { return state->countdown != 0 && --state->countdown == 0; }

static bool must_fail(void)
{
    struct thread *thread = thread_current();
    if (thread->failing.spared || !(nth_of_call(&thread->failing) || nth_of_all(thread)))
        return false;
    thread->failing.failed = true;
    failures++;
    return true;
}

void failing_start(void)
{
    countdown = every;
    if (each_call || every)
        allocation_fails = must_fail;
}

void failing_end(void)
{
    if (allocation_fails)
        log_always("failing: %lu allocations failed, %lu system calls were made again", failures, repeated);
    allocation_fails = NULL;
}

/* What Linux returns when there is no memory, by the kind of call: threads and signals, sockets, files. */
static bool is_want_of_memory(int64_t result)
{
    return result == -ENOMEM || result == -EAGAIN || result == -ENOBUFS || result == -ENOSPC;
}

/* All of a call's first allocations fail in turn, later ones further and further apart: a call that makes thousands
 * would otherwise last the square of them. */
static unsigned next_to_fail(unsigned nth) { return nth + 1 + nth / ONE_BY_ONE; }

int64_t failing_call(int64_t (*dispatch)(const struct registers *registers), const struct registers *registers)
{
    struct failing_state *state = &thread_current()->failing;
    for (unsigned nth = 1;; nth = next_to_fail(nth), repeated++) {
        state->countdown = each_call ? nth : 0;
        state->failed = state->refused = false;
        int64_t result = dispatch(registers);
        state->countdown = 0;
        if (!each_call || !state->failed || !(state->refused || is_want_of_memory(result)))
            return result;
    }
}

void failing_refused(void) { thread_current()->failing.refused = true; }
void failing_spare(void) { thread_current()->failing.spared++; }
void failing_spare_end(void) { thread_current()->failing.spared--; }
#endif
