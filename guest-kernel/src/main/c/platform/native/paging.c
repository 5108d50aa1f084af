/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel half of the page tables: the image with the rights of its segments, the direct map of all RAM
 * (not executable; the image's read-only part is read-only there too), kernel stacks and device memory. On processors
 * with the Meltdown flaw there is a second root for user mode, with the same user half and of the kernel half only the
 * gate (traps.S); then no translation is global, and the first root's user half is not executable.
 * Before the page allocator works only the boot CPU calls; afterwards callers serialise, as platform.h says.
 */
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/gate.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/native/page_table.h"
#include "platform/x86/image.h"

/* Where mmio_map() and memory_map() hand out addresses. */
#define MMIO_BASE 0xffffc90000000000UL
#define MMIO_LIMIT (MMIO_BASE + (1UL << 39))

/* Kernel memory that is not the image's: no code. */
#define DATA_RIGHTS (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_NO_EXECUTE)

extern char native_boot_stack_guard[];

uint64_t *native_root_table, *native_user_root_table;

/* Where table pages come from until the page allocator works. */
static struct memory_range *boot_pool;
static uintptr_t mmio_next = MMIO_BASE;

static uint64_t *table_allocate(void)
{
    if (!boot_pool) {
        struct page *page = page_allocate_zeroed();
        return page ? page_data(page) : NULL;
    }
    if (boot_pool->end - boot_pool->start < PAGE_SIZE)
        panic("not enough memory for page tables; give the guest more");
    uint64_t *table = phys_to_virt(boot_pool->start);
    boot_pool->start += PAGE_SIZE;
    return memset(table, 0, PAGE_SIZE);
}

/* Sets one translation of a page of the given level (1: 4 KiB, 2: 2 MiB). False without memory. */
static bool set_entry_of(uint64_t *root, uintptr_t virtual, unsigned level, uint64_t value)
{
    uint64_t *table = root;
    for (unsigned at = 4; at > level; at--) {
        uint64_t *entry = &table[table_index(virtual, at)];
        if (!(*entry & ENTRY_PRESENT)) {
            uint64_t *next = table_allocate();
            if (!next)
                return false;
            *entry = virt_to_phys(next) | ENTRY_PRESENT | ENTRY_WRITE;
        }
        table = entry_table(*entry);
    }
    table[table_index(virtual, level)] = value;
    return true;
}

/* Translations of the kernel survive a change of root, but not one that hides the kernel. */
static bool set_entry(uintptr_t virtual, unsigned level, uint64_t value)
{
    bool global = (value & ENTRY_PRESENT) && !native_isolated;
    return set_entry_of(native_root_table, virtual, level, value | (global ? ENTRY_GLOBAL : 0));
}

static bool in_read_only_image(phys_t start, phys_t end)
{
    return start < (uintptr_t)kernel_rodata_end - KERNEL_BASE && end > (uintptr_t)kernel_text_start - KERNEL_BASE;
}

static void map_direct(phys_t start, phys_t end)
{
    start = align_up(start, PAGE_SIZE);
    end = align_down(end, PAGE_SIZE);
    while (start < end) {
        phys_t large_end = start + LARGE_PAGE_SIZE;
        bool large = (start & (LARGE_PAGE_SIZE - 1)) == 0 && large_end <= end && !in_read_only_image(start, large_end);
        if (large) {
            (void)set_entry(DIRECT_MAP + start, 2, start | DATA_RIGHTS | ENTRY_LARGE);
            start = large_end;
            continue;
        }
        bool read_only = in_read_only_image(start, start + PAGE_SIZE);
        (void)set_entry(DIRECT_MAP + start, 1, start | (read_only ? DATA_RIGHTS & ~ENTRY_WRITE : DATA_RIGHTS));
        start += PAGE_SIZE;
    }
}

static void map_image(const char *start, const char *end, uint64_t rights)
{
    for (uintptr_t virtual = (uintptr_t)start; virtual < (uintptr_t)end; virtual += PAGE_SIZE) {
        if (virtual != (uintptr_t)native_boot_stack_guard)
            (void)set_entry(virtual, 1, (virtual - KERNEL_BASE) | ENTRY_PRESENT | rights);
    }
}

static void map_gate(const char *start, const char *end, uint64_t rights)
{
    for (uintptr_t virtual = (uintptr_t)start; virtual < (uintptr_t)end; virtual += PAGE_SIZE)
        (void)set_entry_of(native_user_root_table, virtual, 1, (virtual - KERNEL_BASE) | ENTRY_PRESENT | rights);
}

/* The second root, whose kernel half is what traps.S needs to change to the first one. */
static void build_user_root(void)
{
    native_user_root_table = table_allocate();
    map_gate(kernel_gate_text_start, kernel_gate_text_end, 0);
    map_gate(kernel_gate_data_start, kernel_gate_data_end, ENTRY_WRITE | ENTRY_NO_EXECUTE);
}

void native_root_set(unsigned index, uint64_t value)
{
    bool hides = native_isolated && (value & ENTRY_PRESENT);
    native_root_table[index] = value | (hides ? ENTRY_NO_EXECUTE : 0);
    if (native_isolated)
        native_user_root_table[index] = value;
}

void native_paging_init(struct memory_range *pool)
{
    boot_pool = pool;
    pool->start = align_up(pool->start, PAGE_SIZE);
    native_root_table = table_allocate();
    map_image(kernel_text_start, kernel_text_end, 0);
    map_image(kernel_rodata_start, kernel_rodata_end, ENTRY_NO_EXECUTE);
    map_image(kernel_data_start, kernel_end, ENTRY_WRITE | ENTRY_NO_EXECUTE);
    for (unsigned i = 0; i < native_memory_count; i++) {
        if (native_memory[i].type == MEMORY_RAM)
            map_direct(native_memory[i].start, native_memory[i].end);
    }
    if (native_isolated)
        build_user_root();
    boot_pool = NULL;

    platform.page_tables = virt_to_phys(native_root_table);
    cr3_write(platform.page_tables);
    if (native_isolated)
        native_segments_isolate(this_cpu(), virt_to_phys(native_root_table), virt_to_phys(native_user_root_table));
    /* Entries of the boot tables are not global, but be rid of whatever was prefetched as such. */
    native_flush_kernel();
}

/* A change of CR4.PGE flushes all translations, global ones too (SDM 3A 4.10.4.1). */
void native_flush_kernel(void)
{
    uint64_t cr4 = cr4_read();
    cr4_write(cr4 ^ (1u << 7));
    cr4_write(cr4);
}

bool native_gate_map(struct page *page)
{
    phys_t address = page_address(page);
    return !native_isolated || set_entry_of(native_user_root_table, DIRECT_MAP + address, 1, address | DATA_RIGHTS);
}

bool native_kernel_half_complete(void) { return set_entry(KERNEL_STACKS, 1, 0) && set_entry(mmio_next, 1, 0); }

int native_kernel_map(uintptr_t virtual, struct page *const *pages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!set_entry(virtual + i * PAGE_SIZE, 1, page_address(pages[i]) | DATA_RIGHTS)) {
            native_kernel_unmap(virtual, i);
            return -ENOMEM;
        }
    }
    return 0;
}

void native_kernel_unmap(uintptr_t virtual, size_t count)
{
    for (uintptr_t at = virtual; at < virtual + count * PAGE_SIZE; at += PAGE_SIZE) {
        (void)set_entry(at, 1, 0); /* cannot fail: its table is there */
        invalidate_page(at);
    }
    native_flush_kernel_others();
}

/* Maps [address, address + length) where kernel addresses for it are left. */
static void *map_beside(phys_t address, size_t length, uint64_t type)
{
    phys_t first = align_down(address, PAGE_SIZE);
    phys_t end = align_up(address + length, PAGE_SIZE);
    if (end <= first || (end & ~ENTRY_ADDRESS) != 0 || end - first > MMIO_LIMIT - mmio_next)
        return NULL;
    uintptr_t at = mmio_next;
    for (phys_t page = first; page < end; page += PAGE_SIZE) {
        if (!set_entry(at + (page - first), 1, page | DATA_RIGHTS | type))
            return NULL;
    }
    mmio_next += end - first;
    return (void *)(at + (address - first));
}

volatile void *mmio_map(phys_t address, size_t length) { return map_beside(address, length, ENTRY_UNCACHED); }

void *memory_map(phys_t address, size_t length) { return map_beside(address, length, 0); }
