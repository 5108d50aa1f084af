/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error that is received quotes the packet of ours that it is about. read_quoted() finds the transport protocol
 * there, which decides what to make of it (tcp_icmp_error(), udp_icmp_error()). icmp_local_unreachable() has the same
 * effect for a packet to a neighbour that did not answer ARP. What is sent are answers to echo requests, and errors
 * about closed ports and unknown protocols; neither in answer to a packet to a group or a broadcast address, and both
 * limited (allowance.h).
 *
 * Called by ip_input.c, udp.c and arp.c, with the net lock held, which guards the allowances too. icmp_input() takes
 * its packet; those of the other functions stay the caller's.
 */
#include "net/icmp.h"

#include "lib/checksum.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/allowance.h"
#include "net/counters.h"
#include "net/tcp.h"
#include "net/udp.h"

#define ERRORS_PER_SECOND 1000u  /* to all, at most: RFC 1812 4.3.2.8; net.ipv4.icmp_msgs_per_sec of Linux */
#define ERRORS_FOR_ONE 20u       /* of these to one address, at most */
#define ECHOES_PER_SECOND 10000u /* icmp_msgs_per_sec of Linux 6.13 and later, which counts them too */
#define ECHOES_FOR_ONE 1000u
#define QUOTED_LEAST 8u /* of the offending datagram (RFC 792) */
/* An error has at most 576 bytes: RFC 1812 4.3.2.3, and Linux. */
#define QUOTED_MOST (576u - 2 * IP_HEADER_LENGTH - 8u)
#define MINIMUM_IPV4_MTU 68 /* RFC 791; a smaller next-hop MTU is a lie */

struct icmp_header {
    uint8_t type, code;
    be16 checksum;
    uint8_t rest[4];
};

/* Of errors, and of echo replies. */
static struct allowances errors = { .for_all = ERRORS_PER_SECOND, .for_one = ERRORS_FOR_ONE };
static struct allowances echoes = { .for_all = ECHOES_PER_SECOND, .for_one = ECHOES_FOR_ONE };

static void send(struct packet *packet, struct ip_address source, struct ip_address destination,
                 uint8_t type_of_service)
{
    struct icmp_header *icmp = (void *)packet_data(packet);
    icmp->checksum = be16_of(0);
    icmp->checksum = be16_of(checksum_finish(packet_checksum(packet, 0, 0)));
    struct ip_route route;
    if (ip_route(destination, &route) < 0) {
        packet_free(packet);
        return;
    }
    struct ip_send how = { .source = source,
                           .destination = destination,
                           .protocol = IP_PROTOCOL_ICMP,
                           .type_of_service = type_of_service,
                           .time_to_live = IP_DEFAULT_TTL };
    net_count_icmp_out(false, ((struct icmp_header *)packet_data(packet))->type);
    (void)ip_output(packet, &route, &how); /* an unsent answer is a lost one */
}

/* Echo requests to broadcast addresses are not answered, which RFC 1122 3.2.2.6 allows, so that this machine is no
 * amplifier. */
static void answer_echo(const struct ip_info *info, struct packet *packet)
{
    bool allowed = info->unicast && allowance_take(&echoes, info->source);
    if (info->unicast && !allowed)
        net_count(false, ICMP_OUT_LIMITED);
    struct packet *reply = allowed ? packet_copy(packet, 0, packet->length) : NULL;
    if (!reply)
        return;
    struct icmp_header *icmp = (void *)packet_data(reply);
    icmp->type = ICMP_ECHO_REPLY;
    send(reply, info->destination, info->source, info->type_of_service);
}

static void classify(const struct icmp_header *icmp, struct icmp_error *error)
{
    static const struct {
        uint8_t error;
        bool hard;
    } unreachable[] = {
        /* RFC 1122 4.2.3.9 */
        { ENETUNREACH, false }, { EHOSTUNREACH, false }, { ECONNREFUSED, true }, { ECONNREFUSED, true },
        { EMSGSIZE, false },    { EHOSTUNREACH, false }, { ENETUNREACH, false }, { EHOSTUNREACH, false },
    };
    error->error = EHOSTUNREACH;
    if (icmp->type == ICMP_PARAMETER_PROBLEM)
        error->error = EPROTO;
    if (icmp->type != ICMP_UNREACHABLE || icmp->code >= array_size(unreachable))
        return;
    error->error = unreachable[icmp->code].error;
    error->hard = unreachable[icmp->code].hard;
    if (icmp->code == ICMP_FRAGMENTATION_NEEDED)
        error->mtu = max_of(read_be16(icmp->rest + 2), MINIMUM_IPV4_MTU);
}

static void dispatch(const struct icmp_error *error)
{
    if (error->protocol == IP_PROTOCOL_TCP)
        tcp_icmp_error(error);
    else if (error->protocol == IP_PROTOCOL_UDP)
        udp_icmp_error(error);
}

/* Reads the quoted packet after `offset`; false if it is not one of ours or too short. */
static bool read_quoted(struct packet *packet, uint32_t offset, struct icmp_error *error)
{
    const uint8_t *data = packet_pull(packet, offset + sizeof(struct ip_header));
    if (!data)
        return false;
    const struct ip_header *ip = (const void *)(data + offset);
    uint32_t header_length = (ip->version_length & 15u) * 4;
    bool first = (be16_get(ip->fragment) & IP_OFFSET_MASK) == 0;
    if (ip->version_length >> 4 != 4 || header_length < sizeof(*ip) || !first)
        return false;
    uint32_t before = offset + header_length, total = be16_get(ip->total_length);
    uint32_t quoted = packet->length > before ? min_of(packet->length - before, QUOTED_MOST) : 0;
    quoted = min_of(quoted, total > header_length ? total - header_length : 0);
    data = quoted >= QUOTED_LEAST ? packet_pull(packet, before + quoted) : NULL;
    if (!data)
        return false;
    ip = (const void *)(data + offset);
    error->local = ip_of_ipv4(be32_get(ip->source));
    error->remote = ip_of_ipv4(be32_get(ip->destination));
    error->protocol = ip->protocol;
    error->length = be16_get(ip->total_length);
    error->token = be16_get(ip->identification);
    error->transport = data + before;
    error->transport_length = quoted;
    return true;
}

static void receive_error(const struct ip_info *info, struct packet *packet)
{
    const struct icmp_header *icmp = (const void *)packet_data(packet);
    struct icmp_error error = { .type = icmp->type, .code = icmp->code, .sender = info->source };
    classify(icmp, &error);
    if (read_quoted(packet, sizeof(struct icmp_header), &error))
        dispatch(&error);
}

void icmp_input(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    const struct icmp_header *icmp = packet_pull(packet, sizeof(*icmp));
    net_count(false, ICMP_IN_MESSAGES);
    if (!icmp || checksum_fold(packet_checksum(packet, 0, 0)) != 0xffff) {
        net_count(false, ICMP_IN_ERRORS);
        if (icmp)
            net_count(false, ICMP_IN_CHECKSUM_ERRORS);
        packet_free(packet);
        return;
    }
    net_count_icmp_in(false, icmp->type);
    switch (icmp->type) {
    case ICMP_ECHO_REQUEST:
        answer_echo(info, packet);
        break;
    case ICMP_UNREACHABLE:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        receive_error(info, packet);
        break;
    default:
        break;
    }
    packet_free(packet);
}

void icmp_send_unreachable(const struct ip_info *info, struct packet *packet, uint8_t code)
{
    must_hold_net();
    if (!info->unicast || ip_is_any(info->source))
        return;
    if (!allowance_take(&errors, info->source)) {
        net_count(false, ICMP_OUT_LIMITED);
        return;
    }
    uint32_t quoted = min_of(packet->length, QUOTED_MOST);
    struct packet *error = packet_allocate((uint32_t)(sizeof(struct icmp_header) + sizeof(struct ip_header)) + quoted);
    if (!error)
        return;
    struct icmp_header *icmp = packet_put(error, sizeof(*icmp));
    *icmp = (struct icmp_header){ .type = ICMP_UNREACHABLE, .code = code };
    struct ip_header *ip = packet_put(error, sizeof(*ip));
    *ip = (struct ip_header){
        .version_length = 0x45,
        .type_of_service = info->type_of_service,
        .total_length = be16_of((uint16_t)min_of(packet->length + IP_HEADER_LENGTH, (uint32_t)IP_MAXIMUM_LENGTH)),
        .time_to_live = info->time_to_live,
        .protocol = info->protocol,
        .source = be32_of(ipv4_of(info->source)),
        .destination = be32_of(ipv4_of(info->destination)),
    };
    ip->checksum = be16_of(checksum_finish(checksum_add(0, ip, sizeof(*ip))));
    packet_copy_out(packet, 0, packet_put(error, quoted), quoted);
    send(error, info->destination, info->source, 0);
}

void icmp_local_unreachable(struct packet *packet)
{
    must_hold_net();
    struct icmp_error error = { .error = EHOSTUNREACH, .type = ICMP_UNREACHABLE, .code = ICMP_HOST_UNREACHABLE };
    if (!read_quoted(packet, 0, &error))
        return;
    error.sender = error.local;
    dispatch(&error);
}
