/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user half of the page tables (platform/x86/user_half.h). Entries change by one atomic access, since other CPUs
 * set their accessed and dirty bits meanwhile. After a change that takes something away, this CPU and then the others
 * flush (answers.c) before the caller goes on: what an old entry led to may be used for something else then. A change
 * that only allows more is left to the others' next page fault, which flushes the address.
 */
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/native/page_table.h"

#define HAS_LARGE_PAGES 1
#include "platform/x86/user_half.h"

/* From this many pages on, dropping the whole TLB is cheaper than page by page. */
#define FLUSH_ALL_FROM 32

/* What the next commit_changes() flushes; guarded by the address_space mutex. */
static uintptr_t stale_pages[FLUSH_ALL_FROM];
static unsigned stale_count; /* FLUSH_ALL_FROM: everything */
static bool others_are_stale;

static uint64_t *user_root(void) { return native_root_table; }
static phys_t physical_of(uint64_t address) { return address; }
static uint64_t address_of(phys_t physical) { return physical; }

/* Whether a CPU that still uses the old entry does what the new one forbids. */
static bool takes_away(uint64_t old, uint64_t value)
{
    if (!(old & ENTRY_PRESENT))
        return false;
    bool same_page = (value & ENTRY_PRESENT) && entry_address(old) == entry_address(value);
    return !same_page || (old & ~value & ENTRY_WRITE) || (value & ~old & ENTRY_NO_EXECUTE);
}

static void note_change(uintptr_t virtual, uint64_t old, uint64_t value)
{
    if ((old & ENTRY_PRESENT) && stale_count < FLUSH_ALL_FROM)
        stale_pages[stale_count++] = virtual;
    others_are_stale |= takes_away(old, value);
}

static uint64_t replace_entry(uint64_t *entry, uintptr_t virtual, uint64_t value)
{
    uint64_t old = __atomic_exchange_n(entry, value, __ATOMIC_RELAXED);
    note_change(virtual, old, value);
    return old;
}

static bool change_rights(uint64_t *entry, uintptr_t virtual, uint64_t *old, uint64_t value)
{
    value |= *old & (ENTRY_ACCESSED | ENTRY_DIRTY);
    if (!__atomic_compare_exchange_n(entry, old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return false;
    note_change(virtual, *old, value);
    return true;
}

static void clear_accessed(uint64_t *entry) { __atomic_fetch_and(entry, ~ENTRY_ACCESSED, __ATOMIC_RELAXED); }

static void set_table(uint64_t *parent, unsigned index, uint64_t value)
{
    if (parent == native_root_table)
        native_root_set(index, value);
    else
        parent[index] = value;
}

static void link_table(uint64_t *parent, unsigned index, struct page *page)
{
    set_table(parent, index, page_address(page) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER);
}

static void unlink_table(uint64_t *parent, unsigned index, struct page *page)
{
    (void)page;
    set_table(parent, index, 0);
    stale_count = FLUSH_ALL_FROM;
    others_are_stale = true;
}

static void commit_changes(void)
{
    /* The whole user half; the kernel's translations are global. The user's own root is loaded again at each exit. */
    if (stale_count == FLUSH_ALL_FROM)
        cr3_write(cr3_read());
    else
        while (stale_count > 0)
            invalidate_page(stale_pages[--stale_count]);
    if (others_are_stale)
        native_flush_others();
    stale_count = 0;
    others_are_stale = false;
}

const struct mmu_operations native_mmu = USER_HALF_OPERATIONS;
