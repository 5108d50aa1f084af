#include "platform/operations.h"

#include "drivers/xen/console.h"
#include "drivers/xen/devices.h"
#include "drivers/xen/report.h"
#include "drivers/xen/settings.h"
#include "platform/xenpv/xenpv.h"

const struct platform_operations xenpv_operations = {
    .mmu_map = pv_mmu_map,
    .mmu_unmap = pv_mmu_unmap,
    .mmu_protect = pv_mmu_protect,
    .mmu_find = pv_mmu_find,
    .mmu_query = pv_mmu_query,
    .mmu_test_clear_accessed = pv_mmu_test_clear_accessed,
    .kernel_map = pv_kernel_map,
    .kernel_unmap = pv_kernel_unmap,
    .cpu_switch_to = pv_cpu_switch_to,
    .cpu_set_fs_base = pv_cpu_set_fs_base,
    .cpu_wait = pv_cpu_wait,
    .cpu_take_interrupts = pv_cpu_take_interrupts,
    .cpu_enter_user = pv_enter_user,
    .clock_monotonic = pv_clock_monotonic,
    .clock_wall = pv_clock_wall,
    .clock_set_deadline = pv_clock_set_deadline,
    .clock_page_address = pv_clock_page_address,
    .console_write = xen_console_write,
    .console_send = xen_console_send,
    .start_devices = xen_start_devices,
    .settings = xen_settings,
    .report = xen_report,
    .power_off = pv_power_off,
    .reboot = pv_reboot,
    .crash = pv_crash,
};
