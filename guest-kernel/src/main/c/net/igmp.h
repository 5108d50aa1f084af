/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IGMP for hosts: versions 3 (RFC 3376), 2 (RFC 2236) and 1 (RFC 1112), whichever the querier of the network speaks,
 * and 3 without one. Source filters are not part of it: a group is joined for every source. Net lock.
 */
#pragma once

#include "net/ip.h"
#include "net/multicast.h"

void igmp_init(void);
/* Takes the packet, which starts with the IGMP header. */
void igmp_input(const struct ip_info *info, struct packet *packet);
/* A group has its first member, or is about to lose its last: reports it. */
void igmp_joined(struct multicast_group *group);
void igmp_left(struct multicast_group *group);
