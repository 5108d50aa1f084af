/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IGMP for hosts: versions 3 (RFC 3376), 2 (RFC 2236) and 1 (RFC 1112), whichever the querier of the network speaks,
 * and 3 without one. Only version 3 has sources: to older queriers a group is joined for all. Net lock.
 */
#pragma once

#include "net/ip.h"

/* The version that is spoken now, 1 to 3. */
unsigned igmp_version(void);
/* Takes the packet, which starts with the IGMP header. */
void igmp_input(const struct ip_info *info, struct packet *packet);
