/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine with PCI has, whoever made it: native ones, and Xen guests that are PCs as well.
 */
#pragma once

/* Starts the devices for which there are drivers, and logs disks and network cards for which there are none. Nothing
 * where there is no PCI. */
void native_start_pci_devices(void);
/* Starts the other CPUs, and has devices interrupt them; stops them, and has devices interrupt the boot CPU only. */
void native_machine_start_cpus(void);
void native_machine_stop_cpus(void);
