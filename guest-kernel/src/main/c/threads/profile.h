/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sampling profiler: with `profile=HZ` on the kernel's command line, or from a request of the host on
 * (linux/host_channel.h), each CPU is sampled HZ times a second while it is not idle. linux/profile_output.h prints the
 * samples.
 *
 * A sample in user mode is taken by the timer's interrupt, where it came. Kernel code runs with interrupts masked, so a
 * sample that becomes due there is taken at the next profile_point(): at the end of a system call or trap, which is
 * then named, in give_way(), or when the CPU changes threads, with the stack of that place.
 */
#pragma once

#include "lib/types.h"

#define PROFILE_HZ_MOST 10000u
#define PROFILE_KERNEL_DEPTH 16
#define PROFILE_DEPTH 128 /* of kernel and user together */

struct profile_sample {
    uint32_t count;        /* periods that it stands for */
    uint16_t kernel, user; /* how many addresses of each, the kernel's first; innermost first */
    char thread[16];
    uintptr_t addresses[PROFILE_DEPTH];
};

/* Between two samples; 0: nothing is sampled, which costs each point one test. Read without a lock. */
extern nanoseconds profile_period;

/* `value` is what follows profile=, a number from 0 to PROFILE_HZ_MOST; else false. */
bool profile_parse(const char *value, uint64_t *hz);
/* That many samples a second are taken from now on; the totals begin again. When there are threads; the caller
 * serialises it with profile_stop(). 0 or -ENOMEM. */
must_check int profile_start(uint64_t hz);
/* No more are taken; those that wait stay. False if none were taken before either. Any context. */
must_check bool profile_stop(void);
/* Takes the oldest sample that waits to be printed; false if there is none. Any context. */
bool profile_next(struct profile_sample *sample);
/* For the thread that prints: sleeps until there is a sample. */
void profile_wait(void);
/* Periods sampled so far, and those among them for which there was no room. */
void profile_totals(uint64_t *taken, uint64_t *lost);

void profile_take(uintptr_t function, uintptr_t frame);
void profile_take_interrupted(void);

/* A point at which kernel work ends or is interrupted. `function`: what did the work, or 0; `frame`: the base (rbp) of
 * the frame from which the kernel's stack is read, or 0. With interrupts masked; run_queue and locks before it may be
 * held. */
static inline void profile_point(uintptr_t function, uintptr_t frame)
{
    if (unlikely(profile_period))
        profile_take(function, frame);
}

/* The same on the way from an interrupt back to user mode. */
static inline void profile_point_interrupted(void)
{
    if (unlikely(profile_period))
        profile_take_interrupted();
}
