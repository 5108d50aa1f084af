/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders from the toolstack: control/shutdown and control/sysrq in our xenstore directory become
 * kernel_control() (platform.h). Each order is acknowledged by emptying its node.
 */
#pragma once

/* Needs xenbus_init(); orders arrive from then on in interrupt context. */
void xen_control_start(void);
