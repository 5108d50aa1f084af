/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing and sending. There is no table of routes: each packet's way follows from the configuration of the interfaces:
 * our own addresses by loopback, networks of devices, then the first gateway; nothing to the addresses that ip_forbid()
 * closed. A packet gets its header here, and its transport checksum where the device does not fill it in, and goes to
 * loopback, ARP or Ethernet. One longer than the MTU is cut into fragments unless the device is to segment it; where
 * that is forbidden it is refused.
 *
 * Called by tcp_segment.c, udp.c, icmp.c and igmp.c; routes are asked for by others as well. Net lock. ip_output()
 * takes the packet in every case.
 */
#include "core/random.h"
#include "lib/checksum.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/counters.h"
#include "net/ethernet.h"
#include "net/ip.h"
#include "net/ip6.h"
#include "net/neighbour.h"

static int route_limited_broadcast(struct ip_route *route)
{
    struct interface *interface = interface_first_device();
    if (!interface)
        return -ENETUNREACH;
    *route = (struct ip_route){ .interface = interface,
                                .next_hop = ip_of_ipv4(IPV4_BROADCAST),
                                .source = ip_of_ipv4(interface->configuration.address),
                                .broadcast = true };
    return 0;
}

void ip_route_via(struct interface *interface, struct ip_address destination, struct ip_route *route)
{
    struct ip_address source = ip_is_ipv4(destination) ? ip_of_ipv4(interface->configuration.address)
                                                       : ip6_source(interface, destination);
    *route = (struct ip_route){ .interface = interface, .next_hop = destination, .source = source };
}

bool ip_is_broadcast(struct ip_address maybe)
{
    ipv4_t address = ipv4_of(maybe);
    if (!ip_is_ipv4(maybe))
        return false;
    for (unsigned i = 1; i < interface_count(); i++) {
        const struct interface *interface = interface_at(i);
        bool configured = interface->configuration.address != IPV4_ANY && interface->configuration.prefix < 31;
        if (configured && address == interface_broadcast(interface))
            return true;
    }
    return address == IPV4_BROADCAST;
}

static int route_through(struct interface *interface, ipv4_t next_hop, bool broadcast, struct ip_route *route)
{
    *route = (struct ip_route){ .interface = interface,
                                .next_hop = ip_of_ipv4(next_hop),
                                .source = ip_of_ipv4(interface->configuration.address),
                                .broadcast = broadcast };
    return 0;
}

static struct ip_address forbidden[IP_FORBIDDEN]; /* net lock */
static unsigned forbidden_count;

void ip_forbid(const struct ip_address *destinations, unsigned count)
{
    must_hold_net();
    for (unsigned i = 0; i < count; i++)
        forbidden[i] = destinations[i];
    forbidden_count = count;
}

static int route_ipv4(ipv4_t destination, struct ip_route *route)
{
    if (destination == IPV4_BROADCAST)
        return route_limited_broadcast(route);
    if (interface_of_address(ip_of_ipv4(destination))) {
        ipv4_t source = ipv4_is_loopback(destination) ? IPV4_LOOPBACK : destination;
        *route = (struct ip_route){ .interface = interface_at(0),
                                    .next_hop = ip_of_ipv4(destination),
                                    .source = ip_of_ipv4(source) };
        return 0;
    }
    for (unsigned i = 1; i < interface_count(); i++) {
        struct interface *interface = interface_at(i);
        ipv4_t own = interface->configuration.address;
        if (own != IPV4_ANY && ((own ^ destination) & interface_netmask(interface)) == 0)
            return route_through(interface, destination, destination == interface_broadcast(interface), route);
    }
    for (unsigned i = 1; i < interface_count(); i++) {
        struct interface *interface = interface_at(i);
        ipv4_t gateway = interface->configuration.gateway;
        if (interface->configuration.address != IPV4_ANY && gateway != IPV4_ANY)
            return route_through(interface, ipv4_is_multicast(destination) ? destination : gateway, false, route);
    }
    return -ENETUNREACH;
}

int ip_route(struct ip_address destination, struct ip_route *route)
{
    for (unsigned i = 0; i < forbidden_count; i++)
        if (ip_same(forbidden[i], destination))
            return -EACCES;
    bool ipv6 = !ip_is_ipv4(destination);
    int error = ipv6 ? ip6_route(destination, route) : route_ipv4(ipv4_of(destination), route);
    if (error == -ENETUNREACH)
        net_count(ipv6, IP_OUT_NO_ROUTES);
    return error;
}

void ip_complete_checksum(struct packet *packet)
{
    if (!(packet->flags & PACKET_CHECKSUM_PARTIAL))
        return;
    uint32_t field = packet->checksum_start + (uint32_t)packet->checksum_offset;
    if (packet->length < field + 2 || !packet_pull(packet, field + 2))
        return;
    uint16_t checksum = checksum_finish(packet_checksum(packet, packet->checksum_start, 0));
    /* In UDP zero means "none" (RFC 768); both values are the same sum. */
    write_be16(packet_data(packet) + field, checksum == 0 ? 0xffff : checksum);
    packet->flags &= ~PACKET_CHECKSUM_PARTIAL;
}

/* RFC 1112 6.4. */
static void multicast_mac(ipv4_t group, uint8_t mac[6])
{
    mac[0] = 0x01;
    mac[1] = 0x00;
    mac[2] = 0x5e;
    mac[3] = group >> 16 & 0x7f;
    mac[4] = (uint8_t)(group >> 8);
    mac[5] = (uint8_t)group;
}

/* Puts the IP header on; its length, 0 without room. */
static uint32_t add_header(struct packet *packet, const struct ip_send *send, uint16_t identification,
                           uint16_t fragment)
{
    static const uint8_t router_alert[4] = { 148, 4, 0, 0 }; /* RFC 2113 2.1 */
    uint32_t length = sizeof(struct ip_header) + (send->router_alert ? sizeof(router_alert) : 0);
    struct ip_header *ip = packet_push(packet, length);
    if (!ip)
        return 0;
    *ip = (struct ip_header){
        .version_length = (uint8_t)(4 << 4 | length / 4),
        .type_of_service = send->type_of_service,
        .total_length = be16_of((uint16_t)packet->length),
        .identification = be16_of(identification),
        .fragment = be16_of(fragment),
        .time_to_live = send->time_to_live,
        .protocol = send->protocol,
        .source = be32_of(ipv4_of(send->source)),
        .destination = be32_of(ipv4_of(send->destination)),
    };
    if (send->router_alert)
        memcpy(ip + 1, router_alert, sizeof(router_alert));
    ip->checksum = be16_of(checksum_finish(checksum_add(0, ip, length)));
    packet->checksum_start = (uint16_t)(packet->checksum_start + length);
    packet->header_length = (uint16_t)(packet->header_length + length);
    return length;
}

/* Hands a packet with its IP header to the link. A group's does not leave the machine with a time to live of 0. */
static void send_one(struct packet *packet, const struct ip_route *route, const struct ip_send *send,
                     uint16_t identification, uint16_t fragment)
{
    struct interface *interface = route->interface;
    if (add_header(packet, send, identification, fragment) == 0) {
        net_count(false, IP_OUT_DISCARDS);
        packet_free(packet);
        return;
    }
    net_count_more(false, IP_OUT_OCTETS, packet->length);
    if (ip_is_multicast(send->destination))
        net_count(false, IP_OUT_MULTICAST);
    if (interface->loopback) {
        interface_transmit(interface, packet);
        return;
    }
    if (send->loop)
        interface_loop(interface, packet);
    if (send->time_to_live == 0) {
        packet_free(packet);
        return;
    }
    if (!interface->device->checksum_offload)
        ip_complete_checksum(packet);
    uint8_t mac[6];
    if (route->broadcast) {
        ethernet_output(interface, packet, ethernet_broadcast, ETHERNET_TYPE_IPV4);
    } else if (ip_is_multicast(send->destination)) {
        multicast_mac(ipv4_of(send->destination), mac);
        ethernet_output(interface, packet, mac, ETHERNET_TYPE_IPV4);
    } else {
        neighbour_output(interface, packet, route->next_hop);
    }
}

static int send_fragments(struct packet *packet, const struct ip_route *route, const struct ip_send *send)
{
    uint16_t identification = (uint16_t)random_u64();
    uint32_t step = align_down(ip_mtu(route) - IP_HEADER_LENGTH, 8u);
    ip_complete_checksum(packet);
    for (uint32_t offset = 0; offset < packet->length; offset += step) {
        uint32_t length = min_of(step, packet->length - offset);
        struct packet *piece = packet_copy(packet, offset, length);
        if (!piece) {
            net_count(false, IP_OUT_DISCARDS);
            packet_free(packet);
            return -ENOBUFS;
        }
        net_count(false, IP_FRAGMENTS_CREATED);
        bool more = offset + length < packet->length;
        send_one(piece, route, send, identification, (uint16_t)(offset / 8 | (more ? IP_MORE_FRAGMENTS : 0)));
    }
    net_count(false, IP_FRAGMENTED);
    packet_free(packet);
    return 0;
}

int ip_output(struct packet *packet, const struct ip_route *route, const struct ip_send *send)
{
    must_hold_net();
    if (!ip_is_ipv4(send->destination))
        return ip6_output(packet, route, send);
    net_count(false, IP_OUT_REQUESTS);
    uint32_t whole = packet->length + IP_HEADER_LENGTH;
    bool fits = whole <= ip_mtu(route) || (packet->segment_size != 0 && whole <= IP_MAXIMUM_LENGTH);
    if (fits) {
        /* The identification of a packet that may not be fragmented means nothing (RFC 6864 4.1) but what
         * path_mtu_token() says; for the others it is random, so that it does not reveal how much we send. */
        uint16_t identification = (uint16_t)(send->routers_may_not ? send->token : random_u64());
        send_one(packet, route, send, identification, send->routers_may_not ? IP_DONT_FRAGMENT : 0);
        return 0;
    }
    if (send->dont_fragment || whole > IP_MAXIMUM_LENGTH) {
        net_count(false, IP_FRAGMENT_FAILED);
        packet_free(packet);
        return -EMSGSIZE;
    }
    return send_fragments(packet, route, send);
}

unsigned ip_mtu(const struct ip_route *route)
{
    const struct interface *interface = route->interface;
    bool smaller = !ip_is_ipv4(route->next_hop) && interface->ip6.mtu != 0 && interface->ip6.mtu < interface->mtu;
    unsigned mtu = smaller ? interface->ip6.mtu : interface->mtu;
    return route->path_mtu != 0 ? min_of(mtu, route->path_mtu) : mtu;
}

static uint64_t checksum_address(struct ip_address address)
{
    if (ip_is_ipv4(address))
        return address.low >> 32;
    struct ip_address outside = ip6_outside(address);
    return (outside.high >> 32) + (uint32_t)outside.high + (outside.low >> 32) + (uint32_t)outside.low;
}

uint64_t checksum_pseudo(struct ip_address source, struct ip_address destination, uint8_t protocol, uint32_t length)
{
    uint64_t sum = checksum_address(source) + checksum_address(destination);
    return sum + __builtin_bswap32(length) + ((uint64_t)protocol << 8);
}
