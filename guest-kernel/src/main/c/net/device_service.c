/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves network devices whose drivers have work that is not for interrupt context, in one thread for all of them: each
 * as soon as one asks for it, and not later than it said it must be. Without such devices there is no thread.
 *
 * No locks: `wanted` is set in any context and cleared before devices are served, so that no request is lost.
 */
#include "net/device_service.h"

#include "net/interface.h"
#include "platform/platform.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define REST_TIME NS_PER_MS

static struct wait_queue asking;
static bool wanted;

static void rest(void)
{
    sleep_prepare();
    (void)sleep_until(clock_monotonic() + REST_TIME, SLEEP_UNINTERRUPTIBLE);
}

static void want_service(struct network_device *device)
{
    (void)device;
    write_once(wanted, true);
    wake(&asking, 0);
}

static struct network_device *device_at(unsigned position)
{
    struct network_device *device = interface_at(position)->device;
    return device && device->service ? device : NULL;
}

/* When the first of them must be served again. */
static nanoseconds serve_all(void)
{
    nanoseconds next = NO_DEADLINE;
    for (unsigned i = 0; i < interface_count(); i++) {
        struct network_device *device = device_at(i);
        if (device)
            next = min_of(next, device->service(device, rest));
    }
    return next;
}

static void serve_devices(void *unused)
{
    (void)unused;
    for (;;) {
        write_once(wanted, false);
        nanoseconds next = serve_all();
        (void)wait_until(&asking, read_once(wanted), next, SLEEP_UNINTERRUPTIBLE);
    }
}

void device_service_start(void)
{
    bool any = false;
    wait_queue_init(&asking);
    for (unsigned i = 0; i < interface_count(); i++) {
        if (!device_at(i))
            continue;
        device_at(i)->want_service = want_service;
        any = true;
    }
    if (any)
        thread_start_kernel("network devices", serve_devices, NULL);
}
