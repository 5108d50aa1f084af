/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that interrupts without end must not stop the program: on each CPU devices get half of the time at most
 * while a thread wants it, as Xen's events do (platform/xen/events.c). When their interrupts have taken half of a
 * window they rest for as long: the CPU's task priority keeps them pending in its local APIC (Intel SDM 3A 11.8.3.1).
 * The kernel's own vectors are of a higher class and do not rest: the timer, the interrupt that wakes another CPU,
 * Xen's events.
 *
 * A rest ends on its own CPU: when that is idle, by the timer, or at the next interrupt there after its time, which the
 * CPU that has the timer asks for. All of it is called with the kernel lock.
 */
#include "core/log.h"
#include "platform/native/interrupts.h"
#include "platform/native/selectors.h"
#include "platform/platform.h"

#define WINDOW (2 * NS_PER_MS)
#define REST_MOST (10 * NS_PER_MS) /* also where handlers seemed long because the host gave the CPU to others */
#define RESTS_SAID 50              /* one after the other, without an idle CPU in between */
/* What an interrupt takes apart from its handler, about: entry and end, and what a hypervisor does to deliver it. */
#define ENTRY (2 * NS_PER_US)
#define DEVICES_PRIORITY ((VECTOR_DEVICES_END - 1) & 0xf0u)

/* Of each CPU, by its id. */
static struct share {
    nanoseconds window; /* when it began */
    nanoseconds used;   /* by devices since then */
    bool resting;
    bool asked;       /* to end its rest */
    nanoseconds ends; /* of the rest */
    unsigned rests;   /* since the CPU was idle */
} shares[CPUS_MAX];
static unsigned resting; /* how many of them are */

static struct share *own(void) { return &shares[this_cpu()->id]; }

static void begin_rest(struct share *share, nanoseconds now, unsigned vector)
{
    share->resting = true;
    share->asked = false;
    resting++;
    share->ends = now + min_of(share->used, REST_MOST);
    apic_write(APIC_TASK_PRIORITY, DEVICES_PRIORITY);
    if (++share->rests == RESTS_SAID)
        log_info("interrupts of devices take half of the CPU, most recently vector %u; limiting them", vector);
    kernel_resume_interrupts_at(share->ends);
}

static void end_rest(struct share *share, nanoseconds now)
{
    share->resting = false;
    resting--;
    share->window = now;
    share->used = 0;
    if (now < share->ends)
        share->rests = 0;
    apic_write(APIC_TASK_PRIORITY, 0);
}

void interrupt_share_check(void)
{
    struct share *share = own();
    if (likely(!share->resting))
        return;
    nanoseconds now = clock_monotonic();
    if (now >= share->ends)
        end_rest(share, now);
}

void interrupt_share_charge(unsigned vector, nanoseconds began)
{
    struct share *share = own();
    nanoseconds now = clock_monotonic();
    if (began - share->window >= WINDOW) {
        share->window = began;
        share->used = 0;
    }
    share->used += now - began + ENTRY;
    if (share->used >= WINDOW / 2 && !share->resting)
        begin_rest(share, now, vector);
}

static void look_after(unsigned cpu, nanoseconds now)
{
    struct share *share = &shares[cpu];
    if (!share->resting || share->asked)
        return;
    if (now < share->ends) {
        kernel_resume_interrupts_at(share->ends);
        return;
    }
    share->asked = true;
    cpu_interrupt(cpus[cpu]);
}

void native_resume_interrupts(void)
{
    if (likely(resting == 0))
        return;
    nanoseconds now = clock_monotonic();
    if (own()->resting)
        end_rest(own(), now);
    for (unsigned i = 0; i < cpus_online && resting > 0; i++)
        look_after(i, now);
}
