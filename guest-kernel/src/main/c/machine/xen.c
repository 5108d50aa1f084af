/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See machine/xen.h; and the two rings that a guest shares with Xen's tools from its start.
 */
#include "machine/xen.h"
#include "core/log.h"
#include "drivers/xen/xenbus.h"
#include "platform/operations.h"
#include "platform/xen/hypercall.h"

void machine_start_xen_rings(void *console, uint32_t console_port, void *store, uint32_t store_port)
{
    if (console)
        xen_console_init(console, console_port);
    xenbus_init(store, store_port);
}

static noreturn void shut_down(uint32_t reason)
{
    xen_console_drain();
    for (;;)
        (void)hypercall(HYPERCALL_SCHED_OP, SCHEDULE_SHUTDOWN, (uintptr_t)&reason, 0, 0);
}

void xen_power_off(void) { shut_down(SHUTDOWN_POWER_OFF); }
void xen_reboot(void) { shut_down(SHUTDOWN_REBOOT); }
void xen_crash(void) { shut_down(SHUTDOWN_CRASH); }

void xen_yield(void) { hypercall_yield(); }
