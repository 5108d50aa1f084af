/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables with native paging: what platform/x86/page_table.h leaves to a platform.
 */
#pragma once

#include "platform/x86/page_table.h"

#define ENTRY_UNCACHED (3UL << 3) /* PWT, PCD: type UC whatever the MTRRs say */
#define ENTRY_GLOBAL (1UL << 8)

static inline uint64_t *entry_table(uint64_t entry) { return phys_to_virt(entry & ENTRY_ADDRESS); }

/* The root of the one address space, and the one loaded in user mode if that is another, else NULL; paging.c. */
extern uint64_t *native_root_table, *native_user_root_table;
/* Sets an entry of the user half, in both roots. */
void native_root_set(unsigned index, uint64_t value);
