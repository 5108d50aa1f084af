/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A paravirtual Xen guest: processor, page tables and time by hypercall, and the devices of every Xen guest.
 */
#include "machine/xen.h"
#include "platform/operations.h"
#include "platform/xenpv/xenpv.h"

/* One CPU is started. */
static void for_no_other(void) {}
static void interrupt_no_other(const struct cpu *cpu) { (void)cpu; }

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
    .cpu_interrupt = interrupt_no_other,
    .cpus_start = for_no_other,
    .cpus_synchronise = for_no_other,
    .cpu_answer = for_no_other,
    .cpu_halt = for_no_other,
    .cpu_rouse = interrupt_no_other,
    .cpus_stop = for_no_other,
    .cpu_stolen_time = pv_stolen_time,
    .clock_monotonic = pv_clock_monotonic,
    .clock_wall = pv_clock_wall,
    .clock_set_wall = pv_clock_set_wall,
    .clock_set_deadline = pv_clock_set_deadline,
    .clock_page_address = pv_clock_page_address,
    XEN_GUEST_OPERATIONS,
    .console_write = xen_console_write,
    .console_send = xen_console_send,
    .start_devices = xen_start_devices,
    .power_off = xen_power_off,
    .reboot = xen_reboot,
};
