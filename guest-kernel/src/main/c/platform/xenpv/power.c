/*
 * The end of the domain, and words to the hypervisor itself.
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

void pv_early_write(const char *text, size_t length)
{
    (void)hypercall(HYPERCALL_CONSOLE_IO, CONSOLE_WRITE, length, (uintptr_t)text, 0);
}
