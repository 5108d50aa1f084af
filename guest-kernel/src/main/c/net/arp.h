/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP (RFC 826): which MAC address a neighbour has. A bounded table; packets to a neighbour that is still being
 * asked for wait in its entry. Announces our address, and defends it (RFC 5227). Guarded by the net lock.
 */
#pragma once

#include "net/interface.h"

void arp_init(void);
void arp_input(struct interface *interface, struct packet *packet);
/* Sends an IP packet to the neighbour, now or when it has answered; takes the packet. If it
 * never answers, the sender's transport is given EHOSTUNREACH. */
void arp_output(struct interface *interface, struct packet *packet, ipv4_t neighbour);
/* Announces our address to all neighbours. */
void arp_announce(struct interface *interface);
/* True if a packet is still waiting for an answer. */
bool arp_anything_waiting(void);
/* Asks whether another host has an address that is to become ours (RFC 5227 2.1.1); one address at a time. */
void arp_probe(struct interface *interface, ipv4_t address);
/* Sleeps until another host shows that it has the address or wants it as well: true; or until `deadline`. Ends the
 * probe. Without the net lock. */
bool arp_probe_met(nanoseconds deadline);
/* A neighbour that is known or being asked for. */
struct arp_entry {
    const struct interface *interface;
    ipv4_t address;
    const uint8_t *mac; /* NULL: not known yet */
};
/* Until `visit` returns false. */
void arp_for_each(bool (*visit)(const struct arp_entry *entry, void *context), void *context);
/* Drops what is known about an interface's neighbours. */
void arp_forget(struct interface *interface);
