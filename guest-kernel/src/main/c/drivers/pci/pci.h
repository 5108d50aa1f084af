/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI: finding functions, their capabilities, memory windows and message-signalled interrupts. Configuration space is
 * reached through memory where ACPI names it for a bus (PCI Express Base 3.0, 7.2.2), else by configuration mechanism 1
 * (PCI Local Bus Specification 3.0, 3.2.2.3.2). Addresses are those the firmware assigned. Not locked: used on the
 * boot CPU, while devices are started or with interrupts masked.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

struct pci_function {
    uint8_t bus, device, function;
    uint16_t vendor, id, subsystem_id;
    uint32_t class;               /* class, subclass and interface, 8 bits each */
    volatile uint8_t *msix_table; /* after pci_msix_enable() */
    unsigned msix_vectors;
};

/* Calls `visit` for each function, also beyond bridges. Does nothing where there is no PCI. */
void pci_for_each(void (*visit)(const struct pci_function *function));
/* Logs a network or storage function that no driver has taken; `drivers` says for what there are drivers. */
void pci_report_unused(const struct pci_function *function, const char *drivers);

uint8_t pci_read8(const struct pci_function *function, unsigned offset);
uint16_t pci_read16(const struct pci_function *function, unsigned offset);
uint32_t pci_read32(const struct pci_function *function, unsigned offset);
void pci_write16(const struct pci_function *function, unsigned offset, uint16_t value);
void pci_write32(const struct pci_function *function, unsigned offset, uint32_t value);

/* The offset of a capability with this id, the `place`-th (from 0) of them; 0 if there is none. A list is followed for
 * at most PCI_CAPABILITIES_MAX entries, as many as fit the space, so one that goes round ends. */
#define PCI_CAPABILITY_MSI 0x05
#define PCI_CAPABILITY_VENDOR 0x09
#define PCI_CAPABILITY_MSIX 0x11
#define PCI_CAPABILITIES_MAX 48
unsigned pci_find_capability(const struct pci_function *function, uint8_t id, unsigned place);

/* Physical address of [offset, +length) in the memory window of a base address register, 0 if that is not all within
 * the window, or there is none, or it has no sensible address. The function does not answer at its windows
 * meanwhile. */
phys_t pci_memory_window(const struct pci_function *function, unsigned index, uint32_t offset, uint64_t length);
/* The same for the whole window, whose length, a power of two, is stored in *length. */
phys_t pci_whole_window(const struct pci_function *function, unsigned index, uint64_t *length);
/* Lets the function answer at its memory windows and reach memory by itself. */
void pci_enable(const struct pci_function *function);
/* Keeps the function from reaching memory by itself. */
void pci_disconnect(const struct pci_function *function);

/* ---- messages.c: interrupts ---- */

/* Turns MSI on, with one message for the whole function, which raises the boot CPU's interrupt `vector`
 * (platform/native/interrupts.h). 0, or -ENODEV without MSI. */
must_check int pci_msi_enable(const struct pci_function *function, unsigned vector);
/* Turns MSI-X on with every vector masked. 0, or -ENODEV without MSI-X, -ENOMEM. */
must_check int pci_msix_enable(struct pci_function *function);
/* Entry `index` of its table raises the boot CPU's interrupt `vector`. 0, or -ENOSPC without this entry. */
must_check int pci_msix_set(struct pci_function *function, unsigned index, unsigned vector);
/* The same for any CPU, by its id, and an entry that was set before: what comes meanwhile is not lost. */
void pci_msix_route(struct pci_function *function, unsigned index, unsigned vector, unsigned cpu);

/* ---- spread.c: a table with an entry for each CPU ---- */

struct pci_spread {
    struct pci_function *function;
    unsigned first, count;   /* entry first + i is that of the CPU with the id i; all have been set */
    const unsigned *vectors; /* of these entries; equal ones follow each other */
    struct list link;
};
/* Spreads the entries from now on, until the machine ends. Called while devices are started. */
void pci_spread_add(struct pci_spread *spread);
/* Has the entries, which pci_msix_set() has set again, interrupt the CPUs that they should now. */
void pci_spread_route(struct pci_spread *spread);
/* Every such entry interrupts its CPU, or the boot CPU if that one does not run: once the others have been started. */
void pci_spread_interrupts(void);
/* All of them interrupt the boot CPU, and do so once at once: called there before the other CPUs stop. */
void pci_gather_interrupts(void);
