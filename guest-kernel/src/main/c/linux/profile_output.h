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

/* Prints samples from now on, if they are wanted: starts the profiler and a thread of its own. Once, by the boot. */
void profile_output_start(void);
/* The program has ended: prints what is left. Sleeps. */
void profile_output_end(void);
