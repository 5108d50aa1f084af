/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU's that counts what a guest executes: `-plugin counter.so,counts=PATH`. The file is an array of
 * struct block (cost.h), one for each translation of a run of instructions, which another program reads while the
 * guest runs. Only one virtual CPU may run: nothing serialises.
 */
#include "plugin.h"
#include "cost.h"

static struct block *blocks;
static size_t count;
static unsigned marks; /* executed so far */

static void executed(unsigned cpu, void *data)
{
    (void)cpu;
    if (marks < 2)
        ((struct block *)data)->executions++;
}

static void marked(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    for (size_t i = 0; i < count && marks == 0; i++)
        blocks[i].executions = 0;
    marks++;
}

/* Translations beyond the array would be missing from every sum, so the last block counts them, which a reader sees. */
static void translated(plugin_id id, struct qemu_plugin_tb *from)
{
    (void)id;
    struct block *block = &blocks[count < BLOCKS_MAX - 1 ? count++ : count];
    *block = (struct block){ .address = qemu_plugin_tb_vaddr(from), .length = qemu_plugin_tb_n_insns(from) };
    qemu_plugin_register_vcpu_tb_exec_cb(from, executed, NO_REGISTERS, block);
    if (block->address == COUNTER_MARK)
        qemu_plugin_register_vcpu_tb_exec_cb(from, marked, NO_REGISTERS, block);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *about, int argc, char **argv)
{
    (void)about;
    blocks = plugin_counts("counter", argc, argv, BLOCKS_MAX * sizeof(struct block));
    if (blocks == NULL)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
