/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/vdso.h"
#include "memory/address_space.h"
#include "memory/layout.h"

extern const char vdso_image[], vdso_image_end[];

static phys_t clock_frame[1], code_frame[1]; /* referred to by the areas for good */
static uintptr_t address;

uintptr_t vdso_address(void) { return address; }

uint64_t vdso_cpu_features(void)
{
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return d;
}

static int64_t map_page(uintptr_t where, unsigned protection, phys_t *frame, const char *name)
{
    struct map_request request = { .where = where,
                                   .length = PAGE_SIZE,
                                   .fixed = true,
                                   .no_replace = true,
                                   .name = name,
                                   .protection = protection,
                                   .flags = AREA_READ_ONLY,
                                   .fixed_pages = frame };
    return address_space_map(&request);
}

int vdso_map(void)
{
    size_t size = (size_t)(vdso_image_end - vdso_image);
    struct page *page = page_allocate_zeroed();
    if (!page)
        return -ENOMEM;
    assert(size <= PAGE_SIZE);
    memcpy(page_data(page), vdso_image, size);
    code_frame[0] = page_address(page);
    clock_frame[0] = clock_page_address();
    int64_t clock = map_page(process_layout.vdso, MMU_READ, clock_frame, "[vvar]");
    if (clock < 0)
        return (int)clock;
    int64_t code = map_page(process_layout.vdso + PAGE_SIZE, MMU_READ | MMU_EXECUTE, code_frame, "[vdso]");
    if (code < 0)
        return (int)code;
    address = (uintptr_t)code;
    return 0;
}
