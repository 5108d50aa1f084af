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
/* The machine goes on from a snapshot: every connection to another one has failed with ECONNRESET, without a word to
 * the peer, which may still be connected to the machine that the snapshot was taken of. */
void tcp_restored(void);
/* True if there is a connection whose data or FIN the peer has not acknowledged. */
bool tcp_anything_pending(void);
