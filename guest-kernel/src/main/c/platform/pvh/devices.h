/*
 * Finds the machine's virtio devices, on PCI and memory-mapped, and starts their drivers.
 */
#pragma once

void pvh_start_devices(void);
