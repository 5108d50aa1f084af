/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the tables, once, into `acpi`, which does not change afterwards. acpi_init() is called by native_start() on
 * the boot CPU, before there is an allocator and while the first 4 GiB are in the direct map; there are no locks.
 *
 * Tables are not trusted: one counts if it lies within reach, its length is sensible and its checksum right, and a
 * field of it only if it lies in the table. What is absent leaves the defaults of a PC. There is no interpreter for
 * byte code: the values that switch the machine off, and the address of the VM generation ID, are found as constants in
 * the bytes.
 */
#include "platform/native/acpi.h"

#include "core/log.h"
#include "core/pages.h"
#include "lib/string.h"

#define REACHABLE (4UL << 30)
#define TABLE_LIMIT (1u << 20)

/* ACPI 6.4 tables 5-3 (RSDP), 5-6 (header), 5-9 (FADT), 5-21 (MADT entries). */
struct packed root_pointer {
    char signature[8];
    uint8_t checksum;
    char origin[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
};
struct packed table_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char origin[26]; /* who made it: OEM, revision, compiler */
};
_Static_assert(sizeof(struct root_pointer) == 32 && sizeof(struct table_header) == 36, "ACPI 6.4, 5.2");
struct packed generic_address {
    uint8_t space, width, offset, access;
    uint64_t address;
};
#define SPACE_MEMORY 0
#define SPACE_IO 1

#define FADT_DSDT 40
#define FADT_INTERRUPT 46
#define FADT_SMI_COMMAND 48
#define FADT_SMI_ENABLE 52
#define FADT_PM1A_EVENT 56
#define FADT_PM1A_CONTROL 64
#define FADT_PM1B_CONTROL 68
#define FADT_EVENT_BLOCK 80
#define FADT_PM1_EVENT_LENGTH 88
#define FADT_EVENT_LENGTH 92
#define FADT_RESET_REGISTER 116
#define FADT_RESET_VALUE 128
#define FADT_SLEEP_CONTROL 244
#define MADT_ENTRIES 44
#define MADT_LOCAL_APIC 0
#define MADT_IO_APIC 1
#define MADT_SOURCE_OVERRIDE 2
#define MADT_LOCAL_X2APIC 9
#define MADT_CPU_ENABLED 1u
/* PCI Firmware Specification 3.0, table 4-3. */
#define MCFG_ENTRIES 44
#define MCFG_ENTRY_LENGTH 16
#define MCFG_SEGMENT 8
#define MCFG_FIRST_BUS 10
#define MCFG_LAST_BUS 11

/* Serial Port Console Redirection Table, revision 4. */
#define SPCR_KIND 36
#define SPCR_ADDRESS 40
#define SPCR_INTERRUPT_KIND 52
#define SPCR_ISA_INTERRUPT 53
#define SPCR_LINE 54
#define SPCR_KIND_16550 0
#define SPCR_KIND_16550_SUBSET 1
#define SPCR_KIND_16550_STATED 18 /* whose address states the width of registers */
#define SPCR_INTERRUPT_8259 0x1
#define SPCR_INTERRUPT_IO_APIC 0x2

#define GENERATION_OFFSET 40 /* VMGENID_GUID_OFFSET of QEMU */

struct acpi_information acpi;

/* NULL if it is out of reach or its length or checksum is wrong. */
static const struct table_header *table_at(uint64_t address)
{
    if (address == 0 || address >= REACHABLE - TABLE_LIMIT)
        return NULL;
    const struct table_header *table = phys_to_virt(address);
    if (table->length < sizeof(*table) || table->length > TABLE_LIMIT)
        return NULL;
    uint8_t sum = 0;
    for (uint32_t i = 0; i < table->length; i++)
        sum += ((const uint8_t *)table)[i];
    return sum == 0 ? table : NULL;
}

/* Copies a field of a table; false if the table is too short. */
static bool field(const struct table_header *table, uint32_t offset, void *to, uint32_t size)
{
    if (table->length < offset + size)
        return false;
    memcpy(to, (const uint8_t *)table + offset, size);
    return true;
}

/* A port in a 32-bit field; 0 if absent. */
static uint16_t port_field(const struct table_header *table, uint32_t offset)
{
    uint32_t port = 0;
    return field(table, offset, &port, sizeof(port)) ? (uint16_t)port : 0;
}

static struct acpi_register register_field(const struct table_header *table, uint32_t offset)
{
    struct generic_address address;
    if (!field(table, offset, &address, sizeof(address)) || address.address == 0 || address.space > SPACE_IO)
        return (struct acpi_register){ 0 };
    return (struct acpi_register){
        .present = true,
        .memory = address.space == SPACE_MEMORY,
        .address = address.address,
    };
}

/* One element of the _S5_ package: an optional BytePrefix (0x0a), or the ops Zero and One. */
static const uint8_t *package_element(const uint8_t *at, const uint8_t *end, uint8_t *value)
{
    if (at < end && *at == 0x0a)
        at++;
    if (at >= end)
        return NULL;
    *value = *at & 7;
    return at + 1;
}

/* Finds Name (_S5, Package () { a, b, … }) in the byte code; a full interpreter is not needed,
 * since firmware writes it with constants. */
static void read_sleep_type(const struct table_header *dsdt)
{
    const uint8_t *at = (const uint8_t *)(dsdt + 1);
    const uint8_t *end = (const uint8_t *)dsdt + dsdt->length;
    for (; at + 8 < end; at++) {
        if (memcmp(at, "_S5_", 4) != 0 || at[4] != 0x12)
            continue;
        at += 5;
        at += 1 + (*at >> 6); /* package length, 1 to 4 bytes */
        at++;                 /* number of elements */
        at = package_element(at, end, &acpi.sleep_type_a);
        if (!at)
            return;
        acpi.sleep_type_known = package_element(at, end, &acpi.sleep_type_b);
        return;
    }
}

static void read_fadt(const struct table_header *fadt)
{
    uint32_t dsdt_address = 0;
    acpi.pm1a_control = port_field(fadt, FADT_PM1A_CONTROL);
    acpi.pm1b_control = port_field(fadt, FADT_PM1B_CONTROL);
    acpi.pm1a_event = port_field(fadt, FADT_PM1A_EVENT);
    acpi.smi_command = port_field(fadt, FADT_SMI_COMMAND);
    (void)field(fadt, FADT_SMI_ENABLE, &acpi.smi_enable, 1);
    (void)field(fadt, FADT_PM1_EVENT_LENGTH, &acpi.pm1_event_length, 1);
    acpi.event_block = port_field(fadt, FADT_EVENT_BLOCK);
    (void)field(fadt, FADT_EVENT_LENGTH, &acpi.event_length, 1);
    (void)field(fadt, FADT_INTERRUPT, &acpi.interrupt, 2);
    acpi.reset = register_field(fadt, FADT_RESET_REGISTER);
    (void)field(fadt, FADT_RESET_VALUE, &acpi.reset_value, 1);
    acpi.sleep_control = register_field(fadt, FADT_SLEEP_CONTROL);
    if (!field(fadt, FADT_DSDT, &dsdt_address, sizeof(dsdt_address)))
        return;
    const struct table_header *dsdt = table_at(dsdt_address);
    if (dsdt)
        read_sleep_type(dsdt);
}

static const uint8_t *find_bytes(const struct table_header *table, const char *wanted, size_t length)
{
    const uint8_t *at = (const uint8_t *)(table + 1), *end = (const uint8_t *)table + table->length;
    for (; at + length <= end; at++)
        if (memcmp(at, wanted, length) == 0)
            return at;
    return NULL;
}

/* QEMU's device (docs/specs/vmgenid of QEMU): Name (VGIA, the address), and its method ADDR adds the offset. */
static void read_generation(const struct table_header *ssdt)
{
    static const char name[] = { 0x08, 'V', 'G', 'I', 'A', 0x0c }; /* NameOp, DWordPrefix */
    uint32_t address;
    const uint8_t *found = find_bytes(ssdt, name, sizeof(name));
    if (!found || !find_bytes(ssdt, "QEMUVGID", 8))
        return;
    if (field(ssdt, (uint32_t)(found - (const uint8_t *)ssdt) + sizeof(name), &address, sizeof(address)) && address)
        acpi.generation = (phys_t)address + GENERATION_OFFSET;
}

/* An entry of 8 bytes or more with the id in one byte, or of 16 with four bytes. */
static void read_cpu(const uint8_t *entry)
{
    uint32_t id = entry[3], flags;
    bool wide = entry[0] == MADT_LOCAL_X2APIC;
    if (entry[1] < (wide ? 16 : 8) || acpi.cpu_count == CPUS_MAX)
        return;
    if (wide)
        memcpy(&id, entry + 4, sizeof(id));
    memcpy(&flags, entry + (wide ? 8 : 4), sizeof(flags));
    if (flags & MADT_CPU_ENABLED)
        acpi.cpu_apic[acpi.cpu_count++] = id;
}

static void read_madt(const struct table_header *madt)
{
    const uint8_t *at = (const uint8_t *)madt + MADT_ENTRIES;
    const uint8_t *end = (const uint8_t *)madt + madt->length;
    acpi.io_apic = 0;
    acpi.cpu_count = 0;
    while (at + 2 <= end && at[1] >= 2 && at[1] <= end - at) {
        uint32_t value;
        if (at[0] == MADT_LOCAL_APIC || at[0] == MADT_LOCAL_X2APIC)
            read_cpu(at);
        if (at[0] == MADT_IO_APIC && at[1] >= 12 && acpi.io_apic == 0) {
            memcpy(&value, at + 4, sizeof(value));
            acpi.io_apic = value;
        }
        if (at[0] == MADT_SOURCE_OVERRIDE && at[1] >= 10 && at[3] < array_size(acpi.line_of_isa)) {
            memcpy(&value, at + 4, sizeof(value));
            acpi.line_of_isa[at[3]] = (uint8_t)value;
        }
        at += at[1];
    }
}

static void read_mcfg(const struct table_header *mcfg)
{
    for (uint32_t at = MCFG_ENTRIES; at + MCFG_ENTRY_LENGTH <= mcfg->length; at += MCFG_ENTRY_LENGTH) {
        struct acpi_pci_memory memory;
        uint16_t segment;
        memcpy(&segment, (const uint8_t *)mcfg + at + MCFG_SEGMENT, sizeof(segment));
        memcpy(&memory.address, (const uint8_t *)mcfg + at, sizeof(memory.address));
        memory.first_bus = ((const uint8_t *)mcfg)[at + MCFG_FIRST_BUS];
        memory.last_bus = ((const uint8_t *)mcfg)[at + MCFG_LAST_BUS];
        if (segment != 0)
            acpi.pci_segments_left++;
        else if (acpi.pci_memory_count < ACPI_PCI_MEMORY_MAX)
            acpi.pci_memory[acpi.pci_memory_count++] = memory;
    }
}

static void read_serial_interrupt(const struct table_header *spcr)
{
    uint8_t kind = 0, interrupt = 0;
    acpi.serial.line = ACPI_NO_LINE;
    (void)field(spcr, SPCR_INTERRUPT_KIND, &kind, sizeof(kind));
    (void)field(spcr, SPCR_ISA_INTERRUPT, &interrupt, sizeof(interrupt));
    if (kind & SPCR_INTERRUPT_IO_APIC)
        (void)field(spcr, SPCR_LINE, &acpi.serial.line, sizeof(acpi.serial.line));
    else if (kind & SPCR_INTERRUPT_8259 && interrupt < array_size(acpi.line_of_isa))
        acpi.serial.isa_interrupt = interrupt;
}

static void read_spcr(const struct table_header *spcr)
{
    uint8_t kind;
    struct generic_address address;
    if (!field(spcr, SPCR_KIND, &kind, sizeof(kind)) || !field(spcr, SPCR_ADDRESS, &address, sizeof(address)))
        return;
    if (kind != SPCR_KIND_16550 && kind != SPCR_KIND_16550_SUBSET && kind != SPCR_KIND_16550_STATED)
        return;
    if (address.space == SPACE_IO && address.address > UINT16_MAX - 7)
        return;
    acpi.serial.registers = register_field(spcr, SPCR_ADDRESS);
    acpi.serial.spacing = address.space == SPACE_MEMORY && (address.width == 16 || address.width == 32)
                              ? address.width / 8
                              : 1;
    read_serial_interrupt(spcr);
}

static void read_table(uint64_t address)
{
    const struct table_header *table = table_at(address);
    if (!table)
        return;
    if (memcmp(table->signature, "FACP", 4) == 0)
        read_fadt(table);
    else if (memcmp(table->signature, "APIC", 4) == 0)
        read_madt(table);
    else if (memcmp(table->signature, "MCFG", 4) == 0)
        read_mcfg(table);
    else if (memcmp(table->signature, "SPCR", 4) == 0)
        read_spcr(table);
    else if (memcmp(table->signature, "SSDT", 4) == 0)
        read_generation(table);
}

static void read_root(const struct table_header *root, uint32_t pointer_size)
{
    for (uint32_t offset = sizeof(*root); offset + pointer_size <= root->length; offset += pointer_size) {
        uint64_t address = 0;
        memcpy(&address, (const uint8_t *)root + offset, pointer_size);
        read_table(address);
    }
}

void acpi_init(phys_t root)
{
    acpi.io_apic = 0xfec00000;
    for (unsigned i = 0; i < array_size(acpi.line_of_isa); i++)
        acpi.line_of_isa[i] = (uint8_t)i;
    if (root == 0 || root >= REACHABLE - sizeof(struct root_pointer))
        return;

    const struct root_pointer *pointer = phys_to_virt(root);
    if (memcmp(pointer->signature, "RSD PTR ", 8) != 0) {
        log_error("ACPI: no root pointer at %lx; power-off may not work", root);
        return;
    }
    const struct table_header *extended = pointer->revision >= 2 ? table_at(pointer->xsdt) : NULL;
    if (extended) {
        read_root(extended, 8);
        return;
    }
    const struct table_header *table = table_at(pointer->rsdt);
    if (table)
        read_root(table, 4);
}
