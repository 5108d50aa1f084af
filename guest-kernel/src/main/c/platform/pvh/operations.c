#include "platform/operations.h"

#include "platform/pvh/devices.h"
#include "platform/pvh/pvh.h"

const struct platform_operations pvh_operations = {
    .mmu_map = pvh_mmu_map,
    .mmu_unmap = pvh_mmu_unmap,
    .mmu_protect = pvh_mmu_protect,
    .mmu_query = pvh_mmu_query,
    .mmu_test_clear_accessed = pvh_mmu_test_clear_accessed,
    .cpu_switch_to = pvh_cpu_switch_to,
    .cpu_set_fs_base = pvh_cpu_set_fs_base,
    .cpu_wait = pvh_cpu_wait,
    .cpu_enter_user = pvh_enter_user,
    .clock_monotonic = pvh_clock_monotonic,
    .clock_wall = pvh_clock_wall,
    .clock_set_deadline = pvh_timer_set_deadline,
    .clock_page_address = pvh_clock_page_address,
    .console_write = pvh_serial_write,
    .start_devices = pvh_start_devices,
    .power_off = pvh_power_off,
    .reboot = pvh_reboot,
    .crash = pvh_crash,
};
