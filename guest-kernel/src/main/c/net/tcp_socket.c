/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sockets as the system calls see them: naming, connecting, accepting, closing, readiness.
 *
 * A socket listens, or has a connection, or neither. It holds one reference to its connection, which points back with
 * tcp->socket until the socket lets go of it; the connection may be TCP_CLOSED then already. A connection in the
 * listener's queue has no socket until it is accepted.
 *
 * Called through the operations of the socket (socket.h), without the net lock but for take_error() and those of
 * tcp_socket_options.c. Everything is checked under the net lock; waiting is done without it, and everything is checked
 * again afterwards. release() may sleep (SO_LINGER).
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "net/interface.h"
#include "net/tcp_private.h"

static bool address_is_ours(struct ip_address address) { return ip_is_any(address) || interface_of_address(address); }

/* ---- Names ------------------------------------------------------------------------------------------------ */

static int bind_locked(struct tcp_socket *socket, struct endpoint local)
{
    must_hold_net();
    if (!address_is_ours(local.address) && !socket->socket.kept.transparent && !socket->socket.kept.free_bind)
        return -EADDRNOTAVAIL;
    if (port_bound(&socket->binding) || socket->connection)
        return -EINVAL;
    socket->binding.reuse_address = socket->socket.kept.reuse_address;
    socket->binding.reuse_port = socket->socket.kept.reuse_port;
    socket->binding.v6_only = socket->socket.kept.v6_only;
    return port_bind(&tcp_ports, &socket->binding, local);
}

/* IP_BIND_ADDRESS_NO_PORT: the port is found by connect(), or listen(). */
static int bind_or_note(struct tcp_socket *socket, struct endpoint local)
{
    if (local.port != 0 || !socket->socket.kept.no_port)
        return bind_locked(socket, local);
    if (!address_is_ours(local.address))
        return -EADDRNOTAVAIL;
    if (port_bound(&socket->binding) || socket->connection)
        return -EINVAL;
    socket->binding.local = local;
    return 0;
}

static int bind_address(struct socket *base, const struct socket_address *address)
{
    struct endpoint local;
    net_lock();
    int result = socket_own_name(base, address, &local);
    if (result == 0)
        result = bind_or_note(tcp_socket_of(base), local);
    net_unlock();
    return result;
}

static bool is_bound(const struct socket *base)
{
    const struct tcp_socket *socket = container_of(base, struct tcp_socket, socket);
    return port_bound(&socket->binding) || socket->connection;
}

static int local_address(struct socket *base, struct socket_address *out)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    net_lock();
    struct endpoint local = socket->connection ? socket->connection->entry.local : socket->binding.local;
    net_unlock();
    *out = (struct socket_address){ .family = base->family, .in = local };
    return 0;
}

static bool connected(const struct tcp *tcp) { return tcp && tcp->state != TCP_CLOSED && tcp->state != TCP_SYN_SENT; }

static int peer_address(struct socket *base, struct socket_address *out)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    net_lock();
    bool known = connected(socket->connection);
    if (known)
        *out = (struct socket_address){ .family = base->family, .in = socket->connection->entry.remote };
    net_unlock();
    return known ? 0 : -ENOTCONN;
}

/* ---- Connecting ------------------------------------------------------------------------------------------- */

static void forget_connection(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    socket->connection = NULL;
    tcp->socket = NULL;
    tcp_put(tcp);
}

static void send_first_syn(struct tcp *tcp, const struct ip_route *route, const struct tcp_socket *socket)
{
    tcp_take_options(tcp, socket);
    uint32_t mss = tcp_mss_for(route);
    tcp->announced_mss = (uint16_t)(tcp->kept.max_segment != 0 ? min_of(mss, tcp->kept.max_segment) : mss);
    tcp->receive_shift = tcp_receive_shift(socket->socket.receive_buffer);
    tcp->timestamps = tcp->sack = tcp->scaling = true;
    uint32_t first = tcp_initial_sequence(tcp->entry.local, tcp->entry.remote);
    tcp->send_unacknowledged = tcp->send_next = first;
    tcp->send_end = tcp->small_end = tcp->push_end = tcp->recover = first + 1;
    tcp->state = TCP_SYN_SENT;
    tcp_counts.active_opens++;
    tcp_send_syn(tcp);
    tcp_retransmit_start(tcp);
}

/* The pair's place in the table may hold a closed connection that a new one can follow. */
static bool pair_free(struct endpoint local, struct endpoint remote)
{
    struct tcp_entry *entry = tcp_table_find(local, remote);
    return !entry || (entry->kind == TCP_ENTRY_TIME_WAIT && tcp_time_wait_reuse(entry));
}

static int start_connection(struct tcp_socket *socket, struct endpoint remote)
{
    struct ip_route route;
    int error = ip_route(remote.address, &route);
    if (error < 0)
        return error;
    if (route.broadcast || ip_is_multicast(remote.address) || remote.port == 0)
        return -ENETUNREACH;
    struct endpoint local = socket->binding.local;
    if (ip_is_any(local.address))
        local.address = route.source;
    if (local.port == 0)
        local.port = tcp_pick_port(local.address, remote);
    if (local.port == 0 || !pair_free(local, remote))
        return -EADDRNOTAVAIL;
    struct tcp *tcp = tcp_create(local, remote);
    if (!tcp)
        return -ENOBUFS;
    tcp_table_add(&tcp->entry); /* takes over the first reference */
    tcp->references++;          /* the socket's */
    tcp->socket = socket;
    socket->connection = tcp;
    socket->connecting = true;
    send_first_syn(tcp, &route, socket);
    return -EINPROGRESS;
}

/* The state of an attempt. -EINPROGRESS: not decided yet. */
static int connection_result(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
        return -EINPROGRESS;
    socket->connecting = false;
    if (tcp->state != TCP_CLOSED)
        return 0;
    int error = socket->socket.operations->take_error(&socket->socket);
    forget_connection(socket); /* the socket may try again */
    return error != 0 ? -error : -ECONNABORTED;
}

static int connect_locked(struct tcp_socket *socket, const struct socket_address *address)
{
    must_hold_net();
    struct endpoint remote;
    int error = socket_peer(&socket->socket, socket->binding.local.address, address, &remote);
    if (error == -EAFNOSUPPORT)
        return error;
    if (socket->listening)
        return -EISCONN;
    if (!socket->connection)
        return error < 0 ? error : start_connection(socket, remote);
    if (!socket->connecting)
        return -EISCONN;
    int result = connection_result(socket);
    return result == -EINPROGRESS ? -EALREADY : result;
}

static bool connect_decided(struct tcp_socket *socket)
{
    net_lock();
    struct tcp *tcp = socket->connection;
    bool decided = !tcp || (tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECEIVED);
    net_unlock();
    return decided;
}

static int connect_address(struct socket *base, const struct socket_address *address)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    net_lock();
    int result = connect_locked(socket, address);
    net_unlock();
    bool pending = result == -EINPROGRESS || result == -EALREADY;
    if (!pending || socket_nonblocking(base, 0))
        return result;
    nanoseconds deadline = socket_deadline(base->send_timeout);
    int waited = wait_until(&base->queue, connect_decided(socket), deadline, SLEEP_INTERRUPTIBLE);
    if (waited < 0)
        return waited == -ETIMEDOUT ? -EINPROGRESS : waited;
    net_lock();
    result = socket->connection ? connection_result(socket) : -ECONNABORTED;
    net_unlock();
    return result;
}

/* ---- Listening -------------------------------------------------------------------------------------------- */

static int listen_locked(struct tcp_socket *socket, int backlog)
{
    must_hold_net();
    if (socket->connection)
        return -EINVAL;
    if (!port_bound(&socket->binding)) {
        int error = bind_locked(socket, socket->binding.local);
        if (error < 0)
            return error;
    }
    socket->backlog = min_of((unsigned)max_of(backlog, 0), TCP_BACKLOG_MAXIMUM);
    if (socket->listening)
        return 0;
    socket->binding.listening = true;
    if (port_conflict(&tcp_ports, &socket->binding, socket->binding.local)) {
        socket->binding.listening = false;
        return -EADDRINUSE;
    }
    socket->listening = true;
    socket->shut = false;
    if (!socket->socket.kept.kernels_own)
        net_milestone_reached(NET_FIRST_LISTEN);
    return 0;
}

static int start_listening(struct socket *base, int backlog)
{
    net_lock();
    struct tcp_socket *socket = tcp_socket_of(base);
    int result = listen_locked(socket, backlog);
    unsigned port = socket->binding.local.port;
    net_unlock();
    if (result == 0 && !base->kept.kernels_own)
        platform_report(EVENT_LISTENING, port);
    return result;
}

static void inherit(struct tcp_socket *child, const struct tcp_socket *listener)
{
    const struct socket *from = &listener->socket;
    struct socket *to = &child->socket;
    to->kept = from->kept;
    to->receive_timeout = from->receive_timeout;
    to->send_timeout = from->send_timeout;
    to->receive_buffer = from->receive_buffer;
    to->send_buffer = from->send_buffer;
    child->kept = listener->kept;
}

/* Moves the oldest waiting connection to `child`. 0 or -EAGAIN, -EINVAL. */
static int take_waiting(struct tcp_socket *listener, struct tcp_socket *child, struct socket_address *peer)
{
    if (!listener->listening)
        return -EINVAL;
    struct list *node = list_pop_front(&listener->waiting);
    if (!node)
        return listener->shut ? -EINVAL : -EAGAIN;
    struct tcp *tcp = list_entry(node, struct tcp, accept_link);
    listener->waiting_count--;
    tcp->listener = NULL;
    inherit(child, listener);
    tcp->socket = child; /* the queue's reference is the socket's now */
    child->connection = tcp;
    if (peer)
        *peer = (struct socket_address){ .family = listener->socket.family, .in = tcp->entry.remote };
    return 0;
}

static bool accept_ready(struct tcp_socket *listener)
{
    net_lock();
    bool ready = !listener->listening || listener->shut || !list_empty(&listener->waiting);
    net_unlock();
    return ready;
}

static int wait_for_connection(struct tcp_socket *listener, struct tcp_socket *child, struct socket_address *peer)
{
    nanoseconds deadline = socket_deadline(listener->socket.receive_timeout);
    for (;;) {
        net_lock();
        int result = take_waiting(listener, child, peer);
        net_unlock();
        if (result != -EAGAIN || socket_nonblocking(&listener->socket, 0))
            return result;
        int waited = wait_until_exclusive(&listener->socket.queue, POLLIN, accept_ready(listener), deadline,
                                          SLEEP_INTERRUPTIBLE);
        if (waited < 0)
            return socket_wait_result(waited);
    }
}

static int accept_connection(struct socket *base, unsigned file_flags, struct file **out, struct socket_address *peer)
{
    struct socket *child;
    int result = tcp_socket_create(base->family, &child);
    if (result < 0)
        return result;
    /* The file is made first: what can fail must fail before a connection is taken from the queue. */
    result = socket_open_file(child, file_flags, out);
    if (result < 0) {
        child->operations->release(child);
        return result;
    }
    result = wait_for_connection(tcp_socket_of(base), tcp_socket_of(child), peer);
    if (result < 0)
        file_put(*out);
    return result;
}

/* ---- Ending ----------------------------------------------------------------------------------------------- */

static void send_fin(struct tcp *tcp)
{
    if (tcp->fin_queued)
        return;
    tcp->fin_queued = true;
    if (tcp->state == TCP_ESTABLISHED || tcp->state == TCP_SYN_RECEIVED)
        tcp->state = TCP_FIN_WAIT_1;
    else if (tcp->state == TCP_CLOSE_WAIT)
        tcp->state = TCP_LAST_ACK;
    tcp_output(tcp);
}

static int shut_down_locked(struct tcp_socket *socket, int how)
{
    must_hold_net();
    struct tcp *tcp = socket->connection;
    if (socket->listening) {
        if (how == SHUT_WR)
            return -ENOTCONN;
        socket->shut = true;
        wake_all(&socket->socket.queue, POLLIN | POLLHUP);
        return 0;
    }
    if (!connected(tcp))
        return -ENOTCONN;
    if (how != SHUT_WR)
        tcp->shut_read = true;
    if (how != SHUT_RD)
        send_fin(tcp);
    tcp_wake(tcp, POLLIN | POLLOUT | POLLRDHUP | (how == SHUT_RDWR ? POLLHUP : 0));
    return 0;
}

static int shut_down(struct socket *base, int how)
{
    net_lock();
    int result = shut_down_locked(tcp_socket_of(base), how);
    net_unlock();
    return result;
}

static bool all_acknowledged(struct tcp_socket *socket)
{
    net_lock();
    struct tcp *tcp = socket->connection;
    bool done = tcp->state == TCP_CLOSED || tcp->send_unacknowledged == tcp->send_end + 1;
    net_unlock();
    return done;
}

/* SO_LINGER with a time: close() returns when the peer has everything, or the time is over. */
static void linger(struct tcp_socket *socket)
{
    net_lock();
    bool wanted = connected(socket->connection) && socket->socket.kept.linger && socket->socket.kept.linger_seconds > 0;
    if (wanted)
        send_fin(socket->connection);
    net_unlock();
    if (!wanted)
        return;
    nanoseconds deadline = clock_monotonic() + socket->socket.kept.linger_seconds * NS_PER_SECOND;
    /* However it ended, the socket is closed; what is left goes on in the background. */
    (void)wait_until(&socket->socket.queue, all_acknowledged(socket), deadline, SLEEP_INTERRUPTIBLE);
}

static void release(struct socket *base)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    linger(socket);
    net_lock();
    if (socket->listening)
        tcp_listener_close(socket);
    port_unbind(&socket->binding);
    struct tcp *tcp = socket->connection;
    if (tcp) {
        tcp_orphan(tcp, base->kept.linger && base->kept.linger_seconds == 0);
        tcp_put(tcp);
    }
    net_unlock();
    heap_free(socket);
}

/* ---- Readiness -------------------------------------------------------------------------------------------- */

static unsigned connection_events(struct tcp *tcp)
{
    unsigned events = 0;
    bool over = tcp->state == TCP_CLOSED;
    bool connecting = tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED;
    if (tcp_readable(tcp) >= tcp_receive_low(tcp) || tcp->fin_received || tcp->shut_read || over)
        events |= POLLIN;
    if (tcp->urgent_state == TCP_URGENT_HERE)
        events |= POLLPRI;
    if (tcp->fin_received || tcp->shut_read || over)
        events |= POLLRDHUP;
    if (over || ((tcp->fin_received || tcp->shut_read) && tcp->fin_queued))
        events |= POLLHUP;
    if (tcp->error != 0)
        events |= POLLERR;
    if (over || tcp->fin_queued || (!connecting && tcp_writable(tcp)))
        events |= POLLOUT;
    else
        tcp->writer_waits = true;
    return events;
}

static unsigned poll_events(struct socket *base)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    unsigned events;
    net_lock();
    if (socket->listening)
        events = (list_empty(&socket->waiting) ? 0 : POLLIN) | (socket->shut ? POLLIN | POLLHUP : 0);
    else if (!socket->connection)
        events = POLLOUT | POLLHUP;
    else
        events = connection_events(socket->connection);
    net_unlock();
    return events;
}

static int64_t readable_bytes(struct socket *base)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    net_lock();
    int64_t result = socket->connection ? (int64_t)tcp_readable_to_mark(socket->connection) : 0;
    if (socket->listening)
        result = -EINVAL;
    net_unlock();
    return result;
}

#define SIOCATMARK 0x8905u /* asm-generic/sockios.h, linux/sockios.h */
#define SIOCOUTQ 0x5411u
#define SIOCOUTQNSD 0x894bu

static int ioctl_locked(struct tcp_socket *socket, uint32_t request, int32_t *value)
{
    must_hold_net();
    struct tcp *tcp = connected(socket->connection) ? socket->connection : NULL;
    if (request != SIOCATMARK && request != SIOCOUTQ && request != SIOCOUTQNSD)
        return -ENOTTY;
    if (socket->listening && request != SIOCATMARK)
        return -EINVAL;
    if (request == SIOCATMARK)
        *value = socket->connection && tcp_at_mark(socket->connection);
    else if (request == SIOCOUTQ)
        *value = !tcp ? 0 : (int32_t)(tcp->send_end - seq_min(tcp->send_unacknowledged, tcp->send_end));
    else
        *value = !tcp ? 0 : (int32_t)(tcp->send_end - seq_min(tcp->send_next, tcp->send_end));
    return 0;
}

static int ioctl_socket(struct socket *base, uint32_t request, int32_t *value)
{
    net_lock();
    int result = ioctl_locked(tcp_socket_of(base), request, value);
    net_unlock();
    return result;
}

static int take_error(struct socket *base)
{
    struct tcp *tcp = tcp_socket_of(base)->connection;
    if (!tcp)
        return 0;
    int error = tcp->error;
    tcp->error = 0;
    return error;
}

static const struct socket_operations operations = {
    .bind = bind_address,
    .is_bound = is_bound,
    .connect = connect_address,
    .listen = start_listening,
    .accept = accept_connection,
    .send = tcp_stream_send,
    .receive = tcp_stream_receive,
    .shutdown = shut_down,
    .local_address = local_address,
    .peer_address = peer_address,
    .poll = poll_events,
    .readable_bytes = readable_bytes,
    .ioctl = ioctl_socket,
    .take_error = take_error,
    .options_changed = tcp_socket_options_changed,
    .set_option = tcp_socket_set_option,
    .get_option = tcp_socket_get_option,
    .release = release,
};

int tcp_socket_create(int family, struct socket **out)
{
    struct tcp_socket *socket = heap_allocate_zeroed(sizeof(*socket));
    if (!socket)
        return -ENOMEM;
    socket_init(&socket->socket, &operations, family, SOCK_STREAM, IPPROTO_TCP);
    port_binding_init(&socket->binding);
    socket->binding.local.address = socket_any(family);
    list_init(&socket->waiting);
    list_init(&socket->requests);
    tcp_socket_init(socket);
    *out = &socket->socket;
    return 0;
}
