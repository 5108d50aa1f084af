/*
 * Four-level page tables of x86-64 (Intel SDM 3A 4.5).
 */
#pragma once

#include "lib/pages.h"
#include "lib/types.h"

#define TABLE_ENTRIES 512UL
#define LARGE_PAGE_SIZE (2UL << 20)

#define ENTRY_PRESENT (1UL << 0)
#define ENTRY_WRITE (1UL << 1)
#define ENTRY_USER (1UL << 2)
#define ENTRY_UNCACHED (3UL << 3)       /* PWT, PCD: type UC whatever the MTRRs say */
#define ENTRY_ACCESSED (1UL << 5)
#define ENTRY_DIRTY (1UL << 6)
#define ENTRY_LARGE (1UL << 7)
#define ENTRY_GLOBAL (1UL << 8)
#define ENTRY_NO_EXECUTE (1UL << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000UL
/* Ignored by the CPU: a translation without any access right, which is not present to the CPU. */
#define ENTRY_NO_ACCESS (1UL << 9)

/* Level 4 is the root; a level-1 table maps pages. */
static inline unsigned table_index(uintptr_t virtual, unsigned level)
{
    return virtual >> (PAGE_SHIFT + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}
/* Bytes mapped by one entry of a table of this level. */
static inline uintptr_t entry_span(unsigned level) { return PAGE_SIZE << (9 * (level - 1)); }
static inline uint64_t *entry_table(uint64_t entry) { return phys_to_virt(entry & ENTRY_ADDRESS); }

/* The root of the one address space; paging.c. */
extern uint64_t *pvh_root_table;
