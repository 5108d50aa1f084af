/* SPDX-License-Identifier: Apache-2.0 */
/* Counting instructions, so that a test can say what something costs without a clock. */
#include <signal.h>
#include <stdlib.h>

#include "host/host.h"

static volatile uint64_t steps;
void (*host_each_step)(uint64_t step);

/* Comes after every instruction while the trap flag is set (Intel SDM volume 3, 18.3.1.4). */
static void count_one(int signal)
{
    (void)signal;
    steps++;
    if (host_each_step)
        host_each_step(steps);
}

uint64_t host_steps(void (*work)(void))
{
    struct sigaction count = { .sa_handler = count_one }, before;
    if (sigaction(SIGTRAP, &count, &before) != 0)
        abort();
    steps = 0;
    /* The red zone below the stack pointer is in use. */
    __asm__ volatile("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp" : : : "memory", "cc");
    work();
    __asm__ volatile("sub $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp" : : : "memory", "cc");
    uint64_t result = steps;
    if (sigaction(SIGTRAP, &before, NULL) != 0)
        abort();
    return result;
}
