/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins of QEMU's need that count what a guest executes, built by plugin.sh. QEMU's interface is declared here,
 * as its documentation ("QEMU TCG Plugins") describes it: Debian 12 has no package with its header.
 */
#pragma once

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

/* `size` bytes of zeros that other programs read in the file of the argument counts=PATH, which is the only one; NULL,
 * after a message, if that cannot be had. */
static void *plugin_counts(const char *plugin, int argc, char **argv, size_t size)
{
    if (argc != 1 || strncmp(argv[0], "counts=", 7) != 0) {
        fprintf(stderr, "%s: give it counts=PATH and nothing else\n", plugin);
        return NULL;
    }
    int file = open(argv[0] + 7, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, (off_t)size) != 0) {
        perror(argv[0]);
        return NULL;
    }
    void *counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (counts == MAP_FAILED) {
        perror(argv[0]);
        return NULL;
    }
    return counts;
}
