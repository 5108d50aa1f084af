/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts that a function raises by a write to memory: MSI-X, with a table of messages in one of its windows, and
 * MSI, with one message in its configuration space. Where the write goes and what it says is the same for both.
 */
#include "drivers/pci/pci.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

/* MSI-X capability and table entries, PCI 3.0 6.8.2. */
#define MSIX_CONTROL 2
#define MSIX_TABLE 4
#define MSIX_ENABLE 0x8000
#define MSIX_MASK_ALL 0x4000
#define MSIX_SIZE 0x07ff
#define MSIX_ENTRY_SIZE 16
#define MSIX_ENTRY_ADDRESS 0
#define MSIX_ENTRY_DATA 8
#define MSIX_ENTRY_CONTROL 12

/* MSI capability, PCI 3.0 6.8.1. */
#define MSI_CONTROL 2
#define MSI_ADDRESS 4
#define MSI_DATA 8       /* of a function with 32-bit addresses ... */
#define MSI_DATA_WIDE 12 /* ... and with 64-bit ones */
#define MSI_ENABLE 0x0001
#define MSI_MESSAGES 0x0070 /* log2 of how many may be used */
#define MSI_WIDE 0x0080

int pci_msix_enable(struct pci_function *function)
{
    unsigned at = pci_find_capability(function, PCI_CAPABILITY_MSIX, 0);
    if (at == 0)
        return -ENODEV;
    uint16_t control = pci_read16(function, at + MSIX_CONTROL);
    uint32_t table = pci_read32(function, at + MSIX_TABLE);
    function->msix_vectors = (control & MSIX_SIZE) + 1u;
    uint32_t length = function->msix_vectors * MSIX_ENTRY_SIZE;
    phys_t address = pci_memory_window(function, table & 7, table & ~7u, length);
    if (address == 0)
        return -ENODEV;
    function->msix_table = mmio_map(address, length);
    if (!function->msix_table)
        return -ENOMEM;
    for (unsigned i = 0; i < function->msix_vectors; i++)
        mmio_write32(function->msix_table + i * MSIX_ENTRY_SIZE + MSIX_ENTRY_CONTROL, 1);
    pci_write16(function, at + MSIX_CONTROL, (uint16_t)((control | MSIX_ENABLE) & ~MSIX_MASK_ALL));
    return 0;
}

/* An entry is changed while it is masked (PCI 3.0, 6.8.2.9). */
void pci_msix_route(struct pci_function *function, unsigned index, unsigned vector, unsigned cpu)
{
    volatile uint8_t *entry = function->msix_table + index * MSIX_ENTRY_SIZE;
    uint64_t address = interrupt_message_address(cpu);
    mmio_write32(entry + MSIX_ENTRY_CONTROL, 1);
    mmio_write32(entry + MSIX_ENTRY_ADDRESS, (uint32_t)address);
    mmio_write32(entry + MSIX_ENTRY_ADDRESS + 4, (uint32_t)(address >> 32));
    mmio_write32(entry + MSIX_ENTRY_DATA, interrupt_message_data(vector));
    mmio_write32(entry + MSIX_ENTRY_CONTROL, 0);
}

int pci_msix_set(struct pci_function *function, unsigned index, unsigned vector)
{
    if (index >= function->msix_vectors)
        return -ENOSPC;
    pci_msix_route(function, index, vector, 0);
    return 0;
}

int pci_msi_enable(const struct pci_function *function, unsigned vector)
{
    unsigned at = pci_find_capability(function, PCI_CAPABILITY_MSI, 0);
    if (at == 0)
        return -ENODEV;
    uint64_t address = interrupt_message_address(0);
    uint16_t control = (uint16_t)(pci_read16(function, at + MSI_CONTROL) & ~(MSI_ENABLE | MSI_MESSAGES));
    pci_write16(function, at + MSI_CONTROL, control);
    pci_write32(function, at + MSI_ADDRESS, (uint32_t)address);
    if (control & MSI_WIDE)
        pci_write32(function, at + MSI_ADDRESS + 4, (uint32_t)(address >> 32));
    pci_write16(function, at + (control & MSI_WIDE ? MSI_DATA_WIDE : MSI_DATA),
                (uint16_t)interrupt_message_data(vector));
    pci_write16(function, at + MSI_CONTROL, control | MSI_ENABLE);
    return 0;
}
