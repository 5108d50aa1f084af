/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large pages for the program's own memory, where it asked for them: what Linux calls transparent huge pages, with
 * `madvise` as the rule.
 */
#pragma once

#include "memory/address_space.h"

/* The next page fault there would be served by a large page, if a free block is found. With the mutex
 * "address_space". */
bool large_is_wanted(const struct area *area, uintptr_t address);
/* Serves a fault by a large page, or returns false. With the kernel lock, without the mutex; gives way. */
bool large_fault(uintptr_t address, uint64_t error);
