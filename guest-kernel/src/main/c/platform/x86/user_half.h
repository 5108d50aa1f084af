/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user half of the page tables (platform.h), as all platforms keep it. The mmu.c of a platform includes this header
 * and defines the functions of its first part, which read and write entries. They are not called through pointers, so
 * that the compiler can inline them: most run for each page of a fault. Guarded by the address_space mutex.
 *
 * How many entries of a table are in use is kept in its frame's struct page.index; a table with none is taken out and
 * freed.
 *
 * Where a platform has large pages, an entry of level 2 may map one. It is split into a table of pages when a part of
 * it is to differ from the rest, which cannot fail: for each large page there is a spare table, in the list at struct
 * page.link of its level-2 table.
 */
#pragma once

#include "core/debug.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/operations.h"
#include "platform/x86/page_table.h"

/* ---- Part 1: what a platform defines ------------------------------------------------------- */

/* HAS_LARGE_PAGES, before it includes this: 1, or 0 if its entries of level 2 always lead to tables. */

/* The root table, in which the user half is looked up. */
static uint64_t *user_root(void);
/* Between physical addresses and those that present entries hold. */
static phys_t physical_of(uint64_t address);
static uint64_t address_of(phys_t physical);
/* Sets the level-1 entry of `virtual`, or the level-2 entry of a large page, and returns what it held. */
static uint64_t replace_entry(uint64_t *entry, uintptr_t virtual, uint64_t value);
/* Changes the rights of such an entry that holds *old, and keeps its accessed and dirty bits while it stays present.
 * False if the entry has changed meanwhile; *old is what it holds now. */
must_check static bool change_rights(uint64_t *entry, uintptr_t virtual, uint64_t *old, uint64_t value);
/* Without a flush. */
static void clear_accessed(uint64_t *entry);
/* Makes a page of zeros the table below the absent entry parent[index], or takes it out from there; in all roots, if
 * `parent` is the root. Searches see it at once; the page may be used otherwise after the next commit_changes(). */
static void link_table(uint64_t *parent, unsigned index, struct page *page);
static void unlink_table(uint64_t *parent, unsigned index, struct page *page);
/* All changes hold and no CPU uses an old translation that allows more. */
static void commit_changes(void);

/* ---- Part 2: what is made of it ------------------------------------------------------------- */

static struct mmu_large_counts large_counts;

/* A present entry of level 2 maps a page, and does not lead to a table. */
static bool is_large(uint64_t entry) { return HAS_LARGE_PAGES && (entry & ENTRY_LARGE); }

/* An entry that is not present holds a physical address on every machine: a Xen guest that is saved and restored gets
 * other machine frames, and Xen's tools replace those of present entries only. */
static uint64_t make_entry(phys_t physical, unsigned protection)
{
    return entry_make(protection == 0 ? physical : address_of(physical), protection);
}

static phys_t physical_in(uint64_t entry)
{
    uint64_t address = entry_address(entry);
    return entry & ENTRY_PRESENT ? physical_of(address) : address;
}

static uint64_t *table_below(uint64_t entry) { return phys_to_virt(physical_of(entry & ENTRY_ADDRESS)); }

static struct mmu_entry describe(uintptr_t virtual, uint64_t entry, unsigned level)
{
    return (struct mmu_entry){
        .virtual = virtual,
        .physical = physical_in(entry),
        .protection = entry_protection(entry),
        .accessed = entry & ENTRY_ACCESSED,
        .dirty = entry & ENTRY_DIRTY,
        .large = level == 2,
    };
}

/* The table whose entry translates an address, of level 1, or 2 for a large page; NULL if there is none. *level is that
 * of the table, or of the missing entry. */
static uint64_t *find_table(uintptr_t virtual, unsigned *level)
{
    uint64_t *table = user_root();
    unsigned at = 4;
    for (; at > 1; at--) {
        uint64_t entry = table[table_index(virtual, at)];
        if (!(entry & ENTRY_PRESENT) || (at == 2 && is_large(entry))) {
            *level = at;
            return entry & ENTRY_PRESENT ? table : NULL;
        }
        table = table_below(entry);
    }
    *level = 1;
    return table;
}

/* What the entry of a large page would hold of one page in a table of level 1. */
static uint64_t part_of_large(uint64_t entry, uintptr_t virtual)
{
    return (entry & ~ENTRY_LARGE) + align_down(virtual & (LARGE_PAGE_SIZE - 1), PAGE_SIZE);
}

/* The level-1 entry that translates the address, or what it would be in a large page. */
static uint64_t entry_in(const uint64_t *table, unsigned level, uintptr_t virtual)
{
    uint64_t entry = table[table_index(virtual, level)];
    return level == 2 ? part_of_large(entry, virtual) : entry;
}

/* Puts a new table under an absent entry of `parent`; NULL without memory. */
static uint64_t *add_table(uint64_t *parent, unsigned index)
{
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (!page)
        return NULL;
    memset(page_data(page), 0, PAGE_SIZE);
    page->index = 0;
    list_init(&page->link);
    link_table(parent, index, page);
    if (parent != user_root())
        table_page(parent)->index++;
    return page_data(page);
}

/* Takes the large page and its spare table out of the level-2 table; returns what the entry held. */
static uint64_t take_large(uint64_t *table, uintptr_t virtual, struct page **spare)
{
    *spare = list_entry(list_pop_front(&table_page(table)->link), struct page, link);
    return replace_entry(&table[table_index(virtual, 2)], virtual, 0);
}

/*
 * Nothing changes for the program, except that a CPU that uses the page meanwhile faults and waits for the
 * address_space mutex: processors with the flaw CVE-2018-12207 must not find the same instructions through entries of
 * both sizes, so no CPU may have the old one when the new ones are there.
 */
static void split_large(uint64_t *table, uintptr_t virtual)
{
    struct page *spare;
    uint64_t large = take_large(table, virtual, &spare), *parts = page_data(spare);
    commit_changes();
    for (uintptr_t i = 0; i < TABLE_ENTRIES; i++)
        parts[i] = part_of_large(large, i << PAGE_SHIFT);
    spare->index = TABLE_ENTRIES;
    list_init(&spare->link);
    link_table(table, table_index(virtual, 2), spare);
    large_counts.mapped--;
    large_counts.splits++;
}

/* The table of this level, without large pages above it. NULL without memory; tables that are empty may then be left on
 * the way. */
static uint64_t *find_or_create_table(uintptr_t virtual, unsigned level)
{
    uint64_t *table = user_root();
    for (unsigned at = 4; at > level && table; at--) {
        unsigned index = table_index(virtual, at);
        if (at == 2 && (table[index] & ENTRY_PRESENT) && is_large(table[index]))
            split_large(table, virtual);
        table = table[index] & ENTRY_PRESENT ? table_below(table[index]) : add_table(table, index);
    }
    return table;
}

/* Takes the tables that became empty on the way to `virtual` out, lowest first, and puts them on `unused`. */
static void remove_empty_tables(uintptr_t virtual, struct list *unused)
{
    uint64_t *tables[5] = { [4] = user_root() };
    unsigned lowest = 4;
    for (; lowest > 1; lowest--) {
        uint64_t entry = tables[lowest][table_index(virtual, lowest)];
        if (!(entry & ENTRY_PRESENT) || (lowest == 2 && is_large(entry)))
            break;
        tables[lowest - 1] = table_below(entry);
    }
    for (unsigned at = lowest; at < 4; at++) {
        struct page *page = table_page(tables[at]);
        if (page->index != 0)
            return;
        unlink_table(tables[at + 1], table_index(virtual, at + 1), page);
        if (at + 1 < 4)
            table_page(tables[at + 1])->index--;
        list_push_back(unused, &page->link);
    }
}

/* Only after a commit: a CPU may have cached the way through them. */
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
        if (find_or_create_table(entries[i].virtual, 1))
            continue;
        struct list unused = LIST_INIT(unused);
        for (size_t made = 0; made <= i; made++)
            remove_empty_tables(entries[made].virtual, &unused);
        commit_changes();
        free_tables(&unused);
        return -ENOMEM;
    }
    return 0;
}

static int user_half_map(const struct mmu_entry *entries, size_t count)
{
    uint64_t *table = NULL;

    if (create_tables(entries, count) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uintptr_t virtual = entries[i].virtual;
        if (i == 0 || !same_table(virtual, entries[i - 1].virtual))
            table = find_or_create_table(virtual, 1);
        uint64_t value = make_entry(entries[i].physical, entries[i].protection);
        if (!entry_used(replace_entry(&table[table_index(virtual, 1)], virtual, value)))
            table_page(table)->index++;
    }
    commit_changes();
    return 0;
}

static int user_half_map_large(const struct mmu_entry *entry)
{
    uintptr_t virtual = entry->virtual;
    struct page *spare = page_allocate_at(PAGES_NEEDED);
    uint64_t *table = spare ? find_or_create_table(virtual, 2) : NULL;
    if (!table) {
        struct list unused = LIST_INIT(unused);
        remove_empty_tables(virtual, &unused);
        commit_changes();
        free_tables(&unused);
        if (spare)
            page_put(spare);
        return -ENOMEM;
    }
    uint64_t value = make_entry(entry->physical, entry->protection) | ENTRY_LARGE;
    uint64_t old = replace_entry(&table[table_index(virtual, 2)], virtual, value);
    assert(!old && value & ENTRY_PRESENT);
    list_push_front(&table_page(table)->link, &spare->link);
    table_page(table)->index++;
    commit_changes();
    large_counts.mapped++;
    return 0;
}

/* Clears entries of one table from *virtual on, at most to `end`, and moves *virtual after the last; how many. */
static size_t unmap_in_table(uint64_t *table, uintptr_t *virtual, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    struct page *page = table_page(table);
    size_t count = 0;

    for (; *virtual < end && count < limit && page->index != 0; *virtual += PAGE_SIZE) {
        uint64_t *entry = &table[table_index(*virtual, 1)];
        if (!entry_used(*entry))
            continue;
        out[count++] = describe(*virtual, replace_entry(entry, *virtual, 0), 1);
        page->index--;
    }
    return count;
}

/* A large page that begins at `virtual` and ends at `end` or before. */
static bool is_whole(uintptr_t virtual, uintptr_t end)
{
    return (virtual & (LARGE_PAGE_SIZE - 1)) == 0 && end - virtual >= LARGE_PAGE_SIZE;
}

static struct mmu_entry unmap_large(uint64_t *table, uintptr_t virtual, struct list *unused)
{
    struct page *spare;
    uint64_t large = take_large(table, virtual, &spare);
    list_push_back(unused, &spare->link);
    large_counts.mapped--;
    table_page(table)->index--;
    remove_empty_tables(virtual, unused);
    return describe(virtual, large & ~ENTRY_LARGE, 2);
}

static size_t user_half_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
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
        if (level == 2) {
            if (!is_whole(virtual, end)) {
                split_large(table, virtual);
                continue;
            }
            out[count++] = unmap_large(table, virtual, &unused);
            virtual += LARGE_PAGE_SIZE;
            break;
        }
        uintptr_t table_address = virtual;
        uintptr_t table_end = next_boundary(virtual, end, 2);
        count += unmap_in_table(table, &virtual, table_end, out + count, limit - count);
        if (table_page(table)->index == 0) {
            virtual = table_end;
            remove_empty_tables(table_address, &unused);
        }
    }
    *from = virtual;
    commit_changes();
    free_tables(&unused);
    return count;
}

static void protect_entry(uint64_t *entry, uintptr_t virtual, unsigned protection, bool upgrade_write)
{
    uint64_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);
    uint64_t value;
    do {
        if (!entry_used(old))
            return;
        bool stays_read_only = !upgrade_write && !(old & ENTRY_WRITE);
        value = make_entry(physical_in(old), stays_read_only ? protection & ~MMU_WRITE : protection) |
                (old & ENTRY_LARGE);
        if (((old ^ value) & ENTRY_RIGHTS) == 0)
            return;
    } while (!change_rights(entry, virtual, &old, value));
}

static void user_half_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    while (from < end) {
        unsigned level;
        uint64_t *table = find_table(from, &level);
        if (!table) {
            from = next_boundary(from, end, level);
            continue;
        }
        /* An entry without access is not present, and so could not be distinguished from a table's. */
        if (level == 2 && !(protection && is_whole(from, end))) {
            split_large(table, from);
            continue;
        }
        uintptr_t table_end = next_boundary(from, end, 2);
        for (; from < table_end; from += entry_span(level))
            protect_entry(&table[table_index(from, level)], from, protection, upgrade_write);
    }
    commit_changes();
}

static size_t user_half_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
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
            uint64_t entry = entry_in(table, level, virtual);
            if (entry_used(entry))
                out[count++] = describe(virtual, entry, level);
        }
    }
    *from = virtual;
    return count;
}

static bool user_half_query(uintptr_t virtual, struct mmu_entry *out)
{
    unsigned level;
    const uint64_t *table = find_table(virtual, &level);
    uint64_t entry = table ? entry_in(table, level, virtual) : 0;
    if (!entry_used(entry))
        return false;
    *out = describe(align_down(virtual, PAGE_SIZE), entry, level);
    return true;
}

static bool user_half_test_clear_accessed(uintptr_t virtual)
{
    unsigned level;
    uint64_t *table = find_table(virtual, &level);
    uint64_t *entry = table ? &table[table_index(virtual, level)] : NULL;
    if (!entry || !(*entry & ENTRY_ACCESSED))
        return false;
    clear_accessed(entry);
    return true;
}

static struct mmu_large_counts user_half_large_counts(void) { return large_counts; }

/* Initialises the platform's struct mmu_operations. */
#define USER_HALF_OPERATIONS \
    { \
        .map = user_half_map, .unmap = user_half_unmap, .protect = user_half_protect, .find = user_half_find, \
        .query = user_half_query, .test_clear_accessed = user_half_test_clear_accessed, \
        .map_large = HAS_LARGE_PAGES ? user_half_map_large : NULL, .large_counts = user_half_large_counts \
    }
