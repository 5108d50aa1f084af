/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that interrupts without end must not stop the program: on each CPU devices get a share of the time while a
 * thread wants it (platform/share.h). While their interrupts rest, the CPU's task priority keeps them pending in its
 * local APIC (Intel SDM 3A 11.8.3.1).
 * The kernel's own vectors are of a higher class and do not rest: the timer, the interrupt that wakes another CPU,
 * Xen's events.
 *
 * A rest ends on its own CPU: when that is idle, by the timer, or at the next interrupt there after its time, which the
 * CPU that has the timer asks for. Each CPU ends its own rest, with the kernel lock or without, and looks after others
 * with it.
 */
#include "core/kernel_lock.h"
#include "core/log.h"
#include "platform/native/interrupts.h"
#include "platform/native/selectors.h"
#include "platform/platform.h"
#include "platform/share.h"

/* What an interrupt takes apart from its handler, about: entry and end, and what a hypervisor does to deliver it. */
#define ENTRY (2 * NS_PER_US)
#define DEVICES_PRIORITY ((VECTOR_DEVICES_END - 1) & 0xf0u)

/* Of each CPU, by its id. */
static struct cpu_share {
    struct share share;
    bool asked; /* to end its rest */
} shares[CPUS_MAX];
static unsigned resting; /* how many of them are; atomic */

static struct cpu_share *own(void) { return &shares[this_cpu()->id]; }

static void end_rest(struct share *share, nanoseconds now)
{
    share_end_rest(share, now);
    __atomic_fetch_sub(&resting, 1, __ATOMIC_RELAXED);
    apic_write(APIC_TASK_PRIORITY, 0);
}

void interrupt_share_check(void)
{
    struct share *share = &own()->share;
    if (likely(!share->resting))
        return;
    nanoseconds now = clock_monotonic();
    if (now >= share->ends)
        end_rest(share, now);
}

void interrupt_share_charge(unsigned vector, nanoseconds began)
{
    struct cpu_share *mine = own();
    nanoseconds now = clock_monotonic();
    if (!share_charge(&mine->share, now - began + ENTRY, began, now))
        return;
    mine->asked = false;
    __atomic_fetch_add(&resting, 1, __ATOMIC_RELAXED);
    apic_write(APIC_TASK_PRIORITY, DEVICES_PRIORITY);
    if (share_is_said(&mine->share))
        log_info("interrupts of devices take half of the CPU, most recently vector %u; limiting them", vector);
}

static void look_after(unsigned cpu, nanoseconds now)
{
    struct cpu_share *its = &shares[cpu];
    if (!its->share.resting || its->asked)
        return;
    if (now < its->share.ends) {
        kernel_resume_interrupts_at(its->share.ends);
        return;
    }
    its->asked = true;
    cpu_interrupt(cpus[cpu]);
}

void native_resume_interrupts(void)
{
    if (likely(read_once(resting) == 0))
        return;
    bool entered = kernel_enter_again();
    nanoseconds now = clock_monotonic();
    if (own()->share.resting)
        end_rest(&own()->share, now);
    for (unsigned i = 0; i < cpus_online && read_once(resting) > 0; i++)
        look_after(i, now);
    if (entered)
        kernel_leave();
}
