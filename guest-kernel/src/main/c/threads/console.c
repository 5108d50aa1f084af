/* SPDX-License-Identifier: Apache-2.0 */
#include "threads/console.h"
#include "core/console.h"
#include "platform/platform.h"
#include "threads/thread.h"

struct wait_queue console_waiters = WAIT_QUEUE(console_waiters);
static struct thread *drainer;

/* A thread, not the device's interrupt: an emulated device takes bytes as fast as they are given to it, and would keep
 * the CPU in interrupts; a thread has its share of the CPU and no more. */
static void drain(void *unused)
{
    (void)unused;
    for (;;) {
        sleep_prepare();
        if (console_drain()) {
            if (console_has_room())
                wake(&console_waiters, 0);
            give_way();
        } else {
            sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
        }
    }
}

static void filled(void) { thread_wake_later(drainer); }

void kernel_console_ready(void)
{
    if (drainer)
        thread_wake(drainer);
}

void console_thread_start(void)
{
    drainer = thread_start_kernel("console", drain, NULL);
    console_start_buffering(filled);
}

int console_wait_room(enum sleep_kind kind)
{
    return wait_until(&console_waiters, console_has_room(), NO_DEADLINE, kind);
}
