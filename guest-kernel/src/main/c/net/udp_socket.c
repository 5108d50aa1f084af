#include "lib/errno.h"
#include "lib/heap.h"
#include "net/interface.h"
#include "net/udp_private.h"

static struct udp_socket *udp_of(struct socket *socket) { return container_of(socket, struct udp_socket, socket); }

static int bind_locked(struct udp_socket *udp, struct endpoint local)
{
    bool ours = local.address == IPV4_ANY || ipv4_is_multicast(local.address) || local.address == IPV4_BROADCAST ||
                interface_of_address(local.address) != NULL;
    if (!ours)
        return -EADDRNOTAVAIL;
    if (port_bound(&udp->binding))
        return -EINVAL;
    udp->binding.reuse_address = udp->socket.reuse_address;
    udp->binding.reuse_port = udp->socket.reuse_port;
    return port_bind(&udp_ports, &udp->binding, local);
}

static int bind_address(struct socket *socket, const struct socket_address *address)
{
    if (address->family != AF_INET)
        return -EAFNOSUPPORT;
    net_lock();
    int result = bind_locked(udp_of(socket), address->in);
    net_unlock();
    return result;
}

static int bind_if_needed(struct udp_socket *udp)
{
    return port_bound(&udp->binding) ? 0 : bind_locked(udp, (struct endpoint){ 0 });
}

static int connect_locked(struct udp_socket *udp, struct endpoint remote)
{
    struct ip_route route;
    if (remote.address == IPV4_ANY)
        remote.address = IPV4_LOOPBACK;
    int error = ip_route(remote.address, &route);
    if (error == 0 && route.broadcast && !udp->socket.broadcast)
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

static int send_locked(struct udp_socket *udp, const struct socket_address *address, struct packet *packet)
{
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
    return udp_send(udp, packet, to);
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
    int result = send_locked(udp_of(socket), message->address, packet);
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
    finish_datagram(udp, packet, message->flags & MSG_PEEK);
    return result;
}

static ssize_type receive_message(struct socket *socket, struct socket_message *message)
{
    struct udp_socket *udp = udp_of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
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
