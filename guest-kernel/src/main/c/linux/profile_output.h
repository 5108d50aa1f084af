/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the profiler (threads/profile.h) found, as lines of the log that tools/profile turns into folded stacks:
 *
 *   profile sample COUNT THREAD ADDRESS...      innermost first: the kernel's functions as k:NAME, then addresses of
 *                                               the program in hexadecimal
 *   profile and ADDRESS...                      goes on with the sample before
 *   profile map START END OFFSET PATH           what lies at the addresses that follow; PATH as in /proc/self/maps
 *   profile jit START SIZE NAME                 from /tmp/perf-PID.map, which the JVM writes with
 *                                               -XX:+DumpPerfMapAtExit
 *   profile end TAKEN LOST                      periods that were sampled, and for how many of them there was no room
 *
 * THREAD has `_` for what is no letter, digit, '.', '-' or '#'.
 */
#pragma once

#include "lib/types.h"

/* What the command line asks for: samples a second, 0 for none. Set before profile_output_start(). */
extern uint64_t profile_wanted;
/* Has that done, by the boot; panics without memory. */
void profile_output_start(void);
/* Takes and prints so many samples a second from now on, in a thread of its own; 0: prints what is left and ends.
 * Sleeps. One caller at a time. 0 or -ENOMEM. */
must_check int profile_output_set(uint64_t hz);
/* The program has ended: the same as for 0. */
void profile_output_end(void);
