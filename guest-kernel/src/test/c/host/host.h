/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host shim: what the kernel's layers stand on, made of a Linux process, so that any layer can
 * be compiled for Linux and tested under AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 * It implements core/{heap,pages,log,lock,random}.h, threads/wait.h, memory/user.h, the clock and console of
 * platform/platform.h. Timers and lib/ are the kernel's own code.
 *
 * One thread only. A sleep that nothing has ended yet calls the idle hook, which plays the other
 * threads, the devices or the peer; when the hook makes nothing happen, the virtual clock jumps to
 * the next timer or the sleeper's deadline; when there is neither, the test failed.
 */
#pragma once

#include "lib/types.h"
#include "platform/platform.h"
#include "threads/thread.h"

/* Call first. Sets up the per-CPU data (GS base), memory and the clock. */
void host_init(void);

/* How often the kernel lock (core/kernel_lock.h) was taken; it is held first, and only there with kernel_is_locked. */
extern unsigned host_kernel_taken;

/* ---- Tests --------------------------------------------------------------------------------- */

/* Runs one test and prints "ok NAME" or "not ok NAME: why". */
void host_test(const char *name, void (*test)(void));
/* The same with this host_idle. */
void host_test_with(const char *name, void (*test)(void), bool (*idle)(void));
/* Marks the running test as failed; the first reason counts. */
void host_fail(const char *file, int line, const char *fmt, ...) printf_like(3, 4);
/* What main() returns: 0 when every test passed. */
int host_result(void);

/* True if the function, in a process of its own, ends the kernel by a panic whose message has `text` in it. */
bool host_panics(void (*function)(void), const char *text);

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            host_fail(__FILE__, __LINE__, "%s", #condition); \
            return; \
        } \
    } while (0)
#define CHECK_EQUAL(actual, expected) \
    do { \
        int64_t actual_ = (int64_t)(actual), expected_ = (int64_t)(expected); \
        if (actual_ != expected_) { \
            host_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #actual, (long long)actual_, (long long)expected_); \
            return; \
        } \
    } while (0)

/* ---- Cost -------------------------------------------------------------------------------------- */

/* The instructions that work() takes, counted one by one: on every machine the same, up to what libc and the
 * sanitizer's allocator choose. */
uint64_t host_steps(void (*work)(void));
/* Called after each of them, with its number from 1, in a signal handler: plays what happens at the same time. */
extern void (*host_each_step)(uint64_t step);

/* ---- Time and sleeping ----------------------------------------------------------------------- */

/* Called while a thread sleeps; returns true if it did something that may have woken it. */
extern bool (*host_idle)(void);
/* Uses Linux's clock instead of the virtual one; sleeping then polls the idle hook and timers. */
void host_real_clock(void);
/* Time that passes on the virtual clock with each look at it, for drivers that wait by looking. */
extern nanoseconds host_clock_step;
/* Moves the virtual clock on and runs the timers that expire on the way. */
void host_advance(nanoseconds time);
/* Runs the timers that are due. Returns true if one was. */
bool host_run_timers(void);
/* As a CPU that sleeps until its timer interrupts: time passes to the deadline that the platform has; a panic when it
 * has none. */
void host_wait_for_timer(void);
/* The deadline of the next timer, or NO_DEADLINE. */
nanoseconds host_next_timer(void);
/* True: the current thread's interruptible sleeps end with -EINTR. */
extern bool host_signal_pending;

/* ---- Memory ------------------------------------------------------------------------------------ */

/* Blocks and pages in use, to check that a test gave everything back. */
uint64_t host_heap_blocks(void);
uint64_t host_pages_in_use(void);
/* Taken off what pages_free_count() says: memory that is short without being filled. */
extern uint64_t host_pages_withheld;
/* What pages_total_count() says; as many as there are again with each test. */
extern uint64_t host_pages_total;
#define HOST_PAGES (1UL << 16)
/* The n-th allocation from now on (heap and pages) fails, and all after it until reset by 0. */
void host_fail_allocation(uint64_t n);
/* The n-th from now on fails, and no other. */
void host_fail_one_allocation(uint64_t n);
/* User accesses that touch [start, end) fail with -EFAULT. */
void host_fault_range(uintptr_t start, uintptr_t end);
/* Called before every access to user memory, which may sleep in the kernel: plays the other threads meanwhile. */
extern void (*host_user_access)(void);

/* Bits of entropy given to random_credit() so far. */
extern unsigned host_random_credited;
/* The sources that random_expect() was called for, as a mask. */
extern unsigned host_random_expected;

/* What was reported last, by platform_report(). */
extern enum platform_event host_reported;
extern unsigned host_reported_number;

/* The lines logged since the last call, NUL-terminated; valid until the next. */
const char *host_log(void);
/* What the program's serial port takes at once, or a negative errno; and what it took since the last call. */
extern int host_serial_takes;
const char *host_serial(size_t *length);
/* What was written to the console since the last call, NUL-terminated; valid until the next. */
const char *host_console(void);
