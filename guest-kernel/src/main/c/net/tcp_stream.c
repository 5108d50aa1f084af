/*
 * Moving bytes between an application and a connection: send() and recv() on TCP sockets.
 */
#include "lib/errno.h"
#include "lib/pages.h"
#include "net/tcp_private.h"

#define BATCH 16                     /* pages filled before they are queued and sent */

/* ---- Sending --------------------------------------------------------------------------------------------- */

/* The reason why nothing can be sent now, negative; 0: go on; -EAGAIN: not yet. Net lock. */
static int send_obstacle(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (tcp == NULL)
        return -EPIPE;
    if (tcp->error != 0)
        return -socket->socket.operations->take_error(&socket->socket);
    if (tcp->fin_queued || tcp->state == TCP_CLOSED)
        return -EPIPE;
    if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
        return -EAGAIN;
    if (tcp_queue_room(tcp) > 0)
        return 0;
    tcp->writer_waits = true;
    return -EAGAIN;
}

struct filled_page {
    struct page *page;
    uint32_t offset, length;
};

/* The page the last write left partly filled, or a new one; *used tells how far. */
static struct page *take_send_page(struct tcp *tcp, uint32_t *used)
{
    net_lock();
    struct page *page = tcp->send_page;
    *used = tcp->send_page_used;
    tcp->send_page = NULL;
    net_unlock();
    if (page != NULL)
        return page;
    *used = 0;
    return page_allocate();
}

/* Copies up to `room` bytes from the writer into pages. Returns how many pages were filled; *rest is the
 * last one if it has space left, with a reference of its own. */
static unsigned fill_pages(struct tcp *tcp, struct transfer *from, uint32_t room, struct filled_page *filled,
                           int *error)
{
    unsigned count = 0;
    uint32_t used;
    struct page *page = take_send_page(tcp, &used);
    while (page != NULL && room > 0 && from->remaining > 0 && count < BATCH) {
        uint32_t length = (uint32_t)min_of(min_of(PAGE_SIZE - used, (uint64_t)room), (uint64_t)from->remaining);
        ssize_type moved = transfer_in(from, (uint8_t *)page_data(page) + used, length);
        if (moved <= 0) {
            *error = -EFAULT;
            break;
        }
        page_get(page);
        filled[count++] = (struct filled_page){ page, used, (uint32_t)moved };
        used += (uint32_t)moved;
        room -= (uint32_t)moved;
        if (used == PAGE_SIZE) {
            page_put(page);
            used = 0;
            page = room > 0 && from->remaining > 0 && count < BATCH ? page_allocate() : NULL;
        }
    }
    if (page == NULL && count == 0)
        *error = -ENOBUFS;
    net_lock();
    tcp->send_page = page;
    tcp->send_page_used = used;
    net_unlock();
    return count;
}

/* Queues what was filled and sends what may go. Returns the bytes queued. */
static ssize_type queue_pages(struct tcp *tcp, const struct filled_page *filled, unsigned count, bool urgent)
{
    ssize_type queued = 0;
    bool stopped = false;
    net_lock();
    bool open = tcp->state != TCP_CLOSED && !tcp->fin_queued;
    for (unsigned i = 0; i < count; i++) {
        if (!open || stopped || !tcp_queue_append(tcp, filled[i].page, filled[i].offset, filled[i].length)) {
            stopped = true;
            page_put(filled[i].page);
            continue;
        }
        queued += filled[i].length;
    }
    if (!open && tcp->send_page != NULL) {
        page_put(tcp->send_page);
        tcp->send_page = NULL;
    }
    if (urgent && queued > 0) {
        tcp->urgent = true;
        tcp->urgent_end = tcp->send_end;
    }
    if (queued > 0)
        tcp_output(tcp);
    net_unlock();
    return queued;
}

/* Moves one batch. Bytes, or -errno; -EAGAIN: no room. `writing` is held. */
static ssize_type send_batch(struct tcp_socket *socket, struct socket_message *message)
{
    struct filled_page filled[BATCH];
    net_lock();
    int error = send_obstacle(socket);
    struct tcp *tcp = socket->connection;
    uint32_t room = error == 0 ? tcp_queue_room(tcp) : 0;
    net_unlock();
    if (error < 0)
        return error;
    unsigned count = fill_pages(tcp, message->data, room, filled, &error);
    bool urgent = message->flags & MSG_OOB && message->data->remaining == 0;
    ssize_type queued = queue_pages(tcp, filled, count, urgent);
    return queued > 0 ? queued : error;
}

static bool send_ready(struct tcp_socket *socket)
{
    net_lock();
    struct tcp *tcp = socket->connection;
    int obstacle = tcp->error != 0 || tcp->fin_queued ? 0 : send_obstacle(socket);
    bool ready = obstacle != -EAGAIN && (obstacle != 0 || tcp->error != 0 || tcp->fin_queued || tcp_writable(tcp));
    if (!ready)
        tcp->writer_waits = true;
    net_unlock();
    return ready;
}

ssize_type tcp_stream_send(struct socket *base, struct socket_message *message)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    nanoseconds deadline = socket_deadline(base->send_timeout);
    ssize_type done = 0;
    mutex_lock(&base->writing);
    while (message->data->remaining > 0) {
        ssize_type moved = send_batch(socket, message);
        if (moved > 0) {
            done += moved;
            continue;
        }
        if (moved == 0 || moved != -EAGAIN || socket_nonblocking(base, message->flags)) {
            done = done > 0 ? done : moved;
            break;
        }
        mutex_unlock(&base->writing);
        int waited = wait_until(&base->queue, send_ready(socket), deadline, SLEEP_KILLABLE_BY_SIGNAL);
        mutex_lock(&base->writing);
        if (waited < 0) {
            done = done > 0 ? done : socket_wait_result(waited);
            break;
        }
    }
    mutex_unlock(&base->writing);
    return done;
}

/* ---- Receiving -------------------------------------------------------------------------------------------- */

static struct packet *packet_at(struct list *node) { return list_entry(node, struct packet, link); }

/* Why there is nothing to read: 0 end of stream, negative error; -EAGAIN not yet. Net lock. */
static int nothing_to_read(struct tcp_socket *socket)
{
    struct tcp *tcp = socket->connection;
    if (tcp == NULL)
        return -ENOTCONN;
    if (tcp->error != 0)
        return -socket->socket.operations->take_error(&socket->socket);
    if (tcp->fin_received || tcp->shut_read || tcp->state == TCP_CLOSED)
        return 0;
    return -EAGAIN;
}

static void remove_read_packet(struct tcp *tcp, struct packet *packet)
{
    net_lock();
    list_remove(&packet->link);
    tcp->received_memory -= tcp_piece(packet)->memory;
    net_uncharge(tcp_piece(packet)->memory);
    net_unlock();
    packet_free(packet);
}

/* Copies out what is there, without waiting. `reading` is held, so nobody else removes packets; they
 * are only ever added behind. Bytes or -errno. */
static ssize_type read_available(struct tcp_socket *socket, struct socket_message *message)
{
    net_lock();
    struct tcp *tcp = socket->connection;
    struct list *node = tcp != NULL && !tcp->shut_read ? tcp->received.next : NULL;
    if (node == NULL || node == &tcp->received) {
        int why = nothing_to_read(socket);
        net_unlock();
        return why;
    }
    uint32_t left = tcp->received_bytes;
    net_unlock();
    ssize_type done = 0;
    bool peek = message->flags & MSG_PEEK;
    while (left > 0 && message->data->remaining > 0) {
        struct packet *packet = packet_at(node);
        uint32_t from = tcp_piece(packet)->consumed;
        uint32_t length = (uint32_t)min_of((size_t)(packet->length - from), message->data->remaining);
        ssize_type moved = packet_transfer_out(packet, from, message->data, length);
        if (moved <= 0) {
            done = done > 0 ? done : -EFAULT;
            break;
        }
        done += moved;
        left -= (uint32_t)moved;
        node = node->next;
        if (peek)
            continue;
        tcp_piece(packet)->consumed += (uint32_t)moved;
        if (tcp_piece(packet)->consumed == packet->length)
            remove_read_packet(tcp, packet);
    }
    if (done > 0 && !peek) {
        net_lock();
        tcp->received_bytes -= (uint32_t)done;
        tcp_window_opened(tcp, (uint32_t)done);
        net_unlock();
    }
    return done;
}

static bool receive_ready(struct tcp_socket *socket)
{
    net_lock();
    struct tcp *tcp = socket->connection;
    bool ready = tcp == NULL || tcp->received_bytes > 0 || tcp->error != 0 || tcp->fin_received || tcp->shut_read ||
                 tcp->state == TCP_CLOSED;
    net_unlock();
    return ready;
}

ssize_type tcp_stream_receive(struct socket *base, struct socket_message *message)
{
    struct tcp_socket *socket = tcp_socket_of(base);
    nanoseconds deadline = socket_deadline(base->receive_timeout);
    ssize_type done = 0;
    if (message->flags & MSG_OOB)
        return -EINVAL;               /* urgent data is delivered in line (RFC 6093) */
    if (message->data->remaining == 0)
        return 0;
    for (;;) {
        mutex_lock(&base->reading);
        ssize_type moved = read_available(socket, message);
        mutex_unlock(&base->reading);
        if (moved > 0)
            done += moved;
        bool enough = moved > 0 && (!(message->flags & MSG_WAITALL) || message->flags & MSG_PEEK ||
                                    message->data->remaining == 0);
        bool over = moved == 0 || (moved < 0 && (moved != -EAGAIN || socket_nonblocking(base, message->flags)));
        if (enough || over)
            return done > 0 ? done : moved;
        int waited = wait_until(&base->queue, receive_ready(socket), deadline, SLEEP_KILLABLE_BY_SIGNAL);
        if (waited < 0)
            return done > 0 ? done : socket_wait_result(waited);
    }
}
