#include "platform/x86/backtrace.h"

#include "lib/pages.h"
#include "lib/print.h"
#include "platform/platform.h"
#include "platform/x86/image.h"

#define MAX_DEPTH 32
/* No kernel stack is larger; a chain that leaps further is broken. */
#define MAX_STACK (64UL << 10)

struct frame {
    uintptr_t caller;
    uintptr_t return_address;
};

/* Stacks are in the image (boot) or in pages of the direct map. */
static bool may_be_stack(uintptr_t address)
{
    if (address % sizeof(uintptr_t) != 0)
        return false;
    if (address >= (uintptr_t)kernel_data_start && address < (uintptr_t)kernel_end - sizeof(struct frame))
        return true;
    return address >= DIRECT_MAP && address - DIRECT_MAP < platform.memory_bytes - sizeof(struct frame);
}

void backtrace_print_address(uintptr_t address)
{
    uintptr_t offset = 0;
    const char *name = symbol_name(address, &offset);
    log_always("  %016lx %s+%lx", address, name ? name : "?", offset);
}

void backtrace_print(uintptr_t start)
{
    uintptr_t at = start;
    for (unsigned depth = 0; depth < MAX_DEPTH && may_be_stack(at); depth++) {
        const struct frame *frame = (const struct frame *)at;
        if (frame->return_address == 0)
            return;
        backtrace_print_address(frame->return_address);
        if (frame->caller <= at || frame->caller - start > MAX_STACK)
            return;
        at = frame->caller;
    }
}
