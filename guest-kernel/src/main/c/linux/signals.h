/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals of the one process: actions, masks, pending sets, frames on the user stack
 * (signal(7), sigreturn(2)). Lock "signals" guards actions, pending sets and masks.
 */
#pragma once

#include "lib/types.h"
#include "linux/pending.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define SIGNALS 64
#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGSYS 31
/* sigaction(2): what struct signal_action has in place of a handler. */
#define SIG_DFL 0UL
#define SIG_IGN 1UL
#define SIGNALS_UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))

/* What the ABI attaches to a thread; struct thread.user. */
struct user_thread {
    struct thread *thread;
    uint64_t mask;       /* signals */
    uint64_t saved_mask; /* signals: to restore after sigsuspend, ppoll, ... */
    bool restore_mask;
    struct pending_signals pending; /* signals */
    struct pending_entry fault;     /* signals: of signal_force(), whose info the handler needs */
    uintptr_t alt_stack;
    size_t alt_stack_size; /* 0: none */
    uint32_t alt_stack_flags;
    uintptr_t clear_child_tid; /* set_tid_address(2), or 0 */
    uintptr_t robust_list;
    int nice; /* -20..19, setpriority(2); the lock "threads" */
};

static inline struct user_thread *user_current(void) { return thread_current()->user; }

/* To the process: any thread that does not block it takes it. info->number says which. */
void signal_send_process(const struct signal_info *info);
/* The same, or to the thread of that number, by the sender's own entry (linux/pending.h). False if it does not wait
 * with its info afterwards: it is ignored, it is one too many, or there is no such thread. */
bool signal_post(uint32_t thread, const struct signal_info *info, struct pending_entry *entry);
void signal_send_thread(struct user_thread *to, const struct signal_info *info);
/* What the program sends to one of its threads, or to itself; number 0 only asks whether it is there. 0, -ESRCH,
 * -EINVAL for what is not a signal, or -EAGAIN if there is no room for one more real-time signal. */
int signal_queue_thread(uint32_t id, const struct signal_info *info);
int signal_queue_process(const struct signal_info *info);
/* sigaction(2) of a signal 1..SIGNALS. */
struct signal_action;
void signal_action_get(int number, struct signal_action *action);
void signal_action_set(int number, const struct signal_action *action);
/* A fault of the current thread: cannot be blocked; ends the process when blocked or ignored. */
void signal_force(int number, int code, uintptr_t address);
/* SIGPIPE to the current thread, for writes that returned -EPIPE. */
void signals_broken_pipe(void);
/* SIGURG to the process. */
void signals_urgent(void);
/* signalfd(2): takes one of the `wanted` signals that wait for the current thread or the process; returns which of them
 * wait; and the queue that is woken with POLLIN when a signal comes. */
bool signals_take(uint64_t wanted, struct signal_info *info);
uint64_t signals_waiting(uint64_t wanted);
struct wait_queue *signals_arrivals(void);
/* timer_delete(2): what the timer has sent is not delivered any more. */
void signals_forget_timer(uint32_t timer);
/* sys_timers.c: the signal of this timer is being taken; the expirations since it was sent. Under "signals". */
uint32_t posix_timer_taken(uint32_t number);
/* A mask from user memory without SIGKILL and SIGSTOP. 0, -EFAULT or -EINVAL. */
int signal_mask_read(uintptr_t address, size_t size, uint64_t *mask);
/* The current thread blocks these from now on, none of SIGNALS_UNBLOCKABLE. */
void signals_set_mask(uint64_t mask);
/* SIGXFSZ to the current thread, for writes that returned -EFBIG because of RLIMIT_FSIZE. */
void signals_file_too_large(void);
/* True if a signal waits that the current thread would take. */
bool signal_is_pending(void);
/* Delivers what is pending; on the way to user mode. `system_call` says that registers hold a
 * finished call, whose -EINTR may have to become a restart. */
void signals_deliver(struct registers *registers, bool system_call);

/*
 * ppoll, epoll_pwait, ...: installs the mask at user address `mask` until signals_deliver(). NULL (0): nothing.
 * 0, -EFAULT or -EINVAL.
 */
int64_t signals_with_mask(uintptr_t mask, size_t size);

/* The sets of a thread (by id) for /proc; zeros if there is none. */
struct process_signals;
void signals_describe(uint32_t thread, struct process_signals *out);

/* Creates and frees what a thread needs; the mask is inherited. NULL without memory. */
struct user_thread *user_thread_create(struct thread *thread, uint64_t mask);
void user_thread_free(struct user_thread *user);
