/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of Unix sockets: each end has a ring for the bytes that are sent to it, made when the first byte comes.
 *
 * A ring's reader and its writer, one each by the socket's mutexes, touch disjoint parts of it without the net lock;
 * `read_at` and `used` change under it only. A peer stays as long as the socket (unix.c), and its ring as long as the
 * peer. These are the operations send and receive of unix.c; without locks, since user memory may fault.
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "net/unix/private.h"
#include "threads/thread.h"

#define RING_SIZE (32u * 1024)

static struct unix_socket *of(struct socket *socket) { return unix_of(socket); }

bool unix_stream_full(const struct unix_socket *u)
{
    must_hold_net();
    return u->used >= RING_SIZE;
}

/* The reason that nothing can be sent now; 0: there is room, *run bytes of it at *at in one piece. */
static int send_room(struct unix_socket *u, uint32_t *at, uint32_t *run)
{
    struct unix_socket *peer = u->peer;
    if (u->state == UNIX_FRESH || u->state == UNIX_LISTENING)
        return -ENOTCONN;
    if (u->shut_write || u->peer_closed || peer->shut_read)
        return -EPIPE;
    if (!peer->ring)
        peer->ring = heap_allocate(RING_SIZE);
    if (!peer->ring)
        return -ENOBUFS;
    *at = (peer->read_at + peer->used) % RING_SIZE;
    *run = min_of(RING_SIZE - peer->used, RING_SIZE - *at);
    return *run > 0 ? 0 : -EAGAIN;
}

static ssize_type send_some(struct unix_socket *u, struct transfer *from)
{
    uint32_t at = 0, run = 0;
    net_lock();
    int error = send_room(u, &at, &run);
    struct unix_socket *peer = u->peer;
    net_unlock();
    if (error < 0)
        return error;
    ssize_type moved = transfer_in(from, peer->ring + at, run);
    if (moved <= 0)
        return -EFAULT;
    net_lock();
    peer->used += (uint32_t)moved;
    wake(&peer->socket.queue, POLLIN);
    net_unlock();
    return moved;
}

static bool send_ready(struct unix_socket *u)
{
    uint32_t at, run;
    net_lock();
    bool ready = send_room(u, &at, &run) != -EAGAIN;
    net_unlock();
    return ready;
}

ssize_type unix_send_bytes(struct socket *socket, struct socket_message *message)
{
    struct unix_socket *u = of(socket);
    nanoseconds deadline = socket_deadline(socket->send_timeout);
    ssize_type done = 0, moved = 0;
    if (message->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (message->address)
        return read_once(u->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    while (message->data->remaining > 0) {
        mutex_lock(&socket->writing);
        moved = send_some(u, message->data);
        mutex_unlock(&socket->writing);
        if (moved > 0) {
            done += moved;
            continue;
        }
        if (moved != -EAGAIN || socket_nonblocking(socket, message->flags))
            break;
        moved = wait_until(&socket->queue, send_ready(u), deadline, SLEEP_INTERRUPTIBLE);
        if (moved < 0) {
            moved = socket_wait_result((int)moved);
            break;
        }
    }
    return done > 0 ? done : min_of(moved, (ssize_type)0);
}

static ssize_type receive_some(struct unix_socket *u, struct transfer *to, bool peek)
{
    net_lock();
    bool connected = u->state == UNIX_CONNECTED;
    bool end = u->shut_read || u->peer_closed || (connected && u->peer->shut_write);
    uint32_t at = u->read_at, run = min_of(u->used, RING_SIZE - at);
    net_unlock();
    if (!connected)
        return -EINVAL;
    if (run == 0 || u->shut_read)
        return end ? 0 : -EAGAIN;
    ssize_type moved = transfer_out(to, u->ring + at, run);
    if (moved <= 0)
        return -EFAULT;
    if (peek)
        return moved;
    net_lock();
    u->read_at = (u->read_at + (uint32_t)moved) % RING_SIZE;
    u->used -= (uint32_t)moved;
    wake(&u->peer->socket.queue, POLLOUT);
    net_unlock();
    return moved;
}

static bool receive_ready(struct unix_socket *u)
{
    net_lock();
    bool ready = u->state != UNIX_CONNECTED || u->used > 0 || u->shut_read || u->peer_closed || u->peer->shut_write;
    net_unlock();
    return ready;
}

/* Reads what there is, twice where the ring wraps. */
static ssize_type receive_available(struct unix_socket *u, struct socket_message *message)
{
    bool peek = message->flags & MSG_PEEK;
    ssize_type first = receive_some(u, message->data, peek);
    if (first <= 0 || peek || message->data->remaining == 0)
        return first;
    ssize_type second = receive_some(u, message->data, false);
    return second > 0 ? first + second : first;
}

ssize_type unix_receive_bytes(struct socket *socket, struct socket_message *message)
{
    struct unix_socket *u = of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
    ssize_type done = 0;
    if (message->flags & MSG_OOB)
        return -EINVAL;
    if (message->data->remaining == 0)
        return 0;
    for (;;) {
        mutex_lock(&socket->reading);
        ssize_type moved = receive_available(u, message);
        mutex_unlock(&socket->reading);
        if (moved > 0)
            done += moved;
        bool more_wanted = moved > 0 && message->flags & MSG_WAITALL && message->data->remaining > 0;
        bool may_wait = moved == -EAGAIN && !socket_nonblocking(socket, message->flags);
        if (!more_wanted && !may_wait)
            return done > 0 ? done : moved;
        int waited = wait_until(&socket->queue, receive_ready(u), deadline, SLEEP_INTERRUPTIBLE);
        if (waited < 0)
            return done > 0 ? done : socket_wait_result(waited);
    }
}
