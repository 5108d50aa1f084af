/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that tests and fuzzers of drivers run on, where they need no other one. */
#include "platform/platform.h"

struct platform_information platform = { .name = "host", .memory_bytes = 64UL << 20, .cpus = 1 };

size_t platform_entropy(void *to, size_t length)
{
    (void)to, (void)length;
    return 0;
}
