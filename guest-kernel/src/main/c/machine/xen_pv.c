/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A paravirtual Xen guest: processor, page tables and time by hypercall, and the devices of every Xen guest.
 */
#include "machine/xen.h"

#include "core/log.h"
#include "drivers/xen/xenbus.h"
#include "lib/string.h"
#include "platform/operations.h"
#include "platform/xenpv/xenpv.h"

/* The domain builder keeps CPUs between vcpus= and maxvcpus= for later, and says so in xenstore. */
static bool is_kept(unsigned cpu)
{
    char path[XENBUS_PATH_MAX], value[16];
    format(path, sizeof(path), "cpu/%u/availability", cpu);
    return xenbus_read(path, value, sizeof(value)) > 0 && strcmp(value, "offline") == 0;
}

/* Devices have a queue for each CPU that is going to run. */
static void start_devices(void)
{
    unsigned wanted = 1;
    while (wanted < platform.cpus && !is_kept(wanted))
        wanted++;
    platform.cpus = wanted;
    xen_start_devices();
}

static void start_cpus(void)
{
    pv_cpus_start(platform.cpus);
    events_spread(cpus_online);
}

static void stop_cpus(void)
{
    events_gather();
    pv_cpus_stop();
}

const struct platform_operations xen_pv_machine = {
    .resume_interrupts = events_resume,
    .mmu = &pv_mmu,
    .kernel_map = pv_kernel_map,
    .kernel_unmap = pv_kernel_unmap,
    .cpu_switch_to = pv_cpu_switch_to,
    .cpu_set_fs_base = pv_cpu_set_fs_base,
    .cpu_wait = pv_cpu_wait,
    .cpu_take_interrupts = pv_cpu_take_interrupts,
    .cpu_enter_user = pv_enter_user,
    .cpus_start = start_cpus,
    .cpu_interrupt = pv_cpu_interrupt,
    .cpus_synchronise = updates_flush_others,
    .cpu_answer = pv_cpu_answer,
    .cpu_catch_up = updates_need_no_catching_up,
    .cpu_halt = pv_cpu_halt,
    .cpu_rouse = pv_cpu_rouse,
    .cpus_stop = stop_cpus,
    .cpu_stolen_time = pv_stolen_time,
    .clock_monotonic = pv_clock_monotonic,
    .clock_wall = pv_clock_wall,
    .clock_set_wall = pv_clock_set_wall,
    .clock_set_deadline = pv_clock_set_deadline,
    .clock_page_address = pv_clock_page_address,
    XEN_GUEST_OPERATIONS,
    .console_write = xen_console_write,
    .console_send = xen_console_send,
    .start_devices = start_devices,
    .power_off = xen_power_off,
    .reboot = xen_reboot,
};
