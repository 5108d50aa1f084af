/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot code for BIOSes (bios/) and the one for UEFI (uefi/) have in common: loading the kernel, and finding
 * its command line. How files are read, memory is had and errors are printed is the firmware's, so each of the two
 * defines those functions. There is one CPU, so there are no locks. What cannot be done ends in fail(); no function
 * returns an error.
 */
#pragma once

#include "lib/types.h"
#include "platform/native/start_info.h"

/* As many memory ranges as platform/native/boot.c takes. */
#define MAP_ENTRIES_MAX 64

/* ---- Defined by the firmware's part ---------------------------------------------------------------- */

enum boot_file { FILE_KERNEL, FILE_MENU };

/* Prints "unikernel: " and the message, ends QEMU, and gives up. The formats are those of lib/format.h, in which `long`
 * has 64 bits: use int and long long, since the code for BIOSes has 32. */
noreturn void fail(const char *fmt, ...) printf_like(1, 2);
/* Bytes. */
uint32_t file_size(enum boot_file file);
/* Copies a part of a file, which must be in it, to memory. */
void file_read(enum boot_file file, uint32_t offset, void *to, uint32_t length);
/* Makes sure that the physical memory that the kernel is to be loaded to is there and not in use. */
void memory_claim(uint64_t start, uint64_t end);

/* ---- The first serial port (serial.c) -------------------------------------------------------------- */

/* Before the other: 115200 baud, 8N1. */
void serial_init(void);
void serial_put(char character);

/* ---- The kernel (kernel.c) ------------------------------------------------------------------------- */

/* Loads its segments; returns its PVH entry. */
uint32_t kernel_load(void);

/* ---- menu.lst (menu.c) ----------------------------------------------------------------------------- */

/* The command line that GRUB would pass to the kernel: in the first `kernel` line, what follows the kernel's path.
 * Shorter than COMMAND_LINE_SIZE, and valid for ever. */
#define COMMAND_LINE_SIZE 1024 /* platform/platform.h: command_line */
const char *menu_command_line(void);
