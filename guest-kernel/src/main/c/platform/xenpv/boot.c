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

/* The builder's page may lie in memory that becomes free. */
static struct start_info start;

static void read_start_info(void)
{
    if (strncmp(start.magic, "xen-3", 5) != 0)
        panic("start info has magic %.31s instead of \"xen-3\"", start.magic);
    string_copy(platform.command_line, start.command_line, sizeof(platform.command_line));
    platform.memory_bytes = start.page_count << PAGE_SHIFT;
}

noreturn void pv_start(const struct start_info *builders, uint64_t entry_tsc)
{
    platform_operations = &xen_pv_machine;
    platform.name = "xen-pv";
    platform.cpus = pv_cpus_count();
    pv_cpu_init();
    memcpy(&start, builders, sizeof(start));
    pv_host_init_early(&start);
    pv_traps_init();
    read_start_info();
    speculation_init(true, 0);
    pv_paging_init(&start);
    events_init(pv_shared);
    pv_clock_init(entry_tsc);
    pv_fpu_init();
    pv_host_init(&start);
    kernel_main();
}
