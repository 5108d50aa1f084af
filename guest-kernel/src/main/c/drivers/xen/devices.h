/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds this domain's block and network devices in xenstore, connects them and announces them
 * (drivers/device.h), and starts to listen for orders on the control channel.
 */
#pragma once

/* platform.h: platform_start_devices(). Needs xenbus_init(). Devices that do not come up are
 * reported with log_error() and left out. */
void xen_start_devices(void);
