/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/pci/mappings.h"

#include <stdlib.h>

#include "platform/native/native.h"

#define MAPPINGS 512

static struct mapping {
    phys_t address;
    size_t length;
    uint8_t *base;
} mappings[MAPPINGS];
static unsigned mapping_count;

volatile void *mmio_map(phys_t address, size_t length)
{
    if (mapping_count == MAPPINGS)
        abort();
    struct mapping *mapping = &mappings[mapping_count++];
    *mapping = (struct mapping){ address, length, calloc(1, length) };
    return mapping->base;
}

phys_t mapping_address(const volatile void *p)
{
    for (unsigned i = 0; i < mapping_count; i++) {
        uintptr_t offset = (uintptr_t)p - (uintptr_t)mappings[i].base;
        if (offset < mappings[i].length)
            return mappings[i].address + offset;
    }
    return 0;
}

void mappings_clear(void) { mapping_count = 0; }
