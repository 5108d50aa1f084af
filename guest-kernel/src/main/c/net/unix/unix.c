/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets inside the machine (unix(7)): pairs, and those with a name in a memory file system or in the abstract name
 * space.
 * Here are names, connections and streams, of which each end has a ring for the bytes sent to it, made when the first
 * byte comes; packets.c has SOCK_SEQPACKET and SOCK_DGRAM. No descriptors or credentials are passed: there is one
 * process.
 *
 * Guarded by the net lock, except the bytes of a ring: its reader and its writer (one each, by their
 * mutexes) touch disjoint parts without the lock.
 *
 * What stays across a sleep (a user copy, a walk along a path) without the lock:
 * - the socket itself: the caller of an operation holds a reference to its file, so release() cannot come;
 * - its peer: u->peer is set once, by join(), and holds a reference until release();
 * - a peer's ring: made once, freed with the peer;
 * - that no other thread gives the socket a name: `binding`.
 * An inode points to its listener without a reference: release() clears that pointer under the lock, so it is followed
 * under the lock only. A socket has at most one name, so that release() finds every pointer to it.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/reference.h"
#include "files/network_view.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/unix/private.h"
#include "threads/thread.h"

#define RING_SIZE (32u * 1024)
#define BACKLOG_MAXIMUM 128u

/* Abstract names begin with a NUL, others do not: no path is taken for one. */
static struct list named_sockets = LIST_INIT(named_sockets);

static struct unix_socket *of(struct socket *socket) { return unix_of(socket); }

void unix_put(struct unix_socket *u)
{
    if (!reference_put(&u->references))
        return;
    unix_free_packets(u);
    heap_free(u->ring);
    heap_free(u);
}

/* ---- Moving bytes --------------------------------------------------------------------------------------- */

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

static ssize_type send_message(struct socket *socket, struct socket_message *message)
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

static ssize_type receive_message(struct socket *socket, struct socket_message *message)
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

/* ---- Names ------------------------------------------------------------------------------------------------ */

static bool is_abstract(const struct socket_address *name) { return name->path_length > 0 && name->path[0] == 0; }

static void path_text(const struct socket_address *name, char to[UNIX_PATH_SIZE + 1])
{
    memcpy(to, name->path, name->path_length);
    to[name->path_length] = 0;
}

static bool same_name(const struct socket_address *a, const struct socket_address *b)
{
    return a->path_length == b->path_length && memcmp(a->path, b->path, a->path_length) == 0;
}

static struct unix_socket *find_abstract(const struct socket_address *name)
{
    list_for_each (node, &named_sockets) {
        struct unix_socket *u = list_entry(node, struct unix_socket, name_link);
        if (same_name(&u->name, name))
            return u;
    }
    return NULL;
}

static int bind_abstract(struct unix_socket *u, const struct socket_address *name)
{
    if (find_abstract(name))
        return -EADDRINUSE;
    list_push_back(&named_sockets, &u->name_link);
    u->name = *name;
    return 0;
}

/* Sleeps. The caller has set u->binding, which ends here. */
static int bind_path(struct unix_socket *u, const struct socket_address *name)
{
    char path[UNIX_PATH_SIZE + 1];
    struct inode *inode;
    path_text(name, path);
    struct dentry *start = working_directory();
    int error = name_make_node(start, path, S_IFSOCK | 0777, &inode);
    dentry_put(start);
    net_lock();
    u->binding = false;
    if (error == 0) {
        inode->private = u;
        u->inode = inode;
        u->name = *name;
        list_push_back(&named_sockets, &u->name_link);
    }
    net_unlock();
    return error == -EEXIST ? -EADDRINUSE : error;
}

/* An abstract name of five digits that no socket has: unix(7), Autobind. Net lock. */
static int bind_anywhere(struct unix_socket *u)
{
    static uint32_t last;
    struct socket_address name = { .family = AF_UNIX, .path_length = 6 };
    do
        format(name.path + 1, sizeof(name.path) - 1, "%05x", ++last & 0xfffffu);
    while (find_abstract(&name));
    return bind_abstract(u, &name);
}

static int bind_unnamed(struct unix_socket *u)
{
    net_lock();
    int result = u->name.path_length > 0 || u->binding ? 0 : bind_anywhere(u);
    net_unlock();
    return result;
}

static int bind_address(struct socket *socket, const struct socket_address *address)
{
    struct unix_socket *u = of(socket);
    if (address->family != AF_UNIX)
        return -EINVAL;
    if (address->path_length == 0)
        return bind_unnamed(u);
    int result = 0;
    bool abstract = is_abstract(address);
    net_lock();
    if (u->name.path_length > 0 || u->binding)
        result = -EINVAL;
    else if (abstract)
        result = bind_abstract(u, address);
    else
        u->binding = true;
    net_unlock();
    return result < 0 || abstract ? result : bind_path(u, address);
}

static int local_address(struct socket *socket, struct socket_address *out)
{
    net_lock();
    *out = of(socket)->name;
    net_unlock();
    out->family = AF_UNIX;
    return 0;
}

static int peer_address(struct socket *socket, struct socket_address *out)
{
    struct unix_socket *u = of(socket);
    net_lock();
    *out = u->peer_name;
    bool connected = u->state == UNIX_CONNECTED;
    net_unlock();
    out->family = AF_UNIX;
    return connected ? 0 : -ENOTCONN;
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

/* Finds the listener of a path; *inode, if set, has a reference for the caller. */
static int find_inode(const struct socket_address *name, struct inode **inode)
{
    char path[UNIX_PATH_SIZE + 1];
    struct dentry *dentry;
    path_text(name, path);
    struct dentry *start = working_directory();
    int error = path_find(start, path, WALK_FOLLOW, &dentry);
    dentry_put(start);
    if (error < 0)
        return error;
    *inode = is_type(dentry->inode, S_IFSOCK) ? inode_get(dentry->inode) : NULL;
    dentry_put(dentry);
    return *inode ? 0 : -ECONNREFUSED;
}

int unix_find(const struct socket_address *name, struct inode **inode)
{
    *inode = NULL;
    return is_abstract(name) ? 0 : find_inode(name, inode);
}

struct unix_socket *unix_owner(const struct socket_address *name, const struct inode *inode)
{
    return inode ? inode->private : find_abstract(name);
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
        wake(&peer->socket.queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
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
        int waited = wait_until(&socket->queue, accept_ready(u), deadline, SLEEP_INTERRUPTIBLE);
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
    wake(&socket->queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    if (u->peer)
        wake(&u->peer->socket.queue, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    net_unlock();
    return 0;
}

static void release(struct socket *socket)
{
    struct unix_socket *u = of(socket);
    net_lock();
    struct inode *inode = u->inode;
    list_remove(&u->name_link);
    if (inode)
        inode->private = NULL;
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
    bool full = u->socket.type == SOCK_STREAM ? u->peer->used >= RING_SIZE : unix_packets_full(u->peer);
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
    .bind = bind_address,
    .connect = connect_address,
    .listen = start_listening,
    .accept = accept_connection,
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
static const struct socket_operations record_operations = {
    .bind = bind_address,
    .connect = connect_address,
    .listen = start_listening,
    .accept = accept_connection,
    .send = unix_send_packet,
    .receive = unix_receive_packet,
    .shutdown = shut_down,
    .local_address = local_address,
    .peer_address = peer_address,
    .poll = poll_events,
    .readable_bytes = unix_packet_bytes,
    .take_error = take_error,
    .release = release,
};
static const struct socket_operations datagram_operations = {
    .bind = bind_address,
    .connect = unix_connect_datagrams,
    .send = unix_send_packet,
    .receive = unix_receive_packet,
    .shutdown = shut_down,
    .local_address = local_address,
    .peer_address = unix_datagram_peer,
    .poll = unix_poll_datagrams,
    .readable_bytes = unix_packet_bytes,
    .take_error = take_error,
    .release = release,
};

/* ---- /proc/net/unix: those with a name. They are copied under the net lock and printed without it ---- */

#define SPARE_RECORDS 16u /* for sockets that are named between counting and copying */
#define LINES_AT_ONCE 64u /* between points where others may run */

struct named_record {
    uint32_t references, flags, type, state;
    uint64_t number;
    struct socket_address name;
};

static void fill_record(struct named_record *record, const struct unix_socket *u)
{
    *record = (struct named_record){
        .references = u->references,
        .flags = u->state == UNIX_LISTENING ? 0x10000u : 0,
        .type = u->socket.type,
        .state = u->state == UNIX_CONNECTED ? 3 : 1,
        .number = u->socket.number,
        .name = u->name,
    };
}

/* Copies up to `room` of them; how many there are. */
static uint32_t copy_named(struct named_record *records, uint32_t room)
{
    uint32_t count = 0;
    net_lock();
    list_for_each (node, &named_sockets) {
        if (count < room)
            fill_record(&records[count], list_entry(node, struct unix_socket, name_link));
        count++;
    }
    net_unlock();
    return count;
}

static void print_named(struct text *out, const struct named_record *r)
{
    bool abstract = is_abstract(&r->name);
    text_print(out, "0000000000000000: %08X 00000000 %08X %04X %02X %5lu ", r->references, r->flags, r->type, r->state,
               r->number);
    text_print(out, "%s%.*s\n", abstract ? "@" : "", r->name.path_length - abstract, r->name.path + abstract);
}

static void show_named(struct text *out)
{
    uint32_t room = copy_named(NULL, 0) + SPARE_RECORDS;
    struct named_record *records = heap_allocate_at(room * sizeof(*records), PAGES_NEEDED);
    if (!records) {
        out->failed = true;
        return;
    }
    uint32_t count = min_of(copy_named(records, room), room);
    for (uint32_t i = 0; i < count; i++) {
        print_named(out, &records[i]);
        if (i % LINES_AT_ONCE == 0)
            give_way();
    }
    heap_free(records);
}

void unix_init(void) { network_view.unix_sockets = show_named; }

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
