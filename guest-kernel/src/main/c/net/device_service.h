/* SPDX-License-Identifier: Apache-2.0 */
/* The thread in which network devices are served: drivers/device.h, network_device.service. */
#pragma once

/* Starts it if a device wants it. When the interfaces are there; without the net lock. */
void device_service_start(void);
