/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backtrace.h"
#include "core/log.h"
#include "platform/platform.h"

#define DEPTH_MOST 32

void backtrace_print_address(uintptr_t address)
{
    uintptr_t offset = 0;
    const char *name = symbol_name(address, &offset);
    log_always("  %016lx %s+%lx", address, name ? name : "?", offset);
}

void backtrace_print(uintptr_t frame)
{
    uintptr_t addresses[DEPTH_MOST];
    unsigned depth = backtrace_read(frame, addresses, DEPTH_MOST);
    for (unsigned i = 0; i < depth; i++)
        backtrace_print_address(addresses[i]);
}
