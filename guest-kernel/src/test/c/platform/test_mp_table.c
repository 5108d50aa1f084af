/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for the MP table in a first MiB that each test builds: tables as firmware writes them, and as it should
 * not. The memory is an allocation of exactly that size, so that ASan sees a read beyond it. One thread, no locks.
 */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "platform/native/mp_table.h"

#define TABLE 0x9fc10u
#define HEADER 44u
#define ENTRY 20u
#define MOST 4u

static uint8_t *memory;
static uint32_t apic[MOST];

static void fix_checksum(uint32_t at, uint32_t length, uint32_t checksum)
{
    uint8_t sum = 0;
    memory[at + checksum] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + memory[at + i]);
    memory[at + checksum] = (uint8_t)-sum;
}

static void put_pointer(uint32_t at, uint32_t table)
{
    memcpy(memory + at, "_MP_", 4);
    memcpy(memory + at + 4, &table, sizeof(table));
    memory[at + 8] = 1;
    memory[at + 9] = 4;
    fix_checksum(at, 16, 10);
}

static void put_table(uint32_t at, const uint8_t *flags, uint16_t cpus)
{
    uint16_t length = (uint16_t)(HEADER + cpus * ENTRY + 8);
    memset(memory + at, 0, length);
    memcpy(memory + at, "PCMP", 4);
    memcpy(memory + at + 4, &length, sizeof(length));
    for (unsigned i = 0; i < cpus; i++) {
        memory[at + HEADER + i * ENTRY + 1] = (uint8_t)(i * 2);
        memory[at + HEADER + i * ENTRY + 3] = flags[i];
    }
    memory[at + HEADER + cpus * ENTRY] = 1; /* a bus */
    fix_checksum(at, length, 7);
}

static unsigned find(void) { return mp_table_cpus(memory, apic, MOST); }

static void start(void)
{
    free(memory);
    memory = calloc(1, MP_TABLE_MEMORY);
    memset(apic, 0xff, sizeof(apic));
}

static const uint8_t three[] = { 3, 1, 1 };

static void no_table(void)
{
    start();
    CHECK_EQUAL(find(), 0);
}

static void every_place(void)
{
    uint16_t segment = 0x9e00;
    const uint32_t places[] = { 0x9e000, 0x9e3f0, 0x9fc00, 0x9fff0, 0xf0000, 0xffff0 };
    for (unsigned i = 0; i < array_size(places); i++) {
        start();
        memcpy(memory + 0x40e, &segment, sizeof(segment));
        put_pointer(places[i], 0x80000);
        put_table(0x80000, three, 3);
        CHECK_EQUAL(find(), 3);
        CHECK_EQUAL(apic[0], 0);
        CHECK_EQUAL(apic[1], 2);
        CHECK_EQUAL(apic[2], 4);
        CHECK_EQUAL(apic[3], UINT32_MAX);
    }
}

static void some_are_disabled(void)
{
    const uint8_t flags[] = { 3, 0, 1 };
    start();
    put_pointer(0x9fc00, TABLE);
    put_table(TABLE, flags, 3);
    CHECK_EQUAL(find(), 2);
    CHECK_EQUAL(apic[1], 4);
}

static void more_than_wanted(void)
{
    const uint8_t flags[6] = { 3, 1, 1, 1, 1, 1 };
    start();
    put_pointer(0x9fc00, TABLE);
    put_table(TABLE, flags, 6);
    CHECK_EQUAL(find(), MOST);
    CHECK_EQUAL(apic[3], 6);
}

static void damaged(void)
{
    for (unsigned bit = 0; bit < 8 * 16; bit++) {
        start();
        put_pointer(0xf0000, 0xf0010);
        put_table(0xf0010, three, 3);
        memory[0xf0000 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQUAL(find(), 0);
    }
    for (unsigned bit = 0; bit < 8 * (HEADER + 3 * ENTRY + 8); bit++) {
        start();
        put_pointer(0xf0000, 0xf0010);
        put_table(0xf0010, three, 3);
        memory[0xf0010 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQUAL(find(), 0);
    }
}

/* Checksums are right, numbers are not. */
static void lies(void)
{
    const uint32_t outside[] = { MP_TABLE_MEMORY, MP_TABLE_MEMORY - 1, UINT32_MAX };
    for (unsigned i = 0; i < array_size(outside); i++) {
        start();
        put_pointer(0xf0000, outside[i]);
        CHECK_EQUAL(find(), 0);
    }
    start();
    put_pointer(0xf0000, MP_TABLE_MEMORY - HEADER - ENTRY);
    memcpy(memory + MP_TABLE_MEMORY - HEADER - ENTRY, "PCMP", 4);
    memory[MP_TABLE_MEMORY - HEADER - ENTRY + 4] = HEADER + ENTRY;
    memory[MP_TABLE_MEMORY - HEADER - ENTRY + 34] = 200; /* entries, of which one is there: this number is not used */
    memory[MP_TABLE_MEMORY - ENTRY + 3] = 1;
    fix_checksum(MP_TABLE_MEMORY - HEADER - ENTRY, HEADER + ENTRY, 7);
    CHECK_EQUAL(find(), 1);
    memory[MP_TABLE_MEMORY - HEADER - ENTRY + 4]++; /* longer than memory */
    fix_checksum(MP_TABLE_MEMORY - HEADER - ENTRY, HEADER + ENTRY, 7);
    CHECK_EQUAL(find(), 0);
}

int main(void)
{
    host_init();
    host_test("mp table: none", no_table);
    host_test("mp table: its pointer is at any of the places", every_place);
    host_test("mp table: CPUs that are disabled", some_are_disabled);
    host_test("mp table: more CPUs than there is room for", more_than_wanted);
    host_test("mp table: any bit of it is wrong", damaged);
    host_test("mp table: places and lengths outside memory", lies);
    free(memory);
    return host_result();
}
