/* SPDX-License-Identifier: Apache-2.0 */
#include "files/proc/proc.h"
#include "lib/string.h"
#include "memory/address_space.h"

#define NAME_COLUMN 73 /* where Linux puts the name */

struct maps {
    struct text *out;
    bool sizes;
};

static void show_name(struct text *out, size_t line_start, const struct area *area)
{
    char path[PATH_LIMIT / 4];
    const char *name = area->name;
    struct file *file = file_of_area(area);
    if (!name && file && file_path(file, path, sizeof(path)) > 0)
        name = path;
    if (!name && area->flags & AREA_KEPT)
        name = "/dev/zero (deleted)";
    if (!name)
        return;
    size_t column = out->length - line_start;
    text_print(out, "%*s", column < NAME_COLUMN ? (int)(NAME_COLUMN - column) : 1, "");
    text_bytes(out, name, strlen(name));
}

static void show_sizes(struct text *out, const struct area *area)
{
    const uint64_t k = PAGE_SIZE / 1024;
    struct area_pages pages = area_count_pages(area);
    text_print(out, "Size:           %8lu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
               (area->end - area->start) / 1024);
    text_print(out, "Rss:            %8lu kB\nAnonHugePages:  %8lu kB\n", pages.resident * k, pages.large * k);
}

/* For address_space_for_each(). */
static void show_area(const struct area *area, void *context)
{
    struct maps *maps = context;
    struct text *out = maps->out;
    size_t line_start = out->length;
    struct file *file = file_of_area(area);
    struct inode *inode = file ? file->inode : NULL;
    uint64_t device = inode ? inode->fs->device : 0;
    text_print(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", area->start, area->end,
               area->protection & MMU_READ ? 'r' : '-', area->protection & MMU_WRITE ? 'w' : '-',
               area->protection & MMU_EXECUTE ? 'x' : '-', area->flags & (AREA_SHARED | AREA_KEPT) ? 's' : 'p',
               file ? area->offset : 0, device_major(device), device_minor(device), inode ? inode->number : 0);
    show_name(out, line_start, area);
    text_print(out, "\n");
    if (maps->sizes)
        show_sizes(out, area);
}

void show_maps(struct text *out, uint32_t number)
{
    struct maps maps = { out, false };
    (void)number;
    address_space_for_each(show_area, &maps);
}

void show_smaps(struct text *out, uint32_t number)
{
    struct maps maps = { out, true };
    (void)number;
    address_space_for_each(show_area, &maps);
}

/* Sums over everything that is mapped; no page is shared with another process. */
void show_smaps_rollup(struct text *out, uint32_t number)
{
    struct address_space_usage usage;
    (void)number;
    address_space_usage(&usage);
    uint64_t resident = usage.resident_pages * (PAGE_SIZE / 1024);
    text_print(out, "%08lx-%08lx ---p 00000000 00:00 0 %*s[rollup]\n", usage.code_start, usage.stack_start, 26, "");
    text_print(out, "Rss:            %8lu kB\nPss:            %8lu kB\nPss_Dirty:      %8lu kB\n", resident, resident,
               resident);
    text_print(out, "Shared_Clean:          0 kB\nShared_Dirty:          0 kB\nPrivate_Clean:         0 kB\n");
    text_print(out, "Private_Dirty:  %8lu kB\nReferenced:     %8lu kB\nAnonymous:      %8lu kB\n", resident, resident,
               resident);
    text_print(out, "AnonHugePages:  %8lu kB\n", mmu_large_counts().mapped * (LARGE_PAGE_SIZE / 1024));
    text_print(out, "Swap:                  0 kB\nSwapPss:               0 kB\nLocked:                0 kB\n");
}
