/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From entry.S to kernel_main(): reads what the loader passed, trusting no length in it, and sets the machine up in the
 * order of native.h.
 *
 * native_start() runs once, on the boot CPU with interrupts masked, so there are no locks. Until init_memory() has
 * replaced the tables of entry.S only the first 4 GiB can be reached, and there is no allocator. native_memory and
 * native_acpi_root are written here and only read afterwards. What cannot be used of the loader's data is a panic.
 */
#include "core/log.h"
#include "core/pages.h"
#include "lib/string.h"
#include "platform/native/acpi.h"
#include "platform/native/buttons.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/mp_table.h"
#include "platform/native/native.h"
#include "platform/native/start_info.h"
#include "platform/native/xen.h"
#include "platform/operations.h"
#include "platform/x86/fpu.h"
#include "platform/x86/image.h"

#define MAX_MEMORY_RANGES 64
extern char native_early_tables[], native_early_tables_end[];

struct memory_range native_memory[MAX_MEMORY_RANGES];
unsigned native_memory_count;
phys_t native_acpi_root;

noreturn void native_start(uint32_t start_info);

static phys_t image_physical(const char *symbol) { return (uintptr_t)symbol - KERNEL_BASE; }

static const void *early_pointer(phys_t address, size_t length)
{
    if (address == 0 || address >= EARLY_LIMIT || length > EARLY_LIMIT - address)
        panic("the loader passed an address out of reach: %lx", address);
    return phys_to_virt(address);
}

static void read_memory_map(const struct start_info *info)
{
    if (info->version < 1 || info->memory_map_entries == 0)
        panic("the loader passed no memory map (PVH start info version %u); use a newer one", info->version);
    unsigned count = min_of(info->memory_map_entries, (uint32_t)MAX_MEMORY_RANGES);
    const struct memory_map_entry *map = early_pointer(info->memory_map, count * sizeof(*map));
    for (unsigned i = 0; i < count; i++) {
        if (map[i].size == 0 || map[i].address + map[i].size < map[i].address)
            continue;
        native_memory[native_memory_count++] = (struct memory_range){
            .start = map[i].address,
            .end = map[i].address + map[i].size,
            .type = map[i].type,
        };
        if (map[i].type == MEMORY_RAM)
            platform.memory_bytes += map[i].size;
    }
}

static void read_start_info(phys_t address)
{
    const struct start_info *info = early_pointer(address, sizeof(*info));
    if (info->magic != START_INFO_MAGIC)
        panic("not started by the PVH protocol: magic %x", info->magic);
    if (info->command_line != 0) {
        const char *line = early_pointer(info->command_line, sizeof(platform.command_line));
        size_t length = strnlen(line, sizeof(platform.command_line) - 1);
        memcpy(platform.command_line, line, length);
    }
    native_acpi_root = info->acpi_root;
    read_memory_map(info);
}

/* The largest stretch of RAM below `limit` that the image is not in. */
static struct memory_range find_pool(phys_t limit)
{
    struct memory_range best = { 0 };
    for (unsigned i = 0; i < native_memory_count; i++) {
        struct memory_range range = native_memory[i];
        if (range.type != MEMORY_RAM)
            continue;
        if (range.start < image_physical(kernel_end) && range.end > image_physical(kernel_text_start))
            range.start = image_physical(kernel_end);
        range.end = min_of(range.end, limit);
        if (range.start < range.end && range.end - range.start > best.end - best.start)
            best = range;
    }
    return best;
}

/* Gives RAM to the page allocator, without the ranges that are used. */
static void add_free_range(phys_t start, phys_t end, const struct memory_range *used, unsigned count)
{
    start = max_of(start, NATIVE_LOWEST_FRAME);
    if (start >= end)
        return;
    for (unsigned i = 0; i < count; i++) {
        if (used[i].start >= end || used[i].end <= start)
            continue;
        add_free_range(start, used[i].start, used + i + 1, count - i - 1);
        add_free_range(used[i].end, end, used + i + 1, count - i - 1);
        return;
    }
    pages_add_free(start, end);
}

static void add_free_memory(const struct memory_range *tables, const struct memory_range *descriptors)
{
    const struct memory_range used[] = {
        { .start = image_physical(kernel_text_start), .end = image_physical(kernel_end) },
        *tables,
        *descriptors,
    };
    for (unsigned i = 0; i < native_memory_count; i++)
        if (native_memory[i].type == MEMORY_RAM)
            add_free_range(native_memory[i].start, native_memory[i].end, used, array_size(used));
    pages_add_free(image_physical(native_early_tables), image_physical(native_early_tables_end));
}

static uint64_t frame_count(void)
{
    phys_t end = 0;
    for (unsigned i = 0; i < native_memory_count; i++) {
        if (native_memory[i].type == MEMORY_RAM)
            end = max_of(end, native_memory[i].end);
    }
    return end >> PAGE_SHIFT;
}

/* The page tables come from memory that the first tables map; the descriptors of all pages may be larger than what is
 * left of it, and lie wherever there is room, since all RAM is mapped by then. */
static void init_memory(void)
{
    struct memory_range pool = find_pool(EARLY_LIMIT), tables = { .start = align_up(pool.start, PAGE_SIZE) };
    native_paging_init(&pool);
    tables.end = pool.start;

    uint64_t frames = frame_count();
    size_t size = align_up(frames * sizeof(struct page), PAGE_SIZE);
    if (pool.end - pool.start < size)
        pool = find_pool(UINT64_MAX);
    if (pool.end - pool.start < size + PAGE_SIZE || (pool.start < tables.end && pool.end > tables.start))
        panic("not enough memory: %lu KiB given", platform.memory_bytes >> 10);
    struct memory_range descriptors = { .start = align_up(pool.start, PAGE_SIZE) };
    descriptors.end = descriptors.start + size;
    pages_init(phys_to_virt(descriptors.start), frames);
    add_free_memory(&tables, &descriptors);
}

noreturn void native_start(uint32_t start_info)
{
    platform_operations = &native_machine;
    platform.name = "native";
    native_segments_init();
    native_traps_init();
    native_serial_init();
    native_report_init();
    native_program_port_init();
    native_xen_detect();
    fpu_init();
    read_start_info(start_info);
    native_protection_init();
    acpi_init(native_acpi_root);
    if (native_acpi_root == 0)
        acpi.cpu_count = mp_table_cpus(phys_to_virt(0), acpi.cpu_apic, CPUS_MAX);
    platform.cpus = max_of(acpi.cpu_count, 1u);
    init_memory();
    native_clock_init();
    native_steal_load(this_cpu());
    native_serial_choose();
    platform.entry_time = 0;
    native_interrupts_init();
    native_timer_init();
    native_serial_start_input();
    native_buttons_start();
    native_xen_init();
    kernel_main();
}
