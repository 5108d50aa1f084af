/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduler, wait queues, mutexes, timers, futexes and the kernel lock on several CPUs at once: each CPU is a thread of
 * the host, and ThreadSanitizer watches what they do to each other's memory. The kernel's threads are its fibers, with
 * stacks and contexts of the host, so they move between CPUs as in a guest. Interrupts come in cpu_wait() and
 * cpu_take_interrupts(). The memory of a stack that was freed is overwritten at once.
 *
 * A test ends when all of its threads have; one in which nothing moves on for PATIENCE fails. Run by make test-smp.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sanitizer/tsan_interface.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/debug.h"
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/lock_statistics.h"
#include "core/log.h"
#include "core/pages.h"
#include "linux/futex.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "platform/x86/context.h"
#include "threads/cpu_time.h"
#include "threads/profile.h"
#include "threads/scheduler.h"
#include "threads/stack.h"
#include "threads/wait.h"

#define CPUS 4
#define STACK (256UL << 10) /* ThreadSanitizer needs more than a kernel's */
#define PATIENCE 60         /* seconds in which something must have moved on */
#define STACKS_MOST 512

/* The threads here are the kernel's own, which are not counted. */
#define threads_user_count() 100u
static void wake_waiting(struct thread *thread);
#define thread_wake wake_waiting
#include "linux/sys_futex.c"
#undef thread_wake

/* ---- CPUs ---------------------------------------------------------------------------------------------------- */

static struct cpu all_cpus[CPUS];
struct cpu *cpus[CPUS_MAX];
unsigned cpus_online = 1;
static sem_t interrupts[CPUS], rouses[CPUS];
static void stop_if_asked(void);
static nanoseconds deadlines[CPUS]; /* its own CPU's */
static uint64_t progress;           /* atomic */

nanoseconds clock_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (nanoseconds)now.tv_sec * NS_PER_SECOND + (nanoseconds)now.tv_nsec;
}
nanoseconds clock_wall(void) { return clock_monotonic(); }
void clock_set_deadline(nanoseconds deadline) { deadlines[this_cpu()->id] = deadline; }

static void take_timer(void)
{
    nanoseconds *deadline = &deadlines[this_cpu()->id];
    if (*deadline > clock_monotonic())
        return;
    *deadline = NO_DEADLINE;
    bool entered = kernel_enter_again();
    interrupt_begin();
    kernel_timer();
    interrupt_end();
    if (entered)
        kernel_leave();
}

void cpu_take_interrupts(void)
{
    may_sleep();
    take_timer();
}

/* No time limit ends it, so a CPU does not see what it is not interrupted for. */
void cpu_wait(void)
{
    struct cpu *cpu = this_cpu();
    nanoseconds deadline = min_of(deadlines[cpu->id], clock_monotonic() + 10 * PATIENCE * NS_PER_SECOND);
    bool held = kernel_is_held();
    may_sleep();
    __atomic_store_n(&cpu->resting, true, __ATOMIC_SEQ_CST);
    if (held)
        kernel_leave();
    struct timespec until = { (time_t)(deadline / NS_PER_SECOND), (long)(deadline % NS_PER_SECOND) };
    (void)sem_clockwait(&interrupts[cpu->id], CLOCK_MONOTONIC, &until);
    stop_if_asked();
    if (held)
        kernel_enter();
    __atomic_store_n(&cpu->resting, false, __ATOMIC_SEQ_CST);
    take_timer();
}

static unsigned interrupts_sent; /* atomic */

void cpu_interrupt(const struct cpu *cpu)
{
    __atomic_fetch_add(&interrupts_sent, 1, __ATOMIC_RELAXED);
    sem_post(&interrupts[cpu->id]);
}

static uint64_t stack_changes;   /* atomic: stacks that were freed: their addresses get other memory */
static uint64_t caught_up[CPUS]; /* its own CPU's: with so many of them */

void cpu_catch_up(void) { caught_up[this_cpu()->id] = __atomic_load_n(&stack_changes, __ATOMIC_ACQUIRE); }

static bool stopping;    /* atomic: the CPUs other than the boot CPU are to stop */
static unsigned stopped; /* atomic: how many have */

static void stop_if_asked(void)
{
    if (likely(!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST)) || this_cpu() == cpus[0])
        return;
    __atomic_fetch_add(&stopped, 1, __ATOMIC_SEQ_CST);
    for (;;)
        pause();
}

void cpu_answer(void)
{
    stop_if_asked();
    cpu_catch_up();
}

void cpu_halt(void)
{
    (void)sem_wait(&rouses[this_cpu()->id]);
    stop_if_asked();
}

void cpu_rouse(const struct cpu *cpu) { sem_post(&rouses[cpu->id]); }
static uint64_t yields; /* atomic */
void cpu_yield(void) { __atomic_fetch_add(&yields, 1, __ATOMIC_RELAXED); }

void cpus_stop(void)
{
    kernel_lock_end();
    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 1; i < CPUS; i++) {
        sem_post(&interrupts[i]);
        sem_post(&rouses[i]);
    }
    while (__atomic_load_n(&stopped, __ATOMIC_SEQ_CST) < CPUS - 1)
        sched_yield();
}

void cpu_switch_to(uint64_t stack_top, uint64_t fs_base) { (void)stack_top, (void)fs_base; }
nanoseconds cpu_stolen_time(const struct cpu *cpu) { return (void)cpu, 0; }
void cycles_init(void) {}
nanoseconds cycles_duration(uint64_t cycles) { return cycles; }

/* ---- Contexts: a fiber of ThreadSanitizer with a context of the host ------------------------------------------- */

struct context {
    ucontext_t registers;
    void *fiber;
    void (*entry)(void *);
    void *argument;
};

static void begin(unsigned high, unsigned low)
{
    const struct context *self = (struct context *)((uintptr_t)high << 32 | low);
    kernel_thread_switched();
    self->entry(self->argument);
}

/* Of a thread that goes on this CPU; thread-local variables are not to be remembered across the change. */
__attribute__((noinline)) void context_switch(uint64_t *from, uint64_t to)
{
    struct context *previous = (struct context *)*from, *next = (struct context *)to;
    __tsan_switch_to_fiber(next->fiber, 0);
    if (swapcontext(&previous->registers, &next->registers) != 0)
        abort();
}

struct host_stack {
    struct kernel_stack stack; /* first */
    struct context context;
    uint8_t *memory;
    uint64_t made; /* after so many changes */
};
static struct host_stack stacks[STACKS_MOST];
static struct host_stack *free_stacks[STACKS_MOST]; /* the kernel lock */
static unsigned free_count;

uint64_t context_create(void *top, void (*entry)(void *), void *argument)
{
    struct host_stack *stack = NULL;
    for (unsigned i = 0; i < STACKS_MOST && !stack; i++)
        if (stacks[i].stack.top == (uintptr_t)top)
            stack = &stacks[i];
    struct context *context = &stack->context;
    context->entry = entry;
    context->argument = argument;
    context->fiber = __tsan_create_fiber(0);
    getcontext(&context->registers);
    context->registers.uc_stack.ss_sp = stack->memory;
    context->registers.uc_stack.ss_size = STACK;
    context->registers.uc_link = NULL;
    makecontext(&context->registers, (void (*)(void))begin, 2, (unsigned)((uintptr_t)context >> 32),
                (unsigned)(uintptr_t)context);
    return (uintptr_t)context;
}

struct kernel_stack *kernel_stack_allocate(void)
{
    assert(kernel_is_held());
    if (free_count == 0)
        return NULL;
    struct host_stack *stack = free_stacks[--free_count];
    stack->made = __atomic_load_n(&stack_changes, __ATOMIC_ACQUIRE);
    return &stack->stack;
}

void kernel_stack_free(struct kernel_stack *stack)
{
    struct host_stack *freed = (struct host_stack *)stack;
    assert(kernel_is_held());
    __tsan_destroy_fiber(freed->context.fiber);
    memset(freed->memory, POISON_FREE, STACK);
    free_stacks[free_count++] = freed;
    __atomic_add_fetch(&stack_changes, 1, __ATOMIC_RELEASE);
}

/* ---- The rest of the kernel --------------------------------------------------------------------------------- */

nanoseconds profile_period;
void profile_take(uintptr_t function, uintptr_t frame) { (void)function, (void)frame; }
void *heap_allocate_zeroed(size_t size) { return calloc(1, size); }
void heap_free(void *block) { free(block); }
struct page *page_allocate(void) { return NULL; }
struct page *page_of(phys_t address) { return (void)address, NULL; }
phys_t page_address(const struct page *page) { return (void)page, 0; }
void page_put(struct page *page) { (void)page; }
uint64_t pages_total_count(void) { return 1UL << 20; }
static noreturn void fail(const char *fmt, ...);

static uint64_t registers[CPUS]; /* its own CPU's: what a program has in the FPU's */

void fpu_save(void *area)
{
    if (!area)
        fail("the registers of a thread that has none are saved");
    *(uint64_t *)area = registers[this_cpu()->id];
}

void fpu_restore(const void *area) { registers[this_cpu()->id] = *(const uint64_t *)area; }
void fpu_init_area(void *area) { (void)area; }
noreturn void cpu_enter_user(struct registers *registers) { (void)registers, abort(); }
void backtrace_print_address(uintptr_t address) { printf("# %lx\n", address); }
unsigned backtrace_read(uintptr_t frame, uintptr_t *addresses, unsigned limit)
{
    (void)frame;
    memset(addresses, 0, limit * sizeof(*addresses));
    return 0;
}

int user_read(void *to, uintptr_t from, size_t length)
{
    if (length == sizeof(uint32_t))
        *(uint32_t *)to = __atomic_load_n((uint32_t *)from, __ATOMIC_SEQ_CST);
    else
        memcpy(to, (const void *)from, length);
    return 0;
}

int user_exchange(uintptr_t address, uint32_t expected, uint32_t value, uint32_t *found)
{
    *found = expected;
    (void)__atomic_compare_exchange_n((uint32_t *)address, found, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return 0;
}

int timespec_read(uintptr_t address, nanoseconds *out)
{
    *out = *(const nanoseconds *)address;
    return 0;
}

nanoseconds deadline_after(nanoseconds duration) { return clock_monotonic() + duration; }

static noreturn void stop(const char *fmt, va_list arguments)
{
    vprintf(fmt, arguments);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

noreturn void panic(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    printf("not ok smp: panic: ");
    stop(fmt, arguments);
}

void log_always(const char *fmt, ...) { (void)fmt; }

static noreturn void fail(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    printf("not ok smp: ");
    stop(fmt, arguments);
}

/* ---- Tests --------------------------------------------------------------------------------------------------- */

static unsigned running; /* atomic: threads of the test */
static struct wait_queue ended = WAIT_QUEUE(ended);

static void moved_on(void) { __atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED); }

/* As on the way to user mode and back. */
static void pass_by(void)
{
    moved_on();
    cpu_take_interrupts();
    if (read_once(this_cpu()->reschedule))
        thread_preempt();
}

/* A thread begins with the kernel lock, as all of the kernel's own do, and ends with it. */
static noreturn void end_thread(void)
{
    kernel_enter();
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
    wake(&ended, 0);
    thread_exit();
}

static void start(void (*entry)(void *), void *argument)
{
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    (void)thread_start_kernel("test", entry, argument);
}

static void await_end(void)
{
    (void)wait_until(&ended, __atomic_load_n(&running, __ATOMIC_SEQ_CST) == 0, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
}

#define THREADS 8
#define ROUNDS 2000

static struct mutex mutex;
static uint64_t counted; /* the mutex; or the kernel lock */

/* Half of the threads have the kernel lock meanwhile. */
static void count_with_mutex(void *with_kernel)
{
    if (!with_kernel)
        kernel_leave();
    for (unsigned i = 0; i < ROUNDS; i++) {
        mutex_lock(&mutex);
        counted++;
        if (i % 64 == 0)
            give_way();
        mutex_unlock(&mutex);
        assert(kernel_is_held() == (with_kernel != NULL));
        pass_by();
    }
    if (with_kernel)
        kernel_leave();
    end_thread();
}

static void mutexes_keep_threads_apart(void)
{
    mutex_init(&mutex, LOCK_ADDRESS_SPACE);
    counted = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        start(count_with_mutex, i % 2 ? &mutex : NULL);
    await_end();
    if (counted != THREADS * ROUNDS)
        fail("%lu of %d rounds were counted", counted, THREADS * ROUNDS);
}

static void take_once(void *unused)
{
    (void)unused;
    mutex_lock(&mutex);
    mutex_unlock(&mutex);
    kernel_leave();
    end_thread();
}

static void find_contended(const char *line, void *context)
{
    bool *found = context;
    unsigned long contentions;
    double least, most, total;
    if (sscanf(line, " address_space %lu %lf %lf %lf", &contentions, &least, &most, &total) == 4)
        *found = contentions == 1 && least > 0 && least == most && most == total;
}

static void waits_are_counted(void)
{
    bool found = false;
    mutex_init(&mutex, LOCK_ADDRESS_SPACE);
    lock_statistics_start();
    mutex_lock(&mutex);
    start(take_once, NULL);
    for (bool waits = false; !waits;) {
        give_way(); /* the kernel lock, too */
        spin_lock(&mutex.lock);
        waits = !list_empty(&mutex.waiters);
        spin_unlock(&mutex.lock);
    }
    mutex_unlock(&mutex);
    await_end();
    lock_statistics_stop();
    lock_statistics_lines(find_contended, &found);
    if (!found)
        fail("one wait for a mutex is not counted as one");
}

/* What is done with the kernel lock before a thread sleeps, yields or goes on is not mixed with what others do. */
static void count_with_kernel(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t before = counted++;
        if (counted != before + 1)
            fail("another thread counted");
        if (i % 3 == 0)
            thread_yield();
        else if (i % 16 == 1)
            (void)sleep_until(clock_monotonic() + 50 * NS_PER_US, SLEEP_UNINTERRUPTIBLE);
        else
            give_way();
        kernel_leave();
        pass_by();
        kernel_enter();
    }
    kernel_leave();
    end_thread();
}

static void the_kernel_lock_belongs_to_the_thread(void)
{
    counted = 0;
    for (unsigned i = 0; i < THREADS; i++)
        start(count_with_kernel, NULL);
    await_end();
    if (counted != THREADS * ROUNDS)
        fail("%lu of %d rounds were counted", counted, THREADS * ROUNDS);
}

static struct spinlock contended = SPINLOCK(LOCK_TIMERS);
static bool has_contended; /* atomic */

/* Has the lock until the other thread has waited for long. */
static void hold_until_host_is_asked(void *unused)
{
    (void)unused;
    kernel_leave();
    uint64_t before = __atomic_load_n(&yields, __ATOMIC_RELAXED);
    spin_lock(&contended);
    __atomic_store_n(&has_contended, true, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&yields, __ATOMIC_RELAXED) == before) {}
    spin_unlock(&contended);
    end_thread();
}

static void take_contended(void *unused)
{
    (void)unused;
    kernel_leave();
    while (!__atomic_load_n(&has_contended, __ATOMIC_SEQ_CST))
        pass_by();
    spin_lock(&contended);
    spin_unlock(&contended);
    end_thread();
}

static void a_host_learns_of_a_long_wait(void)
{
    start(hold_until_host_is_asked, NULL);
    start(take_contended, NULL);
    await_end();
}

static uint32_t word; /* whose turn it is; as user memory */

static int64_t futex(uint32_t operation, uint32_t value, const nanoseconds *timeout)
{
    return call_futex((uintptr_t)&word, operation, value, (uintptr_t)timeout, 0, 0);
}

enum { FUTEX_WAIT, FUTEX_WAKE };

/* Each passes the word on to the next. A wake-up that is lost ends the test. */
static void take_turns(void *number)
{
    uint32_t mine = (uint32_t)(uintptr_t)number;
    kernel_leave();
    for (unsigned i = 0; i < ROUNDS / 4; i++) {
        uint32_t now;
        while ((now = __atomic_load_n(&word, __ATOMIC_SEQ_CST)) != mine) {
            (void)futex(FUTEX_WAIT, now, NULL);
            pass_by();
        }
        __atomic_store_n(&word, (mine + 1) % 4, __ATOMIC_SEQ_CST);
        (void)futex(FUTEX_WAKE, 4, NULL);
        pass_by();
    }
    end_thread();
}

static void no_wake_up_of_a_futex_is_lost(void)
{
    word = 0;
    for (uintptr_t i = 0; i < 4; i++)
        start(take_turns, (void *)i);
    await_end();
}

/* The waiter was on the thread's stack. */
static void wake_waiting(struct thread *thread)
{
    const struct host_stack *stack = (const struct host_stack *)thread->stack;
    if (caught_up[this_cpu()->id] < stack->made)
        fail("a CPU sees the stack that was at a waiter's address before");
    thread_wake(thread);
}

static void wait_once(void *unused)
{
    (void)unused;
    kernel_leave();
    while (futex(FUTEX_WAIT, 7, NULL) == -EAGAIN) {}
    moved_on();
    end_thread();
}

/* Never sleeps, so that its CPU is on one stack for long. */
static void wake_always(void *unused)
{
    (void)unused;
    kernel_leave();
    while (!__atomic_load_n(&counted, __ATOMIC_SEQ_CST)) {
        (void)futex(FUTEX_WAKE, 1, NULL);
        cpu_take_interrupts();
        if (read_once(this_cpu()->reschedule))
            thread_preempt();
    }
    end_thread();
}

static void cpus_see_the_stacks_of_waiters(void)
{
    counted = 0;
    word = 7;
    for (unsigned i = 0; i < CPUS / 2; i++)
        start(wake_always, NULL);
    for (unsigned round = 0; round < ROUNDS / 40; round++) {
        for (unsigned i = 0; i < THREADS; i++)
            start(wait_once, NULL);
        (void)wait_until(&ended, __atomic_load_n(&running, __ATOMIC_SEQ_CST) == CPUS / 2, NO_DEADLINE,
                         SLEEP_UNINTERRUPTIBLE);
    }
    __atomic_store_n(&counted, 1, __ATOMIC_SEQ_CST);
    await_end();
}

/* A short wait times out, or does not, about when it is woken; a long one that follows must not end by that time. */
static void wait_short_and_long(void *unused)
{
    (void)unused;
    kernel_leave();
    for (unsigned i = 0; i < ROUNDS / 8; i++) {
        nanoseconds timeout = (i % 8) * 20 * NS_PER_US, before = clock_monotonic();
        int64_t result = futex(FUTEX_WAIT, 7, &timeout);
        if (result == -ETIMEDOUT && clock_monotonic() < before + timeout)
            fail("a wait timed out early");
        sleep_prepare();
        nanoseconds deadline = clock_monotonic() + 2 * NS_PER_MS;
        while (sleep_until(deadline, SLEEP_UNINTERRUPTIBLE) == 0) {}
        if (clock_monotonic() < deadline)
            fail("a sleep ended early");
        pass_by();
    }
    end_thread();
}

static void wake_often(void *unused)
{
    (void)unused;
    kernel_leave();
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) > 1) {
        (void)futex(FUTEX_WAKE, 100, NULL);
        nanoseconds timeout = 30 * NS_PER_US;
        (void)sleep_until(clock_monotonic() + timeout, SLEEP_UNINTERRUPTIBLE);
        pass_by();
    }
    end_thread();
}

static void no_sleep_ends_by_an_earlier_deadline(void)
{
    word = 7;
    for (unsigned i = 0; i < 4; i++)
        start(wait_short_and_long, NULL);
    start(wake_often, NULL);
    await_end();
}

/* ---- Exclusive waiters ---- */

enum { EVENT = 1, OTHER_EVENT = 2 };

struct called {
    struct waiter waiter;
    bool takes;
    unsigned times;
};

static bool call(struct waiter *waiter, unsigned events)
{
    struct called *called = container_of(waiter, struct called, waiter);
    (void)events;
    called->times++;
    return called->takes;
}

/* How often each of the waiters has been called since the last time. */
static void expect_calls(struct called *waiters, const unsigned *expected, unsigned count, const char *when)
{
    for (unsigned i = 0; i < count; i++) {
        if (waiters[i].times != expected[i])
            fail("waiter %u was called %u times, not %u, %s", i, waiters[i].times, expected[i], when);
        waiters[i].times = 0;
    }
}
#define EXPECT_CALLS(when, ...) expect_calls(waiters, (const unsigned[]){ __VA_ARGS__ }, array_size(waiters), when)

/* Two waiters for all events, and three exclusive ones, of which the second wants other events too. */
static void one_exclusive_waiter_is_chosen(void)
{
    struct wait_queue queue;
    struct called waiters[5];
    wait_queue_init(&queue);
    for (unsigned i = 0; i < array_size(waiters); i++) {
        waiters[i] = (struct called){ .takes = true };
        waiter_init_callback(&waiters[i].waiter, call);
        waiters[i].waiter.exclusive = i < 2 ? 0 : i == 3 ? EVENT | OTHER_EVENT : EVENT;
        wait_add(&queue, &waiters[i].waiter);
    }
    if (!wake(&queue, EVENT))
        fail("no waiter took an event");
    EXPECT_CALLS("by an event", 1, 1, 1, 0, 0);
    wake(&queue, OTHER_EVENT);
    EXPECT_CALLS("by an event that one wants", 1, 1, 0, 1, 0);
    wake(&queue, 0);
    EXPECT_CALLS("by no particular event", 1, 1, 1, 0, 0);
    wake_exclusive(&queue, EVENT);
    EXPECT_CALLS("by an event for one alone", 0, 0, 1, 0, 0);
    wake_all(&queue, EVENT);
    EXPECT_CALLS("by an event for all", 1, 1, 1, 1, 1);
    waiters[2].takes = waiters[3].takes = false;
    wake(&queue, EVENT);
    EXPECT_CALLS("where two do not take it", 1, 1, 1, 1, 1);
    waiters[0].takes = waiters[1].takes = waiters[4].takes = false;
    if (wake(&queue, EVENT))
        fail("a waiter took an event and did not");
    EXPECT_CALLS("where none takes it", 1, 1, 1, 1, 1);
    waiters[3].takes = waiters[4].takes = true;
    wake_exclusive(&queue, EVENT);
    EXPECT_CALLS("where the second takes it", 0, 0, 1, 1, 0);
    if (!wait_chosen(&waiters[2].waiter) || wait_chosen(&waiters[2].waiter) || wait_chosen(&waiters[0].waiter))
        fail("a waiter does not know whether it was chosen");
    wait_remove(&waiters[2].waiter);
    EXPECT_CALLS("after one that has looked", 0, 0, 0, 0, 0);
    wait_remove(&waiters[3].waiter);
    EXPECT_CALLS("after one that was chosen and has not looked", 0, 0, 0, 0, 1);
    wait_remove(&waiters[4].waiter);
    wait_remove(&waiters[1].waiter);
    wait_remove(&waiters[0].waiter);
    wake_all(&queue, EVENT);
    EXPECT_CALLS("after all have left", 0, 0, 0, 0, 0);
}

static void rest(nanoseconds time)
{
    sleep_prepare();
    (void)sleep_until(clock_monotonic() + time, SLEEP_UNINTERRUPTIBLE);
}

static struct wait_queue given = WAIT_QUEUE(given), taken = WAIT_QUEUE(taken);
static unsigned tokens, takes; /* the kernel lock: that no thread has taken; how many were taken */
static bool over;              /* the kernel lock */

static bool take_token(void)
{
    bool found = tokens != 0;
    tokens -= found;
    return found;
}

/* Others may run after it has looked and before it goes on to sleep or leaves. */
static bool look_for_token(bool *got)
{
    *got = take_token();
    bool ends = *got || over;
    if (!ends)
        give_way();
    return ends;
}

/* Two threads. One gives up after a short time, or when it is interrupted, and comes back only when a token has been
 * taken since; mostly it waits before the other one does. So a token for which it was chosen, and which it has not
 * taken, must get to the other one. */
static void take_tokens(void *patient)
{
    for (unsigned i = 0; !over; i++) {
        bool got = false;
        unsigned before = takes;
        nanoseconds deadline = patient ? NO_DEADLINE : clock_monotonic() + 50 * NS_PER_US;
        int result = wait_until_exclusive(&given, EVENT, look_for_token(&got), deadline,
                                          patient ? SLEEP_UNINTERRUPTIBLE : SLEEP_INTERRUPTIBLE);
        if (got) {
            takes++;
            wake(&taken, 0);
            if (patient)
                rest(20 * NS_PER_US);
        } else if (result != 0) {
            write_once(thread_current()->interrupted, false);
            (void)wait_until(&taken, takes != before || over, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        }
        pass_by();
    }
    kernel_leave();
    end_thread();
}

static void chosen_threads_that_leave_pass_it_on(void)
{
    over = false;
    takes = 0;
    __atomic_fetch_add(&running, 2, __ATOMIC_SEQ_CST);
    struct thread *hasty = thread_start_kernel("test", take_tokens, NULL);
    (void)thread_start_kernel("test", take_tokens, &over);
    for (unsigned round = 0; round < ROUNDS; round++) {
        rest(round % 16 * 10 * NS_PER_US);
        if (round % 2)
            thread_interrupt(hasty);
        give_way();
        tokens++;
        wake(&given, EVENT);
        (void)wait_until(&taken, tokens == 0, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        moved_on();
    }
    over = true;
    wake_all(&given, EVENT);
    wake_all(&taken, 0);
    await_end();
}

static void live_shortly(void *left)
{
    if ((uintptr_t)left != 0)
        start(live_shortly, (void *)((uintptr_t)left - 1));
    kernel_leave();
    pass_by();
    end_thread();
}

/* A stack is overwritten and used again as soon as its thread has ended. */
static void threads_come_and_go(void)
{
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < THREADS; i++)
            start(live_shortly, (void *)40);
        await_end();
    }
}

static void read_times(void *unused)
{
    (void)unused;
    kernel_leave();
    for (unsigned i = 0; i < ROUNDS; i++) {
        nanoseconds own = thread_own_cpu_time(), busy = cpu_busy_time();
        struct cpu_times times;
        cpu_times_of(cpus[i % CPUS], &times);
        nanoseconds others = 0;
        (void)thread_find_cpu_time(1, &others); /* looks at all threads, without the kernel lock */
        pass_by();
        if (thread_own_cpu_time() < own || cpu_busy_time() < busy)
            fail("time went back");
        if (i % 16 == 0)
            thread_yield();
    }
    end_thread();
}

static void times_only_grow(void)
{
    for (unsigned i = 0; i < THREADS; i++)
        start(read_times, NULL);
    await_end();
}

/* ---- Run queues ---- */

static bool done; /* atomic: the threads of the test are to end */

/* Runs here from now on, where the test wants it to. */
static void go_to(unsigned cpu)
{
    scheduler_set_affinity(thread_current(), 1UL << cpu);
    while (this_cpu()->id != cpu)
        thread_yield();
}

/* A thread that uses what it gets of the CPUs, and where it has been. */
struct user {
    struct thread *thread;
    uint64_t affinity; /* atomic: as it was set last */
    uint64_t been;     /* atomic: the CPUs on which it was */
    uint64_t amount;   /* its own: passes */
};
static struct user users[THREADS];

static void use(void *context)
{
    struct user *user = context;
    kernel_leave();
    while (!read_once(done)) {
        __atomic_fetch_or(&user->been, 1UL << this_cpu()->id, __ATOMIC_RELAXED);
        pass_by();
    }
    user->amount = thread_own_cpu_time();
    end_thread();
}

static void start_users(unsigned count)
{
    write_once(done, false);
    for (unsigned i = 0; i < count; i++) {
        users[i] = (struct user){ 0 };
        __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
        users[i].thread = thread_start_kernel("test", use, &users[i]);
    }
}

static void end_users(void)
{
    write_once(done, true);
    await_end();
}

static bool were_everywhere(unsigned count, uint64_t expected)
{
    for (unsigned i = 0; i < count; i++)
        if (read_once(users[i].been) != expected)
            return false;
    return true;
}

/* One thread more than there are CPUs: each gets to all of them, since the one that is too many is another one after
 * each slice. The virtual times of queues differ by what their CPUs have done before. */
static void threads_share_all_cpus(void)
{
    start_users(CPUS + 1);
    while (!were_everywhere(CPUS + 1, (1UL << CPUS) - 1))
        rest(NS_PER_MS);
    end_users();
}

/* No thread runs on a CPU that it may not run on, wherever it waited when that changed. One that is on its way is
 * waited for: it reports its CPU until that is one of the allowed. */
static void affinity_is_respected(void)
{
    start_users(THREADS);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < THREADS; i++)
            scheduler_set_affinity(users[i].thread, 1UL << ((round + i) % CPUS) | 1UL << ((round / 2 + i) % CPUS));
        rest(NS_PER_MS);
        for (unsigned i = 0; i < THREADS; i++) {
            uint64_t allowed = scheduler_affinity(users[i].thread), seen;
            while ((seen = __atomic_exchange_n(&users[i].been, 0, __ATOMIC_SEQ_CST)) == 0 || (seen & ~allowed))
                rest(NS_PER_MS);
            for (unsigned look = 0; look < 4; look++) {
                rest(NS_PER_MS / 4);
                if (read_once(users[i].been) & ~allowed)
                    fail("a thread ran on CPUs %lx and may on %lx", users[i].been, allowed);
            }
        }
        moved_on();
    }
    end_users();
}

/* Threads that may run on one CPU only are first in its queue, and the last one must get to one of the other CPUs. */
static void idle_cpus_take_what_waits(void)
{
    start_users(0);
    for (unsigned i = 0; i < 5; i++) {
        users[i] = (struct user){ 0 };
        __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
        users[i].thread = thread_start_kernel("test", use, &users[i]);
        scheduler_set_affinity(users[i].thread, i < 4 ? 1 : 3);
    }
    while (!(read_once(users[4].been) & 2))
        rest(NS_PER_MS);
    end_users();
    for (unsigned i = 0; i < 4; i++)
        if (users[i].amount == 0)
            fail("a thread that must stay did not run");
}

static struct sleeper {
    struct thread *thread;
    unsigned passes; /* atomic */
} sleepers[2];

static void sleep_always(void *context)
{
    struct sleeper *self = context;
    kernel_leave();
    while (!read_once(done)) {
        sleep_prepare();
        __atomic_fetch_add(&self->passes, 1, __ATOMIC_SEQ_CST);
        if (!read_once(done))
            (void)sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
    end_thread();
}

static unsigned passes_of(const struct sleeper *sleeper) { return __atomic_load_n(&sleeper->passes, __ATOMIC_SEQ_CST); }

/* Wakes it once, and waits until it sleeps on this CPU. */
static void have_sleep_on(const struct sleeper *sleeper, unsigned cpu)
{
    unsigned before = passes_of(sleeper);
    scheduler_set_affinity(sleeper->thread, 1UL << cpu);
    thread_wake(sleeper->thread);
    for (struct thread_usage usage = { .wants_cpu = true }; usage.wants_cpu || passes_of(sleeper) == before;) {
        rest(NS_PER_MS);
        thread_usage(sleeper->thread, &usage);
    }
}

/* A CPU whose thread has slept is without work, whatever has interrupted it since. So it has the thread that is woken
 * by one that keeps the CPU where the other one was, and lets no interrupt in. */
static void cpus_are_idle_when_their_threads_sleep(void)
{
    write_once(done, false);
    go_to(1);
    for (unsigned i = 0; i < array_size(sleepers); i++) {
        sleepers[i].passes = 0;
        __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
        sleepers[i].thread = thread_start_kernel("test", sleep_always, &sleepers[i]);
    }
    for (unsigned round = 0; round < 20; round++) {
        have_sleep_on(&sleepers[0], 1);
        have_sleep_on(&sleepers[1], 2);
        scheduler_set_affinity(sleepers[0].thread, 1UL << 1 | 1UL << 2);
        thread_current()->hands_over = false;
        unsigned before = passes_of(&sleepers[0]);
        kernel_leave();
        thread_wake(sleepers[0].thread);
        while (passes_of(&sleepers[0]) == before) {}
        kernel_enter();
        moved_on();
    }
    write_once(done, true);
    for (unsigned i = 0; i < array_size(sleepers); i++)
        thread_wake(sleepers[i].thread);
    await_end();
    scheduler_set_affinity(thread_current(), UINT64_MAX);
}

/* Where the other one runs when it has been woken by one that sleeps then, and by one that goes on. */
static struct wait_queue asked = WAIT_QUEUE(asked), answered = WAIT_QUEUE(answered);
static unsigned questions, answers; /* the kernel lock */

static void answer(void *unused)
{
    (void)unused;
    while (!read_once(done)) {
        (void)wait_until(&asked, questions != answers || read_once(done), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        answers = questions;
        wake(&answered, 0);
        moved_on();
    }
    kernel_leave();
    end_thread();
}

/* Two threads that wake each other and sleep stay on one CPU, though others are idle. Where the machine takes that
 * CPU's processor for longer than HAND_OVER, another one may have it once. */
static void hand_overs_stay_here(void)
{
    write_once(done, false);
    questions = answers = 0;
    go_to(2);
    start(answer, NULL);
    unsigned before = read_once(interrupts_sent);
    for (unsigned i = 0; i < ROUNDS; i++) {
        questions++;
        wake(&asked, 0);
        (void)wait_until(&answered, questions == answers, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
    unsigned sent = read_once(interrupts_sent) - before;
    write_once(done, true);
    questions++;
    wake(&asked, 0);
    await_end();
    scheduler_set_affinity(thread_current(), UINT64_MAX);
    if (sent > ROUNDS / 2)
        fail("CPUs were interrupted %u times for %u hand-overs", sent, ROUNDS);
}

/* A thread that was woken by one that hands over, but goes on, has its turn as soon as any that has slept: long before
 * the slice of the other one ends. The machine may take longer, but not each time. */
static void hand_overs_end_soon(void)
{
    write_once(done, false);
    questions = answers = 0;
    go_to(2);
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    scheduler_set_affinity(thread_start_kernel("test", answer, NULL), 1UL << 2);
    unsigned tries = 0;
    for (nanoseconds took = TIME_SLICE; took > TIME_SLICE / 2;) {
        if (tries++ == 200)
            fail("a thread that was woken waited for a slice each time");
        questions++;
        wake(&asked, 0);
        (void)wait_until(&answered, questions == answers, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        nanoseconds until = clock_monotonic() + 2 * TIME_SLICE;
        while (clock_monotonic() < until)
            give_way();
        bool hands_over = thread_current()->hands_over;
        nanoseconds woken = clock_monotonic();
        questions++;
        wake(&asked, 0);
        while (questions != answers)
            give_way();
        if (hands_over)
            took = clock_monotonic() - woken;
    }
    write_once(done, true);
    questions++;
    wake(&asked, 0);
    await_end();
    scheduler_set_affinity(thread_current(), UINT64_MAX);
}

static void ask(struct timer *unused)
{
    (void)unused;
    questions++;
    wake(&asked, 0);
}

/* A thread that is interrupted before it sleeps has not woken what the handler wakes, which other CPUs may take. */
static void interrupts_hand_nothing_over(void)
{
    struct timer timer;
    timer_init(&timer, ask);
    write_once(done, false);
    questions = answers = 0;
    start(answer, NULL);
    rest(NS_PER_MS);
    thread_current()->hands_over = false;
    thread_current()->wakes_at = 0;
    for (unsigned i = 1; i <= 100; i++) {
        timer_start(&timer, clock_monotonic());
        while (questions != i) {
            kernel_leave();
            cpu_take_interrupts();
            kernel_enter();
        }
        rest(10 * NS_PER_US);
        if (thread_current()->hands_over)
            fail("a thread that was interrupted is taken for the one that woke another");
        (void)wait_until(&answered, questions == answers, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
    write_once(done, true);
    ask(NULL);
    await_end();
}

/* ---- Wake-ups that are put off ---- */

static struct writer {
    struct thread *thread;
    unsigned asked, seen; /* atomic */
} writers[2];

/* Never ends, as thread_wake_later() asks. */
static void write_always(void *context)
{
    struct writer *writer = context;
    kernel_leave();
    for (;;) {
        sleep_prepare();
        unsigned asked_now = __atomic_load_n(&writer->asked, __ATOMIC_SEQ_CST);
        if (__atomic_exchange_n(&writer->seen, asked_now, __ATOMIC_SEQ_CST) == asked_now)
            (void)sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
}

static void ask_writers(void *unused)
{
    (void)unused;
    kernel_leave();
    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        struct writer *writer = &writers[i % 3 == 0];
        __atomic_fetch_add(&writer->asked, 1, __ATOMIC_SEQ_CST);
        thread_wake_later(writer->thread);
        pass_by();
    }
    end_thread();
}

static void wake_ups_that_are_put_off_come(void)
{
    for (unsigned i = 0; i < array_size(writers); i++)
        writers[i].thread = thread_start_kernel("writer", write_always, &writers[i]);
    for (unsigned i = 0; i < CPUS; i++)
        start(ask_writers, NULL);
    await_end();
    for (unsigned i = 0; i < array_size(writers); i++)
        while (__atomic_load_n(&writers[i].seen, __ATOMIC_SEQ_CST) !=
               __atomic_load_n(&writers[i].asked, __ATOMIC_SEQ_CST))
            rest(NS_PER_MS);
}

/* ---- Registers, and the end ---- */

static uint64_t areas[THREADS];

/* From now on the thread has registers, as one of the program has. */
static void begin_registers(uint64_t *area)
{
    thread_current()->fpu_area = area;
    this_cpu()->fpu_owner = thread_current();
}

static void change_registers(uint64_t value) { registers[this_cpu()->id] = value; }

static void expect_registers(uint64_t value)
{
    uint64_t found = registers[this_cpu()->id];
    if (found != value)
        fail("a thread found %lx in its registers, and not %lx", found, value);
}

/* A CPU still names the thread as the owner of its registers when the thread has none: memory of one that has ended may
 * be one of the kernel's next. */
static void keep_registers(void *area)
{
    uint64_t number = (uint64_t)((uint64_t *)area - areas) << 32;
    kernel_leave();
    begin_registers(area);
    for (unsigned i = 0; i < ROUNDS; i++) {
        change_registers(number + i);
        if (i % 8 == 0)
            rest(20 * NS_PER_US);
        else if (i % 2)
            thread_yield();
        pass_by();
        expect_registers(number + i);
    }
    thread_current()->fpu_area = NULL;
    for (unsigned i = 0; i < 8; i++)
        rest(NS_PER_MS);
    end_thread();
}

static void registers_go_with_the_thread(void)
{
    for (unsigned i = 0; i < THREADS; i++)
        start(keep_registers, &areas[i]);
    await_end();
}

/* With the kernel lock, as threads of the kernel that go on at the end are. */
static void keep_registers_always(void *context)
{
    struct user *user = context;
    uint64_t value = (uint64_t)(user - users) << 32;
    begin_registers(&areas[user - users]);
    for (;;) {
        change_registers(++value);
        __atomic_fetch_add(&user->amount, 1, __ATOMIC_SEQ_CST);
        if (value % 2)
            thread_yield();
        else
            rest(10 * NS_PER_US);
        expect_registers(value);
    }
}

/* Threads that run on other CPUs when these stop never go on. All others do, wherever they waited or slept. */
static void the_boot_cpu_goes_on_alone(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        users[i] = (struct user){ 0 };
        users[i].thread = thread_start_kernel("test", keep_registers_always, &users[i]);
        if (i < 2)
            scheduler_set_affinity(users[i].thread, 3);
    }
    rest(50 * NS_PER_MS);
    threads_keep_boot_cpu();
    uint64_t before[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        before[i] = users[i].amount;
    for (unsigned i = 0; i < THREADS; i++) {
        const struct thread *thread = users[i].thread;
        if (thread->state == THREAD_RUNNING && thread->cpu != cpus[0])
            continue;
        while (read_once(users[i].amount) < before[i] + 100)
            rest(NS_PER_MS);
    }
}

/* ---- Trees, each its thread's own ---- */

static bool comes_before(const struct tree_node *a, const struct tree_node *b) { return a < b; }

static void change_tree(void *unused)
{
    struct tree tree;
    struct tree_node nodes[16];
    (void)unused;
    kernel_leave();
    tree_init(&tree, comes_before);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned node = 0; node < array_size(nodes); node++)
            tree_insert(&tree, &nodes[node]);
        while (tree_first(&tree))
            tree_remove(&tree, tree_first(&tree));
        pass_by();
    }
    end_thread();
}

static void trees_need_no_common_lock(void)
{
    for (unsigned i = 0; i < CPUS; i++)
        start(change_tree, NULL);
    await_end();
}

static void run_tests(void *unused)
{
    (void)unused;
    const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {
        { "mutexes keep threads apart", mutexes_keep_threads_apart },
        { "waits for a mutex are counted", waits_are_counted },
        { "the kernel lock belongs to the thread", the_kernel_lock_belongs_to_the_thread },
        { "a host learns of a long wait", a_host_learns_of_a_long_wait },
        { "no wake-up of a futex is lost", no_wake_up_of_a_futex_is_lost },
        { "CPUs see the stacks of waiters", cpus_see_the_stacks_of_waiters },
        { "no sleep ends by an earlier deadline", no_sleep_ends_by_an_earlier_deadline },
        { "one exclusive waiter is chosen", one_exclusive_waiter_is_chosen },
        { "chosen threads that leave pass it on", chosen_threads_that_leave_pass_it_on },
        { "threads come and go", threads_come_and_go },
        { "times only grow", times_only_grow },
        { "threads share all CPUs", threads_share_all_cpus },
        { "affinity is respected", affinity_is_respected },
        { "idle CPUs take what waits", idle_cpus_take_what_waits },
        { "CPUs are idle when their threads sleep", cpus_are_idle_when_their_threads_sleep },
        { "hand-overs stay here", hand_overs_stay_here },
        { "hand-overs end soon", hand_overs_end_soon },
        { "interrupts hand nothing over", interrupts_hand_nothing_over },
        { "wake-ups that are put off come", wake_ups_that_are_put_off_come },
        { "trees need no common lock", trees_need_no_common_lock },
        { "registers go with the thread", registers_go_with_the_thread },
        { "the boot CPU goes on alone", the_boot_cpu_goes_on_alone }, /* the last one */
    };
    for (unsigned i = 0; i < array_size(tests); i++) {
        tests[i].test();
        printf("ok smp: %s\n", tests[i].name);
    }
    fflush(stdout);
    exit(0);
}

/* ---- Start --------------------------------------------------------------------------------------------------- */

static struct context idle_contexts[CPUS];

static void become(struct cpu *cpu)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, cpu) != 0)
        abort();
    idle_contexts[cpu->id].fiber = __tsan_get_current_fiber();
}

static void *run_cpu(void *cpu)
{
    become(cpu);
    this_cpu()->current->stack_pointer = (uintptr_t)&idle_contexts[this_cpu()->id];
    kernel_cpu_main();
}

static void *watch(void *unused)
{
    (void)unused;
    for (uint64_t before = UINT64_MAX, now;; before = now) {
        sleep(PATIENCE);
        now = __atomic_load_n(&progress, __ATOMIC_RELAXED);
        if (now == before)
            fail("nothing moves on");
    }
}

int main(void)
{
    pthread_t thread;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < CPUS; i++) {
        all_cpus[i] = (struct cpu){ .self = &all_cpus[i], .id = i };
        deadlines[i] = NO_DEADLINE;
        sem_init(&interrupts[i], 0, 0);
        sem_init(&rouses[i], 0, 0);
    }
    for (unsigned i = 0; i < STACKS_MOST; i++) {
        stacks[i].memory = aligned_alloc(PAGE_SIZE, STACK);
        stacks[i].stack.top = (uintptr_t)stacks[i].memory + STACK;
        free_stacks[free_count++] = &stacks[i];
    }
    cpus[0] = &all_cpus[0];
    become(cpus[0]);
    threads_init();
    thread_current()->stack_pointer = (uintptr_t)&idle_contexts[0];
    kernel_lock_share();
    for (unsigned i = 1; i < CPUS; i++) {
        if (kernel_prepare_cpu(&all_cpus[i]) != 0)
            abort();
        cpu_count(&all_cpus[i]);
        if (pthread_create(&thread, NULL, run_cpu, &all_cpus[i]) != 0)
            abort();
    }
    if (pthread_create(&thread, NULL, watch, NULL) != 0)
        abort();
    (void)thread_start_kernel("tests", run_tests, NULL);
    idle_loop();
}
