/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader passes by the PVH protocol (xen/arch-x86/hvm/start_info.h); addresses are physical.
 */
#pragma once

#include "lib/types.h"

#define START_INFO_MAGIC 0x336ec578
/* entry.S maps this much; loaders put everything they pass below it. */
#define EARLY_LIMIT (4UL << 30)

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, acpi_root;
    uint64_t memory_map; /* this and what follows: version >= 1 */
    uint32_t memory_map_entries, reserved;
};

struct memory_map_entry {
    uint64_t address, size;
    uint32_t type, reserved;
};
