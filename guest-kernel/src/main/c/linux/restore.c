/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/restore.h"

#include "core/log.h"
#include "net/net.h"
#include "platform/platform.h"
#include "threads/thread.h"
#include "threads/timer.h"
#include "threads/wait.h"

static unsigned restores; /* only grows, in kernel_restored() */
static struct wait_queue restored = WAIT_QUEUE(restored);

void kernel_restored(void)
{
    sntp_restored();
    wake(&clock_steps, 0);
    write_once(restores, restores + 1);
    wake(&restored, 0);
}

static void run(void *unused)
{
    (void)unused;
    for (unsigned handled = 0;; handled++) {
        (void)wait_until(&restored, read_once(restores) != handled, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        net_restored();
        log_info("restored from a snapshot");
        platform_report(EVENT_RESTORED, handled + 1);
    }
}

void restore_start(void)
{
    if (platform.generation)
        thread_start_kernel("restore", run, NULL);
}
