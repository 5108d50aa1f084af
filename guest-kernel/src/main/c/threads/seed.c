/* SPDX-License-Identifier: Apache-2.0 */
#include "threads/seed.h"

#include "core/log.h"
#include "core/random.h"
#include "platform/platform.h"
#include "threads/wait.h"

#define TICK NS_PER_MS
#define TICKS_TO_REPORT 1000u /* after this many the log says what the boot waits for */

void seed_wait(void)
{
    struct wait_queue nothing;
    wait_queue_init(&nothing);
    for (unsigned ticks = 0; !random_ready(); ticks++) {
        if (ticks == TICKS_TO_REPORT)
            log_error("waiting for entropy from interrupts, since there is no other; add a virtio-rng device or write "
                      "vm-data/unikernel-seed in xenstore");
        (void)wait_until(&nothing, random_ready(), clock_monotonic() + TICK, SLEEP_UNINTERRUPTIBLE);
        random_event(ticks);
    }
    random_report();
}
