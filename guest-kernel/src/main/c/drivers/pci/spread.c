/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that have an entry of their interrupt table for each CPU. Devices are started before the other CPUs, so the
 * entries lead to the boot CPU at first, and they lead there again before the others stop.
 *
 * The list grows only while devices are started. `cpus_interrupted` says how many CPUs have entries that lead to them.
 */
#include "drivers/pci/pci.h"
#include "platform/native/interrupts.h"
#include "platform/platform.h"

static struct list all = LIST_INIT(all);
static unsigned cpus_interrupted = 1;

void pci_spread_add(struct pci_spread *spread) { list_push_back(&all, &spread->link); }

void pci_spread_route(struct pci_spread *spread)
{
    for (unsigned i = 0; i < spread->count; i++)
        pci_msix_route(spread->function, spread->first + i, spread->vectors[i], i < cpus_interrupted ? i : 0);
}

static void route_all(unsigned count)
{
    cpus_interrupted = count;
    list_for_each (link, &all)
        pci_spread_route(list_entry(link, struct pci_spread, link));
}

void pci_spread_interrupts(void) { route_all(cpus_online); }

/* Another CPU may have been interrupted and stop before it looks, so the boot CPU looks once more. */
void pci_gather_interrupts(void)
{
    route_all(1);
    list_for_each (link, &all) {
        const struct pci_spread *spread = list_entry(link, struct pci_spread, link);
        for (unsigned i = 0; i < spread->count; i++) {
            if (i == 0 || spread->vectors[i] != spread->vectors[i - 1])
                interrupt_raise(spread->vectors[i]);
        }
    }
}
