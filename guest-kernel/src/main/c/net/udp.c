/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol: finding the socket for a datagram, queueing it there, and sending. One for a single address goes to the
 * socket that fits best, one for a group or for all to each that fits. What a socket has no room for is dropped.
 *
 * received_bytes of a socket is the memory of all that waits there, errors included, and is charged to the network's
 * budget (udp_charge(), udp_uncharge()). udp_input() takes its packet, as udp_send() does.
 *
 * Called by ip_input.c, icmp.c, udp_socket.c and udp_errors.c. Net lock, which guards udp_ports and the fields of
 * sockets.
 */
#include "net/udp.h"

#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/counters.h"
#include "net/icmp6.h"
#include "net/ip.h"
#include "net/multicast.h"
#include "net/path_mtu.h"
#include "net/udp_private.h"
#include "platform/platform.h"

struct udp_header {
    be16 source, destination, length, checksum;
};

#define PMTUDISC_DONT 0  /* IP_PMTUDISC_*, linux/in.h */
#define PMTUDISC_DO 2    /* the program chooses the size of its datagrams */
#define PMTUDISC_PROBE 3 /* the same, and what routers say of it does not count from here on */
#define PMTUDISC_OMIT 5

struct port_table udp_ports;

void udp_init(void) { port_table_init(&udp_ports); }

/* How well a socket fits a datagram: 0 not at all, more is better. */
static unsigned fitness(const struct udp_socket *udp, struct endpoint local, struct endpoint remote)
{
    if (udp->binding.local.port != local.port)
        return 0;
    if (!port_covers(&udp->binding, local.address))
        return 0;
    if (udp->remote.port != 0 && (udp->remote.port != remote.port || !ip_same(udp->remote.address, remote.address)))
        return 0;
    return 1 + !ip_is_any(udp->binding.local.address) + 2 * (udp->remote.port != 0);
}

static struct udp_socket *udp_at(struct list *node)
{
    return container_of(list_entry(node, struct port_binding, link), struct udp_socket, binding);
}

/* Of sockets that fit equally well, those with SO_REUSEPORT share the flows; else the one bound last gets all, as on
 * Linux. */
static struct udp_socket *find(struct endpoint local, struct endpoint remote)
{
    struct list *bucket = port_bucket(&udp_ports, local.port);
    struct udp_socket *best = NULL;
    unsigned best_fitness = 0, sharing = 0;
    list_for_each (node, bucket) {
        unsigned fit = fitness(udp_at(node), local, remote);
        if (fit == 0 || fit < best_fitness)
            continue;
        sharing = (fit > best_fitness ? 0 : sharing) + udp_at(node)->binding.reuse_port;
        best = udp_at(node);
        best_fitness = fit;
    }
    if (!best || !best->binding.reuse_port || sharing < 2)
        return best;
    unsigned position = port_share(local, remote, sharing);
    list_for_each (node, bucket)
        if (fitness(udp_at(node), local, remote) == best_fitness && udp_at(node)->binding.reuse_port && position-- == 0)
            return udp_at(node);
    return best;
}

static bool checksum_good(const struct ip_info *info, const struct packet *packet, const struct udp_header *header)
{
    if ((be16_get(header->checksum) == 0 && ip_is_ipv4(info->source)) || /* RFC 8200 8.1 */
        packet->flags & (PACKET_CHECKSUM_PARTIAL | PACKET_CHECKSUM_VALID))
        return true;
    uint64_t sum = checksum_pseudo(info->source, info->destination, IP_PROTOCOL_UDP, packet->length);
    return checksum_fold(packet_checksum(packet, 0, sum)) == 0xffff;
}

/* ---- Receiving ---- */

bool udp_has_room(const struct udp_socket *udp, uint32_t memory)
{
    must_hold_net();
    uint32_t limit = udp->socket.receive_buffer != 0 ? udp->socket.receive_buffer : UDP_DEFAULT_BUFFER;
    return udp->received_bytes + memory <= limit && net_memory() != NET_MEMORY_FULL;
}

void udp_charge(struct udp_socket *udp, uint32_t memory)
{
    must_hold_net();
    udp->received_bytes += memory;
    net_charge(memory);
}

void udp_uncharge(struct udp_socket *udp, uint32_t memory)
{
    must_hold_net();
    udp->received_bytes -= memory;
    net_uncharge(memory);
}

/* A datagram with its header gone: from `port` of the sender, to our port `to`. */
struct arrival {
    const struct ip_info *info;
    uint16_t port, to;
};

static void enqueue(struct udp_socket *udp, struct packet *packet, const struct arrival *arrival)
{
    const struct ip_info *info = arrival->info;
    uint32_t memory = packet_memory(packet);
    bool ipv6 = !ip_is_ipv4(info->destination);
    if (udp->shut_read || !udp_has_room(udp, memory)) {
        net_count(ipv6, UDP_IN_ERRORS);
        net_count(ipv6, UDP_RECEIVE_BUFFER_ERRORS);
        packet_free(packet);
        return;
    }
    net_count(ipv6, UDP_IN_DATAGRAMS);
    bool timed = udp->socket.kept.timestamp || udp->socket.kept.timestamp_ns;
    *udp_datagram(packet) = (struct udp_datagram){
        .source = { info->source, arrival->port },
        .memory = memory,
        .destination = info->destination,
        .destination_port = arrival->to,
        .interface = (uint8_t)info->interface->index,
        .type_of_service = info->type_of_service,
        .time_to_live = info->time_to_live,
        .received = timed ? clock_wall() : 0,
    };
    udp_charge(udp, memory);
    list_push_back(&udp->received, &packet->link);
    wake(&udp->socket.queue, POLLIN);
}

/* The socket gets the same data. A datagram of more than a page is moved into pages for the first socket, so that the
 * others share these; a shorter one is copied, which costs less memory. */
static void enqueue_shared(struct udp_socket *udp, struct packet **packet, const struct arrival *arrival)
{
    if ((*packet)->linear > PAGE_SIZE) {
        struct packet *paged = packet_copy_paged(*packet);
        if (!paged)
            return;
        packet_free(*packet);
        *packet = paged;
    }
    struct packet *shared = packet_share(*packet);
    if (shared)
        enqueue(udp, shared, arrival);
}

static bool group_wanted(const struct udp_socket *udp, const struct ip_info *info)
{
    return multicast_wanted(&udp->socket, info->destination, info->interface->index, info->source);
}

/* Whether we are to hear what we send to a group ourselves. */
static bool group_looped(const struct udp_socket *udp, const struct interface *interface, struct ip_address group)
{
    bool ipv4 = ip_is_ipv4(group);
    bool wanted = ipv4 ? udp->socket.kept.multicast_loop : udp->socket.kept.v6_multicast_loop;
    return wanted && (multicast_joined(interface, group) || (!ipv4 && ip6_accepts_group(interface, group)));
}

/* To a group or to all: each socket that fits gets it. */
static void deliver_to_all(struct packet *packet, const struct arrival *arrival)
{
    const struct ip_info *info = arrival->info;
    struct endpoint local = { info->destination, arrival->to }, remote = { info->source, arrival->port };
    struct udp_socket *last = NULL;
    list_for_each (node, port_bucket(&udp_ports, arrival->to)) {
        struct udp_socket *udp = udp_at(node);
        if (fitness(udp, local, remote) == 0)
            continue;
        if (ip_is_multicast(local.address) && !group_wanted(udp, info))
            continue;
        if (last)
            enqueue_shared(last, &packet, arrival);
        last = udp;
    }
    if (last)
        enqueue(last, packet, arrival);
    else
        packet_free(packet);
}

static void send_port_unreachable(const struct ip_info *info, struct packet *packet)
{
    if (ip_is_ipv4(info->destination))
        icmp_send_unreachable(info, packet, ICMP_PORT_UNREACHABLE);
    else
        icmp6_send_port_unreachable(info, packet);
}

static void deliver(struct packet *packet, const struct arrival *arrival)
{
    const struct ip_info *info = arrival->info;
    struct udp_socket *udp = find((struct endpoint){ info->destination, arrival->to },
                                  (struct endpoint){ info->source, arrival->port });
    if (!udp) {
        net_count(!ip_is_ipv4(info->destination), UDP_NO_PORTS);
        send_port_unreachable(info, packet);
        packet_free(packet);
        return;
    }
    packet_drop_front(packet, UDP_HEADER_LENGTH);
    enqueue(udp, packet, arrival);
}

void udp_input(const struct ip_info *info, struct packet *packet)
{
    const struct udp_header *header = packet_pull(packet, UDP_HEADER_LENGTH);
    uint32_t length = !header ? 0 : be16_get(header->length);
    bool ipv6 = !ip_is_ipv4(info->destination);
    if (length < UDP_HEADER_LENGTH || length > packet->length) {
        net_count(ipv6, UDP_IN_ERRORS);
        packet_free(packet);
        return;
    }
    packet_trim(packet, length);
    header = (const void *)packet_data(packet);
    if (!checksum_good(info, packet, header)) {
        net_count(ipv6, UDP_IN_ERRORS);
        net_count(ipv6, UDP_IN_CHECKSUM_ERRORS);
        packet_free(packet);
        return;
    }
    struct arrival arrival = { info, be16_get(header->source), be16_get(header->destination) };
    if (ip_is_multicast(info->destination) || ip_is_broadcast(info->destination)) {
        packet_drop_front(packet, UDP_HEADER_LENGTH);
        deliver_to_all(packet, &arrival);
    } else {
        deliver(packet, &arrival);
    }
}

static uint8_t path_discovery(const struct udp_socket *udp, struct ip_address to)
{
    return ip_is_ipv4(to) ? udp->socket.kept.path_discovery : udp->socket.kept.v6_path_discovery;
}

/* Only connected sockets get errors that will not go away, and those that ask for all errors: udp(7), ip(7). */
void udp_icmp_error(const struct icmp_error *error)
{
    struct endpoint local = { error->local, read_be16(error->transport) };
    struct endpoint remote = { error->remote, read_be16(error->transport + 2) };
    struct udp_socket *udp = find(local, remote);
    if (!udp)
        return;
    uint8_t discovery = path_discovery(udp, error->remote);
    if (error->mtu != 0 && discovery <= PMTUDISC_PROBE)
        path_mtu_heard(error);
    if (error->mtu != 0 && discovery == PMTUDISC_DONT)
        return;
    bool hard = error->hard || error->mtu != 0 || error->type == ICMP_PARAMETER_PROBLEM;
    bool ipv4 = ip_is_ipv4(remote.address);
    if (ipv4 ? udp->socket.kept.receive_errors : udp->socket.kept.v6_receive_errors)
        udp_queue_icmp_error(udp, error, remote);
    else if (!hard || udp->remote.port == 0)
        return;
    udp->error = error->error;
    wake(&udp->socket.queue, POLLOUT | POLLERR);
}

/* ---- Sending ---- */

static int route_via(int32_t index, struct ip_address to, struct ip_route *route)
{
    struct interface *interface = index > 0 ? interface_at((unsigned)index - 1) : NULL;
    if (!interface)
        return -ENODEV;
    if (!ip_is_multicast(to))
        return ip_route(to, route); /* there is one way to each address */
    if (!ip_is_ipv4(to) && interface->loopback)
        return -ENETUNREACH; /* as ip6_route() */
    ip_route_via(interface, to, route);
    return ip_is_any(route->source) && !ip_is_ipv4(to) ? -EADDRNOTAVAIL : 0; /* all of its addresses are tentative */
}

int udp_route(const struct udp_socket *udp, struct ip_address to, int32_t interface, struct ip_route *route)
{
    must_hold_net();
    const struct socket_kept *kept = &udp->socket.kept;
    int32_t index = interface;
    if (index == 0 && ip_is_multicast(to))
        index = ip_is_ipv4(to) ? kept->multicast_index : kept->v6_multicast_index;
    int error = index != 0 ? route_via(index, to, route) : ip_route(to, route);
    if (error == 0 && path_discovery(udp, to) < PMTUDISC_PROBE && !route->interface->loopback)
        route->path_mtu = path_mtu_of(to);
    return error;
}

static bool may_fragment(const struct udp_socket *udp, struct ip_address to, const struct socket_way *way)
{
    uint8_t discovery = path_discovery(udp, to);
    if (discovery >= PMTUDISC_DO && discovery != PMTUDISC_OMIT)
        return false;
    return ip_is_ipv4(to) || !(way->dont_fragment_given ? way->dont_fragment : udp->socket.kept.v6_dont_fragment);
}

static struct ip_send way_of(const struct udp_socket *udp, const struct ip_route *route, struct ip_address source,
                             struct ip_address to, const struct socket_way *way)
{
    const struct socket_kept *kept = &udp->socket.kept;
    bool group = ip_is_multicast(to);
    bool ipv4 = ip_is_ipv4(to);
    uint8_t discovery = path_discovery(udp, to), lifetime = socket_time_to_live(kept, to);
    if (group)
        lifetime = ipv4 ? kept->multicast_ttl : kept->multicast_hops;
    return (struct ip_send){
        .source = source,
        .destination = to,
        .protocol = IP_PROTOCOL_UDP,
        .type_of_service = way->type_of_service_given ? way->type_of_service : socket_service(kept, to),
        .time_to_live = way->time_to_live_given ? way->time_to_live : lifetime,
        .dont_fragment = !may_fragment(udp, to, way),
        .routers_may_not = discovery > PMTUDISC_DONT && discovery <= PMTUDISC_PROBE,
        .fragment_mtu = ipv4 ? 0 : kept->v6_fragment_mtu,
        .loop = route->broadcast || (group && group_looped(udp, route->interface, to)),
    };
}

/* Puts the header on and sends one datagram. */
static int send_datagram(const struct udp_socket *udp, struct packet *packet, const struct ip_route *route,
                         const struct ip_send *how, uint16_t port)
{
    uint32_t length = packet->length + UDP_HEADER_LENGTH;
    struct udp_header *header = packet_push(packet, sizeof(*header));
    header->source = be16_of(udp->binding.local.port);
    header->destination = be16_of(port);
    header->length = be16_of((uint16_t)length);
    header->checksum = be16_of(checksum_fold(checksum_pseudo(how->source, how->destination, IP_PROTOCOL_UDP, length)));
    packet->flags |= PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = 0;
    packet->checksum_offset = offsetof(struct udp_header, checksum);
    int error = ip_output(packet, route, how);
    if (error == 0)
        net_count(!ip_is_ipv4(how->destination), UDP_OUT_DATAGRAMS);
    return error;
}

/* UDP_SEGMENT: each piece is a datagram, and the last may be shorter. What was sent before an error stays sent. */
static int send_pieces(const struct udp_socket *udp, struct packet *packet, const struct ip_route *route,
                       const struct ip_send *how, uint16_t port, uint32_t segment)
{
    int error = 0;
    for (uint32_t offset = 0; error == 0 && offset < packet->length; offset += segment) {
        struct packet *piece = packet_copy(packet, offset, min_of(segment, packet->length - offset));
        error = piece ? send_datagram(udp, piece, route, how, port) : -ENOBUFS;
    }
    packet_free(packet);
    return error;
}

/* Linux lets no piece be fragmented. */
static int check_segment(const struct packet *packet, const struct ip_route *route, struct ip_address to,
                         uint32_t segment)
{
    if (ip_header_length(to) + UDP_HEADER_LENGTH + min_of(segment, packet->length) > ip_mtu(route))
        return -EMSGSIZE;
    return packet->length > segment * UDP_SEGMENTS_MOST ? -EINVAL : 0;
}

/* Where the datagram comes from: as it says itself, the address that the socket is bound to, or the way's. */
static int choose_source(const struct udp_socket *udp, const struct socket_way *way, const struct ip_route *route,
                         struct ip_address *out)
{
    struct ip_address bound = udp->binding.local.address;
    const struct socket_kept *kept = &udp->socket.kept;
    bool own = !ip_is_any(bound) && !ip_is_multicast(bound) && !ip_is_broadcast(bound);
    *out = own ? bound : route->source;
    if (ip_is_any(way->source))
        return 0;
    if (ip_is_multicast(way->source))
        return -EINVAL;
    bool ours = interface_of_address(way->source) ||
                (!ip_is_ipv4(way->source) && (kept->transparent || kept->free_bind));
    *out = way->source;
    return ours ? 0 : ip_is_ipv4(way->source) ? -ENETUNREACH : -EINVAL;
}

int udp_send(struct udp_socket *udp, struct packet *packet, struct endpoint to, const struct socket_way *way)
{
    must_hold_net();
    struct ip_route route;
    struct ip_address source = { 0 };
    uint32_t segment = way->segment_given ? way->segment : udp->socket.kept.segment;
    int error = udp_route(udp, to.address, way->interface, &route);
    if (error == 0 && route.broadcast && !udp->socket.kept.broadcast)
        error = -EACCES;
    if (error == 0)
        error = choose_source(udp, way, &route, &source);
    if (error == 0 && segment != 0)
        error = check_segment(packet, &route, to.address, segment);
    if (error < 0) {
        packet_free(packet);
        return error;
    }
    struct ip_send how = way_of(udp, &route, source, to.address, way);
    how.token = path_mtu_token(source, to.address, path_mtu_ports(udp->binding.local.port, to.port));
    if (segment != 0 && packet->length > segment)
        return send_pieces(udp, packet, &route, &how, to.port, segment);
    error = send_datagram(udp, packet, &route, &how, to.port);
    if (error == -EMSGSIZE)
        udp_queue_too_long(udp, to, how.fragment_mtu != 0 ? min_of(how.fragment_mtu, ip_mtu(&route)) : ip_mtu(&route));
    return error;
}
