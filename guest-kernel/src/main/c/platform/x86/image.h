/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the linker script put the kernel image (kernel.lds). All page-aligned, ascending;
 * physical (Xen PV: pseudo-physical) address = address - KERNEL_BASE.
 */
#pragma once

extern char kernel_text_start[], kernel_text_end[];     /* executable, read-only */
extern char kernel_rodata_start[], kernel_rodata_end[]; /* read-only */
extern char kernel_data_start[], kernel_end[];          /* data, then bss */
