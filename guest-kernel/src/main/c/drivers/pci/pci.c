/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An access to configuration space by ports is two accesses, an address and then data, between which no other may
 * come. So all of this runs on one CPU with interrupts masked: drivers call it while devices are found and started,
 * and when one must be kept from memory. There is no lock. A bus that ACPI's MCFG table covers is reached through
 * memory instead, which is mapped when the bus is scanned; machines exist whose table leaves out bus 0.
 *
 * Nothing that a function says is trusted. A memory window counts only where firmware gave it an address that is a
 * multiple of its length, lies below 2^52 and does not overlap RAM. A list of capabilities ends after as many as there
 * is room for, and each bus is scanned once, whatever bridges say. While a window is measured the function does not
 * decode memory; when pci_whole_window() returns it does again, and may reach memory by itself.
 */
#include "drivers/pci/pci.h"

#include "core/log.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define ADDRESS_PORT 0xcf8
#define DATA_PORT 0xcfc
#define ADDRESS_ENABLE 0x80000000u

/* Configuration header, PCI 3.0 figures 6-1 and (bridges) PCI-to-PCI Bridge 1.2 figure 3-1. */
#define VENDOR_ID 0x00
#define DEVICE_ID 0x02
#define COMMAND 0x04
#define STATUS 0x06
#define REVISION 0x08 /* and the class above it */
#define HEADER_TYPE 0x0e
#define BASE_ADDRESS 0x10
#define BASE_ADDRESSES 6
#define SECONDARY_BUS 0x19
#define SUBSYSTEM_ID 0x2e
#define CAPABILITIES 0x34

#define COMMAND_MEMORY 0x0002
#define COMMAND_MASTER 0x0004
#define STATUS_CAPABILITIES 0x0010
#define HEADER_MULTIFUNCTION 0x80
#define CLASS_BRIDGE 0x0604 /* class and subclass, as the next ones */
#define CLASS_IDE 0x0101
#define CLASS_SATA 0x0106
#define BASE_CLASS_STORAGE 0x01
#define BASE_CLASS_NETWORK 0x02
#define WINDOW_IO 0x1
#define WINDOW_TYPE 0x6
#define WINDOW_64 0x4
#define PHYSICAL_BITS_MAX 52 /* Intel SDM 3A 4.1.4: MAXPHYADDR */

/* What each bus takes of the memory, and where in it (7.2.2). */
#define BUS_LENGTH (1UL << 20)
#define PLACE(f) ((unsigned)(f)->device << 15 | (unsigned)(f)->function << 12)
static volatile uint8_t *buses_in_memory[256];

/* The memory of a register; NULL: it is reached through the ports. */
static volatile uint8_t *in_memory(const struct pci_function *f, unsigned offset)
{
    volatile uint8_t *bus = buses_in_memory[f->bus];
    return bus ? bus + PLACE(f) + offset : NULL;
}

static uint32_t select(const struct pci_function *f, unsigned offset)
{
    uint32_t address = ADDRESS_ENABLE | (uint32_t)f->bus << 16 | (uint32_t)f->device << 11 |
                       (uint32_t)f->function << 8 | (offset & 0xfc);
    out32(ADDRESS_PORT, address);
    return offset & 3;
}

uint8_t pci_read8(const struct pci_function *function, unsigned offset)
{
    volatile uint8_t *at = in_memory(function, offset);
    return at ? mmio_read8(at) : in8((uint16_t)(DATA_PORT + select(function, offset)));
}

uint16_t pci_read16(const struct pci_function *function, unsigned offset)
{
    volatile uint8_t *at = in_memory(function, offset);
    return at ? mmio_read16(at) : in16((uint16_t)(DATA_PORT + select(function, offset)));
}

uint32_t pci_read32(const struct pci_function *function, unsigned offset)
{
    volatile uint8_t *at = in_memory(function, offset);
    return at ? mmio_read32(at) : in32((uint16_t)(DATA_PORT + select(function, offset)));
}

void pci_write16(const struct pci_function *function, unsigned offset, uint16_t value)
{
    volatile uint8_t *at = in_memory(function, offset);
    if (at)
        mmio_write16(at, value);
    else
        out16((uint16_t)(DATA_PORT + select(function, offset)), value);
}

void pci_write32(const struct pci_function *function, unsigned offset, uint32_t value)
{
    volatile uint8_t *at = in_memory(function, offset);
    if (at)
        mmio_write32(at, value);
    else
        out32((uint16_t)(DATA_PORT + select(function, offset)), value);
}

unsigned pci_find_capability(const struct pci_function *function, uint8_t id, unsigned place)
{
    if (!(pci_read16(function, STATUS) & STATUS_CAPABILITIES))
        return 0;
    unsigned at = pci_read8(function, CAPABILITIES) & 0xfc;
    for (unsigned i = 0; at != 0 && i < PCI_CAPABILITIES_MAX; i++) {
        if (pci_read8(function, at) == id && place-- == 0)
            return at;
        at = pci_read8(function, at + 1) & 0xfc;
    }
    return 0;
}

/* What a base address register answers when all ones are written to it (6.2.5.1): ones where the address can be
 * chosen. Writes back what was there. */
static uint32_t changeable_bits(const struct pci_function *function, unsigned offset)
{
    uint32_t before = pci_read32(function, offset);
    pci_write32(function, offset, UINT32_MAX);
    uint32_t bits = pci_read32(function, offset);
    pci_write32(function, offset, before);
    return bits;
}

static bool within_memory(phys_t address, uint64_t length)
{
    for (unsigned i = 0; i < native_memory_count; i++) {
        const struct memory_range *range = &native_memory[i];
        if (range->type == MEMORY_RAM && address < range->end && range->start < address + length)
            return true;
    }
    return false;
}

/* Where the window is and how long; false if it is absent, not assigned or nonsense. */
static bool find_window(const struct pci_function *function, unsigned index, phys_t *address, uint64_t *length)
{
    unsigned offset = BASE_ADDRESS + 4 * index;
    if (index >= BASE_ADDRESSES)
        return false;
    uint32_t low = pci_read32(function, offset);
    if (low & WINDOW_IO)
        return false;
    bool wide = (low & WINDOW_TYPE) == WINDOW_64 && index + 1 < BASE_ADDRESSES;
    *address = low & ~15u;
    uint64_t bits = changeable_bits(function, offset) & ~15u;
    if (wide) {
        *address |= (phys_t)pci_read32(function, offset + 4) << 32;
        bits |= (uint64_t)changeable_bits(function, offset + 4) << 32;
    } else {
        bits |= 0xffffffff00000000UL;
    }
    *length = bits & -bits;
    return *address != 0 && *length != 0 && *length < 1UL << PHYSICAL_BITS_MAX && *address % *length == 0 &&
           *address < 1UL << PHYSICAL_BITS_MAX && !within_memory(*address, *length);
}

phys_t pci_whole_window(const struct pci_function *function, unsigned index, uint64_t *length)
{
    phys_t address;
    pci_write16(function, COMMAND, (uint16_t)(pci_read16(function, COMMAND) & ~COMMAND_MEMORY));
    bool found = find_window(function, index, &address, length);
    pci_enable(function);
    return found ? address : 0;
}

phys_t pci_memory_window(const struct pci_function *function, unsigned index, uint32_t offset, uint64_t length)
{
    uint64_t size;
    phys_t address = pci_whole_window(function, index, &size);
    return address != 0 && length > 0 && offset < size && length <= size - offset ? address + offset : 0;
}

void pci_enable(const struct pci_function *function)
{
    uint16_t command = pci_read16(function, COMMAND);
    pci_write16(function, COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
}

void pci_disconnect(const struct pci_function *function)
{
    pci_write16(function, COMMAND, (uint16_t)(pci_read16(function, COMMAND) & ~COMMAND_MASTER));
}

/* Buses that bridges lead to and that have not been looked at. Each is scanned once, whatever bridges say. */
struct buses {
    bool waiting[256];
};

static bool scan_function(uint8_t bus, uint8_t device, uint8_t number, struct buses *buses,
                          void (*visit)(const struct pci_function *))
{
    struct pci_function function = { .bus = bus, .device = device, .function = number };
    function.vendor = pci_read16(&function, VENDOR_ID);
    if (function.vendor == 0xffff)
        return false;
    function.id = pci_read16(&function, DEVICE_ID);
    function.class = pci_read32(&function, REVISION) >> 8;
    if (function.class >> 8 == CLASS_BRIDGE) {
        /* Buses are numbered downwards. */
        uint8_t behind = pci_read8(&function, SECONDARY_BUS);
        if (behind > bus)
            buses->waiting[behind] = true;
        return true;
    }
    function.subsystem_id = pci_read16(&function, SUBSYSTEM_ID);
    visit(&function);
    return true;
}

/* Memory that cannot be a device's is not used. */
static void map_bus(uint8_t bus)
{
    buses_in_memory[bus] = NULL;
    for (unsigned i = 0; i < acpi.pci_memory_count; i++) {
        const struct acpi_pci_memory *memory = &acpi.pci_memory[i];
        phys_t address = memory->address + bus * BUS_LENGTH;
        if (bus < memory->first_bus || bus > memory->last_bus || memory->address % BUS_LENGTH != 0)
            continue;
        if (memory->address >= 1UL << PHYSICAL_BITS_MAX || within_memory(address, BUS_LENGTH))
            continue;
        buses_in_memory[bus] = mmio_map(address, BUS_LENGTH);
        return;
    }
}

static void scan_bus(uint8_t bus, struct buses *buses, void (*visit)(const struct pci_function *))
{
    map_bus(bus);
    for (uint8_t device = 0; device < 32; device++) {
        if (!scan_function(bus, device, 0, buses, visit))
            continue;
        struct pci_function first = { .bus = bus, .device = device };
        if (!(pci_read8(&first, HEADER_TYPE) & HEADER_MULTIFUNCTION))
            continue;
        for (uint8_t number = 1; number < 8; number++)
            (void)scan_function(bus, device, number, buses, visit);
    }
}

void pci_for_each(void (*visit)(const struct pci_function *function))
{
    out32(ADDRESS_PORT, ADDRESS_ENABLE);
    if (in32(ADDRESS_PORT) != ADDRESS_ENABLE && acpi.pci_memory_count == 0)
        return;
    if (acpi.pci_segments_left > 0)
        log_error("PCI: ACPI (MCFG) names %u ranges of buses beyond segment 0, whose devices are not used",
                  acpi.pci_segments_left);
    struct buses buses = { .waiting = { true } };
    for (unsigned bus = 0; bus < array_size(buses.waiting); bus++) {
        if (buses.waiting[bus])
            scan_bus((uint8_t)bus, &buses, visit);
    }
}

/* Chipsets have controllers for IDE and SATA whether or not there are disks. */
void pci_report_unused(const struct pci_function *function, const char *drivers)
{
    unsigned class = function->class >> 8, base = function->class >> 16;
    if (base != BASE_CLASS_NETWORK && base != BASE_CLASS_STORAGE)
        return;
    log_line(class == CLASS_IDE || class == CLASS_SATA ? LOG_INFO : LOG_ERROR,
             "PCI %02x:%02x.%u: no driver for %s %04x:%04x; there are drivers for %s: give the guest one of those",
             function->bus, function->device, function->function,
             base == BASE_CLASS_NETWORK ? "network card" : "storage controller", function->vendor, function->id,
             drivers);
}
