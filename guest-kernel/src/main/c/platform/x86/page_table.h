/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four-level page tables of x86-64 (Intel SDM 3A 4.5): what every platform's user half has in common.
 */
#pragma once

#include "core/pages.h"
#include "lib/types.h"
#include "platform/platform.h"

#define TABLE_ENTRIES 512UL

#define ENTRY_PRESENT (1UL << 0)
#define ENTRY_WRITE (1UL << 1)
#define ENTRY_USER (1UL << 2)
#define ENTRY_ACCESSED (1UL << 5)
#define ENTRY_DIRTY (1UL << 6)
#define ENTRY_LARGE (1UL << 7) /* at level 2 */
#define ENTRY_NO_EXECUTE (1UL << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000UL
/* Ignored by the CPU: a translation without any access right, which is not present to the CPU. */
#define ENTRY_NO_ACCESS (1UL << 9)
/* The bits that entry_rights() decides. */
#define ENTRY_RIGHTS (ENTRY_PRESENT | ENTRY_NO_ACCESS | ENTRY_USER | ENTRY_WRITE | ENTRY_NO_EXECUTE)

/* Level 4 is the root; a level-1 table maps pages. */
static inline unsigned table_index(uintptr_t virtual, unsigned level)
{
    return virtual >> (PAGE_SHIFT + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}
/* Bytes mapped by one entry of a table of this level. */
static inline uintptr_t entry_span(unsigned level) { return PAGE_SIZE << (9 * (level - 1)); }
/* Where the entry of this level after the one for `virtual` begins, at most `end`. */
static inline uintptr_t next_boundary(uintptr_t virtual, uintptr_t end, unsigned level)
{
    uintptr_t next = align_down(virtual, entry_span(level)) + entry_span(level);
    return next < end ? next : end;
}

/* One level-1 table translates both. */
static inline bool same_table(uintptr_t a, uintptr_t b) { return align_down(a ^ b, entry_span(2)) == 0; }

/* A level-1 entry that holds a translation, accessible or not. */
static inline bool entry_used(uint64_t entry) { return entry & (ENTRY_PRESENT | ENTRY_NO_ACCESS); }

static inline uint64_t entry_rights(unsigned protection)
{
    if (protection == 0)
        return ENTRY_NO_ACCESS;
    uint64_t bits = ENTRY_PRESENT | ENTRY_USER;
    if (protection & MMU_WRITE)
        bits |= ENTRY_WRITE;
    if (!(protection & MMU_EXECUTE))
        bits |= ENTRY_NO_EXECUTE;
    return bits;
}

/* A level-1 entry. Not present, it holds the address inverted: processors with the L1TF flaw read ahead at the address
 * of such an entry, and so find none that is in memory. */
static inline uint64_t entry_make(uint64_t address, unsigned protection)
{
    return (protection == 0 ? ~address & ENTRY_ADDRESS : address) | entry_rights(protection);
}
static inline uint64_t entry_address(uint64_t entry)
{
    return (entry & ENTRY_PRESENT ? entry : ~entry) & ENTRY_ADDRESS;
}

static inline unsigned entry_protection(uint64_t entry)
{
    if (!(entry & ENTRY_PRESENT))
        return 0;
    return MMU_READ | (entry & ENTRY_WRITE ? MMU_WRITE : 0) | (entry & ENTRY_NO_EXECUTE ? 0 : MMU_EXECUTE);
}

/* The frame that holds a table, whose struct page.index counts its used entries. */
static inline struct page *table_page(const uint64_t *table) { return page_of(virt_to_phys(table)); }
