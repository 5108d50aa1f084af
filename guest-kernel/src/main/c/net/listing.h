/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/net shows of sockets, routes and neighbours (files/network_view.h). */
#pragma once

/* Once each, by net_init(). */
void listing_init(void);
void socket_counts_init(void); /* sockstat and sockstat6: socket_counts.c */
