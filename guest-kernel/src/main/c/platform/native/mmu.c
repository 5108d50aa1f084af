/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user half of the page tables (platform.h). Entries change by one atomic access, since other CPUs set their
 * accessed and dirty bits meanwhile. After a change that takes something away, this CPU and then the others flush
 * (answers.c) before the caller goes on: what an old entry led to may be used for something else then. A change that
 * only allows more is left to the others' next page fault, which flushes the address.
 * How many entries of a table are in use is kept in its frame's struct page.index; a table with
 * none is freed.
 */
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/native/page_table.h"

/* From here on dropping the whole TLB is cheaper than page by page. */
#define FLUSH_ALL_FROM 32

static void flush_page(uintptr_t virtual) { invalidate_page(virtual); }

/* All translations of the user half (the kernel's are global). The user's own root is loaded again at each exit. */
static void flush_all(void) { cr3_write(cr3_read()); }

static struct mmu_entry describe(uintptr_t virtual, uint64_t entry)
{
    return (struct mmu_entry){
        .virtual = virtual,
        .physical = entry_address(entry),
        .protection = entry_protection(entry),
        .accessed = entry & ENTRY_ACCESSED,
        .dirty = entry & ENTRY_DIRTY,
    };
}

/* The table of `level` that covers an address, NULL if absent; then *level is that of the
 * missing entry. */
static uint64_t *find_table(uintptr_t virtual, unsigned *level)
{
    uint64_t *table = native_root_table;
    for (unsigned at = 4; at > 1; at--) {
        uint64_t entry = table[table_index(virtual, at)];
        if (!(entry & ENTRY_PRESENT)) {
            *level = at;
            return NULL;
        }
        table = entry_table(entry);
    }
    *level = 1;
    return table;
}

static uint64_t *find_entry(uintptr_t virtual)
{
    unsigned level;
    uint64_t *table = find_table(virtual, &level);
    return table ? &table[table_index(virtual, 1)] : NULL;
}

/* NULL without memory; an empty table may then stay behind on the way. */
static uint64_t *find_or_create_table(uintptr_t virtual)
{
    uint64_t *table = native_root_table;
    for (unsigned at = 4; at > 1; at--) {
        uint64_t *entry = &table[table_index(virtual, at)];
        if (!(*entry & ENTRY_PRESENT)) {
            struct page *page = page_allocate_at(PAGES_NEEDED);
            if (!page)
                return NULL;
            memset(page_data(page), 0, PAGE_SIZE);
            page->index = 0;
            uint64_t value = page_address(page) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER;
            if (table == native_root_table) {
                native_root_set(virtual, value);
            } else {
                *entry = value;
                table_page(table)->index++;
            }
        }
        table = entry_table(*entry);
    }
    return table;
}

/* Takes the tables that became empty on the way to `virtual` out and puts them on `unused`. */
static void remove_empty_tables(uintptr_t virtual, struct list *unused)
{
    for (;;) {
        uint64_t *table = native_root_table;
        unsigned level = 4;
        uint64_t *entry = &table[table_index(virtual, level)];
        while (level > 2 && (*entry & ENTRY_PRESENT) && table_page(entry_table(*entry))->index != 0) {
            table = entry_table(*entry);
            level--;
            entry = &table[table_index(virtual, level)];
        }
        if (!(*entry & ENTRY_PRESENT))
            return;
        struct page *page = table_page(entry_table(*entry));
        if (page->index != 0)
            return;
        list_push_back(unused, &page->link);
        if (table == native_root_table) {
            native_root_set(virtual, 0);
            return;
        }
        *entry = 0;
        table_page(table)->index--;
    }
}

/* Only after a flush: the CPU may have cached the way through them. */
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
        flush_all();
        native_flush_others();
        free_tables(&unused);
        return -ENOMEM;
    }
    return 0;
}

/* Whether a CPU that still uses the old entry does what the new one forbids. */
static bool takes_away(uint64_t old, uint64_t value)
{
    if (!(old & ENTRY_PRESENT))
        return false;
    bool same_page = (value & ENTRY_PRESENT) && entry_address(old) == entry_address(value);
    return !same_page || (old & ~value & ENTRY_WRITE) || (value & ~old & ENTRY_NO_EXECUTE);
}

int native_mmu_map(const struct mmu_entry *entries, size_t count)
{
    uint64_t *table = NULL;
    size_t flushed = 0;
    bool taken_away = false;

    if (create_tables(entries, count) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uintptr_t virtual = entries[i].virtual;
        if (i == 0 || !same_table(virtual, entries[i - 1].virtual))
            table = find_or_create_table(virtual);
        uint64_t *entry = &table[table_index(virtual, 1)];
        uint64_t value = entry_make(entries[i].physical, entries[i].protection);
        uint64_t old = __atomic_exchange_n(entry, value, __ATOMIC_RELAXED);
        if (!entry_used(old))
            table_page(table)->index++;
        if ((old & ENTRY_PRESENT) && ++flushed < FLUSH_ALL_FROM)
            flush_page(virtual);
        taken_away |= takes_away(old, value);
    }
    if (flushed >= FLUSH_ALL_FROM)
        flush_all();
    if (taken_away)
        native_flush_others();
    return 0;
}

static void flush_unmapped(const struct mmu_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        flush_page(entries[i].virtual);
}

size_t native_mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
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
            uint64_t *entry = &table[table_index(virtual, 1)];
            if (!entry_used(*entry))
                continue;
            out[count++] = describe(virtual, __atomic_exchange_n(entry, 0, __ATOMIC_RELAXED));
            page->index--;
        }
        if (page->index == 0) {
            virtual = table_end;
            remove_empty_tables(table_address, &unused);
        }
    }
    *from = virtual;
    bool tables = !list_empty(&unused);
    if (count >= FLUSH_ALL_FROM || tables)
        flush_all();
    else
        flush_unmapped(out, count);
    if (count || tables)
        native_flush_others();
    free_tables(&unused);
    return count;
}

/* True if the entry changed in a way the TLB must hear of; that of other CPUs, if *taken_away is set. */
static bool protect_entry(uint64_t *entry, unsigned protection, bool upgrade_write, bool *taken_away)
{
    uint64_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);
    uint64_t value;
    do {
        if (!entry_used(old))
            return false;
        value = entry_make(entry_address(old), protection) | (old & (ENTRY_ACCESSED | ENTRY_DIRTY));
        if (!upgrade_write && !(old & ENTRY_WRITE))
            value &= ~ENTRY_WRITE;
        if (value == old)
            return false;
    } while (!__atomic_compare_exchange_n(entry, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *taken_away |= takes_away(old, value);
    return old & ENTRY_PRESENT;
}

void native_mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    size_t flushed = 0;
    bool taken_away = false;

    while (from < end) {
        unsigned level;
        uint64_t *table = find_table(from, &level);
        if (!table) {
            from = next_boundary(from, end, level);
            continue;
        }
        uintptr_t table_end = next_boundary(from, end, 2);
        for (; from < table_end; from += PAGE_SIZE) {
            uint64_t *entry = &table[table_index(from, 1)];
            if (protect_entry(entry, protection, upgrade_write, &taken_away) && ++flushed < FLUSH_ALL_FROM)
                flush_page(from);
        }
    }
    if (flushed >= FLUSH_ALL_FROM)
        flush_all();
    if (taken_away)
        native_flush_others();
}

size_t native_mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
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

bool native_mmu_query(uintptr_t virtual, struct mmu_entry *out)
{
    uint64_t *entry = find_entry(virtual);
    if (!entry || !entry_used(*entry))
        return false;
    *out = describe(align_down(virtual, PAGE_SIZE), *entry);
    return true;
}

bool native_mmu_test_clear_accessed(uintptr_t virtual)
{
    uint64_t *entry = find_entry(virtual);
    if (!entry || !entry_used(*entry))
        return false;
    return __atomic_fetch_and(entry, ~ENTRY_ACCESSED, __ATOMIC_RELAXED) & ENTRY_ACCESSED;
}
