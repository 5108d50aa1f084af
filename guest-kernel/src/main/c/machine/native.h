/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine with PCI has, whoever made it: native ones, and Xen guests that are PCs as well.
 */
#pragma once

#include "lib/types.h"

/* Starts the devices for which there are drivers, and logs disks and network cards for which there are none. Nothing
 * where there is no PCI. */
void native_start_pci_devices(void);
/* Stops them for the end of the machine: its power goes, or it starts again. */
void native_stop_pci_devices(bool power_off);
/* Starts the other CPUs, and has devices interrupt them; stops them, and has devices interrupt the boot CPU only. */
void native_machine_start_cpus(void);
void native_machine_stop_cpus(void);
