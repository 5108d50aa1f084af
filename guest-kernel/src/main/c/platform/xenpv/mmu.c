/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user half of the page tables (platform/x86/user_half.h). Level-4 entries are set in both roots; everything below
 * is shared.
 *
 * Entries are read where they lie and written by queued hypercalls (updates.c), so a table that was linked or unlinked
 * is committed at once. Xen keeps the accessed and dirty bits that CPUs set meanwhile where rights change. Where an
 * entry is replaced, bits that another CPU sets after the reading are lost: nothing above depends on them. Frames are
 * safe in any case, since every caller flushes before a frame is used again.
 */
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"

#define HAS_LARGE_PAGES 0 /* Xen refuses them to PV guests */
#include "platform/x86/user_half.h"

static uint64_t *user_root(void) { return pv_kernel_root; }
static phys_t physical_of(uint64_t address) { return pv_page_of_frame(address >> PAGE_SHIFT) << PAGE_SHIFT; }
static uint64_t address_of(phys_t physical) { return pv_frame_of(physical) << PAGE_SHIFT; }

/* Queues a new value for an entry; *entry keeps the old one until the commit. */
static void set_entry(const uint64_t *entry, uint64_t value, uint64_t kind)
{
    updates_add((struct table_update){ .entry = pv_machine_address(entry) | kind, .value = value });
}

static uint64_t replace_entry(uint64_t *entry, uintptr_t virtual, uint64_t value)
{
    uint64_t old = *entry;
    set_entry(entry, value, UPDATE_NORMAL);
    if (old & ENTRY_PRESENT)
        updates_flush_page(virtual);
    return old;
}

static bool change_rights(uint64_t *entry, uintptr_t virtual, uint64_t *old, uint64_t value)
{
    bool keep = (*old & ENTRY_PRESENT) && (value & ENTRY_PRESENT);
    set_entry(entry, keep ? value | (*old & (ENTRY_ACCESSED | ENTRY_DIRTY)) : value,
              keep ? UPDATE_KEEP_ACCESSED_DIRTY : UPDATE_NORMAL);
    if (*old & ENTRY_PRESENT)
        updates_flush_page(virtual);
    return true;
}

static void clear_accessed(uint64_t *entry)
{
    set_entry(entry, *entry & ~ENTRY_ACCESSED, UPDATE_NORMAL);
    updates_commit();
}

static void set_table(const uint64_t *parent, unsigned index, uint64_t value)
{
    set_entry(&parent[index], value, UPDATE_NORMAL);
    if (parent == pv_kernel_root)
        set_entry(&pv_user_root[index], value, UPDATE_NORMAL);
}

static void link_table(uint64_t *parent, unsigned index, struct page *page)
{
    phys_t address = page_address(page);
    updates_add(pv_direct_map_update(address, false));
    set_table(parent, index, address_of(address) | TABLE_RIGHTS);
    updates_commit();
}

static void unlink_table(uint64_t *parent, unsigned index, struct page *page)
{
    set_table(parent, index, 0);
    updates_add(pv_direct_map_update(page_address(page), true));
    updates_flush_all();
    updates_commit();
}

static void commit_changes(void) { updates_commit(); }

const struct mmu_operations pv_mmu = USER_HALF_OPERATIONS;
