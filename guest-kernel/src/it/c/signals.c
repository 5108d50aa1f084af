/* SPDX-License-Identifier: Apache-2.0 */
/* Signal delivery: handlers, frames, stacks, masks, interrupted calls. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <sys/auxv.h>
#include <unistd.h>

static volatile sig_atomic_t count, nested, order[8], seen_code, seen_sender;
static volatile uintptr_t seen_stack;

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
    CHECK_EQUAL(sigaction(number, &action, NULL), 0);
}

static void count_one(int number, siginfo_t *information, void *context)
{
    (void)number, (void)context;
    int local;
    count++;
    seen_code = information->si_code;
    seen_sender = information->si_pid;
    seen_stack = (uintptr_t)&local;
}

static int thread_kill(int thread, int number) { return (int)syscall(SYS_tgkill, getpid(), thread, number); }

static void kill_and_tgkill_reach_the_handler(void)
{
    count = 0;
    install(SIGUSR1, count_one, 0);
    CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(seen_code, SI_USER);
    CHECK(seen_sender == getpid() || (allocations_fail() && seen_sender == 0));
    CHECK_EQUAL(thread_kill(gettid(), SIGUSR1), 0);
    CHECK_EQUAL(count, 2);
    CHECK(seen_code == SI_TKILL || (allocations_fail() && seen_code == SI_USER));
    CHECK_ERROR(thread_kill(99999, SIGUSR1), ESRCH);
    CHECK_ERROR(thread_kill(gettid(), 65), EINVAL);
}

static void sigaction_reports_the_old_one(void)
{
    struct sigaction old;
    install(SIGUSR1, count_one, SA_RESTART);
    CHECK_EQUAL(sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_sigaction == count_one);
    CHECK_EQUAL(old.sa_flags & (SA_SIGINFO | SA_RESTART), SA_SIGINFO | SA_RESTART);
    CHECK_ERROR(sigaction(SIGKILL, &old, NULL), EINVAL);
}

static void blocked_signals_wait(void)
{
    sigset_t set, pending;
    count = 0;
    install(SIGUSR1, count_one, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(sigpending(&pending), 0);
    CHECK(sigismember(&pending, SIGUSR1));
    CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_EQUAL(count, 1);
}

static void realtime_signals_queue(void)
{
    sigset_t set;
    count = 0;
    install(SIGRTMIN + 3, count_one, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 5; i++)
        thread_kill(gettid(), SIGRTMIN + 3);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQUAL(count, 5);
}

static void raise_within(int number, siginfo_t *information, void *context)
{
    (void)information, (void)context;
    order[nested++] = number;
    if (number == SIGUSR1) {
        thread_kill(gettid(), SIGUSR1); /* blocked while we run */
        thread_kill(gettid(), SIGUSR2);
        order[nested++] = -number;
        if (nested > 4)
            signal(SIGUSR1, SIG_IGN);
    }
}

static void handlers_nest_but_not_the_same(void)
{
    nested = 0;
    install(SIGUSR1, raise_within, 0);
    install(SIGUSR2, raise_within, 0);
    thread_kill(gettid(), SIGUSR1);
    CHECK_EQUAL(order[0], SIGUSR1);
    CHECK_EQUAL(order[1], SIGUSR2);
    CHECK_EQUAL(order[2], -SIGUSR1);
    CHECK_EQUAL(order[3], SIGUSR1);
}

static void alternate_stack_is_used(void)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;
    install(SIGUSR1, count_one, SA_ONSTACK);
    CHECK_EQUAL(sigaltstack(&alternate, &old), 0);
    thread_kill(gettid(), SIGUSR1);
    CHECK(seen_stack >= (uintptr_t)stack && seen_stack < (uintptr_t)stack + sizeof(stack));
    install(SIGUSR1, count_one, 0);
    thread_kill(gettid(), SIGUSR1);
    CHECK(seen_stack < (uintptr_t)stack || seen_stack >= (uintptr_t)stack + sizeof(stack));
    CHECK_EQUAL(sigaltstack(&old, NULL), 0);
}

static volatile sig_atomic_t depth;
static char overflow_stack[65536];

static __attribute__((noinline)) int recurse(int level)
{
    volatile char frame[4096];
    frame[0] = (char)level;
    depth = level;
    return level < 0 ? 0 : recurse(level + 1) + frame[0];
}
static void recurse_for_ever(void *unused)
{
    (void)unused;
    recurse(0);
}

static void stack_overflow_is_caught_on_the_alternate_stack(void)
{
    struct fault fault = fault_of(recurse_for_ever, NULL);
    CHECK_EQUAL(fault.signal, SIGSEGV);
    CHECK(depth > 500);
}

static void *overflow_in_thread(void *result)
{
    (void)result;
    stack_t alternate = { .ss_sp = overflow_stack, .ss_size = sizeof(overflow_stack) };
    sigaltstack(&alternate, NULL);
    struct fault fault = fault_of(recurse_for_ever, NULL);
    return (void *)(intptr_t)(fault.signal == SIGSEGV && fault.code == SEGV_ACCERR);
}

static void thread_stack_overflow_hits_its_guard_page(void)
{
    pthread_t thread;
    void *good;
    CHECK_EQUAL(pthread_create(&thread, NULL, overflow_in_thread, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, &good), 0);
    CHECK(good != NULL);
}

static void divide(void *by)
{
    volatile int zero = *(int *)by;
    volatile int one = 1;
    one = one / zero;
}
static void illegal(void *unused)
{
    (void)unused;
    __asm__ volatile("ud2");
}
static void breakpoint(void *unused)
{
    (void)unused;
    __asm__ volatile("int3");
}
static void privileged(void *unused)
{
    (void)unused;
    __asm__ volatile("hlt");
}
static void non_canonical(void *unused)
{
    (void)unused;
    (void)*(volatile char *)0x8000000000000000UL;
}

static void traps_become_signals(void)
{
    int zero = 0;
    CHECK_FAULT(divide, &zero, SIGFPE, FPE_INTDIV);
    CHECK_FAULT(illegal, NULL, SIGILL, ILL_ILLOPN);
    CHECK_FAULT(breakpoint, NULL, SIGTRAP, SI_KERNEL);
    CHECK_FAULT(privileged, NULL, SIGSEGV, SI_KERNEL);
    CHECK_FAULT(non_canonical, NULL, SIGSEGV, SI_KERNEL);
}

extern const char skip_target[];
static void skip_instruction(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information;
    ucontext_t *user = context;
    count++;
    user->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)skip_target;
    user->uc_mcontext.gregs[REG_R12] = 1234;
}

static __attribute__((noinline)) long read_bad_address(void)
{
    register long r12 __asm__("r12") = 1;
    __asm__ volatile("movq 0x10, %%rax\n\tskip_target:" : "+r"(r12) : : "rax", "memory");
    return r12;
}

static void handler_changes_registers(void)
{
    count = 0;
    install(SIGSEGV, skip_instruction, 0);
    CHECK_EQUAL(read_bad_address(), 1234);
    CHECK_EQUAL(count, 1);
}

static void clobber_fpu(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information, (void)context;
    count++;
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15"
                     :
                     :
                     : "xmm0", "xmm7", "xmm15");
}

static void handler_keeps_registers_and_fpu(void)
{
    uint64_t in[2] = { 0x1122334455667788, 0x99aabbccddeeff00 }, out[6] = { 0 };
    long nr = SYS_tgkill, process = getpid(), thread = gettid(), flags;
    count = 0;
    install(SIGUSR1, clobber_fpu, 0);
    __asm__ volatile("movdqu (%[in]), %%xmm0\n\tmovdqa %%xmm0, %%xmm7\n\tmovdqa %%xmm0, %%xmm15\n\t"
                     "movq $-77, -64(%%rsp)\n\t" /* the red zone */
                     "stc\n\tsyscall\n\t"
                     "pushfq\n\tpopq %[flags]\n\t"
                     "movdqu %%xmm0, (%[out])\n\tmovdqu %%xmm7, 16(%[out])\n\tmovdqu %%xmm15, 32(%[out])"
                     : "+a"(nr), [flags] "=&r"(flags)
                     : "D"(process), "S"(thread), "d"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
                     : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15", "cc");
    CHECK_EQUAL(nr, 0);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(flags & 1, 1);
    for (int i = 0; i < 6; i++)
        CHECK_EQUAL(out[i], in[i % 2]);
}

struct sleeper {
    int pipe[2];
    ssize_t result;
    int error;
    volatile pid_t thread;
    volatile bool back;
};

static void *read_pipe(void *argument)
{
    struct sleeper *sleeper = argument;
    char byte;
    sleeper->thread = gettid();
    sleeper->result = read(sleeper->pipe[0], &byte, 1);
    sleeper->error = errno;
    sleeper->back = true;
    return NULL;
}

static void start_reader(struct sleeper *sleeper, pthread_t *thread, int flags)
{
    *sleeper = (struct sleeper){ 0 };
    count = 0;
    install(SIGUSR1, count_one, flags);
    CHECK_EQUAL(pipe(sleeper->pipe), 0);
    CHECK_EQUAL(pthread_create(thread, NULL, read_pipe, sleeper), 0);
    while (sleeper->thread == 0)
        sched_yield();
}

static void end_reader(struct sleeper *sleeper, pthread_t thread)
{
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    close(sleeper->pipe[0]);
    close(sleeper->pipe[1]);
}

/* A signal may come before the thread reads; one of several comes while it does. */
static const struct timespec between_signals = { .tv_nsec = 10000000 };

static void interrupted_read_restarts_when_asked(void)
{
    struct sleeper sleeper;
    pthread_t thread;
    start_reader(&sleeper, &thread, SA_RESTART);
    for (int sent = 1; sent <= 5; sent++) {
        CHECK_EQUAL(thread_kill(sleeper.thread, SIGUSR1), 0);
        while (count < sent)
            nanosleep(&between_signals, NULL);
    }
    CHECK(!sleeper.back);
    CHECK_EQUAL(write(sleeper.pipe[1], "x", 1), 1);
    end_reader(&sleeper, thread);
    CHECK_EQUAL(sleeper.result, 1);
}

static void interrupted_read_fails_otherwise(void)
{
    struct sleeper sleeper;
    pthread_t thread;
    start_reader(&sleeper, &thread, 0);
    while (!sleeper.back) {
        (void)thread_kill(sleeper.thread, SIGUSR1);
        nanosleep(&between_signals, NULL);
    }
    end_reader(&sleeper, thread);
    CHECK_EQUAL(sleeper.result, -1);
    CHECK_EQUAL(sleeper.error, EINTR);
}

static void *wait_for_signal(void *done)
{
    while (count == 0)
        sched_yield();
    *(volatile int *)done = 1;
    return NULL;
}

static void signal_reaches_the_thread_it_is_for(void)
{
    pthread_t thread;
    volatile int done = 0;
    sigset_t set, old;
    count = 0;
    install(SIGUSR2, count_one, 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, wait_for_signal, (void *)&done), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
    CHECK_EQUAL(kill(getpid(), SIGUSR2), 0); /* only the other thread can take it */
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(done, 1);
    CHECK_EQUAL(count, 1);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void ignored_signals_do_nothing(void)
{
    signal(SIGUSR1, SIG_IGN);
    CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
    signal(SIGCHLD, SIG_DFL);
    CHECK_EQUAL(kill(getpid(), SIGCHLD), 0);
}

/* Blocked, a signal waits even if it is ignored; but one that comes to be ignored does not wait any longer. */
static void ignoring_a_signal_forgets_it(void)
{
    sigset_t blocked, old, waiting;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGCHLD);
    install(SIGUSR1, count_one, 0);
    install(SIGCHLD, count_one, 0);
    count = 0;
    pthread_sigmask(SIG_BLOCK, &blocked, &old);
    CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
    CHECK_EQUAL(thread_kill(gettid(), SIGUSR1), 0);
    CHECK_EQUAL(thread_kill(gettid(), SIGCHLD), 0);
    sigpending(&waiting);
    CHECK(sigismember(&waiting, SIGUSR1) && sigismember(&waiting, SIGCHLD));
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigpending(&waiting);
    CHECK(!sigismember(&waiting, SIGUSR1) && !sigismember(&waiting, SIGCHLD));
    install(SIGUSR1, count_one, 0);
    install(SIGCHLD, count_one, 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    CHECK_EQUAL(count, 0);
    signal(SIGCHLD, SIG_DFL);
}

/* Signal 0 is only checked. 0, or the error. */
static int queue_to(int thread, int code)
{
    siginfo_t information = { .si_code = code };
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, 0, &information) == 0 ? 0 : errno;
}

static int queue_errors[4];

static void *queue_from_another_thread(void *unused)
{
    queue_errors[0] = queue_to(getpid(), SI_QUEUE);
    queue_errors[1] = queue_to(getpid(), SI_USER);
    queue_errors[2] = queue_to(getpid(), SI_TKILL);
    queue_errors[3] = queue_to(gettid(), SI_USER);
    return unused;
}

static void as_from_the_kernel_signals_only_reach_their_sender(void)
{
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, queue_from_another_thread, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(queue_errors[0], 0);
    CHECK_EQUAL(queue_errors[1], EPERM);
    CHECK_EQUAL(queue_errors[2], EPERM);
    CHECK_EQUAL(queue_errors[3], 0);
}

static atomic_uint always_zero;

static void *wait_on_futex(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->thread = gettid();
    sleeper->result = syscall(SYS_futex, &always_zero, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    sleeper->error = errno;
    sleeper->back = true;
    return NULL;
}

static void interrupted_futex_restarts_when_asked(void)
{
    struct sleeper sleeper = { 0 };
    pthread_t thread;
    count = 0;
    install(SIGUSR1, count_one, SA_RESTART);
    CHECK_EQUAL(pthread_create(&thread, NULL, wait_on_futex, &sleeper), 0);
    while (sleeper.thread == 0)
        sched_yield();
    for (int sent = 1; sent <= 5; sent++) {
        CHECK_EQUAL(thread_kill(sleeper.thread, SIGUSR1), 0);
        while (count < sent)
            nanosleep(&between_signals, NULL);
    }
    CHECK(!sleeper.back);
    while (syscall(SYS_futex, &always_zero, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0)
        sched_yield();
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(sleeper.result, 0);
}

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static uintptr_t context_at;
static void note_context(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information;
    context_at = (uintptr_t)context;
}

/* From the top of the stack to the return address below the context. */
static void frames_take_what_the_auxiliary_vector_says(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;
    struct sigaction action = { .sa_sigaction = note_context, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    unsigned long announced = getauxval(AT_MINSIGSTKSZ);
    CHECK_EQUAL(sigaltstack(&alternate, &old), 0);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        alternate.ss_size = sizeof(stack) - shift;
        CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
        sigaction(SIGUSR1, &action, NULL);
        CHECK_EQUAL(raise(SIGUSR1), 0);
        unsigned long used = (uintptr_t)stack + alternate.ss_size - (context_at - 8);
        CHECK(used <= announced && used + 512 > announced);
    }
    CHECK_EQUAL(sigaltstack(&old, NULL), 0);
    signal(SIGUSR1, SIG_DFL);
}

SUITE(signals, TEST(kill_and_tgkill_reach_the_handler), TEST(sigaction_reports_the_old_one), TEST(blocked_signals_wait),
      TEST(realtime_signals_queue), TEST(handlers_nest_but_not_the_same), TEST(alternate_stack_is_used),
      TEST(stack_overflow_is_caught_on_the_alternate_stack), TEST(thread_stack_overflow_hits_its_guard_page),
      TEST(traps_become_signals), TEST(handler_changes_registers), TEST(handler_keeps_registers_and_fpu),
      TEST(interrupted_read_restarts_when_asked), TEST(interrupted_read_fails_otherwise),
      TEST(signal_reaches_the_thread_it_is_for), TEST(ignored_signals_do_nothing), TEST(ignoring_a_signal_forgets_it),
      TEST(as_from_the_kernel_signals_only_reach_their_sender), TEST(interrupted_futex_restarts_when_asked),
      TEST(frames_take_what_the_auxiliary_vector_says));
