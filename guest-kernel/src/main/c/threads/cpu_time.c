/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounting of time. A CPU's time is that of its program, of the kernel, idle, or stolen: what the host gave to others
 * while the CPU wanted to run (cpu_stolen_time()). Stolen time is neither in a thread's time nor in the idle time of a
 * CPU, as on Linux with a paravirtual steal clock. It is taken off what ran when it became known. How much of it was
 * taken in user mode is not known; that is taken to be the part that user mode had of the stretch.
 *
 * No time that was reported once is less the next time, though a host may report late what it stole: `running` and
 * `user_shown` are what was said last, and what cannot be taken off now is taken off later.
 *
 * The spinlock of a CPU's run queue guards its times, and those of the thread that runs there. They are read under it,
 * and the clock is too, so that they follow one another; nothing here sleeps.
 */
#include "threads/cpu_time.h"

#include "core/cycles.h"
#include "core/debug.h"
#include "threads/scheduler.h"
#include "threads/thread.h"

static struct usage {
    nanoseconds busy, idle; /* of other threads than the idle one, and of that, up to the last switch */
    nanoseconds stolen;     /* of cpu_stolen_time(): what has been taken off */
    nanoseconds running;    /* of the current thread since the switch, as reported */
    uint64_t user_seen;     /* user_cycles of struct cpu at the last switch, ... */
    uint64_t user_stolen;   /* ... and what of that was stolen */
    nanoseconds user_shown; /* as reported */
} usages[CPUS_MAX];         /* by the CPU's id */

/* ---- Stretches: from one switch to the next ----------------------------------------------------------------- */

/* 0 if the clock was read before the switch: a processor may read its counter before it has the lock. */
static nanoseconds time_since_switch(const struct cpu *cpu, nanoseconds now)
{
    nanoseconds from = cpu->current->switched_in;
    return now > from ? now - from : 0;
}

nanoseconds cpu_time_running(const struct cpu *cpu, nanoseconds now)
{
    must_hold(run_queue_lock(cpu));
    struct usage *usage = &usages[cpu->id];
    nanoseconds elapsed = time_since_switch(cpu, now), stolen = cpu_stolen_time(cpu) - usage->stolen;
    usage->running = max_of(usage->running, elapsed - min_of(stolen, elapsed));
    return usage->running;
}

/* Of the stretch that has lasted `elapsed` and used `running`. */
static uint64_t stolen_cycles(uint64_t user_cycles, nanoseconds elapsed, nanoseconds running)
{
    return likely(running >= elapsed) ? 0 : cycles_share(user_cycles, elapsed - running, elapsed);
}

nanoseconds cpu_time_account(nanoseconds now)
{
    struct cpu *cpu = this_cpu();
    must_hold(run_queue_lock(cpu));
    struct usage *usage = &usages[cpu->id];
    struct thread *thread = cpu->current;
    nanoseconds elapsed = time_since_switch(cpu, now), running = min_of(cpu_time_running(cpu, now), elapsed);
    usage->user_stolen += stolen_cycles(cpu->user_cycles - usage->user_seen, elapsed, running);
    usage->user_seen = cpu->user_cycles;
    usage->stolen += elapsed - running;
    usage->running = 0;
    *(thread_is_idle(thread) ? &usage->idle : &usage->busy) += running;
    thread->cpu_time += running;
    thread->switched_in = now;
    return running;
}

/* ---- What others read --------------------------------------------------------------------------------------- */

nanoseconds cpu_time_of(const struct thread *thread)
{
    must_hold(run_queue_lock(thread->cpu));
    nanoseconds time = thread->cpu_time;
    if (thread->state == THREAD_RUNNING)
        time += cpu_time_running(thread->cpu, clock_monotonic());
    return time;
}

nanoseconds thread_cpu_time(const struct thread *thread)
{
    struct spinlock *lock = run_queue_lock_of(thread);
    nanoseconds time = cpu_time_of(thread);
    spin_unlock(lock);
    return time;
}

nanoseconds thread_own_cpu_time(void) { return thread_cpu_time(thread_current()); }

static nanoseconds busy_time(const struct cpu *cpu, nanoseconds now)
{
    return usages[cpu->id].busy + (thread_is_idle(cpu->current) ? 0 : cpu_time_running(cpu, now));
}

static nanoseconds idle_time(const struct cpu *cpu, nanoseconds now)
{
    return usages[cpu->id].idle + (thread_is_idle(cpu->current) ? cpu_time_running(cpu, now) : 0);
}

nanoseconds cpu_busy_time(void)
{
    nanoseconds time = 0;
    for (unsigned i = 0; i < cpus_online; i++) {
        spin_lock(run_queue_lock(cpus[i]));
        time += busy_time(cpus[i], clock_monotonic());
        spin_unlock(run_queue_lock(cpus[i]));
    }
    return time;
}

static nanoseconds user_time(const struct cpu *cpu, nanoseconds now)
{
    must_hold(run_queue_lock(cpu));
    struct usage *usage = &usages[cpu->id];
    uint64_t since = read_once(cpu->user_since), cycles = read_once(cpu->user_cycles);
    if (since != 0)
        cycles += cycles_now() - since;
    nanoseconds elapsed = time_since_switch(cpu, now), running = cpu_time_running(cpu, now);
    cycles -= usage->user_stolen + stolen_cycles(cycles - usage->user_seen, elapsed, running);
    usage->user_shown = max_of(usage->user_shown, min_of(cycles_duration(cycles), busy_time(cpu, now)));
    return usage->user_shown;
}

void cpu_times_of(const struct cpu *cpu, struct cpu_times *out)
{
    spin_lock(run_queue_lock(cpu));
    nanoseconds now = clock_monotonic();
    out->user = user_time(cpu, now);
    out->system = busy_time(cpu, now) - out->user;
    out->idle = idle_time(cpu, now);
    spin_unlock(run_queue_lock(cpu));
    out->stolen = cpu_stolen_time(cpu);
}
