/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A structure of 16 bytes, at one of three places, points to the table: a header and entries, those of the CPUs first.
 * What is not in the first MiB is not found. Numbers in brackets are sections of Intel's MultiProcessor Specification
 * 1.4. Pure code without state: no locks.
 */
#include "platform/native/mp_table.h"

#include "lib/string.h"

/* Where the pointer may be (4): the first KiB of the extended BIOS data area, whose segment is at 0x40e, the last KiB
 * of base memory, and the BIOS itself. */
#define DATA_AREA_SEGMENT 0x40e
#define BASE_MEMORY_END 0xa0000u
#define BIOS_START 0xf0000u
#define KIB 1024u

struct packed pointer {
    char signature[4]; /* _MP_ */
    uint32_t table;
    uint8_t length; /* in units of 16 bytes */
    uint8_t revision, checksum, features[5];
};
_Static_assert(sizeof(struct pointer) == 16, "4.1");

struct packed table {
    char signature[4]; /* PCMP */
    uint16_t length;   /* with the entries */
    uint8_t revision, checksum;
    char maker[20];
    uint32_t more;
    uint16_t more_length, entries;
    uint32_t apic, extended;
};
_Static_assert(sizeof(struct table) == 44, "4.2");

/* 4.3.1. Entries of other types follow those of CPUs. QEMU's qboot writes 0 as their number, so they
 * end with the table. */
struct packed cpu_entry {
    uint8_t type, apic, version, flags;
    uint32_t signature, features, reserved[2];
};
_Static_assert(sizeof(struct cpu_entry) == 20, "4.3.1");
#define TYPE_CPU 0
#define FLAG_ENABLED 1

static bool sums_to_zero(const uint8_t *at, uint32_t length)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

/* NULL if there is none in [start, end). */
static const struct pointer *find_pointer(const uint8_t *memory, uint32_t start, uint32_t end)
{
    for (uint32_t at = start; at + sizeof(struct pointer) <= min_of(end, MP_TABLE_MEMORY); at += 16) {
        const struct pointer *found = (const struct pointer *)(memory + at);
        if (memcmp(found->signature, "_MP_", 4) == 0 && found->length == 1 && sums_to_zero(memory + at, sizeof(*found)))
            return found;
    }
    return NULL;
}

static const struct table *find_table(const uint8_t *memory)
{
    uint16_t segment;
    memcpy(&segment, memory + DATA_AREA_SEGMENT, sizeof(segment));
    uint32_t area = (uint32_t)segment << 4;
    const struct pointer *pointer = find_pointer(memory, area, area + KIB);
    if (!pointer)
        pointer = find_pointer(memory, BASE_MEMORY_END - KIB, BASE_MEMORY_END);
    if (!pointer)
        pointer = find_pointer(memory, BIOS_START, MP_TABLE_MEMORY);
    if (!pointer || pointer->table > MP_TABLE_MEMORY - sizeof(struct table))
        return NULL;
    const struct table *table = (const struct table *)(memory + pointer->table);
    if (memcmp(table->signature, "PCMP", 4) != 0 || table->length < sizeof(*table) ||
        table->length > MP_TABLE_MEMORY - pointer->table || !sums_to_zero((const uint8_t *)table, table->length))
        return NULL;
    return table;
}

unsigned mp_table_cpus(const uint8_t *memory, uint32_t *apic, unsigned most)
{
    const struct table *table = find_table(memory);
    if (!table)
        return 0;
    const struct cpu_entry *entry = (const struct cpu_entry *)(table + 1);
    const uint8_t *end = (const uint8_t *)table + table->length;
    unsigned count = 0;
    for (; (const uint8_t *)(entry + 1) <= end && entry->type == TYPE_CPU; entry++)
        if (entry->flags & FLAG_ENABLED && count < most)
            apic[count++] = entry->apic;
    return count;
}
