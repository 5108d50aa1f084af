/* SPDX-License-Identifier: Apache-2.0 */
/* What the host keeps for this domain: platform.h, platform_settings(), and a seed, from the domain's directory in
 * xenstore. Needs xenbus_init(). */
#pragma once

#include "platform/platform.h"

/* The seed that the host may keep for this start in the node vm-data/unikernel-seed, at best 64 or more random
 * hexadecimal digits: for the random numbers of the guest. */
void xen_read_seed(void);
must_check int xen_settings(platform_setting_visit *visit, void *context);
