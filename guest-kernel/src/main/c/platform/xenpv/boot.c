/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From entry.S to kernel_main(), in the order of xenpv.h.
 */
#include "core/log.h"
#include "lib/string.h"
#include "platform/operations.h"
#include "platform/x86/speculation.h"
#include "platform/xen/events.h"
#include "platform/xenpv/xenpv.h"

noreturn void pv_start(const struct start_info *builders, uint64_t entry_tsc);

static void read_start_info(void)
{
    if (strncmp(pv_start_info.magic, "xen-3", 5) != 0)
        panic("start info has magic %.31s instead of \"xen-3\"", pv_start_info.magic);
    string_copy(platform.command_line, pv_start_info.command_line, sizeof(platform.command_line));
    platform.memory_bytes = pv_start_info.page_count << PAGE_SHIFT;
}

noreturn void pv_start(const struct start_info *builders, uint64_t entry_tsc)
{
    platform_operations = &xen_pv_machine;
    platform.name = "xen-pv";
    platform.cpus = pv_cpus_count();
    pv_cpu_init();
    memcpy(&pv_start_info, builders, sizeof(pv_start_info)); /* it may lie in memory that becomes free */
    pv_host_init_early(&pv_start_info);
    pv_traps_init();
    read_start_info();
    speculation_init(true, 0);
    pv_paging_init(&pv_start_info);
    pv_suspend_init();
    events_init(pv_shared);
    pv_clock_init(entry_tsc);
    pv_fpu_init();
    pv_host_init(&pv_start_info);
    kernel_main();
}
