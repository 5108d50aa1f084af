/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CPUs are sampled, and for how many periods: threads/profile.c itself on the virtual clock, with two CPUs, of
 * which the test's thread is one or the other.
 */
#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/host.h"
#include "threads/profile.h"
#include "threads/stack.h"
#include "threads/thread.h"

#define HZ 100
#define PERIOD (NS_PER_SECOND / HZ)

static struct cpu other = { .self = &other, .id = 1 };
static struct kernel_stack stack;
static struct thread idle[2] = { { .name = "idle" }, { .name = "idle" } };
static struct thread busy[2] = { { .name = "first", .stack = &stack }, { .name = "second", .stack = &stack } };
static unsigned interrupted[2];

void cpu_interrupt(const struct cpu *cpu) { interrupted[cpu->id]++; }
bool cpu_is_busy(const struct cpu *cpu) { return !thread_is_idle(cpu->current); }
void kernel_leave_interrupt(struct registers *registers) { (void)registers; }
struct registers *thread_registers(struct thread *thread) { return (void)thread, NULL; }
size_t user_copy_raw(void *to, const void *from, size_t length) { return (void)to, (void)from, length; }

static void be(unsigned cpu)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, cpus[cpu]) != 0)
        abort();
}

/* Both CPUs, without samples, at the beginning of a period; the timer is the first one's. */
static void begin(struct thread *first, struct thread *second)
{
    static bool started;
    struct profile_sample sample;
    CHECK_EQUAL(profile_stop(), started);
    started = true;
    while (profile_next(&sample)) {}
    cpus[0]->current = first;
    cpus[1]->current = second;
    interrupted[0] = interrupted[1] = 0;
    be(0);
    CHECK_EQUAL(profile_start(HZ), 0);
}

/* The next sample is of this thread, and stands for so many periods. */
static void expect_sample(const struct thread *thread, uint32_t count)
{
    struct profile_sample sample = { 0 };
    CHECK(profile_next(&sample));
    CHECK(strcmp(sample.thread, thread->name) == 0);
    CHECK_EQUAL(sample.count, count);
}

static void expect_none(void)
{
    struct profile_sample sample;
    CHECK(!profile_next(&sample));
}

static void leave_interrupt(unsigned cpu)
{
    be(cpu);
    profile_point_interrupted();
    be(0);
}

static void timer_of_an_idle_cpu(void)
{
    begin(&idle[0], &busy[1]);
    host_advance(PERIOD);
    CHECK_EQUAL(interrupted[1], 1);
    expect_none();
    leave_interrupt(1);
    expect_sample(&busy[1], 1);
    host_advance(3 * PERIOD);
    CHECK_EQUAL(interrupted[1], 4);
    leave_interrupt(1);
    expect_sample(&busy[1], 3);
    expect_none();
}

static void each_busy_cpu_is_sampled(void)
{
    uint64_t taken, lost;
    begin(&busy[0], &busy[1]);
    host_advance(PERIOD);
    CHECK_EQUAL(interrupted[0], 0);
    CHECK_EQUAL(interrupted[1], 1);
    leave_interrupt(0);
    leave_interrupt(1);
    leave_interrupt(1);
    expect_sample(&busy[0], 1);
    expect_sample(&busy[1], 1);
    expect_none();
    profile_totals(&taken, &lost);
    CHECK_EQUAL(taken, 2);
    CHECK_EQUAL(lost, 0);
}

static void idle_time_is_not_sampled(void)
{
    begin(&busy[0], &idle[1]);
    for (unsigned i = 0; i < 5; i++) {
        host_advance(PERIOD);
        leave_interrupt(0);
        expect_sample(&busy[0], 1);
    }
    CHECK_EQUAL(interrupted[1], 0);
    be(1);
    profile_point(0, 0); /* as when it changes from the idle thread to another one */
    cpus[1]->current = &busy[1];
    be(0);
    host_advance(PERIOD);
    leave_interrupt(1);
    expect_sample(&busy[1], 1);
    expect_none();
}

int main(void)
{
    host_init();
    cpus[1] = &other;
    cpus_online = 2;
    other.current = &idle[1];
    host_test("profile: the timer of an idle CPU has the busy one sampled", timer_of_an_idle_cpu);
    host_test("profile: each busy CPU is sampled", each_busy_cpu_is_sampled);
    host_test("profile: idle time is not sampled", idle_time_is_not_sampled);
    return host_result();
}
