/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ethernet.h"

#include "lib/string.h"
#include "net/arp.h"
#include "net/ip.h"
#include "net/ip6.h"

const uint8_t ethernet_broadcast[6] = { 255, 255, 255, 255, 255, 255 };

void ethernet_input(struct interface *interface, struct packet *packet)
{
    const struct ethernet_header *header = packet_pull(packet, sizeof(*header));
    if (!header) {
        packet_free(packet);
        return;
    }
    bool group = header->destination[0] & 1; /* IEEE 802: the group bit, set for broadcast too */
    bool for_us = group || memcmp(header->destination, interface->mac, 6) == 0;
    uint16_t type = be16_get(header->type);
    packet_drop_front(packet, sizeof(*header));
    if (for_us && type == ETHERNET_TYPE_IPV4)
        ip_input(interface, packet, !group);
    else if (for_us && type == ETHERNET_TYPE_IPV6)
        ip6_input(interface, packet, !group);
    else if (for_us && type == ETHERNET_TYPE_ARP)
        arp_input(interface, packet);
    else
        packet_free(packet);
}

void ethernet_output(struct interface *interface, struct packet *packet, const uint8_t destination[6], uint16_t type)
{
    struct ethernet_header *header = packet_push(packet, sizeof(*header));
    if (!header) {
        packet_free(packet);
        return;
    }
    memcpy(header->destination, destination, 6);
    memcpy(header->source, interface->mac, 6);
    header->type = be16_of(type);
    packet->checksum_start = (uint16_t)(packet->checksum_start + sizeof(*header));
    packet->header_length = (uint16_t)(packet->header_length + sizeof(*header));
    interface_transmit(interface, packet);
}
