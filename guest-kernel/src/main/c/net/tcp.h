/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP (RFC 9293): what the IP layer calls. The sockets over it are made by tcp_socket_create() (socket.h);
 * tcp_private.h has the map of the implementation. Net lock.
 */
#pragma once

#include "net/icmp.h"
#include "net/ip.h"

void tcp_init(void);
void tcp_input(const struct ip_info *info, struct packet *packet);
void tcp_icmp_error(const struct icmp_error *error);
/* Closes every connection and listener as their sockets' close() would. */
void tcp_close_all(void);
/* True if there is a connection whose data or FIN the peer has not acknowledged. */
bool tcp_anything_pending(void);
