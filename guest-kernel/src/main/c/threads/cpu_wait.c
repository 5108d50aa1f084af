/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for an interrupt, up to a deadline, where no other thread may run meanwhile (platform.h). */
#include "platform/platform.h"
#include "threads/timer.h"

static void interrupted(struct timer *timer) { (void)timer; }

void kernel_cpu_wait(nanoseconds deadline)
{
    struct timer timer;
    timer_init(&timer, interrupted);
    timer_start(&timer, deadline);
    cpu_wait();
    timer_stop(&timer);
}
