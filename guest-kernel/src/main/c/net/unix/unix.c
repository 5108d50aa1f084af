/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets inside the machine (unix(7)): pairs, and those with a name in a memory file system or in the abstract name
 * space. Here are connections, readiness and the operations; names.c has names, stream.c the bytes of streams, and
 * packets.c SOCK_SEQPACKET and SOCK_DGRAM. No descriptors or credentials are passed: there is one process.
 *
 * Guarded by the net lock, except the bytes of streams. What stays across a sleep (a user copy, a walk along a path)
 * without the lock:
 * - the socket itself: the caller of an operation holds a reference to its file, so release() cannot come;
 * - its peer: u->peer is set once, by join(), and holds a reference until release();
 * - a peer's ring: made once, freed with the peer;
 * - that no other thread gives the socket a name: `binding`.
 */
#include "core/heap.h"
#include "core/reference.h"
#include "lib/errno.h"
#include "net/unix/private.h"

#define BACKLOG_MAXIMUM 128u

static struct unix_socket *of(struct socket *socket) { return unix_of(socket); }

void unix_put(struct unix_socket *u)
{
    if (!reference_put(&u->references))
        return;
    unix_free_packets(u);
    heap_free(u->ring);
    heap_free(u);
}

/* ---- Connections ------------------------------------------------------------------------------------------ */

static const struct socket_operations stream_operations, record_operations, datagram_operations;

static struct unix_socket *create(int type)
{
    struct unix_socket *u = heap_allocate_zeroed(sizeof(*u));
    if (!u)
        return NULL;
    const struct socket_operations *operations = type == SOCK_STREAM  ? &stream_operations
                                                 : type == SOCK_DGRAM ? &datagram_operations
                                                                      : &record_operations;
    socket_init(&u->socket, operations, AF_UNIX, type, 0);
    u->references = 1;
    list_init(&u->packets);
    list_init(&u->senders);
    list_init(&u->sender_link);
    list_init(&u->name_link);
    list_init(&u->waiting);
    list_init(&u->accept_link);
    return u;
}

static void join(struct unix_socket *a, struct unix_socket *b)
{
    if (a->socket.type == SOCK_DGRAM) {
        unix_join_datagrams(a, b);
        return;
    }
    a->peer = b;
    b->peer = a;
    reference_get(&a->references);
    reference_get(&b->references);
    a->state = b->state = UNIX_CONNECTED;
}

static int start_listening(struct socket *socket, int backlog)
{
    struct unix_socket *u = of(socket);
    net_lock();
    bool possible = u->name.path_length > 0 && (u->state == UNIX_FRESH || u->state == UNIX_LISTENING);
    if (possible) {
        u->state = UNIX_LISTENING;
        u->backlog = min_of((unsigned)max_of(backlog, 1), BACKLOG_MAXIMUM);
    }
    net_unlock();
    return possible ? 0 : -EINVAL;
}

/* The accepting end is made at once and waits in the listener's queue. Net lock. */
static int connect_to(struct unix_socket *u, struct unix_socket *listener, struct unix_socket *end)
{
    if (listener && listener->socket.type != u->socket.type)
        return -EPROTOTYPE;
    if (u->state == UNIX_CONNECTED)
        return -EISCONN;
    if (u->state != UNIX_FRESH)
        return -EINVAL; /* it listens, perhaps with connections waiting */
    if (!listener || listener->state != UNIX_LISTENING || listener->shut_read)
        return -ECONNREFUSED;
    if (listener->waiting_count >= listener->backlog)
        return -EAGAIN;
    join(u, end);
    end->name = u->peer_name = listener->name;
    end->peer_name = u->name;
    end->peer_name.family = AF_UNIX;
    list_push_back(&listener->waiting, &end->accept_link);
    listener->waiting_count++;
    wake(&listener->socket.queue, POLLIN);
    return 0;
}

static int connect_address(struct socket *socket, const struct socket_address *address)
{
    struct inode *inode = NULL;
    if (address->family != AF_UNIX || address->path_length == 0)
        return -EINVAL;
    int result = unix_find(address, &inode);
    if (result < 0)
        return result;
    struct unix_socket *end = create(socket->type);
    net_lock();
    struct unix_socket *listener = unix_owner(address, inode);
    result = end ? connect_to(of(socket), listener, end) : -ENOMEM;
    if (result < 0 && end)
        unix_put(end);
    net_unlock();
    if (inode)
        inode_put(inode);
    return result;
}

static struct unix_socket *take_waiting(struct unix_socket *u)
{
    struct list *node = list_pop_front(&u->waiting);
    if (node)
        u->waiting_count--;
    return node ? list_entry(node, struct unix_socket, accept_link) : NULL;
}

static bool accept_ready(struct unix_socket *u)
{
    net_lock();
    bool ready = !list_empty(&u->waiting) || u->state != UNIX_LISTENING || u->shut_read;
    net_unlock();
    return ready;
}

/* Gives the file's reference back. Net lock. */
static void close_end(struct unix_socket *u)
{
    u->state = UNIX_CLOSED;
    unix_free_packets(u);
    unix_disconnect(u);
    wake(&u->socket.queue, POLLOUT);
    list_for_each (link, &u->senders)
        wake(&list_entry(link, struct unix_socket, sender_link)->socket.queue, POLLOUT);
    struct unix_socket *peer = u->peer;
    u->peer = NULL;
    if (peer) {
        peer->peer_closed = true;
        wake_all(&peer->socket.queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
        unix_put(peer);
    }
    unix_put(u);
}

/* Without memory the connection goes on waiting, as the first, unless its listener has been closed meanwhile. */
static int open_waiting(struct unix_socket *listener, struct unix_socket *end, unsigned file_flags, struct file **out)
{
    int result = socket_open_file(&end->socket, file_flags, out);
    if (result == 0)
        return 0;
    net_lock();
    bool listening = listener->state == UNIX_LISTENING;
    if (listening) {
        list_push_front(&listener->waiting, &end->accept_link);
        listener->waiting_count++;
        wake(&listener->socket.queue, POLLIN); /* others may have the memory */
    }
    net_unlock();
    if (!listening)
        end->socket.operations->release(&end->socket);
    return result;
}

static int accept_connection(struct socket *socket, unsigned file_flags, struct file **out, struct socket_address *peer)
{
    struct unix_socket *u = of(socket);
    nanoseconds deadline = socket_deadline(socket->receive_timeout);
    for (;;) {
        net_lock();
        bool listening = u->state == UNIX_LISTENING && !u->shut_read;
        struct unix_socket *end = listening ? take_waiting(u) : NULL;
        net_unlock();
        if (!listening)
            return -EINVAL;
        if (end) {
            int result = open_waiting(u, end, file_flags, out);
            if (result == 0 && peer)
                *peer = end->peer_name;
            return result;
        }
        if (socket_nonblocking(socket, 0))
            return -EAGAIN;
        int waited = wait_until_exclusive(&socket->queue, POLLIN, accept_ready(u), deadline, SLEEP_INTERRUPTIBLE);
        if (waited < 0)
            return socket_wait_result(waited);
    }
}

static int shut_down(struct socket *socket, int how)
{
    struct unix_socket *u = of(socket);
    net_lock();
    u->shut_read |= how != SHUT_WR;
    u->shut_write |= how != SHUT_RD;
    wake_all(&socket->queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    if (u->peer)
        wake_all(&u->peer->socket.queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    net_unlock();
    return 0;
}

static void release(struct socket *socket)
{
    struct unix_socket *u = of(socket);
    net_lock();
    struct inode *inode = unix_forget_name(u);
    for (struct unix_socket *end; (end = take_waiting(u));)
        close_end(end);
    close_end(u);
    net_unlock();
    if (inode)
        inode_put(inode);
}

/* ---- Readiness -------------------------------------------------------------------------------------------- */

static unsigned connected_events(struct unix_socket *u)
{
    unsigned events = 0;
    bool end = u->shut_read || u->peer_closed || u->peer->shut_write;
    if (u->used > 0 || end)
        events |= POLLIN;
    if (end)
        events |= POLLRDHUP;
    if (u->peer_closed || (end && u->shut_write))
        events |= POLLHUP;
    bool full = u->socket.type == SOCK_STREAM ? unix_stream_full(u->peer) : unix_packets_full(u->peer);
    if (u->peer_closed || u->shut_write || u->peer->shut_read || !full)
        events |= POLLOUT;
    return events;
}

static unsigned poll_events(struct socket *socket)
{
    struct unix_socket *u = of(socket);
    net_lock();
    unsigned events = POLLOUT | POLLHUP;
    if (u->state == UNIX_LISTENING)
        events = list_empty(&u->waiting) ? 0 : POLLIN;
    else if (u->state == UNIX_CONNECTED)
        events = connected_events(u);
    net_unlock();
    return events;
}

static int64_t readable_bytes(struct socket *socket)
{
    struct unix_socket *u = of(socket);
    net_lock();
    int64_t bytes = u->state == UNIX_LISTENING ? -EINVAL : (int64_t)u->used;
    net_unlock();
    return bytes;
}

static int take_error(struct socket *socket)
{
    (void)socket;
    return 0; /* everything that fails here fails at once */
}

static const struct socket_operations stream_operations = {
    .bind = unix_bind,
    .connect = connect_address,
    .listen = start_listening,
    .accept = accept_connection,
    .send = unix_send_bytes,
    .receive = unix_receive_bytes,
    .shutdown = shut_down,
    .local_address = unix_local_address,
    .peer_address = unix_peer_address,
    .poll = poll_events,
    .readable_bytes = readable_bytes,
    .take_error = take_error,
    .release = release,
};
static const struct socket_operations record_operations = {
    .bind = unix_bind,
    .connect = connect_address,
    .listen = start_listening,
    .accept = accept_connection,
    .send = unix_send_packet,
    .receive = unix_receive_packet,
    .shutdown = shut_down,
    .local_address = unix_local_address,
    .peer_address = unix_peer_address,
    .poll = poll_events,
    .readable_bytes = unix_packet_bytes,
    .take_error = take_error,
    .release = release,
};
static const struct socket_operations datagram_operations = {
    .bind = unix_bind,
    .connect = unix_connect_datagrams,
    .send = unix_send_packet,
    .receive = unix_receive_packet,
    .shutdown = shut_down,
    .local_address = unix_local_address,
    .peer_address = unix_datagram_peer,
    .poll = unix_poll_datagrams,
    .readable_bytes = unix_packet_bytes,
    .take_error = take_error,
    .release = release,
};

/* SOCK_RAW is another name for SOCK_DGRAM here, as on Linux. */
static int type_of(int type)
{
    bool known = type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
    return type == SOCK_RAW ? SOCK_DGRAM : known ? type : -ESOCKTNOSUPPORT;
}

int unix_socket_create(int type, struct socket **out)
{
    type = type_of(type);
    if (type < 0)
        return type;
    struct unix_socket *u = create(type);
    if (!u)
        return -ENOMEM;
    *out = &u->socket;
    return 0;
}

int unix_socket_create_pair(int type, struct socket *out[2])
{
    type = type_of(type);
    if (type < 0)
        return type;
    struct unix_socket *a = create(type), *b = create(type);
    if (!a || !b) {
        heap_free(a);
        heap_free(b);
        return -ENOMEM;
    }
    join(a, b);
    a->name.family = b->name.family = AF_UNIX;
    out[0] = &a->socket;
    out[1] = &b->socket;
    return 0;
}
