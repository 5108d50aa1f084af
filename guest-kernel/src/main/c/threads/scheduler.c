/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler (thread.h has the policy). Each CPU has a run queue, `ready` in its struct turns, of threads that are
 * THREAD_READY and may run there; the one that runs is not in it, and idle ones never are. schedule() is the only place
 * where a CPU changes threads: it is entered with the lock of its CPU's queue and no other spinlock, and returns
 * without. The lock is kept until the stack has changed, and given back by the thread that goes on, in
 * kernel_thread_switched(): until then no other CPU can have the thread that stops run, or free its stack.
 * With one CPU FPU registers stay with their owner until another thread of the program needs them; with several they
 * are saved when their owner stops, since it may go on elsewhere.
 *
 * A thread belongs to one queue, that of `cpu`, whether it is in it or not: that queue's lock guards the thread
 * (run_queue_lock_of()). No two of these locks are held at once. A thread changes queues in two steps. Who has the lock
 * of the old one takes the thread out, marks it THREAD_MOVING, names the new CPU and gives the lock back; then it takes
 * the new lock and puts the thread in. Meanwhile others only note what is to happen to the thread, which will be ready
 * when it has arrived. A thread that runs and has to leave its CPU is moved by the thread that goes on after it.
 *
 * A CPU without work is in `idle_cpus`. It gets there before it looks for threads of other queues to take, and who has
 * put a thread into a queue looks there afterwards, so that no CPU sleeps beside a thread that waits and may run there.
 * Whoever takes a CPU out has it look at the queues again.
 *
 * Nothing here needs the kernel lock. A thread that stops gives it back and has it again when it goes on; what is
 * handed from one thread to the next on a CPU is not given back between. A thread that goes on without it may do so
 * while a timer's callback for an earlier sleep is still on its way on another CPU, which it must not take for the end
 * of the next one (sleep_expired()).
 *
 * A wake-up between sleep_prepare() and sleep_until() is not lost, since `woken` keeps it.
 *
 * The spinlocks "run_queue" guard what is marked so, here and in thread.h; `wake_later` is set in any context. Entered
 * by code that sleeps, wakes or gives way, on the way to user mode (linux/syscalls.c), and by timers in interrupt
 * context.
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

#define STEAL_LOOKS 32 /* threads of one queue that a CPU without work looks at, first to last */

struct turns {
    struct spinlock lock;
    struct cpu *cpu;
    struct thread idle;
    struct tree ready;              /* lock: of the threads that wait for this CPU; least virtual time first */
    unsigned waiting;               /* lock, and atomic for others, who guess by it: how many these are */
    bool busy;                      /* the same: the CPU runs another thread than the idle one */
    nanoseconds least_virtual_time; /* lock: of the threads that were ready here; only grows */
    struct timer slice;             /* runs while another thread is ready */
    bool slice_over;                /* lock: the current thread has had its slice */
    bool handed_over;     /* lock: the thread that waits is for when the current one sleeps, so until `slice` */
    struct thread *left;  /* lock: has just stopped for good, or has to leave this CPU; on its stack still */
    struct cpu *left_for; /* lock: where it is to go on; NULL: wherever it may */
    uint64_t disturbed;   /* its own: the CPUs to be interrupted when this CPU has given the lock back */
};
static struct turns boot_turns;
static uint64_t idle_cpus;                    /* atomic, by id: the CPUs without work, with several */
static struct thread *later[WAKE_LATER_MOST]; /* atomic: whom thread_wake_later() is for, each at its own place */
static unsigned wake_later;                   /* atomic, by place: wake-ups that could not be done at once */

static bool runs_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct thread, run_node)->virtual_time < tree_entry(b, struct thread, run_node)->virtual_time;
}

static struct turns *own_turns(void) { return this_cpu()->turns; }

static bool may_run(const struct thread *thread, const struct cpu *cpu) { return thread->affinity >> cpu->id & 1; }

static struct cpu *cpu_of(const struct thread *thread) { return __atomic_load_n(&thread->cpu, __ATOMIC_ACQUIRE); }

struct spinlock *run_queue_lock(const struct cpu *cpu) { return &cpu->turns->lock; }

/* Of the queue that the thread belongs to, which it does not leave then. */
static struct turns *lock_turns_of(const struct thread *thread)
{
    for (;;) {
        struct turns *turns = cpu_of(thread)->turns;
        spin_lock(&turns->lock);
        if (likely(cpu_of(thread) == turns->cpu))
            return turns;
        spin_unlock(&turns->lock);
    }
}

struct spinlock *run_queue_lock_of(const struct thread *thread) { return &lock_turns_of(thread)->lock; }

static struct turns *lock_own_turns(void)
{
    struct turns *turns = own_turns();
    spin_lock(&turns->lock);
    return turns;
}

/* ---- Having CPUs look ---- */

static void disturb(const struct cpu *cpu)
{
    if (cpu != this_cpu())
        own_turns()->disturbed |= 1UL << cpu->id;
}

static void reschedule(struct cpu *cpu)
{
    must_hold(&cpu->turns->lock);
    write_once(cpu->reschedule, true);
    disturb(cpu);
}

/* Gives the lock back and interrupts the CPUs that are to look at what has changed: a hypervisor may take long over an
 * interrupt, so it comes after the lock. */
static void unlock(struct turns *turns)
{
    struct turns *mine = own_turns();
    uint64_t disturbed = mine->disturbed;
    mine->disturbed = 0;
    spin_unlock(&turns->lock);
    for (; unlikely(disturbed != 0); disturbed &= disturbed - 1)
        cpu_interrupt(cpus[__builtin_ctzl(disturbed)]);
}

/* There may be one more at any moment, in which case all of that one is visible. */
static unsigned cpus_now(void) { return __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE); }

static uint64_t bit_of(const struct cpu *cpu) { return 1UL << cpu->id; }

/* Takes a CPU of `allowed` out of those without work: this one, which need not be interrupted, the preferred one, or
 * any. NULL if there is none. */
static struct cpu *claim_idle(uint64_t allowed, const struct cpu *preferred)
{
    uint64_t left = allowed;
    while ((left &= __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST)) != 0) {
        uint64_t bit = left & bit_of(this_cpu());
        bit = bit ? bit : left & bit_of(preferred);
        bit = bit ? bit : left & -left;
        if (__atomic_fetch_and(&idle_cpus, ~bit, __ATOMIC_SEQ_CST) & bit)
            return cpus[__builtin_ctzl(bit)];
        left &= ~bit;
    }
    return NULL;
}

/* A thread waits in a queue: a CPU without work, on which it may run, looks for threads to take. */
static void offer(const struct thread *thread)
{
    struct cpu *idle = kernel_is_shared ? claim_idle(thread->affinity, cpu_of(thread)) : NULL;
    if (unlikely(idle))
        disturb(idle);
}

static struct thread *first_ready(const struct turns *turns)
{
    struct tree_node *first = tree_first(&turns->ready);
    return first ? tree_entry(first, struct thread, run_node) : NULL;
}

static void find_turn(struct turns *turns, const struct thread *thread, bool handed_over, nanoseconds now);

/* What was left to the thread that runs here, which has not slept, is done as for any thread from now on. */
static void slice_expired(struct timer *timer)
{
    struct turns *turns = container_of(timer, struct turns, slice);
    spin_lock(&turns->lock);
    const struct thread *first = first_ready(turns);
    if (turns->handed_over && first) {
        turns->handed_over = false;
        find_turn(turns, first, false, clock_monotonic());
    } else {
        turns->slice_over = true;
        reschedule(turns->cpu);
    }
    unlock(turns);
}

static void wake_locked(struct turns *turns, struct thread *thread, bool by_thread);

/* ---- Start ---- */

static void sleep_expired(struct timer *timer)
{
    struct thread *thread = container_of(timer, struct thread, sleep_timer);
    struct turns *turns = lock_turns_of(thread);
    if (thread->sleeps_until > clock_monotonic()) {
        unlock(turns);
        return;
    }
    write_once(thread->timed_out, true);
    wake_locked(turns, thread, false);
}

static void turns_init(struct turns *turns, struct cpu *cpu)
{
    struct thread *idle = &turns->idle;
    spinlock_init(&turns->lock, LOCK_RUN_QUEUE);
    tree_init(&turns->ready, runs_before);
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
    thread->cpu = this_cpu();
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
    struct turns *turns = lock_own_turns();
    cpu->current->switched_in = clock_monotonic();
    unlock(turns);
    idle_loop();
}

/* ---- Virtual time ---- */

/* What the current thread's is, with what it has run since the switch; NO_DEADLINE: that is the idle thread. */
static nanoseconds current_virtual_time(const struct turns *turns, nanoseconds now)
{
    const struct thread *current = turns->cpu->current;
    must_hold(&turns->lock);
    return thread_is_idle(current) ? NO_DEADLINE : current->virtual_time + cpu_time_running(turns->cpu, now);
}

static void update_least(struct turns *turns, nanoseconds current)
{
    const struct thread *first = first_ready(turns);
    nanoseconds least = first ? min_of(first->virtual_time, current) : current;
    if (least != NO_DEADLINE)
        turns->least_virtual_time = max_of(turns->least_virtual_time, least);
}

/* Adds what the thread that runs here has used since the last call. */
static void account(struct turns *turns, struct thread *thread, nanoseconds now)
{
    must_hold(&turns->lock);
    assert(thread == thread_current());
    nanoseconds used = cpu_time_account(now);
    if (thread_is_idle(thread))
        return;
    thread->virtual_time += used;
    update_least(turns, thread->virtual_time);
}

/* By how much the thread is ahead of those of the queue that it belongs to. */
static int64_t lead_of(struct turns *turns, const struct thread *thread, nanoseconds now)
{
    update_least(turns, current_virtual_time(turns, now));
    return (int64_t)(thread->virtual_time - turns->least_virtual_time);
}

/* ---- Queues ---- */

/* Others guess by it, but for one thing: it is written before idle_cpus is read. */
static void set_waiting(struct turns *turns, unsigned waiting)
{
    must_hold(&turns->lock);
    if (unlikely(kernel_is_shared))
        __atomic_store_n(&turns->waiting, waiting, __ATOMIC_SEQ_CST);
    else
        turns->waiting = waiting;
}

static unsigned waiting_of(const struct cpu *cpu) { return __atomic_load_n(&cpu->turns->waiting, __ATOMIC_SEQ_CST); }

bool cpu_is_busy(const struct cpu *cpu) { return read_once(cpu->turns->busy); }

/* Threads that run or wait there. */
static unsigned load_of(const struct cpu *cpu) { return waiting_of(cpu) + cpu_is_busy(cpu); }

static void insert(struct turns *turns, struct thread *thread)
{
    thread->state = THREAD_READY;
    tree_insert(&turns->ready, &thread->run_node);
    set_waiting(turns, turns->waiting + 1);
}

static void take_out(struct turns *turns, struct thread *thread)
{
    tree_remove(&turns->ready, &thread->run_node);
    set_waiting(turns, turns->waiting - 1);
}

/* The CPU of `allowed` with the least load, the first of them after `cpu`; NULL if there is none. */
static struct cpu *least_loaded(uint64_t allowed, const struct cpu *cpu)
{
    struct cpu *least = NULL;
    unsigned load = 0;
    for (unsigned i = 1, online = cpus_now(); i <= online; i++) {
        struct cpu *other = cpus[(cpu->id + i) % online];
        if (!(allowed & bit_of(other)))
            continue;
        unsigned its = load_of(other);
        if (!least || its < load) {
            least = other;
            load = its;
        }
    }
    return least;
}

/* Where the thread is to wait for its turn; NULL: it may run nowhere. A CPU without work is claimed. */
static struct cpu *place(const struct thread *thread, bool handed_over)
{
    struct cpu *here = this_cpu();
    if (likely(!kernel_is_shared))
        return may_run(thread, here) ? here : NULL;
    uint64_t allowed = thread->affinity & (UINT64_MAX >> (CPUS_MAX - cpus_now()));
    if (handed_over && may_run(thread, here) && waiting_of(here) == 0)
        return here;
    struct cpu *last = cpu_of(thread), *idle = claim_idle(allowed, last);
    if (idle)
        return idle;
    struct cpu *least = least_loaded(allowed, last);
    bool stays = least && may_run(thread, last) && load_of(last) <= load_of(least) + 1;
    return stays ? last : least;
}

/* Has the CPU take the thread that has come into its queue, or limits the turn of the one that it waits for. */
static void find_turn(struct turns *turns, const struct thread *thread, bool handed_over, nanoseconds now)
{
    nanoseconds current = current_virtual_time(turns, now);
    if (current == NO_DEADLINE) {
        reschedule(turns->cpu);
        if (turns->waiting > 1)
            offer(thread);
        return;
    }
    if (handed_over) {
        turns->handed_over = true;
        timer_start(&turns->slice, now + HAND_OVER);
        return;
    }
    if (current > thread->virtual_time + WAKE_LEAD)
        reschedule(turns->cpu);
    else if (!timer_is_active(&turns->slice))
        timer_start(&turns->slice, now + TIME_SLICE);
    offer(thread);
}

/* The thread, which is `lead` ahead of others, waits here, with `credit` for having slept. */
static void enqueue(struct turns *turns, struct thread *thread, int64_t lead, nanoseconds credit, nanoseconds now)
{
    update_least(turns, current_virtual_time(turns, now));
    int64_t time = (int64_t)turns->least_virtual_time + max_of(lead, -(int64_t)credit);
    thread->virtual_time = time > 0 ? (nanoseconds)time : 0;
    insert(turns, thread);
}

/* The thread, which is in no queue, belongs to another one from now on; it is put there by enqueue_moved(). Gives the
 * lock back. */
static void move_to(struct turns *turns, struct thread *thread, struct cpu *cpu)
{
    must_hold(&turns->lock);
    thread->state = THREAD_MOVING;
    __atomic_store_n(&thread->cpu, cpu, __ATOMIC_RELEASE);
    unlock(turns);
}

/* The second half. It may not run there any more if its affinity was changed meanwhile. */
static void enqueue_moved(struct thread *thread, int64_t lead, nanoseconds credit, bool handed_over)
{
    for (;;) {
        struct turns *turns = cpu_of(thread)->turns;
        spin_lock(&turns->lock);
        struct cpu *cpu = likely(may_run(thread, turns->cpu)) ? turns->cpu : place(thread, false);
        if (likely(cpu == turns->cpu)) {
            nanoseconds now = clock_monotonic();
            enqueue(turns, thread, lead, credit, now);
            find_turn(turns, thread, handed_over && cpu == this_cpu(), now);
            unlock(turns);
            return;
        }
        reschedule(turns->cpu); /* which may have been claimed for the thread */
        if (!cpu) {
            thread->state = THREAD_PREPARED; /* for good: it is kept off all CPUs when the program ends */
            unlock(turns);
            return;
        }
        move_to(turns, thread, cpu);
    }
}

/* A thread that is in no queue and on no CPU. Gives the lock back. */
static void make_ready(struct turns *turns, struct thread *thread, nanoseconds credit, bool handed_over)
{
    must_hold(&turns->lock);
    nanoseconds now = clock_monotonic();
    int64_t lead = lead_of(turns, thread, now);
    struct cpu *cpu = place(thread, handed_over);
    if (likely(cpu == turns->cpu)) {
        enqueue(turns, thread, lead, credit, now);
        find_turn(turns, thread, handed_over && cpu == this_cpu(), now);
        unlock(turns);
    } else if (cpu) {
        move_to(turns, thread, cpu);
        enqueue_moved(thread, lead, credit, handed_over);
    } else {
        thread->state = THREAD_PREPARED;
        unlock(turns);
    }
}

void thread_make_ready(struct thread *thread) { make_ready(lock_turns_of(thread), thread, 0, false); }

/* The CPU with most threads that wait, of those in `among`; NULL: none waits. */
static struct cpu *longest_queue(uint64_t among)
{
    struct cpu *longest = NULL;
    unsigned most = 0;
    for (unsigned i = 0, online = cpus_now(); i < online; i++) {
        unsigned waiting = among & bit_of(cpus[i]) ? waiting_of(cpus[i]) : 0;
        if (waiting > most) {
            longest = cpus[i];
            most = waiting;
        }
    }
    return longest;
}

/* The first thread there that may run here: it belongs here then. NULL if there is none. */
static struct thread *take_from(struct turns *turns, int64_t *lead)
{
    struct cpu *here = this_cpu();
    spin_lock(&turns->lock);
    struct tree_node *node = tree_first(&turns->ready);
    for (unsigned looks = 0; node && looks < STEAL_LOOKS; looks++, node = tree_next(node)) {
        struct thread *thread = tree_entry(node, struct thread, run_node);
        if (!may_run(thread, here))
            continue;
        take_out(turns, thread);
        *lead = lead_of(turns, thread, clock_monotonic());
        move_to(turns, thread, here);
        return thread;
    }
    unlock(turns);
    return NULL;
}

/* For the idle thread: it is without work, and takes a thread that waits for another CPU. */
static void steal(const struct turns *mine)
{
    uint64_t among = ~bit_of(mine->cpu);
    __atomic_fetch_or(&idle_cpus, bit_of(mine->cpu), __ATOMIC_SEQ_CST);
    if (waiting_of(mine->cpu) != 0)
        return;
    for (struct cpu *cpu; (cpu = longest_queue(among)); among &= ~bit_of(cpu)) {
        int64_t lead;
        struct thread *thread = take_from(cpu->turns, &lead);
        if (!thread)
            continue;
        enqueue_moved(thread, lead, INT64_MAX, false);
        return;
    }
}

/* ---- Changing threads ---- */

/* The registers stay with their owner until another user thread needs them; with several CPUs, and when one of them is
 * left, they are saved too. Then the owner may have gone on elsewhere, and ended there. */
static void switch_fpu(struct thread *previous, struct thread *next)
{
    struct cpu *cpu = this_cpu();
    bool saved = kernel_is_locked;
    if (saved && cpu->fpu_owner == previous && previous->fpu_area)
        fpu_save(previous->fpu_area);
    if (!next->fpu_area || (cpu->fpu_owner == next && next->ran_on == cpu))
        return;
    if (!saved && cpu->fpu_owner)
        fpu_save(cpu->fpu_owner->fpu_area);
    fpu_restore(next->fpu_area);
    cpu->fpu_owner = next;
}

/* The thread that runs here wakes another one. Does it mostly sleep soon after that? What a handler wakes that has
 * interrupted it says nothing about the thread. */
static bool hands_over(struct thread *waker)
{
    if (likely(!kernel_is_shared) || thread_is_idle(waker) || this_cpu()->interrupts != 0)
        return false;
    nanoseconds now = clock_monotonic();
    if (waker->wakes_at != 0 && now - waker->wakes_at > HAND_OVER)
        waker->hands_over = false;
    waker->wakes_at = now;
    return waker->hands_over;
}

static void sleeps_after_wake(struct thread *self, nanoseconds now)
{
    if (self->wakes_at == 0)
        return;
    self->hands_over = now - self->wakes_at <= HAND_OVER;
    self->wakes_at = 0;
}

/* Gives the lock back. */
static void wake_locked(struct turns *turns, struct thread *thread, bool by_thread)
{
    must_hold(&turns->lock);
    thread->woken = true;
    if (thread->state == THREAD_SLEEPING)
        make_ready(turns, thread, SLEEP_CREDIT, by_thread && hands_over(thread_current()));
    else
        unlock(turns);
}

/* A thread keeps its place, so that no wake-up of one is taken for that of another. */
void thread_wake_later(struct thread *thread)
{
    for (unsigned i = 0; i < WAKE_LATER_MOST; i++) {
        struct thread *found = NULL;
        if (!__atomic_compare_exchange_n(&later[i], &found, thread, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
            found != thread)
            continue;
        __atomic_fetch_or(&wake_later, 1U << i, __ATOMIC_SEQ_CST);
        break;
    }
    write_once(this_cpu()->reschedule, true);
}

/* With no spinlock held. Another CPU may take the same ones at this moment. */
static void wake_postponed(void)
{
    if (likely(read_once(wake_later) == 0))
        return;
    unsigned due = __atomic_exchange_n(&wake_later, 0, __ATOMIC_SEQ_CST);
    for (; due != 0; due &= due - 1)
        thread_wake(__atomic_load_n(&later[__builtin_ctz(due)], __ATOMIC_SEQ_CST));
}

/* But for wake-ups that have come since wake_postponed(). */
static void turn_was_taken(struct cpu *cpu) { write_once(cpu->reschedule, unlikely(read_once(wake_later) != 0)); }

/* Takes the next thread off the run queue, or gives idle; its slice begins. */
static struct thread *pick_next(struct turns *turns, nanoseconds now)
{
    must_hold(&turns->lock);
    struct thread *next = first_ready(turns);
    turns->slice_over = turns->handed_over = false;
    if (timer_is_active(&turns->slice))
        timer_stop(&turns->slice);
    if (!next)
        return &turns->idle;
    take_out(turns, next);
    if (tree_first(&turns->ready))
        timer_start(&turns->slice, now + TIME_SLICE);
    return next;
}

/* The idle thread looks for threads to take before it has the CPU sleep. */
static void set_busy(struct turns *turns, bool busy)
{
    must_hold(&turns->lock);
    if (unlikely(kernel_is_shared) && busy != turns->busy) {
        if (busy)
            __atomic_fetch_and(&idle_cpus, ~bit_of(turns->cpu), __ATOMIC_SEQ_CST);
        else
            write_once(turns->cpu->reschedule, true);
    }
    write_once(turns->busy, busy);
}

/* Runs the next ready thread, or idle. Called with the lock held, the current thread's state set and its
 * time accounted up to `now`; returns, without the lock, when it runs again. */
static void schedule(struct turns *turns, nanoseconds now)
{
    struct cpu *cpu = turns->cpu;
    struct thread *previous = cpu->current;
    must_hold_only(&turns->lock);
    profile_point(0, (uintptr_t)__builtin_frame_address(0));
    struct thread *next = pick_next(turns, now);
    turn_was_taken(cpu);
    next->state = THREAD_RUNNING;
    if (next == previous) {
        unlock(turns);
        return;
    }
    set_busy(turns, !thread_is_idle(next));
    if (previous->state == THREAD_SLEEPING)
        previous->sleeps++;
    else
        previous->preemptions++;
    next->switched_in = now;
    switch_fpu(previous, next);
    cpu->current = next;
    next->ran_on = cpu;
    if (next->fpu_area)
        cpu_switch_to(next->stack->top, next->fs_base);
    previous->has_kernel = kernel_is_held();
    if (kernel_is_shared)
        cpu_catch_up();
    context_switch(&previous->stack_pointer, next->stack_pointer);
    kernel_thread_switched();
}

/* The thread, which has stopped here and is off its stack, goes on where it may. Gives the lock back. */
static void send_away(struct turns *turns, struct thread *thread, struct cpu *to)
{
    int64_t lead = lead_of(turns, thread, clock_monotonic());
    if (to && may_run(thread, to)) {
        move_to(turns, thread, to);
        enqueue_moved(thread, lead, INT64_MAX, false);
    } else {
        make_ready(turns, thread, INT64_MAX, false);
    }
}

void kernel_thread_switched(void)
{
    struct turns *turns = own_turns();
    must_hold_only(&turns->lock);
    struct thread *left = turns->left;
    turns->left = NULL;
    if (likely(!left)) {
        unlock(turns);
    } else if (left->state == THREAD_DEAD) {
        unlock(turns);
        thread_free(left); /* it ended with the kernel lock, which this CPU still has */
    } else {
        send_away(turns, left, turns->left_for);
    }
    kernel_change_threads(thread_current()->has_kernel);
}

void scheduler_leave(void)
{
    struct turns *turns = lock_own_turns();
    struct thread *self = thread_current();
    if (turns->cpu->fpu_owner == self)
        turns->cpu->fpu_owner = NULL;
    self->state = THREAD_DEAD;
    turns->left = self;
    nanoseconds now = clock_monotonic();
    account(turns, self, now);
    schedule(turns, now);
    panic("a dead thread was scheduled");
}

void scheduler_set_affinity(struct thread *thread, uint64_t affinity)
{
    struct turns *turns = lock_turns_of(thread);
    thread->affinity = affinity;
    bool stays = may_run(thread, turns->cpu);
    if (thread->state == THREAD_RUNNING && !stays)
        reschedule(turns->cpu);
    if (thread->state != THREAD_READY) {
        unlock(turns);
    } else if (stays) {
        offer(thread);
        unlock(turns);
    } else {
        take_out(turns, thread);
        make_ready(turns, thread, INT64_MAX, false);
    }
}

void thread_usage(const struct thread *thread, struct thread_usage *out)
{
    struct turns *turns = lock_turns_of(thread);
    enum thread_state state = thread->state;
    *out = (struct thread_usage){ .wants_cpu = state == THREAD_RUNNING || state == THREAD_READY ||
                                               state == THREAD_MOVING,
                                  .cpu_time = cpu_time_of(thread),
                                  .sleeps = thread->sleeps,
                                  .preemptions = thread->preemptions,
                                  .affinity = thread->affinity & cpus_online_mask() };
    unlock(turns);
}

uint64_t scheduler_affinity(const struct thread *thread)
{
    struct turns *turns = lock_turns_of(thread);
    uint64_t affinity = thread->affinity;
    unlock(turns);
    return affinity;
}

void scheduler_adopt(void)
{
    for (unsigned i = 0, online = cpus_now(); i < online; i++) {
        int64_t lead;
        struct thread *thread;
        while (cpus[i] != this_cpu() && (thread = take_from(cpus[i]->turns, &lead)))
            enqueue_moved(thread, lead, INT64_MAX, false);
    }
}

/* Where fewer threads run and wait than here, with the current one, which has had its slice; NULL: nowhere. So threads
 * that are more than the CPUs have their turns on all of them. */
static struct cpu *emptier(const struct turns *turns, const struct thread *self)
{
    struct cpu *cpu = least_loaded(self->affinity & ~bit_of(turns->cpu), turns->cpu);
    return cpu && load_of(cpu) < load_of(turns->cpu) ? cpu : NULL;
}

/* The current thread is ready, here or where it is sent. */
static void stop_current(struct turns *turns, struct thread *self, bool behind_first)
{
    struct thread *first = first_ready(turns);
    bool stays = may_run(self, turns->cpu);
    if (behind_first && first)
        self->virtual_time = max_of(self->virtual_time, first->virtual_time);
    bool waits = first && first->virtual_time <= self->virtual_time;
    struct cpu *other = NULL;
    if (unlikely(kernel_is_shared) && stays && waits && turns->slice_over)
        other = emptier(turns, self);
    if (likely(stays && !other)) {
        insert(turns, self);
        if (first)
            offer(waits ? self : first);
        return;
    }
    self->state = THREAD_MOVING;
    turns->left = self;
    turns->left_for = other;
}

/* The current thread stays ready; `behind_first`: after at least one other. Takes the lock. */
static void pass_on(bool behind_first)
{
    wake_postponed();
    struct thread *self = thread_current();
    bool idle = thread_is_idle(self);
    if (unlikely(kernel_is_shared) && idle)
        steal(own_turns());
    struct turns *turns = lock_own_turns();
    if (!first_ready(turns) && may_run(self, turns->cpu)) {
        turns->slice_over = false;
        turn_was_taken(turns->cpu);
        unlock(turns);
        return;
    }
    nanoseconds now = clock_monotonic();
    account(turns, self, now);
    self->state = THREAD_READY;
    if (!idle)
        stop_current(turns, self, behind_first);
    schedule(turns, now);
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
    struct turns *turns = lock_own_turns();
    self->woken = false;
    unlock(turns);
}

int sleep_until(nanoseconds deadline, enum sleep_kind kind)
{
    struct thread *self = thread_current();
    may_sleep();
    wake_postponed();
    struct turns *turns = lock_own_turns();
    write_once(self->timed_out, false);
    self->sleeps_until = deadline;
    bool interruptible = kind == SLEEP_INTERRUPTIBLE;
    if (self->woken || (interruptible && self->interrupted)) {
        bool woken = self->woken;
        unlock(turns);
        return woken ? 0 : -EINTR;
    }
    self->state = THREAD_SLEEPING;
    self->interruptible = interruptible;
    if (deadline != NO_DEADLINE)
        timer_start(&self->sleep_timer, deadline);
    nanoseconds now = clock_monotonic();
    account(turns, self, now);
    sleeps_after_wake(self, now);
    schedule(turns, now);
    if (deadline != NO_DEADLINE)
        timer_stop(&self->sleep_timer);
    if (read_once(self->timed_out))
        return -ETIMEDOUT;
    return interruptible && read_once(self->interrupted) ? -EINTR : 0;
}

void thread_wake(struct thread *thread) { wake_locked(lock_turns_of(thread), thread, true); }

void thread_interrupt(struct thread *thread)
{
    struct turns *turns = lock_turns_of(thread);
    write_once(thread->interrupted, true);
    if (thread->state == THREAD_SLEEPING && thread->interruptible) {
        make_ready(turns, thread, SLEEP_CREDIT, false);
        return;
    }
    if (thread->state == THREAD_RUNNING)
        disturb(turns->cpu);
    unlock(turns);
}

void idle_loop(void)
{
    kernel_leave();
    for (;;) {
        do
            thread_yield();
        while (read_once(this_cpu()->reschedule));
        cpu_wait();
    }
}
