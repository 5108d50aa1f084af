/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/restore.h"

#include "core/log.h"
#include "net/net.h"
#include "platform/platform.h"
#include "threads/thread.h"
#include "threads/timer.h"
#include "threads/wait.h"

static unsigned restores; /* only grows, in kernel_restored() */
static bool suspend_wanted;
static struct wait_queue changed = WAIT_QUEUE(changed);

void kernel_restored(void)
{
    sntp_restored();
    wake(&clock_steps, 0);
    write_once(restores, restores + 1);
    wake(&changed, 0);
}

void restore_suspend(void)
{
    write_once(suspend_wanted, true);
    wake(&changed, 0);
}

static void suspend(void)
{
    write_once(suspend_wanted, false);
    if (platform_suspend())
        kernel_restored();
}

static void run(void *unused)
{
    (void)unused;
    thread_stay_on_boot_cpu(); /* where platform_suspend() is to be called */
    for (unsigned handled = 0;;) {
        (void)wait_until(&changed, read_once(suspend_wanted) || read_once(restores) != handled, NO_DEADLINE,
                         SLEEP_UNINTERRUPTIBLE);
        if (read_once(suspend_wanted))
            suspend();
        if (read_once(restores) == handled)
            continue;
        net_restored();
        log_info("restored from a snapshot");
        platform_report(EVENT_RESTORED, ++handled);
    }
}

void restore_start(void)
{
    if (platform.generation || platform_can_suspend())
        thread_start_kernel("restore", run, NULL);
}
