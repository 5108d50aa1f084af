/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One received packet: its header, options and addresses are checked, its header is taken off, fragments are collected
 * and the transport gets it. Nothing of a packet is used before parse() has found that it is whole. `unicast` in struct
 * ip_info says that it was for this machine alone, on the link and in IP; ICMP and TCP answer only such packets. What
 * is not for this machine is dropped silently. While an interface has no address only UDP is taken from it, for DHCP.
 *
 * Called by ethernet.c, and by interface.c for what we send to ourselves. Net lock. ip_input() takes the packet.
 */
#include "lib/checksum.h"
#include "net/counters.h"
#include "net/icmp.h"
#include "net/igmp.h"
#include "net/ip.h"
#include "net/multicast.h"
#include "net/tcp.h"
#include "net/udp.h"

#define IP_OPTION_END 0 /* RFC 791 3.1 */
#define IP_OPTION_NOTHING 1
#define IP_OPTION_LOOSE_ROUTE 131
#define IP_OPTION_STRICT_ROUTE 137

/* Options are ignored, except that source-routed packets are not for us (RFC 7126 4.3, 4.4), and
 * malformed ones are dropped. */
static bool options_acceptable(const uint8_t *option, uint32_t length)
{
    for (uint32_t i = 0; i < length && option[i] != IP_OPTION_END;) {
        if (option[i] == IP_OPTION_NOTHING) {
            i++;
            continue;
        }
        if (option[i] == IP_OPTION_LOOSE_ROUTE || option[i] == IP_OPTION_STRICT_ROUTE)
            return false;
        if (i + 1 >= length || option[i + 1] < 2 || option[i + 1] > length - i)
            return false;
        i += option[i + 1];
    }
    return true;
}

/* True if a packet with these addresses is possible, and for this machine. */
static bool addresses_acceptable(struct interface *interface, struct ip_info *info, bool looped)
{
    ipv4_t own = interface->configuration.address;
    ipv4_t source = ipv4_of(info->source), destination = ipv4_of(info->destination);
    if (ipv4_is_multicast(destination)) {
        info->unicast = false;
        /* A router's question about a group goes to the group, whose sources do not include the router. */
        if (info->protocol == IP_PROTOCOL_IGMP ? !multicast_joined(interface, info->destination)
                                               : !multicast_accepts(interface, info->destination, info->source))
            return false;
    }
    if (interface->loopback || looped)
        return true;
    if (ipv4_is_loopback(source) || ipv4_is_loopback(destination) || ipv4_is_multicast(source) ||
        source == IPV4_BROADCAST || (own != IPV4_ANY && source == own))
        return false;
    if (own == IPV4_ANY) /* a DHCP server may answer to the address it is about to give */
        return info->protocol == IP_PROTOCOL_UDP;
    if (source == interface_broadcast(interface) && interface->configuration.prefix < 31)
        return false;
    if (destination == own)
        return true;
    bool to_subnet = destination == interface_broadcast(interface) && interface->configuration.prefix < 31;
    info->unicast = false;
    return destination == IPV4_BROADCAST || to_subnet || ipv4_is_multicast(destination);
}

static void deliver(const struct ip_info *info, struct packet *packet)
{
    switch (info->protocol) {
    case IP_PROTOCOL_TCP:
        tcp_input(info, packet);
        break;
    case IP_PROTOCOL_UDP:
        udp_input(info, packet);
        break;
    case IP_PROTOCOL_IGMP:
        igmp_input(info, packet);
        break;
    case IP_PROTOCOL_ICMP:
        icmp_input(info, packet);
        break;
    default:
        net_count(false, IP_IN_UNKNOWN_PROTOCOLS);
        icmp_send_unreachable(info, packet, ICMP_PROTOCOL_UNREACHABLE);
        packet_free(packet);
        return;
    }
    net_count(false, IP_IN_DELIVERS);
}

/* Checks the header and fills info; the header's length, 0 if the packet must be dropped. */
static uint32_t parse(struct interface *interface, struct packet *packet, struct ip_info *info)
{
    const struct ip_header *ip = packet_pull(packet, sizeof(*ip));
    if (!ip || ip->version_length >> 4 != 4)
        return 0;
    uint32_t header_length = (ip->version_length & 15u) * 4;
    uint32_t total = be16_get(ip->total_length);
    if (header_length < sizeof(*ip) || total < header_length || packet->length < total)
        return 0;
    ip = packet_pull(packet, header_length);
    if (!ip || checksum_fold(checksum_add(0, ip, header_length)) != 0xffff)
        return 0;
    if (!options_acceptable((const uint8_t *)(ip + 1), header_length - sizeof(*ip)))
        return 0;
    *info = (struct ip_info){
        .interface = interface,
        .source = ip_of_ipv4(be32_get(ip->source)),
        .destination = ip_of_ipv4(be32_get(ip->destination)),
        .protocol = ip->protocol,
        .type_of_service = ip->type_of_service,
        .time_to_live = ip->time_to_live,
    };
    packet_trim(packet, total); /* Ethernet pads short frames */
    return header_length;
}

void ip_input(struct interface *interface, struct packet *packet, bool link_unicast)
{
    must_hold_net();
    struct ip_info info;
    net_count(false, IP_IN_RECEIVES);
    net_count_more(false, IP_IN_OCTETS, packet->length);
    uint32_t header_length = parse(interface, packet, &info);
    info.unicast = link_unicast;
    bool acceptable = header_length != 0 && addresses_acceptable(interface, &info, packet->flags & PACKET_LOOPED);
    if (!acceptable) {
        net_count(false, header_length == 0 ? IP_IN_HEADER_ERRORS : IP_IN_ADDRESS_ERRORS);
        packet_free(packet);
        return;
    }
    if (ip_is_multicast(info.destination))
        net_count(false, IP_IN_MULTICAST);
    const struct ip_header *ip = (const void *)packet_data(packet);
    uint16_t fragment = be16_get(ip->fragment);
    uint16_t identification = be16_get(ip->identification);
    packet_drop_front(packet, header_length);
    if (fragment & (IP_MORE_FRAGMENTS | IP_OFFSET_MASK))
        packet = ip_reassemble(&info, packet, identification, fragment);
    if (packet)
        deliver(&info, packet);
}
