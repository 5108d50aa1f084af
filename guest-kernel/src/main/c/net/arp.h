/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP (RFC 826): asks which MAC address a neighbour of IPv4 has, and answers such questions. Announces our address, and
 * defends it (RFC 5227). What it finds out is in neighbour.h. Guarded by the net lock.
 */
#pragma once

#include "net/interface.h"

void arp_init(void);
void arp_input(struct interface *interface, struct packet *packet);
/* Asks who has the address; `alone`: only the host with this MAC address, or NULL. */
void arp_ask(struct interface *interface, ipv4_t address, const uint8_t *alone);
/* Announces our address to all neighbours. */
void arp_announce(struct interface *interface);
/* Asks whether another host has an address that is to become ours (RFC 5227 2.1.1); one address at a time. */
void arp_probe(struct interface *interface, ipv4_t address);
/* Sleeps until another host shows that it has the address or wants it as well: true; or until `deadline`. Ends the
 * probe. Without the net lock. */
bool arp_probe_met(nanoseconds deadline);
