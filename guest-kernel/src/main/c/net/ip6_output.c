/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing and sending for IPv6. There is no table of routes: our own addresses are on loopback, addresses of a link and
 * of the prefixes that a router has called on-link are neighbours, and all others are behind a router. A host without
 * a router reaches its neighbours only (RFC 4943). A packet gets its header here. One longer than the MTU is cut into
 * fragments unless the device is to segment it; where that is forbidden it is refused.
 *
 * Called by ip_output.c for transports, and by icmp6.c and nd.c. Net lock. ip6_output() takes the packet in every case.
 */
#include "core/random.h"
#include "lib/errno.h"
#include "net/counters.h"
#include "net/ethernet.h"
#include "net/ip6.h"
#include "net/nd.h"
#include "net/neighbour.h"

#define FLOW_LABEL 0xfffffu /* RFC 8200 3 */

struct fragment_header {
    uint8_t next, reserved;
    be16 offset; /* in units of 8 bytes << 3 | more */
    be32 identification;
};

/* The interface of an address of a link; a group without one goes out by the first device. */
static int route_on_link(struct ip_address destination, struct ip_route *route)
{
    int index = ip6_link(destination);
    struct interface *interface = index > 0 ? interface_at((unsigned)index - 1) : NULL;
    if (index == 0 && ip_is_multicast(destination))
        interface = interface_first_device();
    if (ip_is_multicast(destination) && (!interface || interface->loopback)) /* Linux has no route there either */
        return -ENETUNREACH;
    if (!interface)
        return index == 0 ? -EINVAL : -ENODEV;
    ip_route_via(interface, ip6_inside(ip6_outside(destination), interface->index), route);
    return 0;
}

int ip6_route(struct ip_address destination, struct ip_route *route)
{
    must_hold_net();
    struct interface *device = interface_first_device();
    if (!ip6_is_on() || ip_is_any(destination))
        return -ENETUNREACH;
    if (ip6_interface_of(destination)) {
        *route = (struct ip_route){ .interface = interface_at(0), .next_hop = destination, .source = destination };
        return 0;
    }
    if (ip6_is_of_link(destination) || ip_is_multicast(destination)) {
        int error = route_on_link(destination, route);
        if (error < 0)
            return error;
    } else {
        struct ip_address next_hop = destination;
        if (!device || (!nd_is_on_link(device, destination) && !nd_find_router(device, &next_hop)))
            return -ENETUNREACH;
        ip_route_via(device, destination, route);
        route->next_hop = next_hop;
    }
    return ip_is_any(route->source) ? -EADDRNOTAVAIL : 0;
}

/* RFC 2464 7. */
static void send_to_group(struct interface *interface, struct packet *packet, struct ip_address group)
{
    struct ip6_bytes bytes = ip6_bytes_of(group);
    uint8_t mac[6] = { 0x33, 0x33, bytes.bytes[12], bytes.bytes[13], bytes.bytes[14], bytes.bytes[15] };
    ethernet_output(interface, packet, mac, ETHERNET_TYPE_IPV6);
}

/* A group of this machine alone, by its scope or by the hop limit (RFC 4291 2.7). */
static bool stays_here(const struct ip_send *send)
{
    return ip_is_multicast(send->destination) && (send->time_to_live == 0 || (send->destination.high >> 8 & 0xf) <= 1);
}

/* Puts the header on and hands the packet to the link. */
static void send_one(struct packet *packet, const struct ip_route *route, const struct ip_send *send, uint8_t next)
{
    struct interface *interface = route->interface;
    uint32_t length = packet->length;
    struct ip6_header *ip = packet_push(packet, sizeof(*ip));
    if (!ip) {
        net_count(true, IP_OUT_DISCARDS);
        packet_free(packet);
        return;
    }
    *ip = (struct ip6_header){
        .version_class_label = be32_of(6u << 28 | (uint32_t)send->type_of_service << 20 | (send->token & FLOW_LABEL)),
        .payload_length = be16_of((uint16_t)length),
        .next_header = next,
        .hop_limit = send->time_to_live,
        .source = ip6_bytes_of(send->source),
        .destination = ip6_bytes_of(send->destination),
    };
    packet->checksum_start = (uint16_t)(packet->checksum_start + sizeof(*ip));
    packet->header_length = (uint16_t)(packet->header_length + sizeof(*ip));
    net_count_more(true, IP_OUT_OCTETS, packet->length);
    if (ip_is_multicast(send->destination))
        net_count(true, IP_OUT_MULTICAST);
    if (interface->loopback) {
        interface_transmit(interface, packet);
        return;
    }
    if (send->loop)
        interface_loop(interface, packet);
    if (stays_here(send)) {
        packet_free(packet);
        return;
    }
    if (!interface->device->checksum_offload_ipv6)
        ip_complete_checksum(packet);
    if (ip_is_multicast(send->destination))
        send_to_group(interface, packet, send->destination);
    else
        neighbour_output(interface, packet, route->next_hop);
}

static uint32_t mtu_of(const struct ip_route *route, const struct ip_send *send)
{
    uint32_t mtu = ip_mtu(route);
    return send->fragment_mtu != 0 ? min_of(send->fragment_mtu, mtu) : mtu;
}

static int send_fragments(struct packet *packet, const struct ip_route *route, const struct ip_send *send)
{
    be32 identification = be32_of((uint32_t)random_u64());
    uint32_t step = align_down(mtu_of(route, send) - IP6_HEADER_LENGTH - (uint32_t)sizeof(struct fragment_header), 8u);
    ip_complete_checksum(packet);
    for (uint32_t offset = 0; offset < packet->length; offset += step) {
        uint32_t length = min_of(step, packet->length - offset);
        struct packet *piece = packet_copy(packet, offset, length);
        struct fragment_header *header = piece ? packet_push(piece, sizeof(*header)) : NULL;
        if (!header) {
            net_count(true, IP_OUT_DISCARDS);
            if (piece)
                packet_free(piece);
            packet_free(packet);
            return -ENOBUFS;
        }
        net_count(true, IP_FRAGMENTS_CREATED);
        bool more = offset + length < packet->length;
        *header = (struct fragment_header){ send->protocol, 0, be16_of((uint16_t)(offset | more)), identification };
        send_one(piece, route, send, IP6_PROTOCOL_FRAGMENT);
    }
    net_count(true, IP_FRAGMENTED);
    packet_free(packet);
    return 0;
}

struct alert_header { /* a hop-by-hop header with the router alert option of MLD: RFC 2711 2.1 */
    uint8_t next, length, option, option_length;
    be16 value;
    uint8_t padding[2];
};

/* Alerting packets are short: they are never cut. */
static void send_alerting(struct packet *packet, const struct ip_route *route, const struct ip_send *send)
{
    enum { PAD_N = 1 };
    struct alert_header *header = packet_push(packet, sizeof(*header));
    if (!header) {
        net_count(true, IP_OUT_DISCARDS);
        packet_free(packet);
        return;
    }
    *header = (struct alert_header){
        .next = send->protocol, .option = IP6_ROUTER_ALERT, .option_length = 2, .padding = { PAD_N }
    };
    send_one(packet, route, send, IP6_PROTOCOL_HOP_BY_HOP);
}

int ip6_output(struct packet *packet, const struct ip_route *route, const struct ip_send *send)
{
    must_hold_net();
    net_count(true, IP_OUT_REQUESTS);
    if (send->router_alert) {
        send_alerting(packet, route, send);
        return 0;
    }
    uint32_t whole = packet->length + IP6_HEADER_LENGTH;
    if (whole <= mtu_of(route, send) || (packet->segment_size != 0 && packet->length <= IP_MAXIMUM_LENGTH)) {
        send_one(packet, route, send, send->protocol);
        return 0;
    }
    if (send->dont_fragment || packet->length > IP_MAXIMUM_LENGTH) {
        net_count(true, IP_FRAGMENT_FAILED);
        packet_free(packet);
        return -EMSGSIZE;
    }
    return send_fragments(packet, route, send);
}
