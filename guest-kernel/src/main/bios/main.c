/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a boot from a BIOS: the sector has loaded this, and the kernel is loaded and given what a PVH loader
 * gives it (xen/include/public/arch-x86/hvm/start_info.h).
 */
#include "bios.h"

noreturn void loader_main(uint8_t drive);

static struct start_info start_info;

noreturn void loader_main(uint8_t drive)
{
    disk_init(drive);
    memory_open_a20();
    memory_read_map();
    start_info.magic = START_INFO_MAGIC;
    start_info.version = 1;
    start_info.command_line = (uintptr_t)menu_command_line();
    uint32_t entry = kernel_load();
    memory_describe(&start_info);
    kernel_enter(entry, &start_info);
}
