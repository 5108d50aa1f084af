/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The storm of system calls: several players, each a thread that makes one call after the other. storm.c has the
 * players, calls with random arguments and what watches them; storm_steps.c has calls that make sense one after the
 * other.
 */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE 4096UL
#define REGION (64UL << 20) /* bytes: where arguments point to, and what the memory calls work on */
#define REMEMBERED 32       /* calls of a player that a failure prints */

struct call {
    long number;
    uint64_t arguments[6];
    long result; /* or -errno */
};

struct player {
    uint64_t random; /* state of the generator, not 0 */
    struct call calls[REMEMBERED];
    unsigned count;
    sigjmp_buf fault;
    volatile sig_atomic_t may_fault;
};

extern __thread struct player *self;
extern uintptr_t region;

/* Uniform enough in [0, limit), from the player's own generator: a seed and a thread number give the same calls. */
uint64_t below(uint64_t limit);
/* Prints "not ok storm: ..." and the last calls of every player, and ends the process. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Into or from the region, where there may be no page, or none that can be written. False where that is so. */
bool write_region(uintptr_t to, const void *from, unsigned long length);
bool read_region(void *to, uintptr_t from, unsigned long length);
/* An address in the region that holds a path, in the player's words. */
uint64_t path_in_region(void);
/* Makes the call that `call` describes and fills in its result. */
void make(struct call *call);
/* The place of the player's next call, to be filled in. */
struct call *next_call(void);

/* storm_steps.c. One step: mostly one call, sometimes two. */
void make_step(void);
/* Closes and unmaps what the steps made; for the end, when all players have stopped. */
void end_steps(void);
