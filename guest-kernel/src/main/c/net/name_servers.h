/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name servers of IPv6: those that routers announce (RFC 8106) and those of DHCPv6. The first NET_MAX_DNS are kept
 * while their time lasts; a host that pretends to know more pushes none out. Those of IPv4 are in struct
 * net_configuration, and come first (net_resolver_text()).
 */
#pragma once

#include "net/net.h"

/* From now on `changed` is called in a kernel thread, without locks, when they are others. */
void name_servers_start(void (*changed)(void));
/* There is one until then, monotonic; its time is over if that is not later than now. Under the net lock. */
void name_servers_heard(struct ip_address address, nanoseconds valid_until);
/* Copies those that there are now; how many. Takes the net lock. */
unsigned name_servers_current(struct ip_address out[NET_MAX_DNS]);
