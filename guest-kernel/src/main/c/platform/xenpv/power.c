/*
 * The end of the domain.
 */
#include "drivers/xen/console.h"
#include "platform/xenpv/hypercall.h"
#include "platform/xenpv/xenpv.h"

static noreturn void shut_down(uint32_t reason)
{
    xen_console_drain();
    for (;;)
        (void)hypercall(HYPERCALL_SCHED_OP, SCHEDULE_SHUTDOWN, (uintptr_t)&reason, 0, 0);
}

void pv_power_off(void) { shut_down(SHUTDOWN_POWER_OFF); }
void pv_reboot(void) { shut_down(SHUTDOWN_REBOOT); }
void pv_crash(void) { shut_down(SHUTDOWN_CRASH); }
