/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of frame pointers (System V ABI 3.2.2). Trusts nothing that it finds on the stack, since a panic reads it.
 */
#include "platform/platform.h"
#include "platform/x86/image.h"

struct frame {
    uintptr_t caller;
    uintptr_t return_address;
};

/* Stacks are in the image (boot) or in a range of their own, parts of which are not mapped. */
static bool may_be_stack(uintptr_t address)
{
    if (address % sizeof(uintptr_t) != 0)
        return false;
    if (address >= (uintptr_t)kernel_data_start && address < (uintptr_t)kernel_end - sizeof(struct frame))
        return true;
    struct mmu_entry first, last;
    return address >= KERNEL_STACKS && address - KERNEL_STACKS < KERNEL_STACKS_SIZE && mmu_query(address, &first) &&
           mmu_query(address + sizeof(struct frame) - 1, &last);
}

/* The chain may leap from one stack to another, where a trap came: only its length is limited. */
unsigned backtrace_read(uintptr_t at, uintptr_t *addresses, unsigned limit)
{
    unsigned depth = 0;
    while (depth < limit && may_be_stack(at)) {
        const struct frame *frame = (const struct frame *)at;
        if (frame->return_address == 0)
            break;
        addresses[depth++] = frame->return_address;
        at = frame->caller;
    }
    return depth;
}
