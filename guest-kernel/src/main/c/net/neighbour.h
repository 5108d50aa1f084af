/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which MAC address a neighbour has, for both families: what ARP (arp.h) and neighbour discovery (nd.h) found out. A
 * bounded table; packets to a neighbour that is still being asked for wait in its entry. Guarded by the net lock.
 */
#pragma once

#include "net/interface.h"

void neighbour_init(void);
/* Sends an IP packet to the neighbour, now or when it has answered; takes the packet. If it never answers, the
 * sender's transport is given EHOSTUNREACH. */
void neighbour_output(struct interface *interface, struct packet *packet, struct ip_address address);
/*
 * A packet says that the neighbour has this MAC address. `answer`: it answers a question of ours; `new`: an entry is
 * made if there is none, since the neighbour is about to talk to us. What it says may be disbelieved.
 */
void neighbour_heard(struct interface *interface, struct ip_address address, const uint8_t mac[6], bool answer,
                     bool new);
/* True if a packet is still waiting for an answer. */
bool neighbour_anything_waiting(void);
/* True unless the neighbour was asked and has not answered yet. */
bool neighbour_may_be_there(struct interface *interface, struct ip_address address);

/* A neighbour that is known or being asked for. */
struct neighbour_entry {
    const struct interface *interface;
    struct ip_address address;
    const uint8_t *mac; /* NULL: not known yet */
};
/* Until `visit` returns false. */
void neighbour_for_each(bool (*visit)(const struct neighbour_entry *entry, void *context), void *context);
/* Drops what is known about an interface's neighbours of one family. */
void neighbour_forget(struct interface *interface, bool ipv4);
