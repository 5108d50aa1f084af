/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables as a Xen PV guest sees them: what platform/x86/page_table.h leaves to a platform. Xen adds USER to every
 * entry (the guest kernel runs in ring 3) and, at level 1, GLOBAL to entries that have it already.
 *
 * An entry with ENTRY_NO_ACCESS stores its address inverted: an absent entry with a plausible address can
 * be read through L1TF, and Xen punishes it by switching the domain to shadow tables (XSA-273).
 */
#pragma once

#include "platform/x86/page_table.h"

/* Tables above level 1, and what their entries hold. */
#define TABLE_RIGHTS (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED | ENTRY_DIRTY)
/* Level-1 entries of the kernel half; without USER, so that Xen does not make them global. */
#define KERNEL_READ (ENTRY_PRESENT | ENTRY_ACCESSED | ENTRY_NO_EXECUTE)
#define KERNEL_EXECUTE (ENTRY_PRESENT | ENTRY_ACCESSED)
#define KERNEL_WRITE (KERNEL_READ | ENTRY_WRITE | ENTRY_DIRTY)

static inline uint64_t entry_frame(uint64_t entry) { return (entry & ENTRY_ADDRESS) >> PAGE_SHIFT; }
