/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between neighbours. What they say about others goes to neighbour.c, which decides what to believe and
 * has the questions asked. An address of ours is probed once before it is used (DupAddrDetectTransmits of RFC 4862 5.1
 * is 1); `probe_timer` runs while one is tentative.
 *
 * A message counts if no router can have forwarded it, it came in one piece (RFC 6980), and all of its options are
 * whole. None makes us keep more than an entry of the bounded table of neighbours.
 *
 * Called by icmp6.c (input), neighbour.c (questions) and ip6_address.c (probes). Net lock; the timer's callback takes
 * it.
 */
#include "net/nd.h"

#include "core/log.h"
#include "lib/checksum.h"
#include "lib/string.h"
#include "net/dhcp6.h"
#include "net/ethernet.h"
#include "net/icmp6.h"
#include "net/multicast_report.h"
#include "net/neighbour.h"
#include "threads/timer.h"

#define PROBE_TIME NS_PER_SECOND /* RETRANS_TIMER of RFC 4861 10 */
#define MESSAGE_LIMIT 1500u      /* bytes of a message that are looked at */

#define FLAG_SOLICITED 0x40000000u /* RFC 4861 4.4 */
#define FLAG_OVERRIDE 0x20000000u

struct neighbour_message {
    struct icmp6_header icmp;
    struct ip6_bytes target;
};
struct mac_option {
    uint8_t type, length, mac[6];
};

static struct timer probe_timer;

/* ---- Sending -------------------------------------------------------------------------------------------- */

void nd_send(struct interface *interface, const struct nd_message *message)
{
    must_hold_net();
    struct packet *packet = packet_allocate(sizeof(struct neighbour_message) + sizeof(struct mac_option));
    if (!packet)
        return; /* the same as if it were lost on its way: it is sent again */
    struct icmp6_header *icmp = packet_put(packet, sizeof(*icmp));
    *icmp = (struct icmp6_header){ .type = message->type, .rest = be32_of(message->flags) };
    if (!ip_is_any(message->target))
        *(struct ip6_bytes *)packet_put(packet, sizeof(struct ip6_bytes)) = ip6_bytes_of(message->target);
    if (message->option != 0) {
        struct mac_option *option = packet_put(packet, sizeof(*option));
        *option = (struct mac_option){ .type = message->option, .length = 1 };
        memcpy(option->mac, interface->mac, 6);
    }
    struct ip_route route = { .interface = interface, .next_hop = message->destination, .source = message->source };
    icmp6_send(packet, &route, message->destination, IP6_ND_HOP_LIMIT);
}

void nd_ask(struct interface *interface, struct ip_address address, bool alone)
{
    must_hold_net();
    struct nd_message message = {
        .source = ip6_source(interface, address),
        .destination = alone ? address : ip6_solicited_node(address, interface),
        .type = ND_NEIGHBOUR_SOLICITATION,
        .target = address,
        .option = ND_SOURCE_MAC,
    };
    if (!ip_is_any(message.source)) /* an address of ours ran out; only probes come from none */
        nd_send(interface, &message);
}

/* ---- Our own addresses ------------------------------------------------------------------------------------ */

void nd_probe(struct interface *interface, struct ip6_own *own)
{
    must_hold_net();
    struct nd_message message = {
        .destination = ip6_solicited_node(own->address, interface),
        .type = ND_NEIGHBOUR_SOLICITATION,
        .target = own->address,
    };
    own->tentative = true;
    own->probed = net_now();
    nd_send(interface, &message);
    if (!probe_timer.active)
        timer_start(&probe_timer, own->probed + PROBE_TIME);
}

static void end_probe(struct interface *interface, struct ip6_own *own)
{
    char text[IP_TEXT];
    own->tentative = false;
    net_address_ready();
    log_info("IPv6 address %s/%u on %s", ip_format(text, own->address), own->prefix, interface->name);
    if (!ip6_is_link_local(own->address))
        return;
    multicast_report_again(interface, false); /* from this address; until now they came from none */
    nd_solicit_routers(interface);
}

static void end_probes(struct timer *timer)
{
    nanoseconds next = NO_DEADLINE;
    net_lock();
    for (unsigned i = 0; i < interface_count() * IP6_ADDRESSES; i++) {
        struct interface *interface = interface_at(i / IP6_ADDRESSES);
        struct ip6_own *own = &interface->ip6.own[i % IP6_ADDRESSES];
        if (!own->tentative || own->duplicate)
            continue;
        if (own->probed + PROBE_TIME <= net_now())
            end_probe(interface, own);
        else
            next = min_of(next, own->probed + PROBE_TIME);
    }
    if (next != NO_DEADLINE)
        timer_start(timer, next);
    net_unlock();
}

void nd_announce(struct interface *interface)
{
    must_hold_net();
    for (unsigned i = 0; i < IP6_ADDRESSES; i++) {
        const struct ip6_own *own = &interface->ip6.own[i];
        if (own->tentative || own->duplicate || own->valid_until <= net_now())
            continue;
        struct nd_message message = {
            .source = own->address,
            .destination = ip6_inside(IP6_ALL_NODES, interface->index),
            .type = ND_NEIGHBOUR_ADVERTISEMENT,
            .flags = FLAG_OVERRIDE,
            .target = own->address,
            .option = ND_TARGET_MAC,
        };
        nd_send(interface, &message);
    }
}

void nd_init(void)
{
    timer_init(&probe_timer, end_probes);
    nd_router_init();
}

/* Another host has the address, or wants it as well. Ours stays if it is in use: who came first keeps it. */
static void conflict(struct ip6_own *own)
{
    char text[IP_TEXT];
    if (!own->tentative || own->duplicate)
        return;
    own->duplicate = true;
    if (dhcp6_conflict(own->address))
        return;
    log_error(
        "another machine has the IPv6 address %s, so this one does without; give one of the two another MAC address",
        ip_format(text, own->address));
}

/* ---- Receiving ------------------------------------------------------------------------------------------ */

const struct nd_option *nd_next_option(const uint8_t *message, uint32_t length, uint32_t offset, unsigned type,
                                       const struct nd_option *previous)
{
    while (offset + sizeof(struct nd_option) <= length) {
        const struct nd_option *option = (const void *)(message + offset);
        offset += option->length * 8u;
        if (option->type == type && option > previous)
            return option;
    }
    return NULL;
}

static bool options_valid(const uint8_t *message, uint32_t length, uint32_t offset)
{
    while (offset < length) {
        if (length - offset < 8 || message[offset + 1] == 0 || message[offset + 1] * 8u > length - offset)
            return false;
        offset += message[offset + 1] * 8u;
    }
    return true;
}

static const uint8_t *mac_in(const uint8_t *message, uint32_t length, unsigned type)
{
    const struct nd_option *option = nd_next_option(message, length, sizeof(struct neighbour_message), type, NULL);
    return option && !(option->value[0] & 1) ? option->value : NULL;
}

static void advertise(const struct ip_info *info, struct ip_address target)
{
    bool probe = ip_is_any(info->source);
    struct nd_message answer = {
        .source = target,
        .destination = probe ? ip6_inside(IP6_ALL_NODES, info->interface->index) : info->source,
        .type = ND_NEIGHBOUR_ADVERTISEMENT,
        .flags = FLAG_OVERRIDE | (probe ? 0 : FLAG_SOLICITED),
        .target = target,
        .option = ND_TARGET_MAC,
    };
    nd_send(info->interface, &answer);
}

/* RFC 4861 7.2.3, RFC 4862 5.4.3. */
static void asked(const struct ip_info *info, struct ip_address target, const uint8_t *message, uint32_t length)
{
    bool probe = ip_is_any(info->source);
    const uint8_t *mac = mac_in(message, length, ND_SOURCE_MAC);
    struct ip6_own *own = ip6_find_own(info->interface, target);
    bool to_group = ip_same(info->destination, ip6_solicited_node(target, info->interface));
    if (!own || own->duplicate || (probe && (mac || !to_group)) || (!probe && !mac && to_group))
        return;
    if (own->tentative) {
        if (probe)
            conflict(own);
        return;
    }
    /* Only a host that asks for us is entered without having been asked: it is about to talk to us. */
    if (mac && !probe)
        neighbour_heard(info->interface, info->source, mac, false, true);
    advertise(info, target);
}

/* RFC 4861 7.2.5. */
static void answered(const struct ip_info *info, struct ip_address target, const uint8_t *message, uint32_t length)
{
    uint32_t flags = be32_get(((const struct neighbour_message *)message)->icmp.rest);
    const uint8_t *mac = mac_in(message, length, ND_TARGET_MAC);
    struct ip6_own *own = ip6_find_own(info->interface, target);
    bool answer = (flags & FLAG_SOLICITED) && info->unicast;
    if (own)
        conflict(own);
    else if (mac)
        neighbour_heard(info->interface, target, mac, answer, false);
}

void nd_input(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    uint32_t length = packet->length;
    const uint8_t *message = length <= MESSAGE_LIMIT ? packet_pull(packet, length) : NULL;
    const struct neighbour_message *neighbour = (const void *)message;
    if (!message || info->time_to_live != IP6_ND_HOP_LIMIT || info->reassembled || info->interface->loopback ||
        neighbour->icmp.code != 0)
        return;
    if (neighbour->icmp.type == ND_ROUTER_ADVERTISEMENT) {
        if (length >= ND_ROUTER_LENGTH && options_valid(message, length, ND_ROUTER_LENGTH))
            nd_router_heard(info, message, length);
        return;
    }
    if (length < sizeof(*neighbour) || !options_valid(message, length, sizeof(*neighbour)))
        return;
    struct ip_address outside = ip6_read(neighbour->target);
    struct ip_address target = ip6_inside(outside, info->interface->index);
    if (ip_is_multicast(target) || ip_is_ipv4(target) || ip6_link(outside) != 0)
        return;
    if (neighbour->icmp.type == ND_NEIGHBOUR_SOLICITATION)
        asked(info, target, message, length);
    else if (neighbour->icmp.type == ND_NEIGHBOUR_ADVERTISEMENT)
        answered(info, target, message, length);
}
