/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error that is received quotes the packet of ours that it is about, which begins with the header that we sent and
 * the transport's; with anything between them the error is ignored, since we send nothing there but fragments. What is
 * sent are answers to echo requests, and errors about closed ports and unknown headers, limited as in icmp.c and only
 * for packets to this machine alone. An error that cannot be for a packet to a single host is not sent (RFC 4443 2.4).
 *
 * Called by ip6_input.c, udp.c, nd.c and neighbour.c, with the net lock held, which guards the allowances too.
 * icmp6_input() takes its packet, as icmp6_send() does; those of the other functions stay the caller's.
 */
#include "net/icmp6.h"

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/allowance.h"
#include "net/counters.h"
#include "net/mld.h"
#include "net/nd.h"
#include "net/path_mtu.h"
#include "net/tcp.h"
#include "net/udp.h"

#define ERRORS_PER_SECOND 1000u /* as for IPv4: net/icmp.c */
#define ERRORS_FOR_ONE 20u
#define ECHOES_PER_SECOND 10000u
#define ECHOES_FOR_ONE 1000u
#define QUOTED_LEAST 8u
/* An error has at most 1280 bytes: RFC 4443 2.4 c. */
#define QUOTED_MOST (IP6_MINIMUM_MTU - 2u * IP6_HEADER_LENGTH - 8u)

static struct allowances errors = { .for_all = ERRORS_PER_SECOND, .for_one = ERRORS_FOR_ONE };
static struct allowances echoes = { .for_all = ECHOES_PER_SECOND, .for_one = ECHOES_FOR_ONE };

static void send_message(struct packet *packet, const struct ip_route *route, struct ip_send how)
{
    struct icmp6_header *icmp = (void *)packet_data(packet);
    how.protocol = IP6_PROTOCOL_ICMP;
    uint64_t pseudo = checksum_pseudo(how.source, how.destination, IP6_PROTOCOL_ICMP, packet->length);
    icmp->checksum = be16_of(0);
    icmp->checksum = be16_of(checksum_finish(packet_checksum(packet, 0, pseudo)));
    net_count_icmp_out(true, icmp->type);
    (void)ip6_output(packet, route, &how); /* an unsent answer is a lost one */
}

void icmp6_send(struct packet *packet, const struct ip_route *route, struct ip_address destination, uint8_t hop_limit)
{
    must_hold_net();
    struct ip_send how = { .source = route->source, .destination = destination, .time_to_live = hop_limit };
    send_message(packet, route, how);
}

void icmp6_send_alerting(struct packet *packet, const struct ip_route *route, struct ip_address group)
{
    must_hold_net();
    struct ip_send how = { .source = route->source, .destination = group, .time_to_live = 1, .router_alert = true };
    send_message(packet, route, how);
}

/* To the sender of a packet, from the address that it was sent to. */
static void send_back(const struct ip_info *info, struct packet *packet)
{
    struct ip_route route;
    if (ip6_route(info->source, &route) < 0) {
        packet_free(packet);
        return;
    }
    route.source = info->destination;
    icmp6_send(packet, &route, info->source, IP_DEFAULT_TTL);
}

static void answer_echo(const struct ip_info *info, struct packet *packet)
{
    bool allowed = info->unicast && allowance_take(&echoes, info->source);
    if (info->unicast && !allowed)
        net_count(true, ICMP_OUT_LIMITED);
    struct packet *reply = allowed ? packet_copy(packet, 0, packet->length) : NULL;
    if (!reply)
        return;
    ((struct icmp6_header *)packet_data(reply))->type = ICMP6_ECHO_REPLY;
    send_back(info, reply);
}

/* ---- Errors about what we sent ---------------------------------------------------------------------------- */

static void classify(const struct icmp6_header *icmp, struct icmp_error *error)
{
    /* RFC 4443 3.1, as Linux reports them */
    static const uint8_t unreachable[] = {
        ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EACCES
    };
    error->error = EHOSTUNREACH;
    if (icmp->type == ICMP6_TOO_BIG) {
        error->error = EMSGSIZE;
        error->mtu = max_of(be32_get(icmp->rest), (uint32_t)IP6_MINIMUM_MTU);
    } else if (icmp->type == ICMP6_PARAMETER_PROBLEM) {
        error->error = EPROTO;
        error->hard = true;
    } else if (icmp->type == ICMP6_UNREACHABLE && icmp->code < array_size(unreachable)) {
        error->error = unreachable[icmp->code];
        error->hard = icmp->code == ICMP6_PORT_UNREACHABLE || error->error == EACCES;
    }
}

static void dispatch(const struct icmp_error *error)
{
    if (error->protocol == IP_PROTOCOL_TCP)
        tcp_icmp_error(error);
    else if (error->protocol == IP_PROTOCOL_UDP)
        udp_icmp_error(error);
}

/* Reads the quoted packet after `offset`; false if it is not one of ours or too short. */
static bool read_quoted(struct packet *packet, uint32_t offset, int index, struct icmp_error *error)
{
    uint32_t before = offset + (uint32_t)sizeof(struct ip6_header);
    uint32_t quoted = packet->length > before ? min_of(packet->length - before, QUOTED_MOST) : 0;
    const uint8_t *data = quoted >= QUOTED_LEAST ? packet_pull(packet, before + quoted) : NULL;
    if (!data || data[offset] >> 4 != 6)
        return false;
    const struct ip6_header *ip = (const void *)(data + offset);
    error->local = ip6_inside(ip6_read(ip->source), index);
    error->remote = ip6_inside(ip6_read(ip->destination), index);
    error->protocol = ip->next_header;
    error->token = be32_get(ip->version_class_label) & PATH_MTU_TOKEN_IPV6;
    error->length = IP6_HEADER_LENGTH + (unsigned)be16_get(ip->payload_length);
    error->transport = data + before;
    error->transport_length = quoted;
    return !ip_is_ipv4(error->local) && !ip_is_ipv4(error->remote);
}

static void receive_error(const struct ip_info *info, struct packet *packet)
{
    const struct icmp6_header *icmp = (const void *)packet_data(packet);
    struct icmp_error error = { .type = icmp->type, .code = icmp->code, .sender = info->source };
    classify(icmp, &error);
    int link = ip6_link(info->source);
    if (read_quoted(packet, sizeof(*icmp), link != 0 ? link : info->interface->index, &error))
        dispatch(&error);
}

void icmp6_input(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    const struct icmp6_header *icmp = packet_pull(packet, sizeof(*icmp));
    uint64_t pseudo = checksum_pseudo(info->source, info->destination, IP6_PROTOCOL_ICMP, packet->length);
    bool good = icmp && (packet->flags & (PACKET_CHECKSUM_VALID | PACKET_CHECKSUM_PARTIAL) ||
                         checksum_fold(packet_checksum(packet, 0, pseudo)) == 0xffff);
    net_count(true, ICMP_IN_MESSAGES);
    if (!good)
        net_count(true, ICMP_IN_ERRORS);
    if (icmp && !good)
        net_count(true, ICMP_IN_CHECKSUM_ERRORS);
    if (good)
        net_count_icmp_in(true, icmp->type);
    if (good && icmp->type == ICMP6_ECHO_REQUEST && !ip_is_any(info->source))
        answer_echo(info, packet);
    else if (good && icmp->type >= ICMP6_UNREACHABLE && icmp->type <= ICMP6_PARAMETER_PROBLEM)
        receive_error(info, packet);
    else if (good && icmp->type == MLD_QUERY)
        mld_query(info, packet);
    else if (good && icmp->type >= ND_ROUTER_SOLICITATION && icmp->type <= ND_NEIGHBOUR_ADVERTISEMENT)
        nd_input(info, packet);
    packet_free(packet);
}

/* ---- Errors about what others sent ------------------------------------------------------------------------ */

static void send_error(const struct ip_info *info, struct packet *packet, struct icmp6_header what)
{
    if (!info->unicast || ip_is_any(info->source))
        return;
    if (!allowance_take(&errors, info->source)) {
        net_count(true, ICMP_OUT_LIMITED);
        return;
    }
    uint32_t quoted = min_of(packet->length, QUOTED_MOST);
    struct packet *error = packet_allocate((uint32_t)(sizeof(what) + sizeof(struct ip6_header)) + quoted);
    if (!error)
        return;
    *(struct icmp6_header *)packet_put(error, sizeof(what)) = what;
    struct ip6_header *ip = packet_put(error, sizeof(*ip));
    *ip = (struct ip6_header){
        .version_class_label = be32_of(6u << 28 | (uint32_t)info->type_of_service << 20),
        .payload_length = be16_of((uint16_t)min_of(packet->length, (uint32_t)IP_MAXIMUM_LENGTH)),
        .next_header = info->protocol,
        .hop_limit = info->time_to_live,
        .source = ip6_bytes_of(info->source),
        .destination = ip6_bytes_of(info->destination),
    };
    packet_copy_out(packet, 0, packet_put(error, quoted), quoted);
    send_back(info, error);
}

void icmp6_send_port_unreachable(const struct ip_info *info, struct packet *packet)
{
    must_hold_net();
    send_error(info, packet, (struct icmp6_header){ .type = ICMP6_UNREACHABLE, .code = ICMP6_PORT_UNREACHABLE });
}

void icmp6_send_unknown_header(const struct ip_info *info, struct packet *packet)
{
    enum { UNKNOWN_HEADER = 1 };
    must_hold_net();
    struct icmp6_header what = { .type = ICMP6_PARAMETER_PROBLEM, .code = UNKNOWN_HEADER };
    what.rest = be32_of(offsetof(struct ip6_header, next_header));
    send_error(info, packet, what);
}

void icmp6_local_unreachable(struct packet *packet)
{
    enum { ADDRESS_UNREACHABLE = 3 };
    must_hold_net();
    const struct ip6_header *ip = packet_pull(packet, sizeof(*ip));
    struct icmp_error error = { .error = EHOSTUNREACH, .type = ICMP6_UNREACHABLE, .code = ADDRESS_UNREACHABLE };
    const struct interface *device = interface_first_device();
    if (!ip || !device || !read_quoted(packet, 0, device->index, &error))
        return;
    error.sender = error.local;
    dispatch(&error);
}
