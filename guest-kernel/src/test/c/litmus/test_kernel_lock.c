/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lock (core/kernel_lock.c): a CPU that halts while it waits for the lock is roused when it is given
 * back, and does not have it before. It has given up spinning here, since that changes nothing but time.
 */
#include <stdio.h>
#include <stdlib.h>

#define TSO_TESTED_SOURCE
#include "litmus/tso.h"

#include "platform/platform.h"

#define this_cpu() (&machine[tso_self()])

static struct cpu machine[TSO_THREADS];

#include "core/kernel_lock.c"

struct cpu *cpus[CPUS_MAX];
unsigned cpus_online;
static bool roused[TSO_THREADS];
static bool given, early; /* the lock, and that the other CPU had it before */

/* An interrupt is sent after what was stored before, and stays pending until it ends a halt. */
void cpu_rouse(const struct cpu *cpu) { (void)tso_exchange(&roused[cpu->id], sizeof(bool), true); }
void cpu_halt(void) { tso_sleep(&roused[tso_self()]); }
void cpu_answer(void) {}
noreturn void panic(const char *format, ...)
{
    printf("not ok panic: %s\n", format);
    exit(1);
}
nanoseconds clock_monotonic(void) { return 0; }
/* Statistics are off. */
bool lock_statistics;
void kernel_lock_statistics_taken(nanoseconds began, nanoseconds halted, nanoseconds had)
{
    (void)began, (void)halted, (void)had;
    abort();
}
void kernel_lock_statistics_given_back(nanoseconds had)
{
    (void)had;
    abort();
}

static void give_back(void)
{
    given = true;
    kernel_lock_give_back();
}

static void wait_halting(void)
{
    struct waiting *mine = own();
    nanoseconds halted = 0;
    begin_wait(mine);
    while (!halt(mine, &halted)) {}
    early |= !given;
}

/* CPU 0 has the lock. */
static void reset(void)
{
    cpus_online = 2;
    for (unsigned i = 0; i < TSO_THREADS; i++) {
        machine[i].id = i;
        cpus[i] = &machine[i];
        waiting[i] = (struct waiting){ 0 };
        roused[i] = false;
    }
    holder = &machine[0];
    last = NULL;
    impatient = waiters = 0;
    given = early = false;
}

static bool has_it_alone(void) { return !early && holder == &machine[1] && waiters == 0; }

int main(void)
{
    static const struct tso_scenario two = { "a CPU that halts is roused when the kernel lock is given back",
                                             reset,
                                             { give_back, wait_halting },
                                             has_it_alone,
                                             { "halt", "pass_to" } };
    return tso_check(&two) ? 0 : 1;
}
