/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU's that counts the instructions that a guest executes: `-plugin instructions.so,counts=PATH`. The
 * file is two numbers of 64 bits, of user mode and of the kernel, which another program reads while the guest runs.
 * Only one virtual CPU may run: nothing serialises. A run of instructions that a fault interrupts is counted whole.
 */
#include "plugin.h"

enum mode { USER, KERNEL, MODES };
static uint64_t *counts;

/* `length` is a number, not an address: blocks are translated too often to keep a structure for each. */
static void executed_by_user(unsigned cpu, void *length)
{
    (void)cpu;
    counts[USER] += (uintptr_t)length;
}

static void executed_by_kernel(unsigned cpu, void *length)
{
    (void)cpu;
    counts[KERNEL] += (uintptr_t)length;
}

/* The kernels of this project and Linux lie in the upper half of the address space. */
static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block,
                                         qemu_plugin_tb_vaddr(block) >> 63 ? executed_by_kernel : executed_by_user,
                                         NO_REGISTERS, (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *about, int argc, char **argv)
{
    (void)about;
    counts = plugin_counts("instructions", argc, argv, MODES * sizeof(counts[0]));
    if (counts == NULL)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
