/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine with PCI has, whoever made it: native ones, and Xen guests that are PCs as well.
 */
#pragma once

/* Starts the devices for which there are drivers, and logs disks and network cards for which there are none. Nothing
 * where there is no PCI. */
void native_start_pci_devices(void);
