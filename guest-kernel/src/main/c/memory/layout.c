/* SPDX-License-Identifier: Apache-2.0 */
#include "core/random.h"
#include "memory/layout.h"
#include "platform/platform.h"

#define MAP_RANDOM_PAGES (1UL << 28)
#define PROGRAM_RANDOM_PAGES (1UL << 28)
#define STACK_RANDOM_PAGES (1UL << 22)
#define STACK_RANDOM_BYTES 8192UL
#define BREAK_RANDOM_PAGES (1UL << 18)
#define VDSO_RANDOM_PAGES (1UL << 9)

/* Two thirds up, as on Linux: a heap of terabytes fits above it and below mmap's part. */
#define PROGRAM_BASE 0x555555554000UL
/* At the top of user memory: the vDSO's pages above the highest stack. */
#define VDSO_RESERVE ((VDSO_RANDOM_PAGES + 2) * PAGE_SIZE)
/* What lies above mmap's part: all that the stack and the vDSO may take, and a gap that nothing is mapped into. */
#define STACK_RESERVE (VDSO_RESERVE + STACK_RANDOM_PAGES * PAGE_SIZE + USER_STACK_SIZE + USER_STACK_GAP)

struct layout process_layout;

static size_t random_pages(uint64_t limit) { return random_below(limit) * PAGE_SIZE; }

struct layout layout_choose(void)
{
    uintptr_t stack_top = USER_LIMIT - VDSO_RESERVE - random_pages(STACK_RANDOM_PAGES);
    return (struct layout){
        .map_top = USER_LIMIT - STACK_RESERVE - random_pages(MAP_RANDOM_PAGES),
        .program = PROGRAM_BASE + random_pages(PROGRAM_RANDOM_PAGES),
        .stack_top = stack_top,
        .stack_offset = random_below(STACK_RANDOM_BYTES / 16) * 16,
        .break_offset = random_pages(BREAK_RANDOM_PAGES),
        .vdso = stack_top + random_pages(VDSO_RANDOM_PAGES),
    };
}
