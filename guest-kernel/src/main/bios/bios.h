/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the loader offer each other. There is one CPU and no interrupt, so there are no locks. What cannot
 * be done ends in fail(); no function returns an error.
 */
#pragma once

#include "lib/types.h"
#include "map.h"
#include "platform/native/start_info.h"

/* ---- The BIOS (entry.S) ---------------------------------------------------------------------------- */

#define FLAG_CARRY 1u

struct bios_registers {
    uint32_t eax, ebx, ecx, edx, esi, edi;
    uint32_t flags; /* only after the call */
};

/* Calls an interrupt of the BIOS with these registers and segments 0, and stores what it returns. */
void bios_call(uint8_t interrupt, struct bios_registers *registers);
/* Jumps to the 32-bit PVH entry. */
noreturn void kernel_enter(uint32_t entry, const struct start_info *info);

/* ---- Messages (console.c) -------------------------------------------------------------------------- */

/* Prints "unikernel: " and the message on the screen and the first serial port, ends QEMU, and stops. The formats are
 * those of lib/format.h, in which `long` has 64 bits: use int and long long. */
noreturn void fail(const char *fmt, ...) printf_like(1, 2);

/* ---- The disk (disk.c) ----------------------------------------------------------------------------- */

/* `drive` is the BIOS's number of the disk. Before all that follows. */
void disk_init(uint8_t drive);
/* Bytes of one of the map's files. */
uint32_t file_size(enum map_file file);
/* Copies a part of a file to memory, which may lie above 1 MiB. */
void file_read(enum map_file file, uint32_t offset, void *to, uint32_t length);

/* ---- Memory (memory.c) ----------------------------------------------------------------------------- */

/* Makes odd megabytes reachable. */
void memory_open_a20(void);
/* Reads the BIOS's memory map. */
void memory_read_map(void);
/* Whether the map has it as RAM that one of its ranges covers. */
bool memory_is_ram(uint64_t start, uint64_t end);
/* Notes the memory map and the place of the ACPI tables. */
void memory_describe(struct start_info *info);

/* ---- The kernel (kernel.c) ------------------------------------------------------------------------- */

/* Loads its segments; returns its PVH entry. */
uint32_t kernel_load(void);
