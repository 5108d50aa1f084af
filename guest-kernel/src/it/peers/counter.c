/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU's that counts what a guest executes: `-plugin counter.so,counts=PATH`. The file is an array of
 * struct block (cost.h), one for each translation of a run of instructions, which another program reads while the
 * guest runs. Only one virtual CPU may run: nothing serialises.
 *
 * QEMU's interface is declared here, as its documentation ("QEMU TCG Plugins") describes it: Debian 12 has no package
 * with its header.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cost.h"

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum register_use { NO_REGISTERS };
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*executed)(unsigned, void *),
                                          enum register_use use, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;

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
    if (argc != 1 || strncmp(argv[0], "counts=", 7) != 0) {
        fprintf(stderr, "counter: give it counts=PATH and nothing else\n");
        return -1;
    }
    int file = open(argv[0] + 7, O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t size = BLOCKS_MAX * sizeof(struct block);
    if (file < 0 || ftruncate(file, (off_t)size) != 0) {
        perror(argv[0]);
        return -1;
    }
    blocks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (blocks == MAP_FAILED) {
        perror(argv[0]);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
