/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of files whose contents show to which file and place they belong. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE 4096 /* bytes */

/* What lies in a page of a file: a pattern that depends on both. `page` has PAGE bytes. */
static inline void fill(uint64_t *page, unsigned file, size_t index)
{
    uint64_t value = ((uint64_t)file << 32 | index) * 0x9e3779b97f4a7c15UL + 1;
    for (size_t i = 0; i < PAGE / sizeof(*page); i++)
        page[i] = value + i;
}

static inline bool holds(const void *page, unsigned file, size_t index)
{
    uint64_t wanted[PAGE / sizeof(uint64_t)];
    fill(wanted, file, index);
    return memcmp(page, wanted, PAGE) == 0;
}
