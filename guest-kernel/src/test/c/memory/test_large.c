/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large pages, split and whole: random calls of a program that has asked for them, against a model that keeps two bytes
 * for each page, its protection and its contents.
 *
 * The page tables are those of x86-64 (platform/x86/user_half.h) in the memory of the test. A CPU is played that walks
 * them, marks entries as accessed and dirty and has a TLB, which keeps what it is not told to forget; so a missing
 * flush shows as a page with the contents of another. Run by make test-memory; target/test/large SEED makes other
 * choices.
 */
#include <stdlib.h>

#include "core/kernel_lock.h"
#include "core/pages.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "memory/areas.h"
#include "memory/large.h"
#include "memory/page_cache.h"

/* ---- Page tables, and a CPU -------------------------------------------------------------------------- */

#define HAS_LARGE_PAGES 1
#include "platform/x86/user_half.h"

#define PIECES 5u /* of LARGE_PAGE_SIZE, of which the first and last are never mapped as a whole */
#define PAGES (PIECES * 512u)

static uint64_t root[TABLE_ENTRIES];
static uintptr_t base; /* of the pages of the model; aligned to LARGE_PAGE_SIZE */

/* What the CPU has looked up: the entry of each page, and whether it was a large one; 0: nothing. */
static struct {
    uint64_t entry;
    bool large;
} tlb[PAGES];
static uintptr_t stale[PAGES];
static unsigned stale_count;
static bool all_stale;

static uint64_t *user_root(void) { return root; }
static phys_t physical_of(uint64_t address) { return address; }
static uint64_t address_of(phys_t physical) { return physical; }

static void note_stale(uintptr_t virtual)
{
    if (stale_count == array_size(stale))
        all_stale = true;
    else
        stale[stale_count++] = virtual;
}

static uint64_t replace_entry(uint64_t *entry, uintptr_t virtual, uint64_t value)
{
    uint64_t old = *entry;
    *entry = value;
    if (old & ENTRY_PRESENT)
        note_stale(virtual);
    return old;
}

static bool change_rights(uint64_t *entry, uintptr_t virtual, uint64_t *old, uint64_t value)
{
    *entry = value | (*old & (ENTRY_ACCESSED | ENTRY_DIRTY));
    note_stale(virtual);
    return true;
}

static void clear_accessed(uint64_t *entry) { *entry &= ~ENTRY_ACCESSED; }

static void link_table(uint64_t *parent, unsigned index, struct page *page)
{
    parent[index] = page_address(page) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER;
}

static void unlink_table(uint64_t *parent, unsigned index, struct page *page)
{
    (void)page;
    parent[index] = 0;
    all_stale = true;
}

static unsigned page_at(uintptr_t virtual) { return (unsigned)((virtual - base) >> PAGE_SHIFT); }

/* As INVLPG: of a large page, whatever address in it is named, all goes. */
static void forget(uintptr_t virtual)
{
    unsigned page = page_at(virtual), first = page & ~511u;
    bool large = tlb[page].large;
    for (unsigned i = first; i < first + 512; i++)
        if (i == page || (tlb[i].large && (large || i / 512 == page / 512)))
            tlb[i].entry = 0;
}

static void commit_changes(void)
{
    if (all_stale)
        memset(tlb, 0, sizeof(tlb));
    while (stale_count > 0)
        forget(stale[--stale_count]);
    all_stale = false;
}

int mmu_map(const struct mmu_entry *entries, size_t count) { return user_half_map(entries, count); }
size_t mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    return user_half_unmap(from, end, out, limit);
}
void mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    user_half_protect(from, end, protection, upgrade_write);
}
size_t mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    return user_half_find(from, end, out, limit);
}
bool mmu_query(uintptr_t virtual, struct mmu_entry *out) { return user_half_query(virtual, out); }
bool mmu_test_clear_accessed(uintptr_t virtual) { return user_half_test_clear_accessed(virtual); }
bool mmu_has_large_pages(void) { return true; }
int mmu_map_large(const struct mmu_entry *entry) { return user_half_map_large(entry); }
struct mmu_large_counts mmu_large_counts(void) { return user_half_large_counts(); }

/* The walk of the tables; the entry of the page in it, or 0. */
static uint64_t walk(uintptr_t virtual, bool write, bool *large)
{
    uint64_t *table = root;
    for (unsigned level = 4;; level--) {
        uint64_t *entry = &table[table_index(virtual, level)];
        *large = level == 2 && (*entry & ENTRY_LARGE);
        if (!(*entry & ENTRY_PRESENT) || (write && !(*entry & ENTRY_WRITE)))
            return 0;
        *entry |= ENTRY_ACCESSED;
        if (level > 1 && !*large) {
            table = table_below(*entry);
            continue;
        }
        *entry |= write ? ENTRY_DIRTY : 0;
        return *large ? part_of_large(*entry, virtual) : *entry;
    }
}

/* The byte at the start of a page, as the program reaches it; NULL: a page fault. */
static uint8_t *reach(uintptr_t virtual, bool write)
{
    unsigned page = page_at(virtual);
    if (!tlb[page].entry || (write && !(tlb[page].entry & ENTRY_WRITE)))
        tlb[page].entry = walk(virtual, write, &tlb[page].large);
    return tlb[page].entry ? page_data(page_of(physical_of(entry_address(tlb[page].entry)))) : NULL;
}

/* ---- The model ----------------------------------------------------------------------------------------- */

#define FREE 0xff

static uint8_t protections[PAGES], contents[PAGES];
static uint64_t choice;
static unsigned choose(unsigned bound) { return (unsigned)(hash_mix(choice++) % bound); }

static uintptr_t address(unsigned page) { return base + (uintptr_t)page * PAGE_SIZE; }

static bool memory_varies;

/* Memory is short for one fault in eight: no large page then, and sometimes no page. */
static void choose_memory(void)
{
    if (!memory_varies)
        return;
    host_pages_withheld = choose(8) ? 0 : pages_free_count() - pages_total_count() / 8;
    host_fail_one_allocation(choose(32) ? 0 : 1 + choose(4));
}

static void memory_is_ample(void)
{
    host_pages_withheld = 0;
    host_fail_one_allocation(0);
}

static uint8_t *touch(unsigned page, bool write)
{
    bool refused = protections[page] == FREE || protections[page] == 0 || (write && !(protections[page] & MMU_WRITE));
    enum fault_result expected = protections[page] == FREE ? FAULT_NO_AREA : FAULT_NO_ACCESS;
    for (;;) {
        uint8_t *found = reach(address(page), write);
        if (found) {
            if (refused)
                host_fail(__FILE__, __LINE__, "page %u can be reached with protection %u", page, protections[page]);
            return found;
        }
        choose_memory();
        enum fault_result result = address_space_fault(address(page), write ? FAULT_WRITE : 0);
        memory_is_ample();
        if (result == FAULT_NO_MEMORY)
            continue;
        if (result != (refused ? expected : FAULT_RESOLVED))
            host_fail(__FILE__, __LINE__, "a fault at page %u returns %d", page, result);
        if (result != FAULT_RESOLVED)
            return NULL;
    }
}

static void write_page(unsigned page)
{
    uint8_t *found = touch(page, true), value = (uint8_t)(1 + choose(255));
    if (!found)
        return;
    found[0] = found[PAGE_SIZE - 1] = contents[page] = value;
}

static void read_page(unsigned page)
{
    const uint8_t *found = touch(page, false);
    if (found && (found[0] != contents[page] || found[PAGE_SIZE - 1] != contents[page]))
        host_fail(__FILE__, __LINE__, "page %u has %u and %u, not %u", page, found[0], found[PAGE_SIZE - 1],
                  contents[page]);
}

static void map(unsigned first, unsigned pages, unsigned protection)
{
    struct map_request request = {
        .where = address(first), .length = pages * PAGE_SIZE, .protection = protection, .fixed = true
    };
    CHECK_EQUAL(address_space_map(&request), (int64_t)address(first));
    memset(&protections[first], (int)protection, pages);
    memset(&contents[first], 0, pages);
}

static bool is_covered(unsigned first, unsigned pages) { return memchr(&protections[first], FREE, pages) == NULL; }

static void protect(unsigned first, unsigned pages)
{
    static const unsigned kinds[] = { 0, MMU_READ, MMU_READ | MMU_WRITE, MMU_READ | MMU_WRITE | MMU_EXECUTE };
    unsigned protection = kinds[choose(array_size(kinds))];
    host_fail_one_allocation(choose(16) ? 0 : 1);
    int error = address_space_protect(address(first), pages * PAGE_SIZE, protection);
    host_fail_one_allocation(0);
    CHECK(error == 0 || error == -ENOMEM);
    if (error == 0) {
        CHECK(is_covered(first, pages));
        memset(&protections[first], (int)protection, pages);
    }
}

/* To another place, whole or cut; everything there goes. */
static void move(unsigned first, unsigned pages, unsigned to)
{
    unsigned kept = 1 + choose(pages);
    if (to + pages > PAGES || (to < first + pages && first < to + kept))
        return;
    int64_t moved = address_space_remap(address(first), pages * PAGE_SIZE, kept * PAGE_SIZE, true, true, address(to));
    if (moved == -EFAULT) { /* not one area */
        return;
    }
    CHECK_EQUAL(moved, (int64_t)address(to));
    memmove(&protections[to], &protections[first], kept);
    memmove(&contents[to], &contents[first], kept);
    memset(&protections[first], FREE, pages);
}

static void step(void)
{
    static const unsigned sizes[] = { 1, 8, 100, 600 };
    bool aligned = choose(4); /* whole pieces, or any pages */
    unsigned first = aligned ? choose(PIECES) * 512 : choose(PAGES);
    unsigned pages = aligned ? 512 * (1 + choose(3)) : 1 + choose(sizes[choose(array_size(sizes))]);
    pages = min_of(pages, PAGES - first);
    switch (choose(16)) {
    case 0:
        map(first, pages, choose(4) ? MMU_READ | MMU_WRITE : 0);
        break;
    case 1:
        CHECK_EQUAL(address_space_unmap(address(first), pages * PAGE_SIZE), 0);
        memset(&protections[first], FREE, pages);
        break;
    case 2:
        protect(first, pages);
        break;
    case 3: {
        int error = address_space_discard(address(first), pages * PAGE_SIZE);
        CHECK_EQUAL(error, is_covered(first, pages) ? 0 : -ENOMEM);
        memset(&contents[first], 0, pages);
        break;
    }
    case 4:
    case 5:
        CHECK_EQUAL(address_space_advise_large(address(first), pages * PAGE_SIZE, choose(8)),
                    is_covered(first, pages) ? 0 : -ENOMEM);
        break;
    case 6:
        move(first, pages, choose(PAGES));
        break;
    default:
        for (unsigned i = 0; i < 4; i++)
            write_page(first + choose(pages));
        read_page(first + choose(pages));
        break;
    }
}

/* ---- What must hold between calls ---------------------------------------------------------------------- */

static uint64_t resident, large;

static void count_area(const struct area *area, void *context)
{
    (void)context;
    struct area_pages pages = area_count_pages(area);
    resident += pages.resident;
    large += pages.large;
}

static bool holds(unsigned page)
{
    struct mmu_entry entry;
    if (!mmu_query(address(page), &entry))
        return protections[page] == FREE || contents[page] == 0;
    const uint8_t *found = page_data(page_of(entry.physical));
    return entry.protection == (protections[page] & entry.protection) && found[0] == contents[page] &&
           found[PAGE_SIZE - 1] == contents[page] && page_of(entry.physical)->references == 1;
}

static void compare(void)
{
    for (unsigned page = 0; page < PAGES; page++)
        if (!holds(page))
            host_fail(__FILE__, __LINE__, "page %u is not as the model says", page);
    resident = large = 0;
    address_space_for_each(count_area, NULL);
    CHECK_EQUAL(resident, resident_pages);
    CHECK_EQUAL(large, mmu_large_counts().mapped * 512);
}

static uint64_t pages_before, blocks_before;

static void prepare(void)
{
    pages_before = host_pages_in_use();
    blocks_before = host_heap_blocks();
    memset(protections, FREE, sizeof(protections));
    memset(contents, 0, sizeof(contents));
    memory_is_ample();
    address_space_init();
    base = 0x7000000000UL;
}

static void all_is_given_back(void)
{
    CHECK_EQUAL(address_space_unmap(base, PAGES * PAGE_SIZE), 0);
    CHECK_EQUAL(resident_pages, 0);
    CHECK_EQUAL(mmu_large_counts().mapped, 0);
    CHECK_EQUAL(host_pages_in_use(), pages_before);
    CHECK_EQUAL(host_heap_blocks(), blocks_before);
}

#define STEPS 100000u

static void test_random_calls(void)
{
    prepare();
    struct memory_events events = memory_events;
    uint64_t splits = mmu_large_counts().splits;
    memory_varies = true;
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        if (i % 16 == 0)
            compare();
    }
    memory_varies = false;
    CHECK(memory_events.large_missing - events.large_missing > STEPS / 1000);
    CHECK(mmu_large_counts().splits - splits > STEPS / 500);
    all_is_given_back();
}

/* ---- Each case alone ----------------------------------------------------------------------------------- */

static bool is_large_at(unsigned page)
{
    struct mmu_entry entry;
    return mmu_query(address(page), &entry) && entry.large;
}

/* One large page, at page 512, whose pages have contents of their own. */
static void prepare_one(void)
{
    prepare();
    map(0, PAGES, MMU_READ | MMU_WRITE);
    CHECK_EQUAL(address_space_advise_large(base, PAGES * PAGE_SIZE, true), 0);
    uint64_t faults = memory_events.faults;
    for (unsigned page = 512; page < 1024; page++)
        write_page(page);
    CHECK_EQUAL(memory_events.faults - faults, 1);
    CHECK(is_large_at(512) && is_large_at(1023) && !is_large_at(511) && !is_large_at(1024));
    CHECK_EQUAL(resident_pages, 512);
}

static void test_whole_is_taken(void)
{
    prepare_one();
    uint64_t splits = mmu_large_counts().splits;
    CHECK_EQUAL(address_space_protect(address(512), LARGE_PAGE_SIZE, MMU_READ), 0);
    memset(&protections[512], MMU_READ, 512);
    CHECK(is_large_at(512));
    write_page(700);
    read_page(700);
    CHECK_EQUAL(address_space_protect(address(512), LARGE_PAGE_SIZE, MMU_READ | MMU_WRITE), 0);
    memset(&protections[512], MMU_READ | MMU_WRITE, 512);
    write_page(700);
    CHECK(is_large_at(512));
    compare();
    CHECK_EQUAL(address_space_discard(address(512), LARGE_PAGE_SIZE), 0);
    memset(&contents[512], 0, 512);
    CHECK_EQUAL(resident_pages, 0);
    read_page(512);
    CHECK(is_large_at(512));
    CHECK_EQUAL(mmu_large_counts().splits, splits);
    all_is_given_back();
}

static void test_part_is_discarded(void)
{
    prepare_one();
    uint64_t splits = mmu_large_counts().splits;
    CHECK_EQUAL(address_space_discard(address(600), 3 * PAGE_SIZE), 0);
    memset(&contents[600], 0, 3);
    CHECK_EQUAL(mmu_large_counts().splits - splits, 1);
    CHECK(!is_large_at(512));
    CHECK_EQUAL(resident_pages, 509);
    compare();
    read_page(601);
    all_is_given_back();
}

static void test_access_is_taken_from_a_part(void)
{
    prepare_one();
    CHECK_EQUAL(address_space_protect(address(1000), PAGE_SIZE, 0), 0);
    protections[1000] = 0;
    CHECK(!is_large_at(512));
    CHECK(touch(1000, false) == NULL);
    read_page(999);
    CHECK_EQUAL(address_space_protect(address(512), LARGE_PAGE_SIZE, 0), 0);
    memset(&protections[512], 0, 512);
    CHECK(touch(512, false) == NULL);
    CHECK_EQUAL(resident_pages, 512);
    compare();
    all_is_given_back();
}

static void test_part_is_moved(void)
{
    prepare_one();
    move(1000, 24, 1500);
    read_page(999);
    CHECK(touch(1000, false) == NULL);
    compare();
    all_is_given_back();
}

/* Without memory for a table a split succeeds, since a large page has one to spare. */
static void test_split_needs_no_memory(void)
{
    prepare_one();
    host_fail_allocation(1);
    mmu_protect(address(512), address(513), MMU_READ, false);
    host_fail_allocation(0);
    CHECK(!is_large_at(512));
    struct mmu_entry entry;
    CHECK(mmu_query(address(512), &entry) && entry.protection == MMU_READ && entry.dirty && entry.accessed);
    CHECK(mmu_query(address(513), &entry) && entry.protection == (MMU_READ | MMU_WRITE));
    all_is_given_back();
}

/* No large page: without advice, where the area does not hold all of it, and where memory is not ample. */
static void test_only_where_asked_and_ample(void)
{
    prepare();
    map(10, 1014, MMU_READ | MMU_WRITE);
    write_page(600);
    CHECK(!is_large_at(600));
    CHECK_EQUAL(address_space_discard(address(600), PAGE_SIZE), 0);
    CHECK_EQUAL(address_space_advise_large(address(10), 1014 * PAGE_SIZE, true), 0);
    host_pages_withheld = pages_free_count() - pages_total_count() / 4 - 511;
    CHECK_EQUAL(address_space_fault(address(600), FAULT_WRITE), FAULT_RESOLVED);
    CHECK(!is_large_at(600));
    host_pages_withheld = 0;
    CHECK_EQUAL(address_space_discard(address(600), PAGE_SIZE), 0);
    host_pages_withheld = pages_free_count() - pages_total_count() / 4 - 512;
    CHECK_EQUAL(address_space_fault(address(600), FAULT_WRITE), FAULT_RESOLVED);
    CHECK(is_large_at(600));
    host_pages_withheld = 0;
    CHECK_EQUAL(address_space_fault(address(10), FAULT_WRITE), FAULT_RESOLVED);
    CHECK(!is_large_at(10));
    CHECK_EQUAL(address_space_advise_large(address(10), 1014 * PAGE_SIZE, false), 0);
    CHECK_EQUAL(address_space_discard(address(512), LARGE_PAGE_SIZE), 0);
    CHECK_EQUAL(address_space_fault(address(600), FAULT_WRITE), FAULT_RESOLVED);
    CHECK(!is_large_at(600));
    CHECK_EQUAL(address_space_advise_large(address(5), 100 * PAGE_SIZE, true), -ENOMEM);
    memset(protections, FREE, sizeof(protections));
    all_is_given_back();
}

/* Pages that a fault brings in ahead of a sequential walk end where a large page may begin. */
static void test_walk_ahead_ends_before_a_large_page(void)
{
    prepare();
    map(500, 1000, MMU_READ | MMU_WRITE);
    CHECK_EQUAL(address_space_advise_large(address(500), 1000 * PAGE_SIZE, true), 0);
    struct mmu_entry entry;
    for (unsigned page = 500; page < 512; page++) {
        write_page(page);
        CHECK(!mmu_query(address(512), &entry));
    }
    CHECK(!is_large_at(511));
    write_page(512);
    CHECK(is_large_at(512));
    all_is_given_back();
}

/* With several CPUs the fault that makes one takes the kernel lock, under which others get their turns; one that finds
 * it there does not. */
static void test_kernel_lock(void)
{
    prepare();
    map(0, PAGES, MMU_READ | MMU_WRITE);
    CHECK_EQUAL(address_space_advise_large(base, PAGES * PAGE_SIZE, true), 0);
    kernel_is_locked = true;
    kernel_leave();
    host_kernel_taken = 0;
    CHECK_EQUAL(address_space_fault(address(600), FAULT_WRITE), FAULT_RESOLVED);
    CHECK(is_large_at(512));
    CHECK_EQUAL(host_kernel_taken, 1);
    CHECK_EQUAL(address_space_fault(address(700), FAULT_WRITE), FAULT_RESOLVED);
    CHECK_EQUAL(host_kernel_taken, 1);
    kernel_enter();
    kernel_is_locked = false;
    all_is_given_back();
}

int main(int argc, char **argv)
{
    choice = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
    host_init();
    page_cache_init();
    host_test("large: a large page is taken as a whole", test_whole_is_taken);
    host_test("large: a part of one is discarded", test_part_is_discarded);
    host_test("large: a part of one loses its access", test_access_is_taken_from_a_part);
    host_test("large: a part of one is moved", test_part_is_moved);
    host_test("large: a split needs no memory", test_split_needs_no_memory);
    host_test("large: only where asked for, and memory is ample", test_only_where_asked_and_ample);
    host_test("large: a walk ahead ends before one", test_walk_ahead_ends_before_a_large_page);
    host_test("large: the kernel lock is taken for one", test_kernel_lock);
    host_test("large: random calls agree with a model", test_random_calls);
    return host_result();
}
