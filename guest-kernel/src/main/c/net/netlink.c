/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of AF_NETLINK (netlink(7)), of the protocol NETLINK_ROUTE only. What is sent is read as questions, which
 * rtnetlink.c answers at once; what is received are its answers. A socket may join groups, but none ever gets a
 * message.
 *
 * Guarded by the net lock; a datagram that is being read belongs to its reader, one at a time by `reading`.
 */
#include "net/netlink.h"

#include "core/heap.h"
#include "lib/errno.h"

#define QUESTION_LIMIT 4096u /* bytes that are looked at of what is sent */

static uint32_t last_port; /* net lock: given to sockets that are not the first */

static struct netlink_socket *of(struct socket *socket) { return container_of(socket, struct netlink_socket, socket); }

static void bind_if_needed(struct netlink_socket *netlink)
{
    if (netlink->port == 0)
        netlink->port = last_port++ == 0 ? 1 : (uint32_t) - (int32_t)last_port;
}

static ssize_type send_message(struct socket *socket, struct socket_message *message)
{
    size_t length = message->data->remaining;
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (message->address && message->address->family != AF_NETLINK)
        return -EINVAL;
    if (message->address && message->address->netlink.port != 0)
        return -ECONNREFUSED;
    if (length > QUESTION_LIMIT)
        return -EMSGSIZE;
    uint8_t *bytes = heap_allocate(max_of(length, (size_t)1));
    if (!bytes)
        return -ENOBUFS;
    int error = length > 0 && transfer_in(message->data, bytes, length) != (ssize_type)length ? -EFAULT : 0;
    net_lock();
    if (error == 0) {
        bind_if_needed(of(socket));
        error = rtnetlink_answer(of(socket), bytes, (uint32_t)length);
    }
    net_unlock();
    heap_free(bytes);
    return error < 0 ? error : (ssize_type)length;
}

static ssize_type copy_answer(const struct netlink_answer *answer, struct socket_message *message)
{
    size_t room = min_of(message->data->remaining, (size_t)answer->length);
    if (room < answer->length)
        message->result_flags |= MSG_TRUNC;
    if (message->address)
        *message->address = (struct socket_address){ .family = AF_NETLINK };
    if (room > 0 && transfer_out(message->data, answer->bytes, room) < (ssize_type)room)
        return -EFAULT;
    return message->flags & MSG_TRUNC ? answer->length : (ssize_type)room;
}

/* Under `reading`. */
static ssize_type receive_one(struct netlink_socket *netlink, struct socket_message *message)
{
    net_lock();
    struct list *node = list_pop_front(&netlink->answers);
    net_unlock();
    if (!node)
        return -EAGAIN;
    struct netlink_answer *answer = list_entry(node, struct netlink_answer, link);
    ssize_type result = copy_answer(answer, message);
    bool keep = message->flags & MSG_PEEK;
    net_lock();
    if (keep)
        list_push_front(&netlink->answers, &answer->link);
    else
        netlink->waiting -= answer->length;
    net_unlock();
    if (!keep)
        heap_free(answer);
    return result;
}

static ssize_type receive_message(struct socket *socket, struct socket_message *message)
{
    struct netlink_socket *netlink = of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    for (;;) {
        mutex_lock(&socket->reading);
        ssize_type result = receive_one(netlink, message);
        mutex_unlock(&socket->reading);
        if (result != -EAGAIN || socket_nonblocking(socket, message->flags))
            return result;
        int waited = wait_until(&socket->queue, read_once(netlink->waiting) > 0, deadline, SLEEP_INTERRUPTIBLE);
        if (waited < 0)
            return socket_wait_result(waited);
    }
}

static int bind_address(struct socket *socket, const struct socket_address *address)
{
    struct netlink_socket *netlink = of(socket);
    if (address->family != AF_NETLINK)
        return -EINVAL;
    net_lock();
    bool other = netlink->port != 0 && address->netlink.port != 0 && address->netlink.port != netlink->port;
    if (!other) {
        if (address->netlink.port != 0)
            netlink->port = address->netlink.port;
        bind_if_needed(netlink);
        netlink->groups = address->netlink.groups;
    }
    net_unlock();
    return other ? -EINVAL : 0;
}

/* The kernel is the only one to talk to. */
static int connect_address(struct socket *socket, const struct socket_address *address)
{
    if (address->family != AF_NETLINK && address->family != AF_UNSPEC)
        return -EINVAL;
    if (address->family == AF_NETLINK && address->netlink.port != 0)
        return -ECONNREFUSED;
    net_lock();
    bind_if_needed(of(socket));
    net_unlock();
    return 0;
}

static int local_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    *out = (struct socket_address){ .family = AF_NETLINK, .netlink = { of(socket)->port, of(socket)->groups } };
    net_unlock();
    return 0;
}

static int peer_address(struct socket *socket, struct socket_address *out)
{
    (void)socket;
    *out = (struct socket_address){ .family = AF_NETLINK };
    return 0;
}

static int shut_down(struct socket *socket, int how)
{
    (void)socket;
    (void)how;
    return -EOPNOTSUPP;
}

static unsigned poll_events(struct socket *socket)
{
    return POLLOUT | (read_once(of(socket)->waiting) > 0 ? POLLIN : 0);
}

static int64_t readable_bytes(struct socket *socket)
{
    struct netlink_socket *netlink = of(socket);
    net_lock();
    int64_t length = list_empty(&netlink->answers)
                         ? 0
                         : list_entry(netlink->answers.next, struct netlink_answer, link)->length;
    net_unlock();
    return length;
}

static int take_error(struct socket *socket)
{
    (void)socket;
    return 0;
}

static void release(struct socket *socket)
{
    struct netlink_socket *netlink = of(socket);
    list_for_each_safe (link, &netlink->answers)
        heap_free(list_entry(link, struct netlink_answer, link));
    heap_free(netlink);
}

static const struct socket_operations operations = {
    .bind = bind_address,
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

int netlink_socket_create(int type, int protocol, struct socket **out)
{
    enum { NETLINK_ROUTE = 0 };
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol != NETLINK_ROUTE)
        return -EPROTONOSUPPORT;
    struct netlink_socket *netlink = heap_allocate_zeroed(sizeof(*netlink));
    if (!netlink)
        return -ENOMEM;
    socket_init(&netlink->socket, &operations, AF_NETLINK, type, protocol);
    list_init(&netlink->answers);
    *out = &netlink->socket;
    return 0;
}
