/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose the time is: threads/cpu_time.c itself, under other names than the shim's, with a host that steals, on the
 * virtual clock. A cycle of the time stamp counter is a nanosecond here.
 */
#include "core/cycles.h"
#include "core/lock.h"
#include "host/host.h"
#include "threads/stack.h"
#include "threads/thread.h"

#define cycles_now() (clock_monotonic())
#define thread_cpu_time tested_thread_cpu_time
#define cpu_busy_time tested_busy_time
#define cpu_times_of tested_times_of
#include "threads/cpu_time.c"

#define MS NS_PER_MS

static struct spinlock lock = SPINLOCK(LOCK_RUN_QUEUE);
static nanoseconds stolen;
static struct thread idle, thread;
static struct kernel_stack stack;

struct spinlock *run_queue_lock(const struct cpu *cpu) { return (void)cpu, &lock; }

struct spinlock *run_queue_lock_of(const struct thread *of)
{
    (void)of;
    spin_lock(&lock);
    return &lock;
}

nanoseconds cpu_stolen_time(const struct cpu *cpu) { return (void)cpu, stolen; }

nanoseconds cycles_duration(uint64_t cycles) { return cycles; }

static void switch_to(struct thread *next)
{
    spin_lock(&lock);
    (void)cpu_time_account(clock_monotonic());
    spin_unlock(&lock);
    this_cpu()->current->state = THREAD_READY;
    next->state = THREAD_RUNNING;
    next->switched_in = clock_monotonic();
    this_cpu()->current = next;
}

static nanoseconds time_of_thread(void) { return thread_cpu_time(&thread); }

/* So much time passes, of which the host takes some, and so much is user mode's by the time stamp counter. */
static void pass(nanoseconds time, nanoseconds taken, nanoseconds user)
{
    host_advance(time);
    stolen += taken;
    this_cpu()->user_cycles += user;
}

/* idle, from the beginning, for a test of its own. */
static void begin(void)
{
    usages[0] = (struct usage){ .user_seen = this_cpu()->user_cycles, .user_stolen = this_cpu()->user_cycles };
    usages[0].stolen = stolen;
    idle = thread = (struct thread){ .cpu = this_cpu(), .switched_in = clock_monotonic() };
    thread.stack = &stack;
    idle.state = THREAD_RUNNING;
    this_cpu()->current = &idle;
}

static void time_is_told_apart(void)
{
    struct cpu_times times;
    begin();
    pass(10 * MS, 0, 0);
    switch_to(&thread);
    pass(8 * MS, 0, 6 * MS);
    CHECK_EQUAL(time_of_thread(), 8 * MS);
    switch_to(&idle);
    pass(2 * MS, 0, 0);
    cpu_times_of(this_cpu(), &times);
    CHECK(times.user > 6 * MS - MS / 100 && times.user <= 6 * MS);
    CHECK_EQUAL(times.user + times.system, 8 * MS);
    CHECK_EQUAL(times.idle, 12 * MS);
    CHECK_EQUAL(cpu_busy_time(), 8 * MS);
    CHECK_EQUAL(time_of_thread(), 8 * MS);
}

/* Of a thread, of one that still runs, and of an idle CPU that the host lets wait. */
static void stolen_time_is_nobodys(void)
{
    struct cpu_times times;
    nanoseconds before = stolen;
    begin();
    pass(10 * MS, 4 * MS, 0);
    switch_to(&thread);
    pass(8 * MS, 4 * MS, 6 * MS);
    CHECK_EQUAL(time_of_thread(), 4 * MS);
    cpu_times_of(this_cpu(), &times);
    CHECK(times.user > 3 * MS - MS / 100 && times.user <= 3 * MS); /* as large a part of what is left */
    CHECK_EQUAL(times.user + times.system, 4 * MS);
    switch_to(&idle);
    cpu_times_of(this_cpu(), &times);
    CHECK(times.user > 3 * MS - MS / 100 && times.user <= 3 * MS);
    CHECK_EQUAL(times.user + times.system, 4 * MS);
    CHECK_EQUAL(times.idle, 6 * MS);
    CHECK_EQUAL(times.stolen - before, 8 * MS);
}

/* What the host takes becomes known after the time was reported as the thread's. */
static void nothing_is_taken_back(void)
{
    struct cpu_times times;
    begin();
    switch_to(&thread);
    pass(8 * MS, 0, 8 * MS);
    CHECK_EQUAL(time_of_thread(), 8 * MS);
    cpu_times_of(this_cpu(), &times);
    nanoseconds user = times.user;
    CHECK_EQUAL(times.system, 8 * MS - user);
    pass(1 * MS, 6 * MS, 0);
    CHECK_EQUAL(time_of_thread(), 8 * MS);
    cpu_times_of(this_cpu(), &times);
    CHECK_EQUAL(times.user, user);
    switch_to(&idle);
    CHECK_EQUAL(time_of_thread(), 8 * MS);
    pass(2 * MS, 0, 0); /* the rest is taken from what comes next, */
    cpu_times_of(this_cpu(), &times);
    CHECK_EQUAL(times.idle, 0);
    CHECK_EQUAL(times.user, user);
    pass(5 * MS, 0, 0); /* and no more than that */
    cpu_times_of(this_cpu(), &times);
    CHECK_EQUAL(times.idle, 2 * MS);
    CHECK_EQUAL(cpu_busy_time(), 8 * MS);
}

int main(void)
{
    host_init();
    host_test("cpu time: it is told apart", time_is_told_apart);
    host_test("cpu time: stolen time is nobody's", stolen_time_is_nobodys);
    host_test("cpu time: nothing is taken back", nothing_is_taken_back);
    return host_result();
}
