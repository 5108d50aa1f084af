/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel half of the page tables. Built as a whole new tree beside the one the domain
 * builder made, since nothing is promised of that one but that it maps the image, the frame list, start_info and
 * its own tables at LINKED_BASE + page * PAGE_SIZE. Writing happens through one scratch page
 * of the image, which is pointed at one new table after the other; so no memory has to be mapped
 * beforehand, however large the guest.
 */
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/x86/image.h"
#include "platform/x86/slide.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"

/* Where pv_map_frames() maps: one level-1 table in the image's level-2 table, half of what that maps from the image. */
#define SHARED_MAPPINGS (LINKED_BASE + (KERNEL_BASE - LINKED_BASE + IMAGE_SPACE / 2) % IMAGE_SPACE)

#define FRAME_LIMIT (ENTRY_ADDRESS >> PAGE_SHIFT)
#define MAX_PAGES (512UL << 30 >> PAGE_SHIFT) /* one level-3 table */

struct page_range {
    uint64_t start, end;
};

/* The new tables lie in consecutive pages, in this order. */
enum {
    TABLE_KERNEL_ROOT,
    TABLE_USER_ROOT,
    TABLE_LEVEL3_DIRECT,
    TABLE_LEVEL3_STACKS,
    TABLE_LEVEL2_STACKS,
    TABLE_LEVEL3_KERNEL,
    TABLE_LEVEL2_KERNEL,
    TABLE_LEVEL1_SHARED,
    TABLE_LEVEL1_IMAGE,
};

extern char pv_boot_stack_guard[];

struct shared_info *pv_shared;
struct vcpu_info *pv_vcpus[CPUS_MAX];
const uint64_t *pv_frames;
uint64_t *pv_kernel_root, *pv_user_root;

static uint64_t page_count;
static struct page_range image, read_only_image, tables, boot_tables, frame_list, descriptors;
static uint64_t first_level2_direct, first_level1_direct; /* pages */
static unsigned shared_mappings;

static uint64_t scratch[TABLE_ENTRIES] __attribute__((aligned(PAGE_SIZE)));

static uint64_t image_page(const void *symbol) { return ((uintptr_t)symbol - KERNEL_BASE) >> PAGE_SHIFT; }
static bool in_range(uint64_t page, struct page_range range) { return page >= range.start && page < range.end; }
static bool is_valid(uint64_t page) { return pv_frames[page] < FRAME_LIMIT; }

uint64_t pv_page_of_frame(uint64_t frame)
{
    uint64_t page = frame < FRAME_LIMIT ? XEN_PAGE_OF_FRAME[frame] : UINT64_MAX;
    if (page >= page_count || pv_frames[page] != frame)
        panic("machine frame %lx is not ours", frame);
    return page;
}

/* Pages the boot tables map at LINKED_BASE. */
static struct page_range boot_range(const char *what, uint64_t virtual, uint64_t pages)
{
    if (virtual < LINKED_BASE || (virtual & PAGE_MASK) != 0)
        panic("the domain builder put the %s at %lx, not at %lx or above", what, virtual, LINKED_BASE);
    uint64_t start = (virtual - LINKED_BASE) >> PAGE_SHIFT;
    if (pages > page_count || start > page_count - pages)
        panic("the domain builder put the %s beyond the end of memory", what);
    return (struct page_range){ start, start + pages };
}

/* `count` consecutive pages that exist, the highest ones below *top, which moves below them. */
static struct page_range take_high(uint64_t *top, uint64_t count, uint64_t lowest)
{
    uint64_t run = 0;
    for (uint64_t page = *top; page > lowest && run < count;) {
        page--;
        run = is_valid(page) ? run + 1 : 0;
        *top = page;
    }
    if (run < count)
        panic("not enough memory: %lu KiB given", page_count << PAGE_SHIFT >> 10);
    return (struct page_range){ *top, *top + count };
}

static uint64_t level1_image_count(void) { return (image.end + TABLE_ENTRIES - 1) / TABLE_ENTRIES; }

static void lay_out(const struct start_info *start)
{
    page_count = start->page_count;
    if (page_count > MAX_PAGES)
        panic("%lu GiB of memory are more than the 512 GiB this kernel handles", page_count >> 18);
    pv_frames = (const uint64_t *)start->frame_list;
    frame_list = boot_range("frame list", start->frame_list,
                            align_up(page_count * sizeof(uint64_t), PAGE_SIZE) >> PAGE_SHIFT);
    boot_tables = boot_range("page tables", start->root_table, start->table_frames);
    image = (struct page_range){ image_page(kernel_text_start), image_page(kernel_end) };
    read_only_image = (struct page_range){ image.start, image_page(kernel_rodata_end) };

    uint64_t level1_direct = (page_count + TABLE_ENTRIES - 1) / TABLE_ENTRIES;
    uint64_t level2_direct = (level1_direct + TABLE_ENTRIES - 1) / TABLE_ENTRIES;
    uint64_t fixed = TABLE_LEVEL1_IMAGE + level1_image_count();
    /* What the boot tables map writable cannot become tables: everything up to the 4 MiB boundary after the
     * boot stack, which follows the tables, and 512 KiB of room (xen/xen.h: start-of-day memory layout). */
    uint64_t boot_end = max_of(image.end, max_of(frame_list.end, boot_tables.end + 1));
    uint64_t lowest = align_up(boot_end + (512UL << 10 >> PAGE_SHIFT), 4UL << 20 >> PAGE_SHIFT);
    uint64_t top = page_count;
    tables = take_high(&top, fixed + level2_direct + level1_direct, lowest);
    descriptors = take_high(&top, align_up(page_count * sizeof(struct page), PAGE_SIZE) >> PAGE_SHIFT, lowest);
    first_level2_direct = tables.start + fixed;
    first_level1_direct = first_level2_direct + level2_direct;
}

/* Points the scratch page at a page's frame (or its own), writable. */
static void map_scratch(uint64_t page)
{
    uint64_t entry = pv_frames[page] << PAGE_SHIFT | KERNEL_WRITE;
    if (hypercall(HYPERCALL_UPDATE_VA_MAPPING, (uintptr_t)scratch, entry, VA_MAPPING_FLUSH_PAGE, 0) != 0)
        panic("Xen refuses to map page %lx", page);
}

static uint64_t *begin_table(uint64_t page)
{
    map_scratch(page);
    memset(scratch, 0, sizeof(scratch));
    return scratch;
}

static uint64_t table_entry(uint64_t page) { return pv_frames[page] << PAGE_SHIFT | TABLE_RIGHTS; }

static uint64_t direct_entry(uint64_t page)
{
    if (!is_valid(page))
        return 0;
    bool read_only = in_range(page, read_only_image) || in_range(page, tables) || in_range(page, boot_tables) ||
                     in_range(page, frame_list);
    return pv_frames[page] << PAGE_SHIFT | (read_only ? KERNEL_READ : KERNEL_WRITE);
}

static void build_direct_map(void)
{
    for (uint64_t table = first_level1_direct; table < tables.end; table++) {
        uint64_t *entries = begin_table(table);
        uint64_t first = (table - first_level1_direct) * TABLE_ENTRIES;
        for (uint64_t i = 0; i < TABLE_ENTRIES && first + i < page_count; i++)
            entries[i] = direct_entry(first + i);
    }
    for (uint64_t table = first_level2_direct; table < first_level1_direct; table++) {
        uint64_t *entries = begin_table(table);
        uint64_t first = first_level1_direct + (table - first_level2_direct) * TABLE_ENTRIES;
        for (uint64_t i = 0; i < TABLE_ENTRIES && first + i < tables.end; i++)
            entries[i] = table_entry(first + i);
    }
    uint64_t *entries = begin_table(tables.start + TABLE_LEVEL3_DIRECT);
    for (uint64_t i = 0; i < first_level1_direct - first_level2_direct; i++)
        entries[i] = table_entry(first_level2_direct + i);
}

static uint64_t image_entry(uint64_t page)
{
    if (!in_range(page, image) || page == image_page(pv_boot_stack_guard))
        return 0;
    uint64_t rights = KERNEL_WRITE;
    if (page < image_page(kernel_text_end))
        rights = KERNEL_EXECUTE;
    else if (page < image_page(kernel_data_start))
        rights = KERNEL_READ;
    return pv_frames[page] << PAGE_SHIFT | rights;
}

static void build_image_map(void)
{
    for (uint64_t table = 0; table < level1_image_count(); table++) {
        uint64_t *entries = begin_table(tables.start + TABLE_LEVEL1_IMAGE + table);
        for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
            entries[i] = image_entry(table * TABLE_ENTRIES + i);
    }
    begin_table(tables.start + TABLE_LEVEL1_SHARED);

    uint64_t *entries = begin_table(tables.start + TABLE_LEVEL2_KERNEL);
    for (uint64_t table = 0; table < level1_image_count(); table++)
        entries[table_index(KERNEL_BASE, 2) + table] = table_entry(tables.start + TABLE_LEVEL1_IMAGE + table);
    entries[table_index(SHARED_MAPPINGS, 2)] = table_entry(tables.start + TABLE_LEVEL1_SHARED);

    entries = begin_table(tables.start + TABLE_LEVEL3_KERNEL);
    entries[table_index(KERNEL_BASE, 3)] = table_entry(tables.start + TABLE_LEVEL2_KERNEL);
}

/* Its level-1 tables come with the stacks. */
static void build_stack_map(void)
{
    begin_table(tables.start + TABLE_LEVEL2_STACKS);
    uint64_t *entries = begin_table(tables.start + TABLE_LEVEL3_STACKS);
    entries[table_index(KERNEL_STACKS, 3)] = table_entry(tables.start + TABLE_LEVEL2_STACKS);
}

static void build_roots(void)
{
    uint64_t *entries = begin_table(tables.start + TABLE_KERNEL_ROOT);
    entries[table_index(DIRECT_MAP, 4)] = table_entry(tables.start + TABLE_LEVEL3_DIRECT);
    entries[table_index(KERNEL_STACKS, 4)] = table_entry(tables.start + TABLE_LEVEL3_STACKS);
    entries[table_index(KERNEL_BASE, 4)] = table_entry(tables.start + TABLE_LEVEL3_KERNEL);
    begin_table(tables.start + TABLE_USER_ROOT);
    map_scratch(image_page(scratch));
}

static void switch_tables(void)
{
    uint64_t kernel_root = pv_frames[tables.start + TABLE_KERNEL_ROOT];
    uint64_t user_root = pv_frames[tables.start + TABLE_USER_ROOT];
    const struct memory_operation operations[] = {
        { MEMORY_PIN_L4, kernel_root, 0 },
        { MEMORY_PIN_L4, user_root, 0 },
        { MEMORY_NEW_ROOT, kernel_root, 0 },
        { MEMORY_NEW_USER_ROOT, user_root, 0 },
        { MEMORY_UNPIN, pv_frames[boot_tables.start], 0 },
    };
    int64_t error = hypercall(HYPERCALL_MMUEXT_OP, (uintptr_t)operations, array_size(operations), 0, DOMID_SELF);
    if (error != 0)
        panic("Xen refuses the page tables: %s", errno_name(error));
    pv_early_console(NULL, 0);
    pv_frames = phys_to_virt(frame_list.start << PAGE_SHIFT);
    platform.page_tables = (tables.start + TABLE_KERNEL_ROOT) << PAGE_SHIFT;
    pv_kernel_root = phys_to_virt(platform.page_tables);
    pv_user_root = phys_to_virt((tables.start + TABLE_USER_ROOT) << PAGE_SHIFT);
}

struct table_update pv_direct_map_update(phys_t address, bool writable)
{
    uint64_t page = address >> PAGE_SHIFT;
    uint64_t table = pv_frames[first_level1_direct + page / TABLE_ENTRIES];
    return (struct table_update){
        .entry = (table << PAGE_SHIFT) + page % TABLE_ENTRIES * sizeof(uint64_t) + UPDATE_NORMAL,
        .value = pv_frames[page] << PAGE_SHIFT | (writable ? KERNEL_WRITE : KERNEL_READ),
    };
}

static void set_shared_entry(unsigned place, uint64_t value)
{
    uint64_t table = pv_frames[tables.start + TABLE_LEVEL1_SHARED] << PAGE_SHIFT;
    updates_add((struct table_update){ .entry = table + place * sizeof(uint64_t) + UPDATE_NORMAL, .value = value });
}

void *pv_map_frames(const uint64_t *frames, size_t count)
{
    if (count > TABLE_ENTRIES - shared_mappings)
        return NULL;
    void *at = (void *)(SHARED_MAPPINGS + shared_mappings * PAGE_SIZE);
    shared_mappings += (unsigned)count;
    pv_map_frames_again(at, frames, count);
    return at;
}

void pv_map_frames_again(void *at, const uint64_t *frames, size_t count)
{
    unsigned first = (unsigned)(((uintptr_t)at - SHARED_MAPPINGS) >> PAGE_SHIFT);
    for (size_t i = 0; i < count; i++)
        set_shared_entry(first + (unsigned)i, frames[i] << PAGE_SHIFT | KERNEL_WRITE);
    updates_commit();
}

void pv_hide_frames(void)
{
    for (unsigned place = 0; place < shared_mappings; place++)
        set_shared_entry(place, 0);
    updates_flush_all();
    updates_commit();
}

uint64_t pv_frame_list_frame(uint64_t number)
{
    return number < frame_list.end - frame_list.start ? pv_frames[frame_list.start + number] : 0;
}

/* The level-1 table of kernel stacks that covers an address, made if absent; NULL without memory. */
static const uint64_t *stack_table(uintptr_t virtual)
{
    const uint64_t *level2 = phys_to_virt((tables.start + TABLE_LEVEL2_STACKS) << PAGE_SHIFT);
    const uint64_t *entry = &level2[table_index(virtual, 2)];
    if (*entry & ENTRY_PRESENT)
        return phys_to_virt(pv_page_of_frame(entry_frame(*entry)) << PAGE_SHIFT);
    struct page *page = page_allocate_zeroed();
    if (!page)
        return NULL;
    updates_add(pv_direct_map_update(page_address(page), false));
    updates_add((struct table_update){
        .entry = pv_machine_address(entry) | UPDATE_NORMAL,
        .value = table_entry(page_address(page) >> PAGE_SHIFT),
    });
    updates_commit();
    return page_data(page);
}

static void set_stack_entry(const uint64_t *table, uintptr_t virtual, uint64_t value)
{
    const uint64_t *entry = &table[table_index(virtual, 1)];
    updates_add((struct table_update){ .entry = pv_machine_address(entry) | UPDATE_NORMAL, .value = value });
}

int pv_kernel_map(uintptr_t virtual, struct page *const *pages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t *table = stack_table(virtual + i * PAGE_SIZE);
        if (!table) {
            pv_kernel_unmap(virtual, i);
            return -ENOMEM;
        }
        uint64_t value = pv_frame_of(page_address(pages[i])) << PAGE_SHIFT | KERNEL_WRITE;
        set_stack_entry(table, virtual + i * PAGE_SIZE, value);
    }
    updates_commit();
    return 0;
}

void pv_kernel_unmap(uintptr_t virtual, size_t count)
{
    for (uintptr_t at = virtual; at < virtual + count * PAGE_SIZE; at += PAGE_SIZE) {
        set_stack_entry(stack_table(at), at, 0);
        updates_flush_page(at);
    }
    updates_commit();
}

static void reclaim_boot_tables(void)
{
    for (uint64_t page = boot_tables.start; page < boot_tables.end; page++)
        updates_add(pv_direct_map_update(page << PAGE_SHIFT, true));
    updates_commit();
}

struct reserved_pages {
    uint64_t console, store;
};

static bool is_free(uint64_t page, const struct reserved_pages *reserved)
{
    return is_valid(page) && !in_range(page, image) && !in_range(page, tables) && !in_range(page, frame_list) &&
           !in_range(page, descriptors) && page != reserved->console && page != reserved->store;
}

static void add_free_pages(const struct start_info *start)
{
    struct reserved_pages reserved = { 0 };
    if (!(start->flags & START_INITIAL_DOMAIN)) {
        reserved.console = pv_page_of_frame(start->console_frame);
        reserved.store = pv_page_of_frame(start->store_frame);
    }
    pages_init(phys_to_virt(descriptors.start << PAGE_SHIFT), page_count);
    uint64_t page = 0;
    while (page < page_count) {
        uint64_t first = page;
        while (page < page_count && is_free(page, &reserved))
            page++;
        if (page > first)
            pages_add_free(first << PAGE_SHIFT, page << PAGE_SHIFT);
        else
            page++;
    }
}

void pv_paging_init(const struct start_info *start)
{
    lay_out(start);
    build_direct_map();
    build_image_map();
    build_stack_map();
    build_roots();
    switch_tables();
    uint64_t shared_frame = start->shared_info >> PAGE_SHIFT;
    pv_shared = pv_map_frames(&shared_frame, 1);
    pv_vcpus[0] = &pv_shared->vcpu[0];
    reclaim_boot_tables();
    add_free_pages(start);
}
