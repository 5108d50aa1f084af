/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel takes from the ACPI tables (ACPI specification 6.4, chapter 5): how to power
 * off and reset, where the I/O APIC is, where PCI's configuration space is in memory, which CPUs there are, and which
 * serial port is the console. Without tables the defaults of a PC hold.
 */
#pragma once

#include "platform/platform.h"

struct acpi_register {
    bool present, memory; /* memory-mapped, else an I/O port */
    uint64_t address;
};

/* Buses whose configuration space is in memory, 1 MiB each; that of bus 0 is or would be at `address` (PCI Firmware
 * Specification 3.0, 4.1.2). */
struct acpi_pci_memory {
    phys_t address;
    uint8_t first_bus, last_bus;
};
#define ACPI_PCI_MEMORY_MAX 4

/* The console's serial port, a 16550 (Microsoft, Serial Port Console Redirection Table, revision 4). */
struct acpi_serial {
    struct acpi_register registers; /* not present: there is no such table, or the port is of another kind */
    unsigned spacing;               /* bytes from one register to the next: 1, 2 or 4 */
    uint8_t isa_interrupt;          /* 0: none, but: */
    uint32_t line;                  /* of the I/O APIC, or: */
};
#define ACPI_NO_LINE UINT32_MAX

struct acpi_information {
    uint16_t pm1a_control, pm1b_control; /* ports, 0: absent */
    uint16_t pm1a_event;                 /* port of the status register, 0: absent */
    uint8_t pm1_event_length;            /* status and enable register together, bytes */
    uint16_t interrupt;                  /* of the power button, an ISA interrupt */
    uint16_t smi_command;                /* port, 0: ACPI is always enabled ... */
    uint8_t smi_enable;                  /* ... what to write there to enable it */
    uint8_t sleep_type_a, sleep_type_b;  /* SLP_TYP of S5 */
    bool sleep_type_known;
    struct acpi_register sleep_control; /* hardware-reduced platforms */
    struct acpi_register reset;
    uint8_t reset_value;
    phys_t io_apic;                                         /* 0xfec00000 without a MADT; 0: there is none */
    uint8_t line_of_isa[16];                                /* I/O APIC line of an ISA interrupt */
    struct acpi_pci_memory pci_memory[ACPI_PCI_MEMORY_MAX]; /* of PCI segment 0 */
    unsigned pci_memory_count;
    unsigned pci_segments_left; /* ranges of buses that are not of segment 0 */
    struct acpi_serial serial;
    phys_t generation;           /* of the VM generation ID, 0: absent */
    uint16_t event_block;        /* port of GPE0's status registers, 0: absent; the enable registers follow them */
    uint8_t event_length;        /* both together, bytes */
    unsigned cpu_count;          /* CPUs that can be used, at most CPUS_MAX; 0 if no table lists them */
    uint32_t cpu_apic[CPUS_MAX]; /* the ids of their local APICs */
};
extern struct acpi_information acpi;

/* `root`: the RSDP, 0 for none. Called while the first 4 GiB are in the direct map. */
void acpi_init(phys_t root);
