/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One received packet of IPv6: its header and addresses are checked, its header and the extension headers are taken
 * off, fragments are collected, and the transport gets it. `unicast` in struct ip_info says what it says for IPv4
 * (ip_input.c). What is not for this machine is dropped silently.
 *
 * An address of the form ::ffff:10.0.0.1 never comes in: inside of the kernel it is one of IPv4. A packet has at most
 * EXTENSIONS extension headers. One with an option that may not be ignored is dropped without an error, so that it is
 * not answered to forged senders.
 *
 * Called by ethernet.c, and by interface.c for what we send to ourselves. Net lock. ip6_input() takes the packet.
 */
#include "net/counters.h"
#include "net/icmp6.h"
#include "net/ip6.h"
#include "net/multicast.h"
#include "net/tcp.h"
#include "net/udp.h"

#define EXTENSIONS 8 /* more are only made by attackers: RFC 7045, RFC 8504 5.3 */

struct extension {
    uint8_t next, length; /* the length in units of 8 bytes, without the first */
    uint8_t rest[6];
};
struct fragment_header {
    uint8_t next, reserved;
    be16 offset; /* in units of 8 bytes << 3 | more */
    be32 identification;
};

/* One that came from a link is not of IPv4, and has no interface inside yet. */
static bool read_address(struct ip6_bytes bytes, const struct interface *interface, struct ip_address *out)
{
    struct ip_address address = ip6_read(bytes);
    *out = ip6_inside(address, interface->index);
    return !ip_is_ipv4(address) && ip6_link(address) == 0;
}

/* On loopback the interface is that of our own address. */
static const struct interface *interface_inside(const struct interface *interface, const struct packet *packet)
{
    struct interface *device = interface_first_device();
    return interface->loopback && device && !(packet->flags & PACKET_LOOPED) ? device : interface;
}

static bool is_group(struct ip6_bytes address) { return address.bytes[0] == 0xff; }

/* Checks the header and fills info. */
static bool parse(struct interface *interface, struct packet *packet, struct ip_info *info)
{
    const struct ip6_header *ip = packet_pull(packet, sizeof(*ip));
    if (!ip || ip->version_class_label.bytes[0] >> 4 != 6)
        return false;
    uint32_t first = be32_get(ip->version_class_label);
    uint32_t total = sizeof(*ip) + be16_get(ip->payload_length);
    if (packet->length < total)
        return false;
    *info = (struct ip_info){
        .interface = interface,
        .protocol = ip->next_header,
        .type_of_service = (uint8_t)(first >> 20),
        .time_to_live = ip->hop_limit,
    };
    const struct interface *inside = interface_inside(interface, packet);
    bool possible = read_address(ip->source, inside, &info->source) &&
                    read_address(ip->destination, is_group(ip->destination) ? interface : inside, &info->destination);
    packet_trim(packet, total); /* Ethernet pads short frames */
    return possible;
}

static bool addresses_acceptable(struct interface *interface, struct ip_info *info, bool looped)
{
    if (ip_is_multicast(info->source) || (ip_is_any(info->source) && info->protocol != IP6_PROTOCOL_ICMP))
        return false;
    if (ip_is_multicast(info->destination)) {
        info->unicast = false;
        return (ip6_accepts_group(interface, info->destination) || multicast_joined(interface, info->destination)) &&
               (looped || interface->loopback || !ip6_interface_of(info->source));
    }
    if (interface->loopback)
        return ip6_interface_of(info->destination);
    /* Our own addresses are on loopback for us, so nothing of them comes from a link. */
    if (ip_is_loopback(info->source) || ip_is_loopback(info->destination) || ip6_interface_of(info->source))
        return false;
    const struct ip6_own *own = ip6_find_own(interface, info->destination);
    return own && !own->duplicate && (!own->tentative || info->protocol == IP6_PROTOCOL_ICMP);
}

/* Options whose type says that a packet is to be dropped by who does not know them (RFC 8200 4.2). */
static bool options_acceptable(const uint8_t *options, uint32_t length, bool *router_alert)
{
    enum { PAD_ONE = 0, MUST_KNOW = 0xc0 };
    for (uint32_t i = 0; i < length;) {
        if (options[i] == PAD_ONE) {
            i++;
            continue;
        }
        if (i + 1 >= length || options[i + 1] + 2u > length - i || options[i] & MUST_KNOW)
            return false;
        *router_alert |= options[i] == IP6_ROUTER_ALERT && options[i + 1] == 2;
        i += options[i + 1] + 2u;
    }
    return true;
}

static bool is_extension(uint8_t protocol)
{
    return protocol == IP6_PROTOCOL_HOP_BY_HOP || protocol == IP6_PROTOCOL_ROUTING ||
           protocol == IP6_PROTOCOL_FRAGMENT || protocol == IP6_PROTOCOL_OPTIONS;
}

/* Takes a fragment; the whole packet without the headers before it, or NULL. One that is whole in a single fragment has
 * nothing to do with others (RFC 6946). */
static struct packet *take_fragment(struct ip_info *info, struct packet *packet)
{
    const struct fragment_header *header = packet_pull(packet, sizeof(*header));
    if (!header) {
        packet_free(packet);
        return NULL;
    }
    uint16_t offset = be16_get(header->offset);
    uint32_t identification = be32_get(header->identification);
    uint16_t fragment = (uint16_t)(offset >> 3 | (offset & 1 ? IP_MORE_FRAGMENTS : 0));
    info->protocol = header->next;
    info->reassembled = true;
    packet_drop_front(packet, sizeof(*header));
    return fragment == 0 ? packet : ip_reassemble(info, packet, identification, fragment);
}

/* Takes off an extension header; NULL: the packet is gone. */
static struct packet *take_extension(struct ip_info *info, struct packet *packet, bool first)
{
    enum { SEGMENTS_LEFT = 1 };
    if (info->protocol == IP6_PROTOCOL_FRAGMENT)
        return take_fragment(info, packet);
    const struct extension *header = packet_pull(packet, sizeof(*header));
    uint32_t length = header ? (header->length + 1u) * 8 : 0;
    header = header ? packet_pull(packet, length) : NULL;
    bool acceptable = header && (first || info->protocol != IP6_PROTOCOL_HOP_BY_HOP);
    if (acceptable && info->protocol == IP6_PROTOCOL_ROUTING)
        acceptable = header->rest[SEGMENTS_LEFT] == 0; /* nothing is forwarded: RFC 5095, RFC 8200 4.4 */
    else if (acceptable)
        acceptable = options_acceptable(header->rest, length - 2, &info->router_alert);
    if (!acceptable) {
        net_count(true, IP_IN_HEADER_ERRORS);
        packet_free(packet);
        return NULL;
    }
    info->protocol = header->next;
    packet_drop_front(packet, length);
    return packet;
}

/* A router's question about a group goes to the group, whose sources do not include the router. */
static bool source_acceptable(const struct ip_info *info)
{
    return info->protocol == IP6_PROTOCOL_ICMP || !ip_is_multicast(info->destination) ||
           ip6_accepts_group(info->interface, info->destination) ||
           multicast_accepts(info->interface, info->destination, info->source);
}

static void deliver(const struct ip_info *info, struct packet *packet)
{
    if (!source_acceptable(info)) {
        net_count(true, IP_IN_ADDRESS_ERRORS);
        packet_free(packet);
        return;
    }
    switch (info->protocol) {
    case IP_PROTOCOL_TCP:
        tcp_input(info, packet);
        break;
    case IP_PROTOCOL_UDP:
        udp_input(info, packet);
        break;
    case IP6_PROTOCOL_ICMP:
        icmp6_input(info, packet);
        break;
    case IP6_PROTOCOL_NOTHING:
        packet_free(packet);
        break;
    default:
        net_count(true, IP_IN_UNKNOWN_PROTOCOLS);
        icmp6_send_unknown_header(info, packet);
        packet_free(packet);
        return;
    }
    net_count(true, IP_IN_DELIVERS);
}

void ip6_input(struct interface *interface, struct packet *packet, bool link_unicast)
{
    must_hold_net();
    struct ip_info info;
    if (!ip6_is_on()) {
        packet_free(packet);
        return;
    }
    net_count(true, IP_IN_RECEIVES);
    net_count_more(true, IP_IN_OCTETS, packet->length);
    bool whole = parse(interface, packet, &info);
    info.unicast = link_unicast;
    bool acceptable = whole && addresses_acceptable(interface, &info, packet->flags & PACKET_LOOPED);
    if (!acceptable) {
        net_count(true, whole ? IP_IN_ADDRESS_ERRORS : IP_IN_HEADER_ERRORS);
        packet_free(packet);
        return;
    }
    if (ip_is_multicast(info.destination))
        net_count(true, IP_IN_MULTICAST);
    packet_drop_front(packet, sizeof(struct ip6_header));
    for (unsigned i = 0; packet && is_extension(info.protocol); i++) {
        if (i == EXTENSIONS) {
            net_count(true, IP_IN_HEADER_ERRORS);
            packet_free(packet);
            return;
        }
        packet = take_extension(&info, packet, i == 0);
    }
    if (packet)
        deliver(&info, packet);
}
