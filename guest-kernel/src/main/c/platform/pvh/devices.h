/*
 * Finds the machine's virtio devices, on PCI and memory-mapped, and starts their drivers.
 */
#pragma once

#include "platform/platform.h"

void pvh_start_devices(void);
/* platform.h: platform_settings(); there is no host that keeps any. */
int pvh_settings(platform_setting_visit *visit, void *context);
