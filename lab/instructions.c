/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU's that counts the instructions that a guest executes: `-plugin instructions.so,counts=PATH`. The file
 * is two numbers of 64 bits, of user mode and of the kernel, which another program reads while the guest runs. Only one
 * virtual CPU may run: nothing serialises. A run of instructions that a fault interrupts is counted whole.
 *
 * QEMU's interface is declared here, as its documentation ("QEMU TCG Plugins") describes it: Debian 12 has no package
 * with its header.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum register_use { NO_REGISTERS };
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*executed)(unsigned, void *),
                                          enum register_use use, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;

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
    if (argc != 1 || strncmp(argv[0], "counts=", 7) != 0) {
        fprintf(stderr, "instructions: give it counts=PATH and nothing else\n");
        return -1;
    }
    int file = open(argv[0] + 7, O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t size = MODES * sizeof(counts[0]);
    if (file < 0 || ftruncate(file, (off_t)size) != 0) {
        perror(argv[0]);
        return -1;
    }
    counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (counts == MAP_FAILED) {
        perror(argv[0]);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
