/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that serves network devices (net/device_service.c): at once, at the time that the driver named, and when
 * the driver asks. The thread never ends; the device's service() leaves it by a jump after the last turn.
 */
#include <setjmp.h>

#include "drivers/device.h"
#include "host/host.h"
#include "net/device_service.h"
#include "net/support.h"
#include "net/wire.h"
#include "platform/platform.h"

#define TURNS 4

extern void (*thread_entry)(void *);
extern void *thread_argument;

static jmp_buf end;
static unsigned turns;
static nanoseconds times[TURNS];
static bool rested;

static nanoseconds service(struct network_device *device, void (*rest)(void))
{
    (void)device;
    times[turns++] = clock_monotonic();
    if (turns == TURNS)
        longjmp(end, 1);
    if (turns == 2) {
        rest();
        rested = clock_monotonic() >= times[1] + NS_PER_MS;
        device->want_service(device); /* in the middle of its turn */
    }
    return clock_monotonic() + NS_PER_SECOND;
}

/* Asks once, in the sleep before the last turn. */
static bool ask(void)
{
    static bool asked;
    if (turns != 3 || asked)
        return false;
    asked = true;
    host_advance(10 * NS_PER_MS);
    wire_device()->want_service(wire_device());
    return true;
}

static void serves_devices(void)
{
    thread_entry = NULL;
    device_service_start();
    CHECK(thread_entry == NULL); /* no device wants it */
    wire_device()->service = service;
    device_service_start();
    CHECK(thread_entry != NULL);
    host_idle = ask;
    nanoseconds start = clock_monotonic();
    if (setjmp(end) == 0)
        thread_entry(thread_argument);
    CHECK_EQUAL(times[0], start);
    CHECK_EQUAL(times[1], start + NS_PER_SECOND);
    CHECK(rested);
    CHECK_EQUAL(times[2], times[1] + NS_PER_MS);
    CHECK_EQUAL(times[3], times[2] + 10 * NS_PER_MS);
}

int main(void)
{
    host_init();
    wire_start();
    host_test("devices are served at once, in time and when they ask", serves_devices);
    return host_result();
}
