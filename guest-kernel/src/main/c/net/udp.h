/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP (RFC 768, RFC 1122 4.1) and its sockets. Net lock.
 */
#pragma once

#include "net/icmp.h"
#include "net/ip.h"

void udp_init(void);
void udp_input(const struct ip_info *info, struct packet *packet);
void udp_icmp_error(const struct icmp_error *error);
/* UDP_CORK of a struct socket; 0 sends what was kept back. 0 or -errno. */
int udp_set_cork(void *socket, int value);
