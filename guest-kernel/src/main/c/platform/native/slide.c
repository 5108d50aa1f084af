/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves the kernel to a random page of its GiB (platform/x86/slide.h). The tables of entry.S map the image by large
 * pages where it was linked; it gets tables with small ones, so that any page can be its first.
 */
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/native/page_table.h"
#include "platform/native/start_info.h"
#include "platform/platform.h"
#include "platform/x86/image.h"
#include "platform/x86/slide.h"

/* kernel.lds sees to it that the image is not larger than one table of level 1 maps; two cover it wherever it
 * begins. */
#define LEVEL1_TABLES 2
/* Of the GiB, what maps the image where it was linked stays as it is until the jump. */
#define LINKED_TABLES 2
#define LOWEST_SLIDE (LINKED_TABLES * LARGE_PAGE_SIZE)
#define HIGHEST_SLIDE (IMAGE_SPACE - (LINKED_TABLES + LEVEL1_TABLES) * LARGE_PAGE_SIZE)
#define TABLE (ENTRY_PRESENT | ENTRY_WRITE)

/* entry.S */
extern uint64_t early_level3_kernel[TABLE_ENTRIES], early_level2_kernel[TABLE_ENTRIES],
    early_level1_kernel[LEVEL1_TABLES * TABLE_ENTRIES];

void native_slide(uint32_t start_info, const uint32_t *places, const uint32_t *end);

static phys_t physical(const void *symbol) { return (uintptr_t)symbol - LINKED_BASE; }

/* As boot.c reads it, which complains about what is wrong. */
static bool is_wanted(uint32_t start_info)
{
    const struct start_info *info = phys_to_virt(start_info);
    if (info->magic != START_INFO_MAGIC || info->command_line >= EARLY_LIMIT - sizeof(platform.command_line))
        return false;
    return info->command_line == 0 || slide_wanted(phys_to_virt(info->command_line), sizeof(platform.command_line) - 1);
}

static void map_image(uintptr_t slide)
{
    uintptr_t start = (uintptr_t)kernel_text_start + slide, end = (uintptr_t)kernel_end + slide;
    uintptr_t first = align_down(start, LARGE_PAGE_SIZE);
    for (uintptr_t at = start; at < end; at += PAGE_SIZE)
        early_level1_kernel[(at - first) >> PAGE_SHIFT] = (at - slide - LINKED_BASE) | TABLE;
    for (unsigned i = 0; i < LEVEL1_TABLES; i++)
        early_level2_kernel[table_index(first, 2) + i] = physical(early_level1_kernel + i * TABLE_ENTRIES) | TABLE;
    for (unsigned i = 0; i < LINKED_TABLES; i++)
        early_level2_kernel[i] = i * LARGE_PAGE_SIZE | TABLE | ENTRY_LARGE;
    early_level3_kernel[table_index(LINKED_BASE, 3)] = physical(early_level2_kernel) | TABLE;
    cr3_write(cr3_read());
}

void native_slide(uint32_t start_info, const uint32_t *places, const uint32_t *end)
{
    if (!is_wanted(start_info))
        return;
    uintptr_t slide = LOWEST_SLIDE + slide_random((HIGHEST_SLIDE - LOWEST_SLIDE) / PAGE_SIZE) * PAGE_SIZE;
    map_image(slide);
    slide_apply(slide, places, end);
}
