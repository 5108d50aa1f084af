/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets that keep messages apart. What is sent waits at the receiver, at most QUEUE_LIMIT bytes of it but always
 * one message. A sender that finds no room waits in the receiver's queue, and has a reference to it.
 */
#include "core/heap.h"
#include "core/reference.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/unix/private.h"

#define QUEUE_LIMIT 212992u   /* bytes, net.core.rmem_default of Linux */
#define MESSAGE_LIMIT 131072u /* bytes of one message */

struct unix_packet {
    struct list link;
    uint32_t length;
    struct socket_address from;
    uint8_t bytes[];
};

static uint32_t cost_of(const struct unix_packet *packet) { return packet->length + (uint32_t)sizeof(*packet); }

bool unix_packets_full(const struct unix_socket *u) { return u->used >= QUEUE_LIMIT; }

static bool is_datagram(const struct unix_socket *u) { return u->socket.type == SOCK_DGRAM; }

void unix_free_packets(struct unix_socket *u)
{
    for (struct list *node; (node = list_pop_front(&u->packets));)
        heap_free(list_entry(node, struct unix_packet, link));
    u->used = 0;
}

/* ---- Sending ---- */

/* The receiver of a message. With a reference; net lock. */
static int find_receiver(struct unix_socket *u, const struct socket_address *to, const struct inode *inode,
                         struct unix_socket **out)
{
    struct unix_socket *receiver = to ? unix_owner(to, inode) : is_datagram(u) ? u->target : u->peer;
    if (!is_datagram(u) && u->state != UNIX_CONNECTED)
        return -ENOTCONN;
    if (!receiver)
        return to ? -ECONNREFUSED : -ENOTCONN;
    if (receiver->state == UNIX_CLOSED && is_datagram(u)) {
        unix_disconnect(u);
        return -ECONNREFUSED;
    }
    if (receiver->socket.type != u->socket.type)
        return -EPROTOTYPE;
    if (is_datagram(u) && receiver->target && receiver->target != u)
        return -EPERM;
    reference_get(&receiver->references);
    *out = receiver;
    return 0;
}

/* Net lock. */
static int deliver(struct unix_socket *u, struct unix_socket *receiver, struct unix_packet *packet)
{
    if (u->shut_write || receiver->shut_read || u->peer_closed)
        return -EPIPE;
    if (receiver->state == UNIX_CLOSED)
        return -ECONNREFUSED;
    if (unix_packets_full(receiver))
        return -EAGAIN;
    packet->from = u->name;
    packet->from.family = AF_UNIX;
    list_push_back(&receiver->packets, &packet->link);
    receiver->used += cost_of(packet);
    wake(&receiver->socket.queue, POLLIN);
    return 0;
}

static bool may_deliver(struct unix_socket *u, struct unix_socket *receiver)
{
    net_lock();
    bool ready = !unix_packets_full(receiver) || u->shut_write || receiver->shut_read || u->peer_closed ||
                 receiver->state == UNIX_CLOSED;
    net_unlock();
    return ready;
}

static int deliver_in_time(struct unix_socket *u, struct unix_socket *receiver, struct unix_packet *packet,
                           unsigned flags)
{
    nanoseconds deadline = socket_deadline(u->socket.send_timeout);
    for (;;) {
        net_lock();
        int error = deliver(u, receiver, packet);
        net_unlock();
        if (error != -EAGAIN || socket_nonblocking(&u->socket, flags))
            return error;
        error = wait_until(&receiver->socket.queue, may_deliver(u, receiver), deadline, SLEEP_INTERRUPTIBLE);
        if (error < 0)
            return socket_wait_result(error);
    }
}

static int send_to(struct unix_socket *u, const struct socket_address *to, struct unix_packet *packet, unsigned flags)
{
    struct inode *inode = NULL;
    struct unix_socket *receiver;
    int error = to ? unix_find(to, &inode) : 0;
    if (error < 0)
        return error;
    net_lock();
    error = find_receiver(u, to, inode, &receiver);
    net_unlock();
    if (inode)
        inode_put(inode);
    if (error < 0)
        return error;
    error = deliver_in_time(u, receiver, packet, flags);
    net_lock();
    unix_put(receiver);
    net_unlock();
    return error;
}

static int check_destination(const struct unix_socket *u, const struct socket_message *message)
{
    const struct socket_address *to = message->address;
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (!to)
        return 0;
    if (!is_datagram(u))
        return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    return to->family == AF_UNIX && to->path_length > 0 ? 0 : -EINVAL;
}

ssize_type unix_send_packet(struct socket *socket, struct socket_message *message)
{
    struct unix_socket *u = unix_of(socket);
    size_t length = message->data->remaining;
    int error = check_destination(u, message);
    if (error < 0)
        return error;
    if (length > MESSAGE_LIMIT)
        return -EMSGSIZE;
    struct unix_packet *packet = heap_allocate_at(sizeof(*packet) + length, PAGES_NEEDED);
    if (!packet)
        return -ENOBUFS;
    packet->length = (uint32_t)length;
    if (length > 0 && transfer_in(message->data, packet->bytes, length) != (ssize_type)length)
        error = -EFAULT;
    if (error == 0)
        error = send_to(u, is_datagram(u) ? message->address : NULL, packet, message->flags);
    if (error < 0)
        heap_free(packet);
    return error < 0 ? error : (ssize_type)length;
}

/* ---- Receiving ---- */

/* Wakes the senders that wait, and the instances of epoll that watch them. Net lock. */
static void announce_room(struct unix_socket *u)
{
    wake(&u->socket.queue, POLLOUT);
    if (u->peer)
        wake(&u->peer->socket.queue, POLLOUT);
    list_for_each (link, &u->senders)
        wake(&list_entry(link, struct unix_socket, sender_link)->socket.queue, POLLOUT);
}

static ssize_type copy_packet(const struct unix_packet *packet, struct socket_message *message)
{
    size_t room = min_of(message->data->remaining, (size_t)packet->length);
    if (room < packet->length)
        message->result_flags |= MSG_TRUNC;
    if (message->address)
        *message->address = packet->from;
    if (room > 0 && transfer_out(message->data, packet->bytes, room) < (ssize_type)room)
        return -EFAULT;
    return message->flags & MSG_TRUNC ? packet->length : (ssize_type)room;
}

/* The reason that there is nothing to read. Net lock. */
static int nothing_there(const struct unix_socket *u)
{
    if (!is_datagram(u) && u->state != UNIX_CONNECTED)
        return -ENOTCONN;
    bool end = u->shut_read || u->peer_closed || (u->peer && u->peer->shut_write);
    return end ? 0 : -EAGAIN;
}

/* Under `reading`: a packet that was taken out of the list is this reader's. */
static ssize_type receive_one(struct unix_socket *u, struct socket_message *message)
{
    net_lock();
    struct list *node = list_pop_front(&u->packets);
    int nothing = !node ? nothing_there(u) : 0;
    net_unlock();
    if (!node)
        return nothing;
    struct unix_packet *packet = list_entry(node, struct unix_packet, link);
    ssize_type result = copy_packet(packet, message);
    bool keep = message->flags & MSG_PEEK;
    net_lock();
    if (keep) {
        list_push_front(&u->packets, &packet->link);
    } else {
        u->used -= cost_of(packet);
        announce_room(u);
    }
    net_unlock();
    if (!keep)
        heap_free(packet);
    return result;
}

static bool receive_ready(struct unix_socket *u)
{
    net_lock();
    bool ready = !list_empty(&u->packets) || nothing_there(u) != -EAGAIN;
    net_unlock();
    return ready;
}

/* A packet is for one reader, but one that peeks leaves it. */
static int wait_for_packet(struct unix_socket *u, nanoseconds deadline, bool peek)
{
    struct wait_queue *queue = &u->socket.queue;
    unsigned exclusive = peek ? 0 : POLLIN;
    return wait_as(exclusive, queue, receive_ready(u), deadline, SLEEP_INTERRUPTIBLE);
}

ssize_type unix_receive_packet(struct socket *socket, struct socket_message *message)
{
    struct unix_socket *u = unix_of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    for (;;) {
        mutex_lock(&socket->reading);
        ssize_type result = receive_one(u, message);
        mutex_unlock(&socket->reading);
        if (result != -EAGAIN || socket_nonblocking(socket, message->flags))
            return result;
        int waited = wait_for_packet(u, deadline, message->flags & MSG_PEEK);
        if (waited < 0)
            return socket_wait_result(waited);
    }
}

int64_t unix_packet_bytes(struct socket *socket)
{
    struct unix_socket *u = unix_of(socket);
    net_lock();
    int64_t bytes = list_empty(&u->packets) ? 0 : list_entry(u->packets.next, struct unix_packet, link)->length;
    if (u->state == UNIX_LISTENING)
        bytes = -EINVAL;
    net_unlock();
    return bytes;
}

/* ---- Datagrams: connections are a default receiver ---- */

void unix_disconnect(struct unix_socket *u)
{
    struct unix_socket *target = u->target;
    if (!target)
        return;
    list_remove(&u->sender_link);
    u->target = NULL;
    unix_put(target);
}

static void set_target(struct unix_socket *u, struct unix_socket *target)
{
    reference_get(&target->references);
    unix_disconnect(u);
    u->target = target;
    list_push_back(&target->senders, &u->sender_link);
}

void unix_join_datagrams(struct unix_socket *a, struct unix_socket *b)
{
    set_target(a, b);
    set_target(b, a);
}

int unix_connect_datagrams(struct socket *socket, const struct socket_address *address)
{
    struct unix_socket *u = unix_of(socket), *receiver;
    struct inode *inode = NULL;
    bool dissolve = address->family == AF_UNSPEC;
    if (!dissolve && (address->family != AF_UNIX || address->path_length == 0))
        return -EINVAL;
    int error = dissolve ? 0 : unix_find(address, &inode);
    if (error < 0)
        return error;
    net_lock();
    if (dissolve)
        unix_disconnect(u);
    else
        error = find_receiver(u, address, inode, &receiver);
    if (!dissolve && error == 0) {
        set_target(u, receiver);
        unix_put(receiver);
    }
    net_unlock();
    if (inode)
        inode_put(inode);
    return error;
}

int unix_datagram_peer(struct socket *socket, struct socket_address *out)
{
    struct unix_socket *u = unix_of(socket);
    net_lock();
    bool connected = u->target;
    *out = connected ? u->target->name : (struct socket_address){ 0 };
    net_unlock();
    out->family = AF_UNIX;
    return connected ? 0 : -ENOTCONN;
}

unsigned unix_poll_datagrams(struct socket *socket)
{
    struct unix_socket *u = unix_of(socket);
    net_lock();
    bool full = u->target && u->target->state != UNIX_CLOSED && unix_packets_full(u->target);
    unsigned events = full ? 0 : POLLOUT;
    if (!list_empty(&u->packets) || u->shut_read)
        events |= POLLIN;
    if (u->shut_read)
        events |= POLLRDHUP;
    if (u->shut_read && u->shut_write)
        events |= POLLHUP;
    net_unlock();
    return events;
}
