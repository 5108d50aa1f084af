/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts that rest (platform.h) go on after a while. */
#include "platform/platform.h"
#include "threads/timer.h"

static void rested(struct timer *timer)
{
    (void)timer;
    platform_resume_interrupts();
}

static struct timer rest = { .expired = rested };

/* For several, which may all go on at the earliest of their times. */
void kernel_resume_interrupts_at(nanoseconds time)
{
    if (!rest.active || time < rest.deadline)
        timer_start(&rest, time);
}
