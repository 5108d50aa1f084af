/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user half of the page tables (platform.h). Guarded by the address_space mutex.
 *
 * Level-4 entries are set in both roots; everything below is shared. How many entries of a table are in use is
 * kept in its page's struct page.index; a table with none is taken out and freed.
 *
 * Entries are read where they lie and written by queued hypercalls (updates.c), so a new table is
 * committed before it is used. Reading an entry and clearing it are two steps: with several CPUs in user
 * mode a dirty bit set between them would be lost; the frame itself is never lost, since every
 * caller flushes before reuse.
 */
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"

static phys_t physical_of(uint64_t frame) { return pv_page_of_frame(frame) << PAGE_SHIFT; }
static uint64_t *entry_table(uint64_t entry) { return phys_to_virt(physical_of(entry_frame(entry))); }

static struct mmu_entry describe(uintptr_t virtual, uint64_t entry)
{
    return (struct mmu_entry){
        .virtual = virtual,
        .physical = physical_of(entry_address(entry) >> PAGE_SHIFT),
        .protection = entry_protection(entry),
        .accessed = entry & ENTRY_ACCESSED,
        .dirty = entry & ENTRY_DIRTY,
    };
}

/* Queues a new value for an entry; *entry keeps the old one until the commit. */
static void set_entry(const uint64_t *entry, uint64_t value, uint64_t kind)
{
    updates_add((struct table_update){ .entry = pv_machine_address(entry) | kind, .value = value });
}

static void set_root_entry(unsigned index, uint64_t value)
{
    set_entry(&pv_kernel_root[index], value, UPDATE_NORMAL);
    set_entry(&pv_user_root[index], value, UPDATE_NORMAL);
}

/* The level-1 table that covers an address, NULL if absent; then *level is that of the missing entry. */
static uint64_t *find_table(uintptr_t virtual, unsigned *level)
{
    uint64_t *table = pv_kernel_root;
    for (unsigned at = 4; at > 1; at--) {
        uint64_t entry = table[table_index(virtual, at)];
        if (!(entry & ENTRY_PRESENT)) {
            *level = at;
            return NULL;
        }
        table = entry_table(entry);
    }
    return table;
}

static uint64_t *find_entry(uintptr_t virtual)
{
    unsigned level;
    uint64_t *table = find_table(virtual, &level);
    return table ? &table[table_index(virtual, 1)] : NULL;
}

/* Puts a new table under an absent entry of `parent`; NULL without memory. */
static uint64_t *add_table(uint64_t *parent, unsigned index)
{
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (!page)
        return NULL;
    memset(page_data(page), 0, PAGE_SIZE);
    page->index = 0;
    phys_t address = page_address(page);
    updates_add(pv_direct_map_update(address, false));
    uint64_t value = pv_frame_of(address) << PAGE_SHIFT | TABLE_RIGHTS;
    if (parent == pv_kernel_root) {
        set_root_entry(index, value);
    } else {
        set_entry(&parent[index], value, UPDATE_NORMAL);
        table_page(parent)->index++;
    }
    updates_commit();
    return page_data(page);
}

/* NULL without memory; an empty table may then stay behind on the way. */
static uint64_t *find_or_create_table(uintptr_t virtual)
{
    uint64_t *table = pv_kernel_root;
    for (unsigned at = 4; at > 1 && table; at--) {
        unsigned index = table_index(virtual, at);
        table = table[index] & ENTRY_PRESENT ? entry_table(table[index]) : add_table(table, index);
    }
    return table;
}

/* Takes the tables that became empty on the way to `virtual` out, lowest first, and puts them on `unused`. */
static void remove_empty_tables(uintptr_t virtual, struct list *unused)
{
    uint64_t *tables[5] = { [4] = pv_kernel_root };
    unsigned lowest = 4;
    while (lowest > 1 && (tables[lowest][table_index(virtual, lowest)] & ENTRY_PRESENT)) {
        tables[lowest - 1] = entry_table(tables[lowest][table_index(virtual, lowest)]);
        lowest--;
    }
    for (unsigned at = lowest; at < 4; at++) {
        struct page *page = table_page(tables[at]);
        if (page->index != 0)
            return;
        uint64_t *parent = tables[at + 1];
        unsigned index = table_index(virtual, at + 1);
        if (at + 1 == 4) {
            set_root_entry(index, 0);
        } else {
            set_entry(&parent[index], 0, UPDATE_NORMAL);
            table_page(parent)->index--;
        }
        updates_add(pv_direct_map_update(page_address(page), true));
        updates_flush_all();
        /* The entry is gone only when committed, and the next search must not find it. */
        updates_commit();
        list_push_back(unused, &page->link);
    }
}

static void free_tables(struct list *unused)
{
    for (struct list *node; (node = list_pop_front(unused));)
        page_put(list_entry(node, struct page, link));
}

/* Tables for all of the entries, or none. */
static int create_tables(const struct mmu_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && same_table(entries[i].virtual, entries[i - 1].virtual))
            continue;
        if (find_or_create_table(entries[i].virtual))
            continue;
        struct list unused = LIST_INIT(unused);
        for (size_t made = 0; made <= i; made++)
            remove_empty_tables(entries[made].virtual, &unused);
        free_tables(&unused);
        return -ENOMEM;
    }
    return 0;
}

int pv_mmu_map(const struct mmu_entry *entries, size_t count)
{
    uint64_t *table = NULL;

    if (create_tables(entries, count) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uintptr_t virtual = entries[i].virtual;
        if (i == 0 || !same_table(virtual, entries[i - 1].virtual))
            table = find_or_create_table(virtual);
        const uint64_t *entry = &table[table_index(virtual, 1)];
        uint64_t old = *entry;
        uint64_t machine = pv_frame_of(entries[i].physical) << PAGE_SHIFT;
        set_entry(entry, entry_make(machine, entries[i].protection), UPDATE_NORMAL);
        if (!entry_used(old))
            table_page(table)->index++;
        if (old & ENTRY_PRESENT)
            updates_flush_page(virtual);
    }
    updates_commit();
    return 0;
}

size_t pv_mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    struct list unused = LIST_INIT(unused);
    uintptr_t virtual = *from;
    size_t count = 0;

    while (virtual < end && count < limit) {
        unsigned level;
        uint64_t *table = find_table(virtual, &level);
        if (!table) {
            virtual = next_boundary(virtual, end, level);
            continue;
        }
        struct page *page = table_page(table);
        uintptr_t table_address = virtual;
        uintptr_t table_end = next_boundary(virtual, end, 2);
        for (; virtual < table_end && count < limit && page->index != 0; virtual += PAGE_SIZE) {
            const uint64_t *entry = &table[table_index(virtual, 1)];
            if (!entry_used(*entry))
                continue;
            out[count++] = describe(virtual, *entry);
            if (*entry & ENTRY_PRESENT)
                updates_flush_page(virtual);
            set_entry(entry, 0, UPDATE_NORMAL);
            page->index--;
        }
        if (page->index == 0) {
            virtual = table_end;
            remove_empty_tables(table_address, &unused);
        }
    }
    *from = virtual;
    updates_commit();
    free_tables(&unused);
    return count;
}

static void protect_entry(uintptr_t virtual, const uint64_t *entry, unsigned protection, bool upgrade_write)
{
    uint64_t old = *entry;
    if (!entry_used(old))
        return;
    if (!upgrade_write && !(old & ENTRY_WRITE))
        protection &= ~MMU_WRITE;
    uint64_t value = entry_make(entry_address(old), protection);
    if (((old ^ value) & ENTRY_RIGHTS) == 0)
        return;
    bool keep = (old & ENTRY_PRESENT) && (value & ENTRY_PRESENT);
    set_entry(entry, keep ? value | (old & (ENTRY_ACCESSED | ENTRY_DIRTY)) : value,
              keep ? UPDATE_KEEP_ACCESSED_DIRTY : UPDATE_NORMAL);
    if (old & ENTRY_PRESENT)
        updates_flush_page(virtual);
}

void pv_mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    while (from < end) {
        unsigned level;
        uint64_t *table = find_table(from, &level);
        if (!table) {
            from = next_boundary(from, end, level);
            continue;
        }
        uintptr_t table_end = next_boundary(from, end, 2);
        for (; from < table_end; from += PAGE_SIZE)
            protect_entry(from, &table[table_index(from, 1)], protection, upgrade_write);
    }
    updates_commit();
}

size_t pv_mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    uintptr_t virtual = *from;
    size_t count = 0;

    while (virtual < end && count < limit) {
        unsigned level;
        const uint64_t *table = find_table(virtual, &level);
        if (!table) {
            virtual = next_boundary(virtual, end, level);
            continue;
        }
        uintptr_t table_end = next_boundary(virtual, end, 2);
        for (; virtual < table_end && count < limit; virtual += PAGE_SIZE) {
            uint64_t entry = table[table_index(virtual, 1)];
            if (entry_used(entry))
                out[count++] = describe(virtual, entry);
        }
    }
    *from = virtual;
    return count;
}

bool pv_mmu_query(uintptr_t virtual, struct mmu_entry *out)
{
    const uint64_t *entry = find_entry(virtual);
    if (!entry || !entry_used(*entry))
        return false;
    *out = describe(align_down(virtual, PAGE_SIZE), *entry);
    return true;
}

bool pv_mmu_test_clear_accessed(uintptr_t virtual)
{
    const uint64_t *entry = find_entry(virtual);
    if (!entry || !(*entry & ENTRY_PRESENT) || !(*entry & ENTRY_ACCESSED))
        return false;
    set_entry(entry, *entry & ~ENTRY_ACCESSED, UPDATE_NORMAL);
    updates_commit();
    return true;
}
