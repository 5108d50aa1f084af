/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves the kernel to a random 2 MiB of its GiB (platform/x86/slide.h). The level-1 tables of the domain builder that
 * map the image get second entries in its level-2 table, which Xen counts and checks; they go with that table when
 * paging.c loads its own.
 */
#include "platform/platform.h"
#include "platform/x86/image.h"
#include "platform/x86/processor.h"
#include "platform/x86/slide.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/page_table.h"

/* Entries for an image of at most 2 MiB (kernel.lds), wherever it was linked. */
#define MAX_IMAGE_ENTRIES 2
/* In a guest with so much memory that its frame list fills most of the GiB, the image stays where it is. */
#define ATTEMPTS 64

void pv_slide(const struct start_info *start, const uint32_t *places, const uint32_t *end);

/* The domain builder maps its tables like the image, at LINKED_BASE + page * PAGE_SIZE. */
static const uint64_t *builders_table(uint64_t entry)
{
    return (const uint64_t *)(LINKED_BASE + (XEN_PAGE_OF_FRAME[entry_frame(entry)] << PAGE_SHIFT));
}

static bool is_free(const uint64_t *level2, unsigned index, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (index + i >= TABLE_ENTRIES || level2[index + i] != 0)
            return false;
    }
    return true;
}

/* Where in the table `count` entries are free; 0: nowhere. */
static unsigned choose(const uint64_t *level2, unsigned first, unsigned count)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        unsigned index = first + 1 + slide_random(TABLE_ENTRIES - first - 1);
        if (is_free(level2, index, count))
            return index;
    }
    return 0;
}

void pv_slide(const struct start_info *start, const uint32_t *places, const uint32_t *end)
{
    processor_is_xen_pv = true;
    if (!slide_wanted(start->command_line, sizeof(start->command_line)))
        return;
    const uint64_t *level4 = (const uint64_t *)start->root_table;
    const uint64_t *level3 = builders_table(level4[table_index(LINKED_BASE, 4)]);
    uint64_t table = level3[table_index(LINKED_BASE, 3)];
    const uint64_t *level2 = builders_table(table);
    unsigned first = table_index((uintptr_t)kernel_text_start, 2);
    unsigned count = table_index((uintptr_t)kernel_end - 1, 2) - first + 1;
    unsigned chosen = choose(level2, first, count);
    if (chosen == 0)
        return;
    struct table_update updates[MAX_IMAGE_ENTRIES];
    for (unsigned i = 0; i < count; i++) {
        uint64_t entry = (entry_frame(table) << PAGE_SHIFT) + (chosen + i) * sizeof(uint64_t);
        updates[i] = (struct table_update){ .entry = entry | UPDATE_NORMAL, .value = level2[first + i] };
    }
    if (hypercall(HYPERCALL_MMU_UPDATE, (uintptr_t)updates, count, 0, DOMID_SELF) == 0)
        slide_apply((chosen - first) * entry_span(2), places, end);
}
