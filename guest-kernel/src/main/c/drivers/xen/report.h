/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h, platform_report(): nodes in data/ of the domain's xenstore directory, which xl lets the domain write. */
#pragma once

void xen_report(const char *event, unsigned number);
