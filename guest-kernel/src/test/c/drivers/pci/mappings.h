/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device memory that a driver under test has mapped: defines mmio_map(). Each mapping is a block of its own of as many
 * bytes as the driver asked for, so that the sanitizer sees an access outside of it. Its contents are zeros at first.
 */
#pragma once

#include "lib/types.h"

/* The physical address of what `p` points to; 0: it is in no mapping. */
phys_t mapping_address(const volatile void *p);
/* The devices that are mapped are gone. Their drivers may still access the memory, which is in no mapping any more. */
void mappings_clear(void);
