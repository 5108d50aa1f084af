/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amazon's Elastic Network Adapter, the network card of EC2's Nitro instance types. docs/ena.md has an overview.
 */
#pragma once

#include "drivers/pci/pci.h"

/* Starts the NIC if this function is one, and announces it. False: it is not. A NIC that does not come up is reported
 * and left alone. Called while devices are started. */
bool ena_start(const struct pci_function *function);
/* Stops every NIC, so that none reaches memory any more; for the end of the machine, when no other thread runs. Waits
 * for the NICs, each of them some seconds at most. */
void ena_shut_down(void);
