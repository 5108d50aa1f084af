/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler (thread.h has the policy). `ready` holds the threads that are THREAD_READY, except the idle ones; those
 * that run are not in it. schedule() is the only place where a CPU changes threads: it is entered with run_queue and no
 * other spinlock, and returns without. Run_queue is kept until the stack has changed, and given back by the thread that
 * goes on, in kernel_thread_switched(): until then no other CPU can have the thread that stops run, or free its stack.
 * With one CPU FPU registers stay with their owner until another thread of the program needs them; with several they
 * are saved when their owner stops, since it may go on elsewhere.
 *
 * Nothing here needs the kernel lock. A thread that stops gives it back and has it again when it goes on; what is
 * handed from one thread to the next on a CPU is not given back between. A thread that goes on without it may do so
 * while a timer's callback for an earlier sleep is still on its way on another CPU, which it must not take for the end
 * of the next one (sleep_expired()).
 *
 * A wake-up between sleep_prepare() and sleep_until() is not lost, since `woken` keeps it.
 *
 * Spinlock run_queue guards what is marked so, here and in thread.h; `wake_later` is set in any context. Entered by
 * code that sleeps, wakes or gives way, on the way to user mode (linux/syscalls.c), and by timers in interrupt context.
 */
#include "threads/scheduler.h"

#include "core/cycles.h"
#include "core/debug.h"
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/x86/context.h"
#include "threads/cpu_time.h"
#include "threads/profile.h"
#include "threads/stack.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define WAKE_LATER_MOST 2 /* thread.h: thread_wake_later() */

struct spinlock run_queue_lock = SPINLOCK(LOCK_RUN_QUEUE);
static bool runs_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct thread, run_node)->virtual_time < tree_entry(b, struct thread, run_node)->virtual_time;
}

static struct tree ready = { .before = runs_before }; /* run_queue: of all CPUs, least virtual time first */
static nanoseconds least_virtual_time;                /* run_queue: of the threads that were ready; only grows */
static struct thread *wake_later[WAKE_LATER_MOST];    /* wake-ups that could not be done at once */

struct turns {
    struct cpu *cpu;
    struct thread idle;
    struct timer slice; /* runs while another thread is ready */
    uint64_t disturbed; /* by id: the CPUs to be interrupted when this CPU has given run_queue back */
};
static struct turns boot_turns;

static bool may_run(const struct thread *thread, const struct cpu *cpu) { return thread->affinity >> cpu->id & 1; }

static void wake_locked(struct thread *thread);

static void sleep_expired(struct timer *timer)
{
    struct thread *thread = container_of(timer, struct thread, sleep_timer);
    spin_lock(&run_queue_lock);
    if (thread->sleeps_until <= clock_monotonic()) {
        write_once(thread->timed_out, true);
        wake_locked(thread);
    }
    run_queue_unlock();
}

static void reschedule(struct cpu *cpu)
{
    must_hold(&run_queue_lock);
    write_once(cpu->reschedule, true);
    if (cpu != this_cpu())
        this_cpu()->turns->disturbed |= 1UL << cpu->id;
}

/* A hypervisor may take long over an interrupt, so it comes after the lock. */
void run_queue_unlock(void)
{
    struct turns *turns = this_cpu()->turns;
    uint64_t disturbed = turns->disturbed;
    turns->disturbed = 0;
    spin_unlock(&run_queue_lock);
    for (; unlikely(disturbed != 0); disturbed &= disturbed - 1)
        cpu_interrupt(cpus[__builtin_ctzl(disturbed)]);
}

static void slice_expired(struct timer *timer)
{
    spin_lock(&run_queue_lock);
    reschedule(container_of(timer, struct turns, slice)->cpu);
    run_queue_unlock();
}

static void turns_init(struct turns *turns, struct cpu *cpu)
{
    struct thread *idle = &turns->idle;
    string_copy(idle->name, "idle", sizeof(idle->name));
    idle->state = THREAD_RUNNING;
    idle->cpu = turns->cpu = cpu;
    idle->affinity = 1UL << cpu->id;
    timer_init(&idle->sleep_timer, sleep_expired);
    timer_init(&turns->slice, slice_expired);
    idle->switched_in = clock_monotonic();
    cpu->turns = turns;
    cpu->current = idle;
}

void scheduler_prepare(struct thread *thread)
{
    thread->state = THREAD_PREPARED;
    thread->affinity = UINT64_MAX;
    timer_init(&thread->sleep_timer, sleep_expired);
}

void threads_init(void)
{
    cycles_init();
    turns_init(&boot_turns, this_cpu());
}

int kernel_prepare_cpu(struct cpu *cpu)
{
    struct turns *turns = heap_allocate_zeroed(sizeof(*turns));
    struct kernel_stack *stack = kernel_stack_allocate();
    if (!turns || !stack)
        return -ENOMEM; /* what was allocated is lost, once */
    turns_init(turns, cpu);
    cpu->kernel_stack = stack->top;
    cpu->resting = true;
    return 0;
}

void kernel_cpu_main(void)
{
    kernel_enter();
    struct cpu *cpu = this_cpu();
    __atomic_store_n(&cpu->resting, false, __ATOMIC_SEQ_CST);
    cpu_answer();
    spin_lock(&run_queue_lock);
    cpu->current->switched_in = clock_monotonic();
    run_queue_unlock();
    idle_loop();
}

/* The first ready thread that may run here. */
static struct thread *first_ready(void)
{
    const struct cpu *here = this_cpu();
    for (struct tree_node *node = tree_first(&ready); node; node = tree_next(node)) {
        struct thread *thread = tree_entry(node, struct thread, run_node);
        if (likely(may_run(thread, here)))
            return thread;
    }
    return NULL;
}

/* Adds what the thread that runs here has used since the last call. */
static void account(struct thread *thread, nanoseconds now)
{
    must_hold(&run_queue_lock);
    assert(thread == thread_current());
    nanoseconds used = cpu_time_account(now);
    if (thread_is_idle(thread))
        return;
    thread->virtual_time += used;
    const struct thread *first = first_ready();
    nanoseconds least = first ? min_of(first->virtual_time, thread->virtual_time) : thread->virtual_time;
    least_virtual_time = max_of(least_virtual_time, least);
}

static bool is_free(const struct cpu *cpu) { return thread_is_idle(cpu->current) && !read_once(cpu->reschedule); }

/* An idle CPU that the thread may run on: the one where it was, or this one, or any. NULL if there is none. */
static struct cpu *find_free(const struct thread *thread)
{
    struct cpu *here = this_cpu();
    if (likely(!kernel_is_shared))
        return is_free(here) ? here : NULL;
    if (thread->cpu && may_run(thread, thread->cpu) && is_free(thread->cpu))
        return thread->cpu;
    if (may_run(thread, here) && is_free(here))
        return here;
    for (unsigned i = 0; i < cpus_online; i++)
        if (may_run(thread, cpus[i]) && is_free(cpus[i]))
            return cpus[i];
    return NULL;
}

static bool is_ahead(const struct cpu *cpu, const struct thread *thread, nanoseconds now)
{
    const struct thread *current = cpu->current;
    nanoseconds runs = now > current->switched_in ? now - current->switched_in : 0;
    return !thread_is_idle(current) && current->virtual_time + runs > thread->virtual_time + WAKE_LEAD;
}

/* A CPU whose thread is so far ahead of `thread` that it is the turn of `thread`: this CPU, or any. NULL if none is. */
static struct cpu *find_ahead(const struct thread *thread, nanoseconds now)
{
    struct cpu *here = this_cpu();
    if (may_run(thread, here) && is_ahead(here, thread, now))
        return here;
    for (unsigned i = 0; kernel_is_shared && i < cpus_online; i++)
        if (may_run(thread, cpus[i]) && !read_once(cpus[i]->reschedule) && is_ahead(cpus[i], thread, now))
            return cpus[i];
    return NULL;
}

static void limit_turn(struct cpu *cpu, nanoseconds now)
{
    if (!thread_is_idle(cpu->current) && !timer_is_active(&cpu->turns->slice))
        timer_start(&cpu->turns->slice, now + TIME_SLICE);
}

/* For a thread that has become ready: has a CPU take it, or limits the turns of the threads that it waits for. */
static void find_turn(const struct thread *thread, nanoseconds now)
{
    struct cpu *cpu = find_free(thread);
    if (!cpu)
        cpu = find_ahead(thread, now);
    if (cpu) {
        reschedule(cpu);
        return;
    }
    for (unsigned i = 0; i < cpus_online; i++)
        if (may_run(thread, cpus[i]))
            limit_turn(cpus[i], now);
}

/* A thread that was not ready, with `credit` for having slept. */
static void push_ready(struct thread *thread, nanoseconds credit)
{
    must_hold(&run_queue_lock);
    nanoseconds now = clock_monotonic();
    account(thread_current(), now);
    nanoseconds least = least_virtual_time > credit ? least_virtual_time - credit : 0;
    thread->virtual_time = max_of(thread->virtual_time, least);
    thread->state = THREAD_READY;
    tree_insert(&ready, &thread->run_node);
    find_turn(thread, now);
}

void thread_make_ready(struct thread *thread)
{
    spin_lock(&run_queue_lock);
    push_ready(thread, 0);
    run_queue_unlock();
}

/* The registers stay with their owner until another user thread needs them; with several CPUs, and when one of them is
 * left, they are saved too. Then the owner may have gone on elsewhere, and ended there. */
static void switch_fpu(struct thread *previous, struct thread *next)
{
    struct cpu *cpu = this_cpu();
    bool saved = kernel_is_locked;
    if (saved && cpu->fpu_owner == previous && previous->fpu_area)
        fpu_save(previous->fpu_area);
    if (!next->fpu_area || (cpu->fpu_owner == next && next->cpu == cpu))
        return;
    if (!saved && cpu->fpu_owner)
        fpu_save(cpu->fpu_owner->fpu_area);
    fpu_restore(next->fpu_area);
    cpu->fpu_owner = next;
}

static void wake_locked(struct thread *thread)
{
    must_hold(&run_queue_lock);
    thread->woken = true;
    if (thread->state == THREAD_SLEEPING)
        push_ready(thread, SLEEP_CREDIT);
}

void thread_wake_later(struct thread *thread)
{
    for (unsigned i = 0; i < WAKE_LATER_MOST; i++) {
        struct thread *found = NULL;
        if (__atomic_compare_exchange_n(&wake_later[i], &found, thread, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
            found == thread)
            break;
    }
    write_once(this_cpu()->reschedule, true);
}

static void wake_postponed(void)
{
    for (unsigned i = 0; i < WAKE_LATER_MOST; i++) {
        if (likely(!read_once(wake_later[i])))
            continue;
        wake_locked(__atomic_exchange_n(&wake_later[i], NULL, __ATOMIC_SEQ_CST));
    }
}

/* Takes the next thread off the run queue, or gives idle; its slice begins. */
static struct thread *pick_next(nanoseconds now)
{
    must_hold(&run_queue_lock);
    wake_postponed();
    struct turns *turns = this_cpu()->turns;
    struct thread *next = first_ready();
    if (timer_is_active(&turns->slice))
        timer_stop(&turns->slice);
    if (!next)
        return &turns->idle;
    tree_remove(&ready, &next->run_node);
    if (tree_first(&ready))
        timer_start(&turns->slice, now + TIME_SLICE);
    return next;
}

/* Runs the next ready thread, or idle. Called with the lock held, the current thread's state set and its
 * time accounted up to `now`; returns, without the lock, when it runs again. */
static void schedule(nanoseconds now)
{
    struct cpu *cpu = this_cpu();
    struct thread *previous = cpu->current;
    must_hold_only(&run_queue_lock);
    profile_point(0, (uintptr_t)__builtin_frame_address(0));
    struct thread *next = pick_next(now);
    write_once(cpu->reschedule, false);
    next->state = THREAD_RUNNING;
    if (next == previous) {
        run_queue_unlock();
        return;
    }
    if (previous->state == THREAD_SLEEPING)
        previous->sleeps++;
    else
        previous->preemptions++;
    next->switched_in = now;
    switch_fpu(previous, next);
    cpu->current = next;
    next->cpu = cpu;
    if (next->fpu_area)
        cpu_switch_to(next->stack->top, next->fs_base);
    previous->has_kernel = kernel_is_held();
    if (kernel_is_shared)
        cpu_catch_up();
    context_switch(&previous->stack_pointer, next->stack_pointer);
    kernel_thread_switched();
}

void kernel_thread_switched(void)
{
    must_hold_only(&run_queue_lock);
    struct thread *gone = thread_take_dead();
    run_queue_unlock();
    if (unlikely(gone))
        thread_free(gone); /* it ended with the kernel lock, which this CPU still has */
    kernel_change_threads(thread_current()->has_kernel);
}

void scheduler_leave(void)
{
    must_hold(&run_queue_lock);
    struct thread *self = thread_current();
    struct cpu *cpu = this_cpu();
    if (cpu->fpu_owner == self)
        cpu->fpu_owner = NULL;
    self->state = THREAD_DEAD;
    nanoseconds now = clock_monotonic();
    account(self, now);
    schedule(now);
    panic("a dead thread was scheduled");
}

void scheduler_affinity_changed(struct thread *thread)
{
    must_hold(&run_queue_lock);
    if (thread->state == THREAD_RUNNING && !may_run(thread, thread->cpu))
        reschedule(thread->cpu);
    else if (thread->state == THREAD_READY)
        find_turn(thread, clock_monotonic());
}

/* The current thread may go on elsewhere: for a CPU that is idle, or because it may not run here any more. */
static void offer(struct thread *self, nanoseconds now)
{
    struct cpu *idle = kernel_is_shared ? find_free(self) : NULL;
    if (idle)
        reschedule(idle);
    else if (unlikely(!may_run(self, this_cpu())))
        find_turn(self, now);
}

/* The current thread stays ready; `behind_first`: after at least one other. Takes the lock. */
static void pass_on(bool behind_first)
{
    spin_lock(&run_queue_lock);
    wake_postponed();
    struct thread *self = thread_current(), *first = first_ready();
    if (!first && may_run(self, this_cpu())) {
        write_once(this_cpu()->reschedule, false);
        run_queue_unlock();
        return;
    }
    nanoseconds now = clock_monotonic();
    account(self, now);
    self->state = THREAD_READY;
    if (!thread_is_idle(self)) {
        if (behind_first && first)
            self->virtual_time = max_of(self->virtual_time, first->virtual_time);
        tree_insert(&ready, &self->run_node);
        offer(self, now);
    }
    schedule(now);
}

void thread_yield(void) { pass_on(true); }
void thread_preempt(void) { pass_on(false); }

void give_way(void)
{
    struct cpu *cpu = this_cpu();
    may_sleep();
    /* The boot CPU's own start and the idle loop take interrupts in cpu_wait(). */
    if (thread_is_idle(cpu->current))
        return;
    cpu_take_interrupts();
    profile_point(0, (uintptr_t)__builtin_frame_address(0));
    if (unlikely(read_once(cpu->reschedule)))
        thread_preempt();
    kernel_give_way();
}

void sleep_prepare(void)
{
    struct thread *self = thread_current();
    spin_lock(&run_queue_lock);
    self->woken = false;
    run_queue_unlock();
}

int sleep_until(nanoseconds deadline, enum sleep_kind kind)
{
    struct thread *self = thread_current();
    may_sleep();
    spin_lock(&run_queue_lock);
    write_once(self->timed_out, false);
    self->sleeps_until = deadline;
    bool interruptible = kind == SLEEP_INTERRUPTIBLE;
    if (self->woken || (interruptible && self->interrupted)) {
        bool woken = self->woken;
        run_queue_unlock();
        return woken ? 0 : -EINTR;
    }
    self->state = THREAD_SLEEPING;
    self->interruptible = interruptible;
    if (deadline != NO_DEADLINE)
        timer_start(&self->sleep_timer, deadline);
    nanoseconds now = clock_monotonic();
    account(self, now);
    schedule(now);
    if (deadline != NO_DEADLINE)
        timer_stop(&self->sleep_timer);
    if (read_once(self->timed_out))
        return -ETIMEDOUT;
    return interruptible && read_once(self->interrupted) ? -EINTR : 0;
}

void thread_wake(struct thread *thread)
{
    spin_lock(&run_queue_lock);
    wake_locked(thread);
    run_queue_unlock();
}

void thread_interrupt(struct thread *thread)
{
    spin_lock(&run_queue_lock);
    write_once(thread->interrupted, true);
    if (thread->state == THREAD_SLEEPING && thread->interruptible)
        push_ready(thread, SLEEP_CREDIT);
    else if (thread->state == THREAD_RUNNING && thread->cpu != this_cpu())
        this_cpu()->turns->disturbed |= 1UL << thread->cpu->id;
    run_queue_unlock();
}

void idle_loop(void)
{
    kernel_leave();
    for (;;) {
        thread_yield();
        cpu_wait();
    }
}
