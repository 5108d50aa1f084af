/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deadline timer of each CPU: the local APIC's, in TSC-deadline mode where offered (SDM 3A 11.5.4.1), else
 * one-shot with a frequency measured against the clock.
 *
 * A timer never interrupts later than its CPU's deadline: it may be armed for an earlier time, and then arms itself
 * again. Each CPU has an entry of `deadlines` of its own, which it alone uses, with interrupts masked, so there is no
 * lock. The mode and the frequency are found on the boot CPU and then stay.
 */
#include "core/log.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/x86/processor.h"

#define TIMER_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_1 0xb
#define MEASURE_FOR (2 * NS_PER_MS)
#define SAMPLES 8
/* Far deadlines are reached in steps: a count has 32 bits, and arithmetic limits. */
#define LONGEST_STEP (1000 * NS_PER_SECOND)

/* Of each CPU, by its id. */
static struct deadlines {
    nanoseconds wanted;
    nanoseconds armed; /* when the timer will interrupt; <= wanted */
} deadlines[CPUS_MAX] = { [0 ... CPUS_MAX - 1] = { NO_DEADLINE, NO_DEADLINE } };
static bool tsc_deadline;
static uint64_t counts_per_ms; /* one-shot mode */
static uint32_t timer_setting; /* of each local APIC */

static void program(nanoseconds delay)
{
    if (tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, rdtsc() + native_clock_ticks(delay));
        return;
    }
    uint64_t count = delay / NS_PER_MS * counts_per_ms + delay % NS_PER_MS * counts_per_ms / NS_PER_MS;
    count = min_of(max_of(count, (uint64_t)1), (uint64_t)UINT32_MAX);
    apic_write(APIC_TIMER_INITIAL, (uint32_t)count);
}

static void arm(struct deadlines *mine)
{
    nanoseconds deadline = mine->wanted;
    nanoseconds now = native_clock_monotonic();
    program(deadline > now ? min_of(deadline - now, LONGEST_STEP) : 0);
    mine->armed = deadline;
}

static void timer_interrupt(void *context)
{
    (void)context;
    struct deadlines *mine = &deadlines[this_cpu()->id];
    mine->armed = NO_DEADLINE;
    if (mine->wanted != NO_DEADLINE && native_clock_monotonic() >= mine->wanted) {
        mine->wanted = NO_DEADLINE;
        kernel_timer();
    }
    if (mine->wanted < mine->armed)
        arm(mine);
}

/* A timer that is set for earlier stays: one needless interrupt is cheaper than programming the device
 * at each change, which leaves the guest. */
void native_timer_set_deadline(nanoseconds deadline)
{
    struct deadlines *mine = &deadlines[this_cpu()->id];
    mine->wanted = deadline;
    if (deadline < mine->armed)
        arm(mine);
}

/* A reading of the counter and the clock close together: of several, the one that took least time. Anything may take
 * the CPU away between two readings, and a timer believed to be fast would then wait many times too long. */
struct sample {
    nanoseconds when;
    uint32_t count;
};

static struct sample take_sample(void)
{
    struct sample best = { 0 };
    nanoseconds shortest = NO_DEADLINE;
    for (unsigned i = 0; i < SAMPLES; i++) {
        nanoseconds before = native_clock_monotonic();
        uint32_t count = apic_read(APIC_TIMER_CURRENT);
        nanoseconds took = native_clock_monotonic() - before;
        if (took < shortest) {
            shortest = took;
            best = (struct sample){ before + took / 2, count };
        }
    }
    return best;
}

static void measure_frequency(void)
{
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    struct sample first = take_sample();
    native_clock_delay(MEASURE_FOR);
    struct sample last = take_sample();
    apic_write(APIC_TIMER_INITIAL, 0);
    uint32_t counted = first.count - last.count;
    counts_per_ms = counted * NS_PER_MS / (last.when - first.when);
    if (counts_per_ms == 0)
        panic("the local APIC timer does not run");
}

void native_timer_init(void)
{
    int vector = interrupt_allocate_own(timer_interrupt, NULL);
    if (vector < 0)
        panic("no interrupt vector for the timer");
    tsc_deadline = processor_identify(1, 0).ecx & 1u << 24;
    if (!tsc_deadline)
        measure_frequency();
    timer_setting = (uint32_t)vector | (tsc_deadline ? TIMER_TSC_DEADLINE : 0);
    native_timer_load();
}

void native_timer_load(void)
{
    if (!tsc_deadline)
        apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_TIMER, timer_setting);
}
