/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler, and the beginning and end of threads (thread.h has the policy). `ready` holds the threads that are
 * THREAD_READY, except the idle ones; those that run are not in it. schedule() is the only place where a CPU changes
 * threads: it is entered with run_queue and no other spinlock, and returns without. Run_queue is given back before the
 * stack changes, and a thread that ended still stands on its stack, so it is `dead` until the next one that runs frees
 * it. The kernel lock, which is kept over all of that, is what keeps other CPUs away. With one CPU FPU registers stay
 * with their owner until another thread of the program needs them; with several they are saved when their owner stops,
 * since it may go on elsewhere.
 *
 * A wake-up between sleep_prepare() and sleep_until() is not lost, since `woken` keeps it.
 *
 * Spinlock run_queue guards what is marked so, here and in thread.h; `wake_later` is set in any context.
 * Entered by whoever sleeps, wakes or gives way, on the way to user mode (linux/syscalls.c), and by timers in interrupt
 * context.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/x86/context.h"
#include "threads/profile.h"
#include "threads/stack.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define WAKE_LATER_MOST 2 /* thread.h: thread_wake_later() */
#define THREADS_LEAST 20  /* of threads_limit(), as on Linux */

static struct spinlock lock = SPINLOCK(LOCK_RUN_QUEUE);
static bool runs_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct thread, run_node)->virtual_time < tree_entry(b, struct thread, run_node)->virtual_time;
}

static struct tree ready = { .before = runs_before }; /* lock: of all CPUs, least virtual time first */
static nanoseconds least_virtual_time;                /* lock: of the threads that were ready; only grows */
static struct list all = LIST_INIT(all);              /* lock */
static unsigned count;                                /* lock */
static unsigned user_count;                           /* lock: threads of the process */
static uint32_t next_id = 1;                          /* lock */
static struct thread *dead;                           /* lock: left its stack, not yet freed */
static struct thread *wake_later[WAKE_LATER_MOST];    /* wake-ups that could not be done at once */

struct turns {
    struct cpu *cpu;
    struct thread idle;
    struct timer slice;    /* runs while another thread is ready */
    nanoseconds busy_time; /* lock: of threads other than idle */
};
static struct turns boot_turns;

static bool may_run(const struct thread *thread, const struct cpu *cpu) { return thread->affinity >> cpu->id & 1; }

static void sleep_expired(struct timer *timer)
{
    struct thread *thread = container_of(timer, struct thread, sleep_timer);
    spin_lock(&lock);
    thread->timed_out = true;
    spin_unlock(&lock);
    thread_wake(thread);
}

static void reschedule(struct cpu *cpu)
{
    cpu->reschedule = true;
    if (cpu != this_cpu())
        cpu_interrupt(cpu);
}

static void slice_expired(struct timer *timer) { reschedule(container_of(timer, struct turns, slice)->cpu); }

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

void threads_init(void) { turns_init(&boot_turns, this_cpu()); }

int kernel_prepare_cpu(struct cpu *cpu)
{
    struct turns *turns = heap_allocate_zeroed(sizeof(*turns));
    struct kernel_stack *stack = kernel_stack_allocate();
    if (!turns || !stack)
        return -ENOMEM; /* what there is of them is lost, once */
    turns_init(turns, cpu);
    cpu->kernel_stack = stack->top;
    cpu->resting = true;
    return 0;
}

void kernel_cpu_main(void)
{
    kernel_enter();
    struct cpu *cpu = this_cpu();
    cpu->resting = false;
    cpu->current->switched_in = clock_monotonic();
    idle_loop();
}

static struct thread *thread_allocate(const char *name)
{
    struct thread *thread = heap_allocate_zeroed(sizeof(*thread));
    if (!thread)
        return NULL;
    thread->stack = kernel_stack_allocate();
    if (!thread->stack) {
        heap_free(thread);
        return NULL;
    }
    thread->state = THREAD_PREPARED;
    thread->affinity = UINT64_MAX;
    timer_init(&thread->sleep_timer, sleep_expired);
    string_copy(thread->name, name, sizeof(thread->name));
    return thread;
}

static void enlist(struct thread *thread)
{
    spin_lock(&lock);
    if (thread->fpu_area) {
        thread->id = next_id++;
        user_count++;
    }
    list_push_back(&all, &thread->all_link);
    count++;
    spin_unlock(&lock);
}

struct thread *thread_start_kernel(const char *name, void (*entry)(void *), void *argument)
{
    struct thread *thread = thread_allocate(name);
    if (!thread)
        panic("no memory for the kernel thread %s", name);
    thread->stack_pointer = context_create((void *)thread->stack->top, entry, argument);
    enlist(thread);
    thread_make_ready(thread);
    return thread;
}

static void enter_user(void *registers)
{
    kernel_leave();
    cpu_enter_user(registers);
}

struct thread *thread_create_user(void)
{
    struct thread *thread = thread_allocate("");
    if (!thread)
        return NULL;
    /* The FPU area has a page of its own: it must be aligned to 64 bytes and may be most of a page. */
    struct page *area = page_allocate();
    if (!area) {
        kernel_stack_free(thread->stack);
        heap_free(thread);
        return NULL;
    }
    if (thread_current()->fpu_area)
        thread->affinity = thread_current()->affinity;
    thread->fpu_area = page_data(area);
    fpu_init_area(thread->fpu_area);
    struct registers *registers = thread_registers(thread);
    memset(registers, 0, sizeof(*registers));
    thread->stack_pointer = context_create(registers, enter_user, registers);
    enlist(thread);
    return thread;
}

struct registers *thread_registers(struct thread *thread) { return (struct registers *)thread->stack->top - 1; }

/* Of those that may run here. */
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
    must_hold(&lock);
    nanoseconds used = now - thread->switched_in;
    thread->switched_in = now;
    thread->cpu_time += used;
    if (thread_is_idle(thread))
        return;
    this_cpu()->turns->busy_time += used;
    thread->virtual_time += used;
    const struct thread *first = first_ready();
    nanoseconds least = first ? min_of(first->virtual_time, thread->virtual_time) : thread->virtual_time;
    least_virtual_time = max_of(least_virtual_time, least);
}

static bool is_free(const struct cpu *cpu) { return thread_is_idle(cpu->current) && !cpu->reschedule; }

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
    return !thread_is_idle(current) &&
           current->virtual_time + (now - current->switched_in) > thread->virtual_time + WAKE_LEAD;
}

/* A CPU whose thread is so far ahead of this one that it is this one's turn: this CPU, or any. NULL if none is. */
static struct cpu *find_ahead(const struct thread *thread, nanoseconds now)
{
    struct cpu *here = this_cpu();
    if (may_run(thread, here) && is_ahead(here, thread, now))
        return here;
    for (unsigned i = 0; kernel_is_shared && i < cpus_online; i++)
        if (may_run(thread, cpus[i]) && !cpus[i]->reschedule && is_ahead(cpus[i], thread, now))
            return cpus[i];
    return NULL;
}

static void limit_turn(struct cpu *cpu, nanoseconds now)
{
    if (!thread_is_idle(cpu->current) && !cpu->turns->slice.active)
        timer_start(&cpu->turns->slice, now + TIME_SLICE);
}

/* For a thread that has become ready: the CPU that is to take it, or a limit for those that it waits for. */
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
    must_hold(&lock);
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
    spin_lock(&lock);
    push_ready(thread, 0);
    spin_unlock(&lock);
}

static void thread_free(struct thread *thread)
{
    if (thread->fpu_area)
        page_put(page_of(virt_to_phys(thread->fpu_area)));
    kernel_stack_free(thread->stack);
    heap_free(thread);
}

static void free_dead(void)
{
    spin_lock(&lock);
    struct thread *thread = dead;
    dead = NULL;
    spin_unlock(&lock);
    if (thread)
        thread_free(thread);
}

/* Takes the thread off the list of all. Under the lock. */
static void delist(struct thread *thread)
{
    must_hold(&lock);
    list_remove(&thread->all_link);
    count--;
    if (thread->fpu_area)
        user_count--;
}

void thread_discard(struct thread *thread)
{
    spin_lock(&lock);
    delist(thread);
    spin_unlock(&lock);
    thread_free(thread);
}

void thread_forget_user(struct thread *thread)
{
    spin_lock(&lock);
    thread->user = NULL;
    spin_unlock(&lock);
}

/* The registers stay with their owner until another user thread needs them; with several CPUs they are saved too. */
static void switch_fpu(struct thread *previous, struct thread *next)
{
    struct cpu *cpu = this_cpu();
    bool saved = kernel_is_shared;
    if (saved && cpu->fpu_owner == previous)
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
    must_hold(&lock);
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
    this_cpu()->reschedule = true;
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
    must_hold(&lock);
    wake_postponed();
    struct turns *turns = this_cpu()->turns;
    struct thread *next = first_ready();
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
    must_hold(&lock);
    struct cpu *cpu = this_cpu();
    struct thread *previous = cpu->current;
    assert(cpu->spinlocks == 1);
    profile_point(0, (uintptr_t)__builtin_frame_address(0));
    struct thread *next = pick_next(now);
    cpu->reschedule = false;
    next->state = THREAD_RUNNING;
    if (next == previous) {
        spin_unlock(&lock);
        return;
    }
    next->switched_in = now;
    switch_fpu(previous, next);
    cpu->current = next;
    next->cpu = cpu;
    if (next->fpu_area)
        cpu_switch_to(next->stack->top, next->fs_base);
    spin_unlock(&lock);
    context_switch(&previous->stack_pointer, next->stack_pointer);
    free_dead();
}

void thread_exit(void)
{
    struct thread *self = thread_current();
    struct cpu *cpu = this_cpu();
    timer_stop(&self->sleep_timer);
    free_dead();
    spin_lock(&lock);
    if (cpu->fpu_owner == self)
        cpu->fpu_owner = NULL;
    delist(self);
    self->state = THREAD_DEAD;
    dead = self;
    nanoseconds now = clock_monotonic();
    account(self, now);
    schedule(now);
    panic("a dead thread was scheduled");
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
    spin_lock(&lock);
    wake_postponed();
    struct thread *self = thread_current(), *first = first_ready();
    if (!first && may_run(self, this_cpu())) {
        this_cpu()->reschedule = false;
        spin_unlock(&lock);
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
    assert(cpu->spinlocks == 0);
    /* The boot CPU's own start and the idle loop take interrupts in cpu_wait(). */
    if (thread_is_idle(cpu->current))
        return;
    cpu_take_interrupts();
    profile_point(0, (uintptr_t)__builtin_frame_address(0));
    if (unlikely(cpu->reschedule))
        thread_preempt();
    kernel_give_way();
}

void sleep_prepare(void)
{
    struct thread *self = thread_current();
    spin_lock(&lock);
    self->woken = false;
    spin_unlock(&lock);
}

int sleep_until(nanoseconds deadline, enum sleep_kind kind)
{
    struct thread *self = thread_current();
    may_sleep();
    assert(!spinlocks_held());
    spin_lock(&lock);
    self->timed_out = false;
    bool interruptible = kind == SLEEP_INTERRUPTIBLE;
    if (self->woken || (interruptible && self->interrupted)) {
        bool woken = self->woken;
        spin_unlock(&lock);
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
    if (self->timed_out)
        return -ETIMEDOUT;
    return interruptible && self->interrupted ? -EINTR : 0;
}

void thread_wake(struct thread *thread)
{
    spin_lock(&lock);
    wake_locked(thread);
    spin_unlock(&lock);
}

void thread_interrupt(struct thread *thread)
{
    spin_lock(&lock);
    thread->interrupted = true;
    if (thread->state == THREAD_SLEEPING && thread->interruptible)
        push_ready(thread, SLEEP_CREDIT);
    else if (thread->state == THREAD_RUNNING && thread->cpu != this_cpu())
        cpu_interrupt(thread->cpu);
    spin_unlock(&lock);
}

nanoseconds thread_cpu_time(const struct thread *thread)
{
    nanoseconds time = thread->cpu_time;
    if (thread->state == THREAD_RUNNING)
        time += clock_monotonic() - thread->switched_in;
    return time;
}

nanoseconds cpu_busy_time_of(const struct cpu *cpu)
{
    const struct thread *current = cpu->current;
    nanoseconds running = thread_is_idle(current) ? 0 : clock_monotonic() - current->switched_in;
    return cpu->turns->busy_time + running;
}

nanoseconds cpu_busy_time(void)
{
    nanoseconds time = 0;
    for (unsigned i = 0; i < cpus_online; i++)
        time += cpu_busy_time_of(cpus[i]);
    return time;
}

void idle_loop(void)
{
    for (;;) {
        thread_yield();
        cpu_wait();
    }
}

void threads_for_each(void (*visit)(struct thread *, void *), void *context)
{
    spin_lock(&lock);
    list_for_each (node, &all)
        visit(list_entry(node, struct thread, all_link), context);
    spin_unlock(&lock);
}

bool thread_find(uint32_t id, void (*visit)(struct thread *, void *), void *context)
{
    bool found = false;
    spin_lock(&lock);
    list_for_each (node, &all) {
        struct thread *thread = list_entry(node, struct thread, all_link);
        found = thread->user && thread->id == id;
        if (!found)
            continue;
        if (visit)
            visit(thread, context);
        break;
    }
    spin_unlock(&lock);
    return found;
}

static void keep_time(struct thread *thread, void *time) { *(nanoseconds *)time = thread_cpu_time(thread); }

bool thread_find_cpu_time(uint32_t id, nanoseconds *time) { return thread_find(id, keep_time, time); }

unsigned threads_count(void) { return count; }
unsigned threads_user_count(void) { return user_count; }
unsigned threads_limit(void) { return (unsigned)max_of(pages_total_count() / 32, (uint64_t)THREADS_LEAST); }

static void keep_affinity(struct thread *thread, void *to) { *(uint64_t *)to = thread->affinity & cpus_online_mask(); }

uint64_t thread_affinity(uint32_t id)
{
    uint64_t affinity = 0;
    (void)thread_find(id, keep_affinity, &affinity);
    return affinity;
}

static void change_affinity(struct thread *thread, void *affinity)
{
    thread->affinity = *(const uint64_t *)affinity;
    if (thread->state == THREAD_RUNNING && !may_run(thread, thread->cpu))
        reschedule(thread->cpu);
    else if (thread->state == THREAD_READY)
        find_turn(thread, clock_monotonic());
}

bool thread_set_affinity(uint32_t id, uint64_t affinity) { return thread_find(id, change_affinity, &affinity); }

void threads_begin_end(void)
{
    static bool called;
    bool first = !called;
    called = true;
    while (!first) {
        sleep_prepare();
        (void)sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
}

static void keep_off_cpus(struct thread *thread, void *caller)
{
    uint64_t nowhere = 0;
    if (thread->user && thread != caller)
        change_affinity(thread, &nowhere);
}

void threads_stop_others(void) { threads_for_each(keep_off_cpus, thread_current()); }

void threads_keep_boot_cpu(void)
{
    if (!kernel_is_shared)
        return;
    thread_current()->affinity = 1;
    while (this_cpu() != cpus[0])
        thread_yield();
    cpus_stop();
    timers_keep_here();
}
