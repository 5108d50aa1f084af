/*
 * ARP (RFC 826, RFC 5227 announcements): which MAC address a neighbour has. A bounded table; packets to a
 * neighbour that is still being asked for wait in its entry. Guarded by the net lock.
 */
#pragma once

#include "net/interface.h"

void arp_init(void);
void arp_input(struct interface *interface, struct packet *packet);
/* Sends an IP packet to the neighbour, now or when it has answered; takes the packet. If it
 * never answers, the sender's transport is told "host unreachable". */
void arp_output(struct interface *interface, struct packet *packet, ipv4_t neighbour);
/* Tells all neighbours our address. */
void arp_announce(struct interface *interface);
/* Drops what is known about an interface's neighbours. */
void arp_forget(struct interface *interface);
