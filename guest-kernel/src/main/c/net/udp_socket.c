#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/string.h"
#include "net/interface.h"
#include "net/udp_private.h"

static struct udp_socket *udp_of(struct socket *socket) { return container_of(socket, struct udp_socket, socket); }

static int bind_locked(struct udp_socket *udp, struct endpoint local)
{
    const struct socket_kept *kept = &udp->socket.kept;
    bool ours = local.address == IPV4_ANY || ipv4_is_multicast(local.address) || local.address == IPV4_BROADCAST ||
                interface_of_address(local.address) != NULL || kept->transparent || kept->free_bind;
    if (!ours)
        return -EADDRNOTAVAIL;
    if (port_bound(&udp->binding))
        return -EINVAL;
    udp->binding.reuse_address = udp->socket.kept.reuse_address;
    udp->binding.reuse_port = udp->socket.kept.reuse_port;
    return port_bind(&udp_ports, &udp->binding, local);
}

/* IP_BIND_ADDRESS_NO_PORT: the port is found when one is needed. */
static int bind_or_note(struct udp_socket *udp, struct endpoint local)
{
    if (local.port != 0 || !udp->socket.kept.no_port || port_bound(&udp->binding))
        return bind_locked(udp, local);
    if (local.address != IPV4_ANY && interface_of_address(local.address) == NULL)
        return -EADDRNOTAVAIL;
    udp->binding.local = local;
    return 0;
}

static int bind_address(struct socket *socket, const struct socket_address *address)
{
    if (address->family != AF_INET)
        return -EAFNOSUPPORT;
    net_lock();
    int result = bind_or_note(udp_of(socket), address->in);
    net_unlock();
    return result;
}

static int bind_if_needed(struct udp_socket *udp)
{
    return port_bound(&udp->binding) ? 0 : bind_locked(udp, udp->binding.local);
}

static int connect_locked(struct udp_socket *udp, struct endpoint remote)
{
    struct ip_route route;
    if (remote.address == IPV4_ANY)
        remote.address = IPV4_LOOPBACK;
    int error = ip_route(remote.address, &route);
    if (error == 0 && route.broadcast && !udp->socket.kept.broadcast)
        error = -EACCES;
    if (error == 0)
        error = bind_if_needed(udp);
    if (error < 0)
        return error;
    if (udp->binding.local.address == IPV4_ANY)
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
        result = address->family == AF_INET ? connect_locked(udp, address->in) : -EAFNOSUPPORT;
    net_unlock();
    return result;
}

static int send_locked(struct udp_socket *udp, const struct socket_message *message, struct packet *packet)
{
    const struct socket_address *address = message->address;
    struct endpoint to = address != NULL ? address->in : udp->remote;
    int error = 0;
    if (udp->shut_write)
        error = -EPIPE;
    else if (udp->error != 0)
        error = -udp->socket.operations->take_error(&udp->socket);
    else if (address != NULL && address->family != AF_INET)
        error = -EAFNOSUPPORT;
    else if (to.port == 0)
        error = address != NULL ? -EINVAL : -EDESTADDRREQ;
    else
        error = bind_if_needed(udp);
    if (error < 0) {
        packet_free(packet);
        return error;
    }
    if (to.address == IPV4_ANY)
        to.address = IPV4_LOOPBACK;
    return udp_send(udp, packet, to, message);
}

static ssize_type send_message(struct socket *socket, struct socket_message *message)
{
    size_t length = message->data->remaining;
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (length > UDP_PAYLOAD_LIMIT)
        return -EMSGSIZE;
    struct packet *packet = packet_allocate((uint32_t)length);
    if (packet == NULL)
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

static bool receive_ready(struct udp_socket *udp)
{
    net_lock();
    bool ready = !list_empty(&udp->received) || udp->error != 0 || udp->shut_read;
    net_unlock();
    return ready;
}

struct packet_info {                 /* struct in_pktinfo */
    int32_t interface;
    be32 local, destination;
};
struct destination {                 /* struct sockaddr_in */
    uint16_t family;
    be16 port;
    be32 address;
    uint8_t zero[8];
};

static void say(struct socket_message *message, int type, const void *value, uint32_t length)
{
    struct socket_control *control = &message->controls[message->control_count++];
    *control = (struct socket_control){ .level = IPPROTO_IP, .type = type, .length = length };
    memcpy(control->value, value, length);
}

/* What the socket's options ask to be said of a datagram, in Linux's order. */
static void say_all(const struct socket_kept *kept, struct packet *packet, struct socket_message *message)
{
    const struct udp_datagram *datagram = udp_datagram(packet);
    struct packet_info info = { datagram->interface, be32_of(datagram->destination), be32_of(datagram->destination) };
    struct destination to = { AF_INET, be16_of(datagram->destination_port), be32_of(datagram->destination), { 0 } };
    int32_t lifetime = datagram->time_to_live;
    if (kept->packet_info)
        say(message, IP_PKTINFO, &info, sizeof(info));
    if (kept->tell_ttl)
        say(message, IP_TTL, &lifetime, sizeof(lifetime));
    if (kept->tell_tos)
        say(message, IP_TOS, &datagram->type_of_service, 1);
    if (kept->tell_destination)
        say(message, IP_ORIGDSTADDR, &to, sizeof(to));
}

static ssize_type copy_datagram(struct packet *packet, struct socket_message *message)
{
    uint32_t room = (uint32_t)min_of(message->data->remaining, (size_t)packet->length);
    if (room < packet->length)
        message->result_flags |= MSG_TRUNC;
    if (message->address != NULL)
        *message->address = (struct socket_address){ .family = AF_INET, .in = udp_datagram(packet)->source };
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
        udp->received_bytes -= udp_datagram(packet)->memory;
        net_uncharge(udp_datagram(packet)->memory);
        packet_free(packet);
    }
    net_unlock();
}

static ssize_type receive_one(struct udp_socket *udp, struct socket_message *message)
{
    net_lock();
    struct list *node = list_pop_front(&udp->received);
    int error = node == NULL ? udp->socket.operations->take_error(&udp->socket) : 0;
    bool end = udp->shut_read;
    net_unlock();
    if (error != 0)
        return -error;
    if (node == NULL)
        return end ? 0 : -EAGAIN;
    struct packet *packet = list_entry(node, struct packet, link);
    ssize_type result = copy_datagram(packet, message);
    say_all(&udp->socket.kept, packet, message);
    finish_datagram(udp, packet, message->flags & MSG_PEEK);
    return result;
}

static ssize_type receive_message(struct socket *socket, struct socket_message *message)
{
    struct udp_socket *udp = udp_of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
    if (message->flags & MSG_ERRQUEUE)
        return -EAGAIN;               /* errors are told by the next call; none is queued */
    for (;;) {
        mutex_lock(&socket->reading);
        ssize_type result = receive_one(udp, message);
        mutex_unlock(&socket->reading);
        if (result != -EAGAIN || socket_nonblocking(socket, message->flags))
            return result;
        int waited = wait_until(&socket->queue, receive_ready(udp), deadline, SLEEP_KILLABLE_BY_SIGNAL);
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
    wake(&socket->queue, POLL_IN | POLL_OUT | POLL_RDHUP | POLL_HANGUP);
    net_unlock();
    return connected ? 0 : -ENOTCONN;
}

static int local_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    *out = (struct socket_address){ .family = AF_INET, .in = udp_of(socket)->binding.local };
    net_unlock();
    return 0;
}

static int peer_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    struct endpoint remote = udp_of(socket)->remote;
    net_unlock();
    *out = (struct socket_address){ .family = AF_INET, .in = remote };
    return remote.port == 0 ? -ENOTCONN : 0;
}

static unsigned poll_events(struct socket *socket)
{
    struct udp_socket *udp = udp_of(socket);
    net_lock();
    unsigned events = POLL_OUT;
    if (!list_empty(&udp->received) || udp->shut_read)
        events |= POLL_IN;
    if (udp->error != 0)
        events |= POLL_ERROR | POLL_IN;
    if (udp->shut_read)
        events |= POLL_RDHUP;
    if (udp->shut_read && udp->shut_write)
        events |= POLL_HANGUP;
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
    net_uncharge(udp->received_bytes);
    packet_free_all(&udp->received);
    net_unlock();
    heap_free(udp);
}

static const struct socket_operations operations = {
    .bind = bind_address, .connect = connect_address, .send = send_message, .receive = receive_message,
    .shutdown = shut_down, .local_address = local_address, .peer_address = peer_address, .poll = poll_events,
    .readable_bytes = readable_bytes, .take_error = take_error, .release = release,
};

int udp_socket_create(struct socket **out)
{
    struct udp_socket *udp = heap_allocate_zeroed(sizeof(*udp));
    if (udp == NULL)
        return -ENOMEM;
    socket_init(&udp->socket, &operations, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    port_binding_init(&udp->binding);
    list_init(&udp->received);
    *out = &udp->socket;
    return 0;
}
