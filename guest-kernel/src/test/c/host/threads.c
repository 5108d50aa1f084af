/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock, timers, locks, wait queues and sleeping of the host shim.
 *
 * There is one thread, so a lock that is taken twice is a panic, as is one that is given back without having been
 * taken; the order of locks is checked as in a kernel for tests (core/lock_order.h). Timers are the kernel's own; the
 * shim is the platform that has the deadline of the first.
 * The virtual clock moves only while the thread sleeps, in host_advance(), and by host_clock_step.
 */
#include <asm/prctl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/debug.h"
#include "core/log.h"
#include "host/host.h"
#include "host/internal.h"
#include "lib/errno.h"
#include "threads/console.h"
#include "threads/failing.h"
#include "threads/timer.h"
#include "threads/wait.h"

/* There is no kernel lock, but for tests that bring it or set kernel_is_locked. */
#define WEAK __attribute__((weak))
WEAK bool kernel_is_locked;
static bool kernel_is_mine = true;
unsigned host_kernel_taken;
WEAK bool kernel_lock_is_mine(void) { return kernel_is_mine; }
WEAK void kernel_lock_give_back(void) { kernel_is_mine = false; }
WEAK void kernel_lock_take(void)
{
    kernel_is_mine = true;
    host_kernel_taken++;
}

WEAK bool kernel_lock_take_again(void)
{
    kernel_lock_take();
    return true;
}

bool (*host_idle)(void);
bool host_signal_pending;

static struct cpu cpu;
struct cpu *cpus[CPUS_MAX] = { &cpu };
unsigned cpus_online = 1;
/* Only its being there makes the thread a user thread. */
static char main_user;
static struct thread main_thread = {
    .id = 1,
    .name = "main",
    .state = THREAD_RUNNING,
    .affinity = 1,
    .user = (struct user_thread *)(void *)&main_user,
};
static bool real_clock;
static nanoseconds virtual_now = NS_PER_SECOND;
nanoseconds host_clock_step;
static struct wall_time wall = { .wall = 1700000000 * NS_PER_SECOND };

#ifdef KERNEL_DEBUG /* benchmarks are built without */
/* Allocations that a test makes fail do so here too. */
void failing_spare(void) {}
void failing_spare_end(void) {}
#endif

void host_threads_init(void)
{
    cpu.self = &cpu;
    cpu.current = &main_thread;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu) != 0)
        abort();
}

/* ---- Clock and timers ---- */

void host_real_clock(void) { real_clock = true; }

static nanoseconds linux_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (nanoseconds)now.tv_sec * NS_PER_SECOND + (nanoseconds)now.tv_nsec;
}

nanoseconds clock_monotonic(void)
{
    return real_clock ? linux_clock(CLOCK_MONOTONIC) : (virtual_now += host_clock_step);
}

nanoseconds clock_wall(void) { return real_clock ? linux_clock(CLOCK_REALTIME) : wall_time_at(&wall, virtual_now); }

void clock_set_wall(const struct wall_time *time) { wall = *time; }

static nanoseconds programmed = NO_DEADLINE;

void clock_set_deadline(nanoseconds deadline) { programmed = deadline; }

nanoseconds host_next_timer(void)
{
    programmed = NO_DEADLINE; /* which may be that of a timer that was stopped */
    timers_keep_here();
    return programmed;
}

bool host_run_timers(void)
{
    if (programmed > clock_monotonic())
        return false;
    programmed = NO_DEADLINE;
    kernel_timer();
    return true;
}

void host_advance(nanoseconds time)
{
    nanoseconds end = virtual_now + time;
    while (programmed <= end) {
        virtual_now = max_of(virtual_now, programmed);
        host_run_timers();
    }
    virtual_now = end;
}

/* ---- Locks ---- */

#ifdef KERNEL_DEBUG
void spin_lock(struct spinlock *lock)
{
    lock_taking(&cpu.held, lock->class, lock);
    if (lock->taken)
        panic("spinlock %s is taken twice", lock_name(lock->class));
    lock->taken = 1;
    cpu.spinlocks++;
    lock_taken(&cpu.held, lock->class, lock);
}

void spin_unlock(struct spinlock *lock)
{
    if (!lock->taken)
        panic("spinlock %s is not taken", lock_name(lock->class));
    lock_given_back(&cpu.held, lock);
    lock->taken = 0;
    cpu.spinlocks--;
}

bool spinlocks_held(void) { return cpu.spinlocks != 0; }
bool spinlock_held(const struct spinlock *lock) { return lock_is_held(&cpu.held, lock); }
#endif

void mutex_init(struct mutex *mutex, enum lock_class class)
{
    *mutex = (struct mutex){ .class = class };
    spinlock_init(&mutex->lock, LOCK_MUTEX);
    list_init(&mutex->waiters);
}

void mutex_lock(struct mutex *mutex)
{
    may_sleep();
    lock_taking(&main_thread.held, mutex->class, mutex);
    if (mutex->holder)
        panic("mutex %s is taken twice", lock_name(mutex->class));
    mutex->holder = thread_current();
    lock_taken(&main_thread.held, mutex->class, mutex);
}

void mutex_unlock(struct mutex *mutex)
{
    if (!mutex->holder)
        panic("mutex %s is not taken", lock_name(mutex->class));
    lock_given_back(&main_thread.held, mutex);
    mutex->holder = NULL;
}

/* ---- Sleeping ---- */

void sleep_prepare(void) { main_thread.woken = false; }
void thread_wake(struct thread *thread) { thread->woken = true; }
void thread_wake_later(struct thread *thread) { thread_wake(thread); }
void thread_yield(void) {}

/* What is written to the console goes out at once. */
struct wait_queue console_waiters = WAIT_QUEUE(console_waiters);
int console_wait_room(enum sleep_kind kind) { return (void)kind, 0; }

void give_way(void) { may_sleep(); }

void threads_for_each(void (*visit)(struct thread *thread, void *context), void *context)
{
    visit(&main_thread, context);
}

bool thread_find(uint32_t id, void (*visit)(struct thread *thread, void *context), void *context)
{
    bool found = main_thread.user && main_thread.id == id;
    if (found && visit)
        visit(&main_thread, context);
    return found;
}

bool thread_find_cpu_time(uint32_t id, nanoseconds *time)
{
    bool found = thread_find(id, NULL, NULL);
    if (found)
        *time = thread_cpu_time(&main_thread);
    return found;
}

unsigned threads_user_count(void) { return 1; }
unsigned threads_limit(void) { return 512; }

nanoseconds thread_cpu_time(const struct thread *thread)
{
    (void)thread;
    return clock_monotonic() / 2;
}

void thread_usage(const struct thread *thread, struct thread_usage *out)
{
    *out = (struct thread_usage){ .wants_cpu = thread->state == THREAD_RUNNING,
                                  .cpu_time = thread_cpu_time(thread),
                                  .sleeps = thread->sleeps,
                                  .preemptions = thread->preemptions,
                                  .affinity = thread->affinity & cpus_online_mask() };
}

nanoseconds cpu_busy_time(void) { return clock_monotonic() / 2; }

void cpu_times_of(const struct cpu *of, struct cpu_times *out)
{
    nanoseconds eighth = of == &cpu ? clock_monotonic() / 8 : 0;
    *out = (struct cpu_times){ .user = eighth, .system = 3 * eighth, .idle = 3 * eighth, .stolen = eighth };
}

static void let_time_pass(nanoseconds deadline)
{
    if (real_clock) {
        struct timespec tick = { .tv_nsec = 100000 };
        nanosleep(&tick, NULL);
        return;
    }
    nanoseconds next = min_of(deadline, programmed);
    if (next == NO_DEADLINE)
        panic("a sleep that nothing ends");
    if (next > virtual_now)
        virtual_now = next;
}

void host_wait_for_timer(void)
{
    let_time_pass(NO_DEADLINE);
    host_run_timers();
}

int sleep_until(nanoseconds deadline, enum sleep_kind kind)
{
    may_sleep();
    while (!main_thread.woken) {
        if (host_signal_pending && kind == SLEEP_INTERRUPTIBLE)
            return -EINTR;
        if (deadline <= clock_monotonic())
            return -ETIMEDOUT;
        bool busy = host_idle && host_idle();
        busy |= host_run_timers();
        if (!busy && !main_thread.woken)
            let_time_pass(deadline);
    }
    main_thread.woken = false;
    return 0;
}
