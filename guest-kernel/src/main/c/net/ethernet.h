/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethernet II framing (RFC 894). Guarded by the net lock.
 */
#pragma once

#include "net/bytes.h"
#include "net/interface.h"

#define ETHERNET_TYPE_IPV4 0x0800 /* IEEE 802 EtherType numbers (IANA) */
#define ETHERNET_TYPE_ARP 0x0806
#define ETHERNET_TYPE_IPV6 0x86dd

struct ethernet_header {
    uint8_t destination[6], source[6];
    be16 type;
};

/* Takes a frame from the device. */
void ethernet_input(struct interface *interface, struct packet *packet);
/* Frames the packet and sends it; takes it. */
void ethernet_output(struct interface *interface, struct packet *packet, const uint8_t destination[6], uint16_t type);
extern const uint8_t ethernet_broadcast[6];
