/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dump.h"
#include "platform/platform.h"

extern const char symbol_table[] __attribute__((weak)), symbol_table_end[] __attribute__((weak)),
    symbol_names[] __attribute__((weak));
extern struct dump_value dump_values[], dump_values_end[]; /* kernel.lds */

/* The magic stands at a multiple of 16 bytes, in the kernel's image alone. */
static struct {
    char magic[16];
    uint64_t version;
    uintptr_t self; /* its own address: where the image runs */
    struct dump_value *values, *values_end;
} header __attribute__((used, aligned(16), section(".data.dump_header"))) = {
    .magic = { 'u', 'n', 'i', 'k', 'e', 'r', 'n', 'e', 'l', ' ', 'd', 'u', 'm', 'p', '\r', '\n' },
    .version = DUMP_VERSION,
    .self = (uintptr_t)&header,
    .values = dump_values,
    .values_end = dump_values_end,
};

/* What belongs to platform/, which may not use this header. */
DUMP_ADDRESS("kernel_base", kernel_base);
DUMP_VALUE("direct_map", DIRECT_MAP);
DUMP_VALUE("user_limit", USER_LIMIT);
DUMP_ADDRESS("symbol_table", symbol_table);
DUMP_ADDRESS("symbol_table_end", symbol_table_end);
DUMP_ADDRESS("symbol_names", symbol_names);
DUMP_ADDRESS("platform", platform);
DUMP_OFFSET(platform_information, name);
DUMP_OFFSET(platform_information, command_line);
DUMP_OFFSET(platform_information, memory_bytes);
DUMP_OFFSET(platform_information, page_tables);
DUMP_ADDRESS("cpus", cpus);
DUMP_ADDRESS("cpus_online", cpus_online);
DUMP_OFFSET(cpu, current);
DUMP_OFFSET(cpu, id);
DUMP_VALUE("registers.size", sizeof(struct registers));
