/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/net shows of sockets and routes (files/network_view.h). */
#pragma once

/* Once, by net_init(). */
void listing_init(void);
