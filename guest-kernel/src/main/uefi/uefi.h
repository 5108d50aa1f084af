/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the loader for UEFI offer each other, besides what loader/loader.h has. The firmware's interrupts
 * run on the same CPU and stack, but use nothing of the loader's, so there are no locks.
 */
#pragma once

#include "efi.h"
#include "loader.h"

/* ---- The firmware (main.c, console.c) --------------------------------------------------------------- */

/* In this program, so that the compiler asks the linker for no table of addresses, which would need relocation. */
#define in_program __attribute__((visibility("hidden")))

extern in_program void *efi_image; /* the handle of this loader */
extern in_program struct efi_system_table *efi_system;

/* The firmware's services are gone from now on: messages go to the first serial port. */
void console_without_firmware(void);

/* ---- Files (files.c) -------------------------------------------------------------------------------- */

/* Opens the files that boot; before file_size(). */
void files_open(void);
/* Closes what is open. */
void files_close(void);

/* ---- Memory (memory.c) ------------------------------------------------------------------------------ */

/* Memory below 4 GiB for what the kernel is given, in which code may run; until the end, or memory_release(). */
void *memory_allocate(size_t size);
/* Gives back what memory_claim() and memory_allocate() took. */
void memory_release(void);
/* Notes where the ACPI tables and the memory map are, and ends the firmware's services. */
void memory_take_over(struct start_info *info);

/* ---- Handing over (entry.S) -------------------------------------------------------------------------- */

/* The code that enters the kernel, which memory_allocate()'s memory gets a copy of: it runs while paging is switched
 * off, so it must lie below 4 GiB. */
extern in_program const char handover_start[], handover_end[];
/* What the copy does, without returning: enters the kernel at the entry of its PVH note, which is 32-bit code, with the
 * start info. */
typedef void handover(uint32_t entry, uint32_t start_info);
