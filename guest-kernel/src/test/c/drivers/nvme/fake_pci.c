/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI function of the fake controller: its window, its interrupt table, and the one vector that is allocated. */
#include <stdlib.h>

#include "drivers/nvme/fake_controller.h"
#include "lib/errno.h"
#include "platform/native/interrupts.h"
#include "platform/platform.h"

#define VECTOR_FIRST 40

void pci_enable(const struct pci_function *function) { (void)function; }

void pci_disconnect(const struct pci_function *function)
{
    (void)function;
    fake.disconnected = true;
}

phys_t pci_memory_window(const struct pci_function *function, unsigned index, uint32_t offset, uint64_t length)
{
    (void)function;
    return index == 0 && offset + length <= fake.window_length ? FAKE_WINDOW + offset : 0;
}

phys_t pci_whole_window(const struct pci_function *function, unsigned index, uint64_t *length)
{
    (void)function;
    *length = fake.window_length;
    return index == 0 && fake.window_length > 0 ? FAKE_WINDOW : 0;
}

int pci_msix_enable(struct pci_function *function)
{
    function->msix_vectors = fake.vectors;
    fake_rule(!(fake.configuration & 1), "MSI-X is turned on while the controller runs");
    return fake.vectors == 0 ? -ENODEV : 0;
}

static void (*allocated_handler)(void *context);
static void *allocated_context;

int interrupt_allocate(interrupt_handler *handler, void *context)
{
    allocated_handler = handler;
    allocated_context = context;
    return VECTOR_FIRST;
}

int pci_msix_set(struct pci_function *function, unsigned index, unsigned vector)
{
    fake_rule(vector == VECTOR_FIRST && index < function->msix_vectors, "an interrupt that was not allocated");
    fake.connected[index] = true;
    fake.handler = allocated_handler;
    fake.context = allocated_context;
    return 0;
}

/* Controllers of earlier tests stay the driver's. */
void pci_msix_route(struct pci_function *function, unsigned index, unsigned vector, unsigned cpu)
{
    (void)function;
    if (index >= FAKE_VECTORS || vector != VECTOR_FIRST || cpu >= cpus_online)
        abort();
    fake.routes[index] = cpu;
}

void interrupt_raise(unsigned vector)
{
    fake_rule(vector == VECTOR_FIRST, "an interrupt that was not allocated is raised");
    fake.raised++;
}
