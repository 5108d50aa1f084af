/* SPDX-License-Identifier: Apache-2.0 */
#include "threads/seed.h"

#include "core/log.h"
#include "core/random.h"
#include "platform/platform.h"
#include "threads/wait.h"

#define TICK NS_PER_MS
#define TICKS_TO_REPORT 1000u  /* after this many the log says what the boot waits for */
#define TICKS_FOR_ANSWER 1000u /* for a source that has been asked, where timing has given enough */

static bool is_enough(unsigned ticks) { return random_ready() && !(random_is_awaited() && ticks < TICKS_FOR_ANSWER); }

void seed_wait(void)
{
    struct wait_queue nothing;
    wait_queue_init(&nothing);
    for (unsigned ticks = 0; !is_enough(ticks); ticks++) {
        if (ticks == TICKS_TO_REPORT)
            log_error("waiting for entropy from interrupts, since there is no other; add a virtio-rng device or write "
                      "vm-data/unikernel-seed in xenstore");
        (void)wait_until(&nothing, is_enough(ticks), clock_monotonic() + TICK, SLEEP_UNINTERRUPTIBLE);
        random_event(ticks);
    }
    random_report();
}
