/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for addresses, from the table that the second link adds (tools/symbols.awk). In the first
 * link the table is absent and its symbols are null.
 */
#include "platform/platform.h"

struct symbol {
    uint32_t offset; /* from KERNEL_BASE */
    uint32_t name;   /* offset into symbol_names */
};
extern const struct symbol symbol_table[] __attribute__((weak));
extern const struct symbol symbol_table_end[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));
extern const char kernel_text_end[];

const char *symbol_name(uintptr_t address, uintptr_t *offset)
{
    size_t count = ((uintptr_t)symbol_table_end - (uintptr_t)symbol_table) / sizeof(struct symbol);
    if (count == 0 || address < KERNEL_BASE || address >= (uintptr_t)kernel_text_end)
        return NULL;
    uint32_t wanted = (uint32_t)(address - KERNEL_BASE);
    if (wanted < symbol_table[0].offset)
        return NULL;
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (symbol_table[middle].offset <= wanted)
            low = middle;
        else
            high = middle;
    }
    *offset = wanted - symbol_table[low].offset;
    return symbol_names + symbol_table[low].name;
}
