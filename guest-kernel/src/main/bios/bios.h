/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the loader for BIOSes offer each other, besides what loader/loader.h has. There is one CPU and no
 * interrupt, so there are no locks. What cannot be done ends in fail(); no function returns an error.
 */
#pragma once

#include "lib/types.h"
#include "loader.h"
#include "map.h"

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

/* ---- The disk (disk.c) ----------------------------------------------------------------------------- */

/* `drive` is the BIOS's number of the disk. Before all that follows. */
void disk_init(uint8_t drive);

/* ---- Memory (memory.c) ----------------------------------------------------------------------------- */

/* Makes odd megabytes reachable. */
void memory_open_a20(void);
/* Reads the BIOS's memory map. */
void memory_read_map(void);
/* Notes the memory map and the place of the ACPI tables. */
void memory_describe(struct start_info *info);
