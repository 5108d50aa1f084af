/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much locks cost, by class, in a kernel built for tests: with `lockstat=1` on the kernel's command line it counts
 * and prints a line for each class when the guest ends. /proc/lock_stat has the same lines. A kernel that ships has
 * none of it. Times are those of a kernel with its checks, so they compare classes rather than predict.
 *
 * Any context; counters are atomic words, there is no lock.
 */
#pragma once

#include "lib/lock_class.h"
#include "lib/types.h"

#ifdef KERNEL_DEBUG
#define LOCK_STATISTICS_LINE 128 /* bytes that a line takes at most, with its NUL */

/* Set once, at boot; nothing is counted before. */
extern bool lock_statistics;

/* The lock is not free: call before waiting. `held` is the list that the lock will be in. */
void lock_contended(struct held_locks *held);
/* Called by core/lock_order.c when a lock is taken and given back. */
void lock_statistics_taken(struct held_locks *held, struct held_lock *entry);
void lock_statistics_given_back(const struct held_lock *entry);

/* The kernel lock, which is in no class (core/kernel_lock.h): a CPU has it, after it has looked for it again and again
 * for so long, and has halted for so long. Both in ns. */
void kernel_lock_statistics_taken(nanoseconds spun, nanoseconds halted);

/* Heading, two lines for the kernel lock if there were several CPUs ("kernel": waiting by looking, "kernel halted":
 * waiting while the CPU halts), and lines for the classes of which a lock was taken, each with its '\n', in the order
 * of lib/lock_class.h. Times are in microseconds. The names of the columns are those of Linux's /proc/lock_stat. */
void lock_statistics_lines(void (*put)(const char *line, void *context), void *context);
/* Logs these lines, if they are wanted. */
void lock_statistics_print(void);
/* `value` is what follows lockstat=. False if it is not 1. */
bool lock_statistics_parse(const char *value);
#else
#define lock_statistics false
#define lock_contended(held) ((void)0)
static inline void kernel_lock_statistics_taken(nanoseconds spun, nanoseconds halted) { (void)spun, (void)halted; }
static inline void lock_statistics_print(void) {}
static inline bool lock_statistics_parse(const char *value) { return (void)value, false; }
#endif
