/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where started CPUs begin: four pages of memory that are never given to the page allocator. Also included by assembly.
 */
#pragma once

#define START_PAGE 0x1000      /* the code of start.S, and at its end the parameters */
#define START_PARAMETERS 0xf00 /* offset in the page of: function, stack pointer, argument */
#define START_ROOT 0x2000      /* page tables of levels 4, 3 and 2 */
#define START_LEVEL3 0x3000
#define START_LEVEL2 0x4000
#define START_END 0x5000
