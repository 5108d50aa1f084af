/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel address space layout randomisation. The kernel is linked at LINKED_BASE and loaded at a fixed physical
 * address; it runs wherever in the IMAGE_SPACE bytes from there it chose at boot. The entry of a platform maps the
 * image a second time, `slide` bytes higher, has slide_apply() add that to the addresses in it, and jumps there; from
 * then on nothing knows that it was moved: KERNEL_BASE (platform.h) is a symbol, and so moves as well.
 *
 * All of it runs before anything else is set up, on the boot CPU. A trap would end the guest silently.
 */
#pragma once

#include "lib/types.h"

/* kernel.lds */
#define LINKED_BASE 0xffffffff80000000UL
#define IMAGE_SPACE (1UL << 30)

/* False when the command line, which ends at its NUL or after `limit` bytes, has the word nokaslr. */
bool slide_wanted(const char *command_line, size_t limit);

/* A number below `limit`, which is not 0: from RDRAND where the processor has it, and from its clock. */
uint64_t slide_random(uint64_t limit);

/*
 * Adds `slide` to the addresses at `places` (tools/relocations.awk) up to `end`. The image is writable, and mapped
 * where it was linked and where it will be. The table's bounds are arguments since addresses in this code change as
 * well.
 */
void slide_apply(uintptr_t slide, const uint32_t *places, const uint32_t *end);
