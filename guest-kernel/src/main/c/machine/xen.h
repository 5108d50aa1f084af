/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every Xen guest has, whatever its processor looks like: console, block and network devices, settings and reports
 * by xenstore, limits on events, and an end by hypercall.
 */
#pragma once

#include "drivers/xen/console.h"
#include "drivers/xen/devices.h"
#include "drivers/xen/report.h"
#include "drivers/xen/settings.h"
#include "drivers/xen/suspend.h"
#include "platform/xen/events.h"

/* The end of the domain, after the console has taken all text. */
noreturn void xen_power_off(void);
noreturn void xen_reboot(void);
noreturn void xen_crash(void);
/* platform.h, cpu_yield(). */
void xen_yield(void);

/* Members of struct platform_operations. */
#define XEN_GUEST_OPERATIONS \
    .settings = xen_settings, .report = xen_report, .suspend = xen_suspend, .crash = xen_crash, .cpu_yield = xen_yield
