/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI tables that no emulator here has: consoles at other serial ports, and PCI segments; also damaged ones. Run by
 * make test-acpi.
 */
#include <string.h>

#include "core/pages.h"
#include "host/host.h"
#include "platform/native/acpi.h"

struct platform_information platform = { .name = "host", .memory_bytes = 64UL << 20 };

static uint8_t *memory; /* a page: the root pointer, then two tables */
#define ROOT_TABLE 64
#define TABLE 256

size_t platform_entropy(void *to, size_t length)
{
    (void)to;
    (void)length;
    return 0;
}

static void put_sum(uint8_t *table, uint32_t length)
{
    uint8_t sum = 0;
    table[9] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum += table[i];
    table[9] = (uint8_t)-sum;
}

static void put_header(uint8_t *table, const char *signature, uint32_t length)
{
    memcpy(table, signature, 4);
    memcpy(table + 4, &length, sizeof(length));
}

/* Reads a machine's tables, of which there is one: this. */
static void read_tables(uint32_t length)
{
    uint64_t at = virt_to_phys(memory), table = at + TABLE;
    uint64_t root = at + ROOT_TABLE;
    memcpy(memory, "RSD PTR ", 8);
    memory[15] = 2;
    memcpy(memory + 24, &root, sizeof(root));
    put_header(memory + ROOT_TABLE, "XSDT", 36 + 8);
    memcpy(memory + ROOT_TABLE + 36, &table, sizeof(table));
    put_sum(memory + ROOT_TABLE, 36 + 8);
    put_sum(memory + TABLE, length);
    memset(&acpi, 0, sizeof(acpi));
    acpi_init(at);
}

static uint8_t *start_table(const char *signature, uint32_t length)
{
    struct page *page = page_allocate_zeroed();
    memory = page_data(page);
    put_header(memory + TABLE, signature, length);
    return memory + TABLE;
}

static void serial_ports(void)
{
    static const struct {
        const char *name;
        uint8_t kind, space, width, interrupt_kind, isa_interrupt;
        uint32_t line;
        uint64_t address;
        /* What is made of it: */
        bool present;
        unsigned spacing, isa;
        uint32_t at_line;
    } ports[] = {
        { "the second port of a PC", 0, 1, 8, 1, 3, 0, 0x2f8, true, 1, 3, ACPI_NO_LINE },
        { "a subset of a 16550", 1, 1, 8, 3, 4, 36, 0x3f8, true, 1, 0, 36 },
        { "in memory, by words", 18, 0, 32, 2, 0, 40, 0xfe030000, true, 4, 0, 40 },
        { "in memory, by bytes", 0, 0, 8, 0, 9, 40, 0xfe030000, true, 1, 0, ACPI_NO_LINE },
        { "an interrupt that ISA does not have", 0, 1, 8, 1, 16, 0, 0x2f8, true, 1, 0, ACPI_NO_LINE },
        { "a PL011", 3, 0, 32, 8, 0, 40, 0x9000000, false, 0, 0, 0 },
        { "no console", 0, 0, 8, 0, 0, 0, 0, false, 1, 0, ACPI_NO_LINE },
        { "beyond all ports", 0, 1, 8, 1, 4, 0, 0xfff9, false, 0, 0, 0 },
        { "in PCI's configuration space", 0, 2, 8, 1, 4, 0, 0x2f8, false, 1, 4, ACPI_NO_LINE },
    };
    for (unsigned i = 0; i < array_size(ports); i++) {
        uint8_t *spcr = start_table("SPCR", 80);
        spcr[36] = ports[i].kind;
        spcr[40] = ports[i].space;
        spcr[41] = ports[i].width;
        memcpy(spcr + 44, &ports[i].address, 8);
        spcr[52] = ports[i].interrupt_kind;
        spcr[53] = ports[i].isa_interrupt;
        memcpy(spcr + 54, &ports[i].line, 4);
        read_tables(80);
        CHECK_EQUAL(acpi.serial.registers.present, ports[i].present);
        CHECK(!ports[i].present || acpi.serial.registers.address == ports[i].address);
        CHECK(!ports[i].present || acpi.serial.registers.memory == (ports[i].space == 0));
        CHECK_EQUAL(acpi.serial.spacing, ports[i].spacing);
        CHECK_EQUAL(acpi.serial.isa_interrupt, ports[i].isa);
        CHECK_EQUAL(acpi.serial.line, ports[i].at_line);
    }
}

static void serial_tables_that_are_damaged(void)
{
    for (uint32_t length = 36; length < 52; length++) {
        uint8_t *spcr = start_table("SPCR", length);
        spcr[40] = 1;
        spcr[44] = 0xf8;
        spcr[45] = 2;
        read_tables(length);
        CHECK(!acpi.serial.registers.present);
    }
    uint8_t *spcr = start_table("SPCR", 80);
    spcr[40] = 1;
    spcr[45] = 2;
    read_tables(80);
    CHECK(acpi.serial.registers.present);
    spcr[60]++;
    memset(&acpi, 0, sizeof(acpi));
    acpi_init(virt_to_phys(memory));
    CHECK(!acpi.serial.registers.present);
}

static void put_buses(uint8_t *entry, uint64_t address, uint16_t segment, uint8_t first, uint8_t last)
{
    memcpy(entry, &address, sizeof(address));
    memcpy(entry + 8, &segment, sizeof(segment));
    entry[10] = first;
    entry[11] = last;
}

static void several_pci_segments(void)
{
    uint8_t *mcfg = start_table("MCFG", 44 + 3 * 16);
    put_buses(mcfg + 44, 0xe0000000, 1, 0, 255);
    put_buses(mcfg + 60, 0xb0000000, 0, 0, 127);
    put_buses(mcfg + 76, 0xf0000000, 0x100, 0, 255);
    read_tables(44 + 3 * 16);
    CHECK_EQUAL(acpi.pci_memory_count, 1);
    CHECK_EQUAL(acpi.pci_memory[0].address, 0xb0000000);
    CHECK_EQUAL(acpi.pci_memory[0].last_bus, 127);
    CHECK_EQUAL(acpi.pci_segments_left, 2);
}

/* As QEMU writes them for its device vmgenid. */
static const uint8_t generation_code[] = {
    0x08, 'V', 'G', 'I', 'A', 0x0c, 0x00, 0xf0, 0xfe, 0x07, /* its address */
    0x08, '_', 'H', 'I', 'D', 0x0d, 'Q',  'E',  'M',  'U',  'V', 'G', 'I', 'D', 0
};

static void a_generation_id(void)
{
    uint32_t length = 36 + sizeof(generation_code);
    memcpy(start_table("SSDT", length) + 36, generation_code, sizeof(generation_code));
    read_tables(length);
    CHECK_EQUAL(acpi.generation, 0x7fef000 + 40);
    /* Of another device. */
    memory[TABLE + length - 2] = 'E';
    read_tables(length);
    CHECK_EQUAL(acpi.generation, 0);
    /* Without an address; cut off at each byte. */
    memcpy(start_table("SSDT", length) + 36, generation_code, sizeof(generation_code));
    memset(memory + TABLE + 36 + 6, 0, 4);
    read_tables(length);
    CHECK_EQUAL(acpi.generation, 0);
    for (uint32_t i = 36; i < length - 1; i++) {
        memcpy(start_table("SSDT", i) + 36, generation_code, i - 36);
        read_tables(i);
        CHECK_EQUAL(acpi.generation, 0);
    }
    uint8_t *fadt = start_table("FACP", 116);
    fadt[80] = 0x20;
    fadt[81] = 0x06;
    fadt[92] = 16;
    read_tables(116);
    CHECK_EQUAL(acpi.event_block, 0x620);
    CHECK_EQUAL(acpi.event_length, 16);
}

int main(void)
{
    host_init();
    host_test("acpi: serial ports", serial_ports);
    host_test("acpi: serial tables that are damaged", serial_tables_that_are_damaged);
    host_test("acpi: several PCI segments", several_pci_segments);
    host_test("acpi: a VM generation ID", a_generation_id);
    return host_result();
}
