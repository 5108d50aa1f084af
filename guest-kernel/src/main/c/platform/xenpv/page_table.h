/*
 * Four-level page tables of x86-64 (Intel SDM 3A 4.5) as a Xen PV guest sees them. Xen adds USER to every
 * entry (the guest kernel runs in ring 3) and, at level 1, GLOBAL to entries that have it already.
 */
#pragma once

#include "lib/pages.h"
#include "lib/types.h"

#define TABLE_ENTRIES 512UL

#define ENTRY_PRESENT (1UL << 0)
#define ENTRY_WRITE (1UL << 1)
#define ENTRY_USER (1UL << 2)
#define ENTRY_ACCESSED (1UL << 5)
#define ENTRY_DIRTY (1UL << 6)
#define ENTRY_NO_EXECUTE (1UL << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000UL
/* A translation without any access right, not present to the CPU. Its address is stored inverted:
 * an absent entry with a plausible address can be read through L1TF, and Xen punishes it by switching
 * the domain to shadow tables (XSA-273). */
#define ENTRY_NO_ACCESS (1UL << 9)

/* Tables above level 1, and what their entries hold. */
#define TABLE_RIGHTS (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED | ENTRY_DIRTY)
/* Level-1 entries of the kernel half; without USER, so that Xen does not make them global. */
#define KERNEL_READ (ENTRY_PRESENT | ENTRY_ACCESSED | ENTRY_NO_EXECUTE)
#define KERNEL_EXECUTE (ENTRY_PRESENT | ENTRY_ACCESSED)
#define KERNEL_WRITE (KERNEL_READ | ENTRY_WRITE | ENTRY_DIRTY)

/* Level 4 is the root; a level-1 table maps pages. */
static inline unsigned table_index(uintptr_t virtual, unsigned level)
{
    return virtual >> (PAGE_SHIFT + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}
/* Bytes mapped by one entry of a table of this level. */
static inline uintptr_t entry_span(unsigned level) { return PAGE_SIZE << (9 * (level - 1)); }
static inline uint64_t entry_frame(uint64_t entry) { return (entry & ENTRY_ADDRESS) >> PAGE_SHIFT; }
