/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much locks cost, by class, from lock_statistics_start() to lock_statistics_stop(): by `lockstat=1` on the
 * kernel's command line, at a request of the host (linux/host_channel.h), or by user data (linux/diagnostics.h).
 *
 * Every kernel counts the waits, on the path of a lock that is not free, and of the kernel lock also how often it is
 * taken and how long it is held. To count that of the other locks too would cost each of them instructions when nothing
 * is counted, so only a kernel built with DEBUG=1 does; its times are those of a kernel with its checks, so they
 * compare classes rather than predict.
 *
 * Any context; counters are atomic words, there is no lock.
 */
#pragma once

#include "lib/lock_class.h"
#include "lib/types.h"

#define LOCK_STATISTICS_LINE 200 /* bytes that a line takes at most, with its NUL */

/* Something is counted. Read without a lock. */
extern bool lock_statistics;

/* Counts from zero on from now on; nothing more. Two callers at a time may leave either's wish. */
void lock_statistics_start(void);
void lock_statistics_stop(void);
/* `value` is what follows lockstat=: starts for 1, stops for 0; else false, and nothing changes. */
must_check bool lock_statistics_parse(const char *value);

/* Around a wait for a lock that is not free. The first returns when it begins, in ns, or 0 if it is not counted, and
 * the second, to be called with the lock held, takes that. */
nanoseconds lock_wait_begins(void);
void lock_wait_ends(enum lock_class class, nanoseconds began);

#ifdef KERNEL_DEBUG
/* Called by core/lock_order.c when a lock is taken and given back. */
void lock_statistics_taken(struct held_lock *entry);
void lock_statistics_given_back(const struct held_lock *entry);
#endif

/* The kernel lock, which is in no class (core/kernel_lock.h): a CPU has it, after it began to look for it again and
 * again, and has halted for so long meanwhile; and it gives the lock back that it has had since then. Monotonic times,
 * in ns. */
void kernel_lock_statistics_taken(nanoseconds began, nanoseconds halted, nanoseconds had);
void kernel_lock_statistics_given_back(nanoseconds had);

/* Heading, two lines for the kernel lock if there were several CPUs ("kernel": waiting by looking, "kernel halted":
 * waiting while the CPU halts), and lines for the classes of which a lock was waited for or counted, each with its
 * '\n', in the order of lib/lock_class.h. Times are in microseconds; `-` stands for what is not counted. The names of
 * the columns are those of Linux's /proc/lock_stat (Documentation/locking/lockstat.rst). */
void lock_statistics_lines(void (*put)(const char *line, void *context), void *context);
/* Logs these lines, if something is counted. */
void lock_statistics_print(void);
