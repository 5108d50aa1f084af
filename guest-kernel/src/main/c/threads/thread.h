/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads and the scheduler. A thread is a kernel stack with a context; user threads of the one process
 * also carry what the Linux ABI attaches to a thread (linux/ reaches it through `user`).
 *
 * Scheduling: fair shares by virtual time. A thread's virtual time is the CPU time it has used; the ready thread with
 * the least runs next, for a time slice or until a thread wakes whose virtual time is lower by more than WAKE_LEAD. A
 * thread that wakes keeps its virtual time, but is at most SLEEP_CREDIT below the least of the ready ones: it runs
 * soon, and cannot save up time to starve the others. Virtual time never goes back, so every ready thread gets its
 * turn.
 *
 * Each CPU has a run queue, and takes the first thread of it. Virtual times are compared within a queue only: a thread
 * that changes queues stays as far ahead of the others. One that becomes ready goes to the CPU that wakes it, if an
 * interrupt does so there while it is idle, else to the one on which it ran last, if that is idle, else to another idle
 * one, else to the one where it ran last again, or where the fewest threads run and wait if these are at least two
 * less. But a thread that mostly sleeps soon after it has woken another one hands over: the other one waits for its CPU
 * if none waits there, for HAND_OVER at most, and no idle CPU is disturbed. An idle CPU takes threads from the longest
 * queue before it sleeps. A thread that has had its slice while others wait goes to a CPU with fewer threads, so that
 * all have their share. Each respects the threads' affinity.
 *
 * Preemption happens on the way back to user mode and in give_way(), nowhere else in the kernel. Lock "run_queue" of
 * the queue to which a thread belongs guards what is marked so (scheduler.c); "threads" guards the list of all.
 */
#pragma once

#include "core/lock.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "platform/platform.h"
#include "threads/failing.h"
#include "threads/timer.h"

#define TIME_SLICE (4 * NS_PER_MS)
#define SLEEP_CREDIT (3 * NS_PER_MS)
#define HAND_OVER (100 * NS_PER_US)
#define WAKE_LEAD (1 * NS_PER_MS) /* < SLEEP_CREDIT: a thread that has slept for long preempts at once */

/* THREAD_MOVING: ready, and on the way from one queue to another. */
enum thread_state { THREAD_RUNNING, THREAD_READY, THREAD_PREPARED, THREAD_SLEEPING, THREAD_DEAD, THREAD_MOVING };

struct kernel_stack;
struct user_thread;

struct thread {
    uint64_t stack_pointer;     /* saved by context_switch() while not running */
    struct kernel_stack *stack; /* NULL: an idle thread's, which is never freed */
    uint64_t fs_base;
    void *fpu_area;           /* fpu_area_size() bytes; NULL for kernel threads */
    struct user_thread *user; /* NULL for kernel threads */
    struct cpu *cpu;    /* run_queue of the old one, atomic: to whose queue it belongs, where it runs if it does */
    struct cpu *ran_on; /* its own: where it runs or ran last; NULL: nowhere yet */
    uint64_t affinity;  /* run_queue: the CPUs that it may run on, by their ids */

    enum thread_state state;   /* run_queue */
    bool woken;                /* run_queue: a wake-up since sleep_prepare() */
    bool interrupted;          /* run_queue: woken for a signal */
    bool timed_out;            /* run_queue */
    bool interruptible;        /* run_queue */
    bool faults_refused;       /* its own: page faults in copies of user memory fail instead of being served */
    bool has_kernel;           /* its own, while it does not run: it goes on with the kernel lock */
    struct tree_node run_node; /* run_queue: in it, while it is THREAD_READY */
    nanoseconds virtual_time;  /* run_queue: up to the last switch, as `cpu_time`; of the queue */
    struct list all_link;      /* threads: list of all */
    struct timer sleep_timer;
    nanoseconds sleeps_until; /* run_queue: monotonic; of its last sleep */
    uint64_t sleeps;          /* run_queue: how often another thread ran since this one waited for something */
    uint64_t preemptions;     /* run_queue: how often one ran though this one could have gone on */
    nanoseconds cpu_time;     /* run_queue: used up to the last switch */
    nanoseconds switched_in;  /* run_queue: monotonic time of the last switch to it */
    nanoseconds wakes_at;     /* its own: when it last woke a thread, 0: it has slept since; with several CPUs */
    bool hands_over;          /* its own: it slept within HAND_OVER after that, the last time */
    uint32_t id;              /* thread id; the first user thread is 1 */
    char name[16];            /* prctl(PR_SET_NAME), for backtraces and /proc */
#ifdef KERNEL_DEBUG
    struct held_locks held;       /* the mutexes that it holds; its own */
    struct failing_state failing; /* its own */
#endif
};

static inline struct thread *thread_current(void) { return this_cpu()->current; }
/* How often another thread has run in its place. For the thread itself, which sees its own ones. */
static inline uint64_t thread_switches(const struct thread *self)
{
    return read_once(self->sleeps) + read_once(self->preemptions);
}
static inline bool thread_is_idle(const struct thread *thread) { return !thread->stack; }

void threads_init(void); /* makes the caller the idle thread of CPU 0 */
/* A kernel thread, started at once. Never fails after boot memory is there: panics without memory. */
struct thread *thread_start_kernel(const char *name, void (*entry)(void *), void *argument);
/* A user thread that is not yet started: fill in `user` and registers, then thread_make_ready().
 * NULL without memory. */
struct thread *thread_create_user(void);
struct registers *thread_registers(struct thread *thread); /* at the top of its kernel stack */
void thread_make_ready(struct thread *thread);
/* Frees a thread from thread_create_user() that was never made ready; not its `user`. */
void thread_discard(struct thread *thread);
/* Detaches `user` from an ending thread: it is not found through the list of threads any more. */
void thread_forget_user(struct thread *thread);
unsigned threads_user_count(void);
/*
 * The most threads the program may have, Linux's kernel.threads-max: as many as would fill an eighth of memory with
 * kernel stacks of 16 KiB. Each takes further memory while it runs and when it ends, so some is left for that.
 */
unsigned threads_limit(void);
/* Ends the current thread; its memory is freed by the next thread that runs. */
noreturn void thread_exit(void);
/* Wakes a thread that sleeps or is about to. */
void thread_wake(struct thread *thread);
/* The same a little later, at the next switch of threads: for any context, even under a run queue's lock. Remembers
 * two threads for good, so only two that never end may be woken this way: those that write the log, to the console and
 * to the network. */
void thread_wake_later(struct thread *thread);
/* Wakes it only out of an interruptible sleep, which then returns -EINTR. */
void thread_interrupt(struct thread *thread);
/* Gives the CPU to another ready thread, if any; the caller stays ready, after the first of them. */
void thread_yield(void);
/* The CPU goes to the ready thread whose turn it is, which may be the caller: where cpu->reschedule asks for it. */
void thread_preempt(void);
/*
 * A point of long kernel work at which interrupts are taken and, when it is its turn, another thread runs. Every loop
 * whose length the program, a peer or a file decides passes one at least each 100 us of CPU, so after 16 KiB copied or
 * some hundred steps; it costs next to nothing when nothing is pending. Not in interrupt handlers, and with no spinlock
 * held. Mutexes may be held, but a thread that wants one then waits for the other threads' turns too: work of
 * milliseconds drops a mutex that page faults (address_space) or users of other files (names) need. Anything may have
 * changed after it, as after sleeping.
 */
void give_way(void);
/* CPU time used by a thread so far, running slice included, ns; without what the host took. Never less than before.
 * Locks of run queues are taken inside, here and below. */
nanoseconds thread_cpu_time(const struct thread *thread);
/* The same of the current thread, and of all threads on all CPUs, the idle ones aside. */
nanoseconds thread_own_cpu_time(void);
nanoseconds cpu_busy_time(void);
/* True if it runs another thread than the idle one; that may have changed meanwhile. */
bool cpu_is_busy(const struct cpu *cpu);
/* What a CPU's time since it started was: of the program, of the kernel, of nobody, or of the host, which let the CPU
 * wait; ns. Each is never less than before. */
struct cpu_times {
    nanoseconds user, system, idle, stolen;
};
void cpu_times_of(const struct cpu *cpu, struct cpu_times *out);
noreturn void idle_loop(void); /* what CPU 0's boot stack becomes */
/* The CPUs that run and that the user thread of this number may run on; 0 if there is no such thread. */
uint64_t thread_affinity(uint32_t id);
/* `cpus` has one that is online. It goes there before it runs in user mode again. False if there is no such thread. */
bool thread_set_affinity(uint32_t id, uint64_t cpus);
/* The program ends: of two callers the second one does not return. */
void threads_begin_end(void);
/* After it: no user thread but the caller runs in user mode again, and kernel threads go on. */
void threads_stop_others(void);
/* Moves the caller to the boot CPU, where it runs from then on. */
void thread_stay_on_boot_cpu(void);
/* After it: moves the caller to the boot CPU, where devices interrupt, and stops the others, for the end of the
 * machine. */
void threads_keep_boot_cpu(void);
/* What a thread does and has done, as of one moment. */
struct thread_usage {
    bool wants_cpu; /* it runs, or waits for its turn */
    nanoseconds cpu_time;
    uint64_t sleeps, preemptions;
    uint64_t affinity; /* of the CPUs that run */
};
void thread_usage(const struct thread *thread, struct thread_usage *out);
/* Calls `visit` for every thread, under the lock "threads". */
void threads_for_each(void (*visit)(struct thread *thread, void *context), void *context);
/* The same for the user thread of this number alone; false if there is none. `visit` may be NULL. */
bool thread_find(uint32_t id, void (*visit)(struct thread *thread, void *context), void *context);
/* thread_cpu_time() of the user thread of this number; false if there is none. */
bool thread_find_cpu_time(uint32_t id, nanoseconds *time);
unsigned threads_count(void);
