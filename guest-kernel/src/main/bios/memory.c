/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the BIOS says of memory: its map (ACPI 6.5, 15.1: INT 15h, E820), the place of the ACPI tables (5.2.5.1), and
 * the gate of address line 20, which old machines close for programs of the 8086.
 */
#include "bios.h"
#include "lib/string.h"
#include "platform/native/instructions.h"

#define SYSTEM 0x15
#define SYSTEM_MEMORY_MAP 0xe820
#define SYSTEM_OPEN_A20 0x2401
#define MEMORY_MAP_SIGNATURE 0x534d4150 /* "SMAP" */
#define E820_ENTRY_SIZE 20              /* struct memory_map_entry without `reserved` */
#define TYPE_RAM 1

/* Keyboard controller (IBM PC/AT Technical Reference): its output port has the gate. */
#define KEYBOARD_DATA 0x60
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_WRITE_OUTPUT 0xd1
#define KEYBOARD_INPUT_FULL 0x02
#define OUTPUT_WITH_A20 0xdf
#define PATIENCE 100000

#define A20 (1UL << 20)

#define EBDA_SEGMENT 0x40e /* of the extended BIOS data area */
#define EBDA_SEARCHED 1024
#define BIOS_START 0xe0000
#define BIOS_END 0x100000
#define RSDP_STEP 16
#define RSDP_CHECKED 20 /* bytes whose sum is 0 */

static struct memory_map_entry memory_map[MAP_ENTRIES_MAX];
static uint32_t memory_map_entries;

/* A pointer to what is no object of C. */
static volatile uint8_t *physical(uintptr_t address)
{
    __asm__("" : "+r"(address));
    return (volatile uint8_t *)address;
}

/* The low byte of a variable, and what is there if line 20 is always 0. */
static bool a20_is_open(void)
{
    static volatile uint8_t probe;
    volatile uint8_t *beyond = physical((uintptr_t)&probe | A20);
    probe = (uint8_t) ~*beyond;
    return *beyond != probe;
}

static void keyboard_wait(void)
{
    for (unsigned i = 0; i < PATIENCE && (in8(KEYBOARD_COMMAND) & KEYBOARD_INPUT_FULL); i++)
        continue;
}

static void keyboard_open_a20(void)
{
    keyboard_wait();
    out8(KEYBOARD_COMMAND, KEYBOARD_WRITE_OUTPUT);
    keyboard_wait();
    out8(KEYBOARD_DATA, OUTPUT_WITH_A20);
    for (unsigned i = 0; i < PATIENCE && !a20_is_open(); i++)
        keyboard_wait();
}

void memory_open_a20(void)
{
    struct bios_registers registers = { .eax = SYSTEM_OPEN_A20 };
    if (!a20_is_open())
        bios_call(SYSTEM, &registers);
    if (!a20_is_open())
        keyboard_open_a20();
    if (!a20_is_open())
        fail("address line 20 stays closed, so memory above 1 MiB is out of reach; use another machine type");
}

void memory_read_map(void)
{
    struct bios_registers registers = { 0 };
    do {
        if (memory_map_entries == MAP_ENTRIES_MAX)
            fail("the BIOS's memory map has more than %u entries; use another machine type", MAP_ENTRIES_MAX);
        struct memory_map_entry *entry = &memory_map[memory_map_entries];
        registers.eax = SYSTEM_MEMORY_MAP;
        registers.ecx = E820_ENTRY_SIZE;
        registers.edx = MEMORY_MAP_SIGNATURE;
        registers.edi = (uintptr_t)entry;
        bios_call(SYSTEM, &registers);
        if (registers.flags & FLAG_CARRY || registers.eax != MEMORY_MAP_SIGNATURE)
            break;
        if (entry->size > 0)
            memory_map_entries++;
    } while (registers.ebx != 0);
    if (memory_map_entries == 0)
        fail("the BIOS has no memory map (INT 15h, E820); use another machine type");
}

static bool memory_is_ram(uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < memory_map_entries; i++) {
        const struct memory_map_entry *entry = &memory_map[i];
        if (entry->type == TYPE_RAM && start >= entry->address && end - entry->address <= entry->size)
            return true;
    }
    return false;
}

void memory_claim(uint64_t start, uint64_t end)
{
    if (!memory_is_ram(start, end))
        fail("no memory from 0x%llx to 0x%llx for the kernel; give the machine more memory", (unsigned long long)start,
             (unsigned long long)end);
}

static bool is_rsdp(const volatile uint8_t *at)
{
    static const char signature[] = "RSD PTR ";
    uint8_t sum = 0;
    for (unsigned i = 0; i < RSDP_CHECKED; i++)
        sum = (uint8_t)(sum + at[i]);
    for (unsigned i = 0; i < sizeof(signature) - 1; i++) {
        if (at[i] != (uint8_t)signature[i])
            return false;
    }
    return sum == 0;
}

/* 0 if it is not there. */
static uintptr_t find_rsdp(uintptr_t start, uintptr_t end)
{
    for (uintptr_t at = start; at + RSDP_CHECKED <= end; at += RSDP_STEP) {
        if (is_rsdp(physical(at)))
            return at;
    }
    return 0;
}

void memory_describe(struct start_info *info)
{
    uintptr_t ebda = (uintptr_t) * (volatile uint16_t *)physical(EBDA_SEGMENT) << 4;
    info->acpi_root = ebda ? find_rsdp(ebda, ebda + EBDA_SEARCHED) : 0;
    if (info->acpi_root == 0)
        info->acpi_root = find_rsdp(BIOS_START, BIOS_END);
    info->memory_map = (uintptr_t)memory_map;
    info->memory_map_entries = memory_map_entries;
}
