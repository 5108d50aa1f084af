/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processor and entry code need while the user's page-table root is loaded (traps.S): they lie in pages of
 * their own, which that root maps as well. Nothing secret belongs there but addresses.
 */
#pragma once

#define GATE_DATA __attribute__((section(".bss.gate")))

extern char kernel_gate_text_start[], kernel_gate_text_end[]; /* kernel.lds; page-aligned */
extern char kernel_gate_data_start[], kernel_gate_data_end[];
