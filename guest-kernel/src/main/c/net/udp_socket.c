/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls on UDP sockets. A datagram to be sent is copied into a packet without the net lock; under it the
 * destination is found, the socket bound if it is not, and the packet sent or added to what is kept back (MSG_MORE,
 * UDP_CORK). A received one is taken off the queue under the net lock and copied to the reader without it; it stays
 * charged until it is freed, and goes back to the front if it was only peeked at. Mutex "socket reading" lets one
 * reader do so at a time.
 *
 * Called through the operations of the socket, without the net lock but for take_error(), options_changed() and
 * udp_set_cork() (socket.h). The net lock guards struct udp_socket; only the options that choose what is reported with
 * a received datagram are read without it.
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/timeval.h"
#include "net/interface.h"
#include "net/ip6.h"
#include "net/multicast.h"
#include "net/udp_private.h"
#include "platform/platform.h"

static struct udp_socket *udp_of(struct socket *socket) { return container_of(socket, struct udp_socket, socket); }

static int bind_locked(struct udp_socket *udp, struct endpoint local)
{
    must_hold_net();
    const struct socket_kept *kept = &udp->socket.kept;
    bool ours = ip_is_any(local.address) || ip_is_multicast(local.address) || ip_is_broadcast(local.address) ||
                interface_of_address(local.address) || kept->transparent || kept->free_bind;
    if (!ours)
        return -EADDRNOTAVAIL;
    if (port_bound(&udp->binding))
        return -EINVAL;
    udp->binding.reuse_address = udp->socket.kept.reuse_address;
    udp->binding.reuse_port = udp->socket.kept.reuse_port;
    udp->binding.v6_only = udp->socket.kept.v6_only;
    return port_bind(&udp_ports, &udp->binding, local);
}

/* IP_BIND_ADDRESS_NO_PORT: the port is found when one is needed. */
static int bind_or_note(struct udp_socket *udp, struct endpoint local)
{
    if (local.port != 0 || !udp->socket.kept.no_port || port_bound(&udp->binding))
        return bind_locked(udp, local);
    if (!ip_is_any(local.address) && !interface_of_address(local.address))
        return -EADDRNOTAVAIL;
    udp->binding.local = local;
    return 0;
}

static int bind_address(struct socket *socket, const struct socket_address *address)
{
    struct endpoint local;
    net_lock();
    int result = socket_own_name(socket, address, &local);
    if (result == 0)
        result = bind_or_note(udp_of(socket), local);
    net_unlock();
    return result;
}

static bool is_bound(const struct socket *socket)
{
    return port_bound(&container_of(socket, struct udp_socket, socket)->binding);
}

static int bind_if_needed(struct udp_socket *udp)
{
    return port_bound(&udp->binding) ? 0 : bind_locked(udp, udp->binding.local);
}

static int connect_locked(struct udp_socket *udp, const struct socket_address *address)
{
    must_hold_net();
    struct endpoint remote;
    struct ip_route route;
    int error = socket_peer(&udp->socket, udp->binding.local.address, address, &remote);
    if (error == 0)
        error = udp_route(udp, remote.address, 0, &route);
    if (error == 0 && route.broadcast && !udp->socket.kept.broadcast)
        error = -EACCES;
    if (error == 0)
        error = bind_if_needed(udp);
    if (error < 0)
        return error;
    if (ip_is_any(udp->binding.local.address))
        udp->binding.local.address = route.source;
    udp->remote = remote;
    return 0;
}

static int connect_address(struct socket *socket, const struct socket_address *address)
{
    struct udp_socket *udp = udp_of(socket);
    int result = 0;
    net_lock();
    if (address->family == AF_UNSPEC)
        udp->remote = (struct endpoint){ 0 };
    else
        result = connect_locked(udp, address);
    net_unlock();
    return result;
}

/* ---- Sending ---- */

/* Where a datagram goes; for what is kept back already, where that goes. */
static int find_destination(struct udp_socket *udp, const struct socket_message *message, struct endpoint *to)
{
    const struct socket_address *address = message->address;
    *to = address ? address->in : udp->remote;
    int error = address ? socket_peer(&udp->socket, udp->binding.local.address, address, to) : 0;
    if (udp->shut_write)
        return -EPIPE;
    if (udp->error != 0)
        return -udp->socket.operations->take_error(&udp->socket);
    if (udp->cork)
        return 0;
    if (error < 0)
        return error;
    if (to->port == 0)
        return address ? -EINVAL : -EDESTADDRREQ;
    return bind_if_needed(udp);
}

/* ---- Keeping back: MSG_MORE and UDP_CORK, udp(7). The first part says where the datagram goes, and how. Without
 * memory a call fails and the parts before it stay, where Linux throws them away. ---- */

struct udp_cork {
    uint8_t *bytes; /* NULL: none yet */
    uint32_t length, room;
    struct endpoint to;
    struct socket_way how;
};

static void forget_cork(struct udp_socket *udp)
{
    if (udp->cork)
        heap_free(udp->cork->bytes);
    heap_free(udp->cork);
    udp->cork = NULL;
}

static int push_cork(struct udp_socket *udp)
{
    struct udp_cork *cork = udp->cork;
    struct packet *packet = packet_allocate(cork->length);
    if (!packet)
        return -ENOBUFS;
    if (cork->length > 0)
        memcpy(packet_put(packet, cork->length), cork->bytes, cork->length);
    int error = udp_send(udp, packet, cork->to, &cork->how);
    forget_cork(udp);
    return error;
}

static int make_room(struct udp_cork *cork, uint32_t length)
{
    uint32_t room = max_of(cork->room, 256u);
    while (room < cork->length + length)
        room *= 2;
    if (room == cork->room)
        return 0;
    uint8_t *bytes = heap_allocate(room);
    if (!bytes)
        return -ENOBUFS;
    if (cork->length > 0)
        memcpy(bytes, cork->bytes, cork->length);
    heap_free(cork->bytes);
    cork->bytes = bytes;
    cork->room = room;
    return 0;
}

static int start_cork(struct udp_socket *udp, struct endpoint to, const struct socket_message *message)
{
    struct udp_cork *cork = heap_allocate_zeroed(sizeof(*cork));
    if (!cork)
        return -ENOBUFS;
    cork->to = to;
    cork->how = message->way;
    udp->cork = cork;
    return 0;
}

static int keep_back(struct udp_socket *udp, const struct packet *packet, struct endpoint to,
                     const struct socket_message *message)
{
    bool first = !udp->cork;
    int error = first ? start_cork(udp, to, message) : 0;
    if (error == 0 && udp->cork->length + packet->length > UDP_PAYLOAD_LIMIT) {
        struct ip_route route;
        if (udp_route(udp, udp->cork->to.address, udp->cork->how.interface, &route) == 0)
            udp_queue_too_long(udp, udp->cork->to, ip_mtu(&route));
        error = -EMSGSIZE;
    }
    if (error == 0)
        error = make_room(udp->cork, packet->length);
    if (error == -EMSGSIZE || (error < 0 && first))
        forget_cork(udp);
    if (error < 0)
        return error;
    packet_copy_out(packet, 0, udp->cork->bytes + udp->cork->length, packet->length);
    udp->cork->length += packet->length;
    if (message->flags & MSG_MORE || udp->socket.kept.cork)
        return 0;
    error = push_cork(udp);
    if (udp->cork)
        udp->cork->length -= packet->length;
    return error;
}

int udp_set_cork(void *socket, int value)
{
    struct udp_socket *udp = udp_of(socket);
    int error = value == 0 && udp->cork ? push_cork(udp) : 0;
    if (!udp->cork || value != 0)
        udp->socket.kept.cork = value != 0;
    return error;
}

/* Takes the packet. */
static int send_locked(struct udp_socket *udp, const struct socket_message *message, struct packet *packet)
{
    must_hold_net();
    struct endpoint to;
    int error = find_destination(udp, message, &to);
    bool kept = udp->cork || message->flags & MSG_MORE || udp->socket.kept.cork;
    if (error == 0 && !kept)
        return udp_send(udp, packet, to, &message->way);
    if (error == 0)
        error = keep_back(udp, packet, to, message);
    packet_free(packet);
    return error;
}

/* Longer than any datagram, but of a length that an error can report: the queue of errors gets it. */
static int refuse_too_long(struct udp_socket *udp, const struct socket_message *message)
{
    struct endpoint to;
    struct ip_route route;
    net_lock();
    int error = find_destination(udp, message, &to);
    if (error == 0 && !udp->cork)
        error = udp_route(udp, to.address, message->way.interface, &route);
    if (error == 0 && !udp->cork)
        udp_queue_too_long(udp, to, ip_mtu(&route));
    net_unlock();
    return error < 0 ? error : -EMSGSIZE;
}

static ssize_type send_message(struct socket *socket, struct socket_message *message)
{
    size_t length = message->data->remaining;
    if (length > IP_MAXIMUM_LENGTH)
        return -EMSGSIZE;
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (length > UDP_PAYLOAD_LIMIT)
        return refuse_too_long(udp_of(socket), message);
    struct packet *packet = packet_allocate((uint32_t)length);
    if (!packet)
        return -ENOBUFS;
    if (length > 0 && transfer_in(message->data, packet_put(packet, (uint32_t)length), length) != (ssize_type)length) {
        packet_free(packet);
        return -EFAULT;
    }
    net_lock();
    int result = send_locked(udp_of(socket), message, packet);
    net_unlock();
    return result < 0 ? result : (ssize_type)length;
}

/* ---- Receiving ---- */

static bool receive_ready(struct udp_socket *udp)
{
    net_lock();
    bool ready = !list_empty(&udp->received) || udp->error != 0 || udp->shut_read;
    net_unlock();
    return ready;
}

struct packet_info { /* struct in_pktinfo */
    int32_t interface;
    be32 local, destination;
};
struct destination { /* struct sockaddr_in */
    uint16_t family;
    be16 port;
    be32 address;
    uint8_t zero[8];
};

static void say(struct socket_message *message, int type, const void *value, uint32_t length)
{
    socket_say(message, IPPROTO_IP, type, value, length);
}

/* The program asked for it after the datagram had come, so it is the present time. */
static void say_time(const struct socket_kept *kept, const struct udp_datagram *datagram,
                     struct socket_message *message)
{
    nanoseconds time = datagram->received != 0 ? datagram->received : clock_wall();
    struct abi_timeval coarse = timeval_of(time);
    struct {
        int64_t seconds, nanoseconds;
    } fine = { coarse.seconds, (int64_t)(time % NS_PER_SECOND) };
    if (kept->timestamp)
        socket_say(message, SOL_SOCKET, SO_TIMESTAMP, &coarse, sizeof(coarse));
    if (kept->timestamp_ns)
        socket_say(message, SOL_SOCKET, SO_TIMESTAMPNS, &fine, sizeof(fine));
}

/* What IPv6 says of datagrams of both families, and of its own alone. */
static void say_v6_packet_info(const struct udp_datagram *datagram, struct socket_message *message)
{
    struct { /* struct in6_pktinfo */
        struct ip6_bytes destination;
        int32_t interface;
    } info = { ip6_bytes_of(datagram->destination), datagram->interface };
    socket_say(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

static void say_v6(const struct socket_kept *kept, const struct udp_datagram *datagram, struct socket_message *message)
{
    int32_t limit = datagram->time_to_live, class = datagram->type_of_service;
    if (kept->tell_hop_limit)
        socket_say(message, IPPROTO_IPV6, IPV6_HOPLIMIT, &limit, sizeof(limit));
    if (kept->tell_class)
        socket_say(message, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
}

/* What the socket's options ask to be reported about a datagram, in Linux's order. */
static void say_all(const struct socket_kept *kept, struct packet *packet, struct socket_message *message)
{
    const struct udp_datagram *datagram = udp_datagram(packet);
    be32 destination = be32_of(ipv4_of(datagram->destination));
    struct packet_info info = { datagram->interface, destination, destination };
    struct destination to = { AF_INET, be16_of(datagram->destination_port), destination, { 0 } };
    int32_t lifetime = datagram->time_to_live;
    say_time(kept, datagram, message);
    if (kept->v6_packet_info)
        say_v6_packet_info(datagram, message);
    if (!ip_is_ipv4(datagram->destination)) {
        say_v6(kept, datagram, message);
        return;
    }
    if (kept->packet_info)
        say(message, IP_PKTINFO, &info, sizeof(info));
    if (kept->tell_ttl)
        say(message, IP_TTL, &lifetime, sizeof(lifetime));
    if (kept->tell_tos)
        say(message, IP_TOS, &datagram->type_of_service, 1);
    if (kept->tell_destination)
        say(message, IP_ORIGDSTADDR, &to, sizeof(to));
}

static ssize_type copy_datagram(int family, struct packet *packet, struct socket_message *message)
{
    uint32_t room = (uint32_t)min_of(message->data->remaining, (size_t)packet->length);
    if (room < packet->length)
        message->result_flags |= MSG_TRUNC;
    if (message->address)
        *message->address = (struct socket_address){ .family = (uint16_t)family, .in = udp_datagram(packet)->source };
    if (room > 0 && packet_transfer_out(packet, 0, message->data, room) < (ssize_type)room)
        return -EFAULT;
    return message->flags & MSG_TRUNC ? packet->length : room;
}

/* A peeked datagram goes back to the front. */
static void finish_datagram(struct udp_socket *udp, struct packet *packet, bool keep)
{
    net_lock();
    if (keep) {
        list_push_front(&udp->received, &packet->link);
    } else {
        udp_uncharge(udp, udp_datagram(packet)->memory);
        packet_free(packet);
    }
    net_unlock();
}

static ssize_type receive_one(struct udp_socket *udp, struct socket_message *message)
{
    net_lock();
    int error = udp->socket.operations->take_error(&udp->socket);
    struct list *node = error == 0 ? list_pop_front(&udp->received) : NULL;
    bool end = udp->shut_read;
    net_unlock();
    if (error != 0)
        return -error;
    if (!node)
        return end ? 0 : -EAGAIN;
    struct packet *packet = list_entry(node, struct packet, link);
    ssize_type result = copy_datagram(udp->socket.family, packet, message);
    say_all(&udp->socket.kept, packet, message);
    finish_datagram(udp, packet, message->flags & MSG_PEEK);
    return result;
}

/* A datagram is for one reader, but one that peeks leaves it. */
static int wait_for_datagram(struct udp_socket *udp, nanoseconds deadline, bool peek)
{
    struct wait_queue *queue = &udp->socket.queue;
    unsigned exclusive = peek ? 0 : POLLIN | POLLERR;
    return wait_as(exclusive, queue, receive_ready(udp), deadline, SLEEP_INTERRUPTIBLE);
}

static ssize_type receive_message(struct socket *socket, struct socket_message *message)
{
    struct udp_socket *udp = udp_of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
    if (message->flags & MSG_ERRQUEUE)
        return udp_receive_error(udp, message);
    for (;;) {
        mutex_lock(&socket->reading);
        ssize_type result = receive_one(udp, message);
        mutex_unlock(&socket->reading);
        if (result != -EAGAIN || socket_nonblocking(socket, message->flags))
            return result;
        int waited = wait_for_datagram(udp, deadline, message->flags & MSG_PEEK);
        if (waited < 0)
            return socket_wait_result(waited);
    }
}

static int shut_down(struct socket *socket, int how)
{
    struct udp_socket *udp = udp_of(socket);
    net_lock();
    bool connected = udp->remote.port != 0;
    if (how != SHUT_WR)
        udp->shut_read = true;
    if (how != SHUT_RD)
        udp->shut_write = true;
    wake_all(&socket->queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    net_unlock();
    return connected ? 0 : -ENOTCONN;
}

static int local_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    *out = (struct socket_address){ .family = socket->family, .in = udp_of(socket)->binding.local };
    net_unlock();
    return 0;
}

static int peer_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    struct endpoint remote = udp_of(socket)->remote;
    net_unlock();
    *out = (struct socket_address){ .family = socket->family, .in = remote };
    return remote.port == 0 ? -ENOTCONN : 0;
}

static unsigned poll_events(struct socket *socket)
{
    struct udp_socket *udp = udp_of(socket);
    net_lock();
    unsigned events = POLLOUT;
    if (!list_empty(&udp->received) || udp->shut_read)
        events |= POLLIN;
    if (udp->error != 0 || !list_empty(&udp->errors))
        events |= POLLERR;
    if (udp->shut_read)
        events |= POLLRDHUP;
    if (udp->shut_read && udp->shut_write)
        events |= POLLHUP;
    net_unlock();
    return events;
}

static int64_t readable_bytes(struct socket *socket)
{
    struct udp_socket *udp = udp_of(socket);
    net_lock();
    int64_t length = list_empty(&udp->received) ? 0 : list_entry(udp->received.next, struct packet, link)->length;
    net_unlock();
    return length;
}

static int take_error(struct socket *socket)
{
    struct udp_socket *udp = udp_of(socket);
    int error = udp->error;
    udp->error = 0;
    return error;
}

static void release(struct socket *socket)
{
    struct udp_socket *udp = udp_of(socket);
    net_lock();
    port_unbind(&udp->binding);
    multicast_leave_all(socket);
    udp_forget_errors(udp);
    forget_cork(udp);
    net_uncharge(udp->received_bytes);
    packet_free_all(&udp->received);
    net_unlock();
    heap_free(udp);
}

/* Without IP_RECVERR and IPV6_RECVERR no error waits. */
static void options_changed(struct socket *socket)
{
    if (!socket->kept.receive_errors && !socket->kept.v6_receive_errors)
        udp_forget_errors(udp_of(socket));
}

static const struct socket_operations operations = {
    .options_changed = options_changed,
    .bind = bind_address,
    .is_bound = is_bound,
    .connect = connect_address,
    .send = send_message,
    .receive = receive_message,
    .shutdown = shut_down,
    .local_address = local_address,
    .peer_address = peer_address,
    .poll = poll_events,
    .readable_bytes = readable_bytes,
    .take_error = take_error,
    .release = release,
};

int udp_socket_create(int family, struct socket **out)
{
    struct udp_socket *udp = heap_allocate_zeroed(sizeof(*udp));
    if (!udp)
        return -ENOMEM;
    socket_init(&udp->socket, &operations, family, SOCK_DGRAM, IPPROTO_UDP);
    port_binding_init(&udp->binding);
    udp->binding.local.address = socket_any(family);
    list_init(&udp->received);
    list_init(&udp->errors);
    *out = &udp->socket;
    return 0;
}
